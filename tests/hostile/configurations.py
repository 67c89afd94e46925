"""The doors of a configuration folder: access records and `config.json` of any content and kind."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from hostile.runner import Case, Door

ODD = (
    None,
    True,
    -1,
    0,
    5,
    10**30,
    1e308,
    float('nan'),
    float('inf'),
    '',
    'x' * 5000,
    '\ud800',
    '\x1b[2J',
    [],
    {},
    [[]],
)
KEYS = ('host', 'machine', 'boot', 'namespace', 'tag', 'pid', 'start', 'since', 'user', 'command', 'purpose', 'held')
RECORDS = ('7.pid', '7.lock', '7.t.pid.json', '7.t.lock.json', '9.pid', '9.t.pid.json', 'x.lock', '7.t.pid.json.tmp')
LOOKING = (('storage', 'locks'), ('storage', 'locks', '--format', 'json'), ('node', 'list'), ('storage', 'info'))
CLEARING = (
    ('storage', 'unlock', '--dry-run'),
    ('storage', 'unlock', '--yes'),
    ('storage', 'maintain', '--full', '--yes'),
)


class InConfigurationFolder(Door):
    """A profile on SQLite, whose configuration folder is put back before each case."""

    def set_up(self) -> None:
        self.profile.make(filled=False)
        self.config = self.folder / '.aiida' / 'config.json'
        self.before = self.config.read_bytes()
        self.records = self.folder / '.aiida' / 'access' / 'p'


class AccessRecords(InConfigurationFolder):
    """Records and sidecars of hostile content."""

    name: ClassVar = 'access records'
    cases_in_ci: ClassVar = 70

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        shutil.rmtree(self.records, ignore_errors=True)
        self.records.mkdir(parents=True)
        for name in chance.sample((*RECORDS, 'ricordi.guard'), chance.randint(1, 4)):
            put(self.records / name, chance)
        for words in (chance.choice(LOOKING), chance.choice(CLEARING)):
            yield Case(f'access records, seed {seed}', words)


class Configurations(InConfigurationFolder):
    """A `config.json` of hostile content."""

    name: ClassVar = 'config'
    cases_in_ci: ClassVar = 120

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        remove(self.config)
        put_config(self.config, self.before, chance)
        verbs = (('profile', 'list'), ('profile', 'show', 'p'), ('profile', 'set-default', 'p'), ('status',))
        for words in chance.sample((*verbs, *LOOKING), 2):
            yield Case(f'config, seed {seed}', words)


def put_config(path: Path, sound: bytes, chance: random.Random) -> None:
    """Put a file of settings there: a sound one with some values of wrong types, sometimes anything."""
    if chance.random() < 0.15:
        put(path, chance)
        return
    content = json.loads(sound)
    for _ in range(chance.randint(1, 2)):
        spoil(content, chance)
    path.write_bytes(json.dumps(content).encode())


def remove(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def put(path: Path, chance: random.Random, pipes: bool = True) -> None:
    """Put something of any kind and content there.

    :param pipes: also ones that nobody ever writes to; not where a person may well name a pipe, and is waited for.
    """
    kind = chance.random()
    if kind < 0.1:
        path.mkdir()
        if chance.random() < 0.5:
            (path / 'inside').touch()
    elif kind < 0.2 and pipes:
        os.mkfifo(path)
    elif kind < 0.3:
        path.symlink_to(chance.choice(('/dev/zero', '/nowhere', path.name, '/etc/hostname', '/')))
    else:
        path.write_bytes(some_content(chance))


def some_content(chance: random.Random) -> bytes:
    """What stands in a file: mostly a sidecar with some values of wrong types, else anything."""
    if chance.random() < 0.3:
        return chance.choice(
            (b'', b'[' * 5000, chance.randbytes(50), b'9' * 5000, b"['x', " + b'(' * 500, b'[1, None]')
        )
    details: dict[str, object] = dict.fromkeys(KEYS, 'x') | {
        'pid': 7,
        'command': ['x'],
        'since': '2025-01-01T00:00:00Z',
    }
    for key in chance.sample(KEYS, chance.randint(0, 3)):
        details[key] = chance.choice(ODD)
    return json.dumps(details).encode()


def spoil(content: dict[str, object], chance: random.Random) -> None:
    """Put a value of a wrong type somewhere into a tree of dictionaries."""
    here: dict[str, object] = content
    while True:
        key = chance.choice([*here])
        below = here[key]
        if not isinstance(below, dict) or not below or chance.random() < 0.2:
            here[key] = chance.choice(ODD)
            return
        here = below
