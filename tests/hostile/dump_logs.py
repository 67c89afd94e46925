"""The door of dump folders: logs that somebody else has written, links and files where folders should be."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from hostile.configurations import put
from hostile.runner import Case, Door

LOG = 'ricordi_dump_log.jsonl'
DUMP = ('profile', 'dump', '--all', '--also-ungrouped', '--dump-unsealed')
PATHS = [
    *['../outside', '../outside/kept', '/OUT/kept', 'a/../../outside', '.', '..', '', 'way', 'way/kept', 'groups/x'],
    *['a//b', 'x\0y', '\ud800', 'n' * 300, 'deep/' * 300 + 'x', LOG, '.aiida_dump_safeguard', 'groups', '/', '~'],
]
ODD: list[Any] = [None, 5, 1.5, True, [], {}, ['..', '..'], {'..': '..'}, '', '../outside/kept', '9' * 5000, 10**400]
BYTES = [
    b'',
    b'\xff\xfe',
    b'[' * 100_000 + b'\n',
    b'{"a":' * 5000,
    b'{}\n' * 50_000,
    b'9' * 5000,
    b'\0' * 500,
    b'{"x": "',
]
OPTIONS = [
    (),
    ('--overwrite',),
    ('--dry-run',),
    ('--overwrite', '--dry-run'),
    ('--filter-by-last-dump-time',),
    ('--relabel-groups',),
]


class DumpLogs(Door):
    """A dump beside a folder that must stay as it is."""

    name: ClassVar = 'dump logs'
    cases_in_ci: ClassVar = 40
    may_change: ClassVar = ('.aiida', 'tmp', 'dump')

    def set_up(self) -> None:
        self.profile.make()
        self.dump = self.folder / 'dump'
        self.outside = self.folder / 'outside'
        (self.outside / 'kept').mkdir(parents=True)
        for name in ('aiida_node_metadata.yaml', '.aiida_dump_safeguard', 'file', LOG):
            (self.outside / 'kept' / name).write_text(name)
        self.profile.run('-p', 'p', *DUMP, '--path', str(self.dump))
        (self.dump / 'way').symlink_to(self.outside)
        self.lines = [json.loads(line) for line in (self.dump / LOG).read_text().splitlines()]
        self.dump.rename(self.folder / 'sound')

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        if self.dump.is_dir():
            shutil.rmtree(self.dump)
        shutil.copytree(self.folder / 'sound', self.dump, symlinks=True)
        log = self.dump / LOG
        kind = chance.random()
        if kind < 0.1:
            log.unlink()
            self._other_log(log, chance)
        elif kind < 0.15:
            log.write_bytes(chance.choice(BYTES) + b'y' * chance.choice((0, 0, 80 << 20)))
        else:
            lines = some_lines(chance, self.lines, str(self.outside))
            log.write_text(''.join(json.dumps(line) + '\n' for line in lines))
        for _ in range(chance.choice((0, 0, 1, 3))):
            self._exchange(chance)
        yield Case(f'seed {seed}', ('-p', 'p', *DUMP, '--path', str(self.dump), *chance.choice(OPTIONS)))

    def _other_log(self, log: Path, chance: random.Random) -> None:
        if chance.random() < 0.5:
            log.symlink_to(self.outside / 'kept' / LOG)
        else:
            put(log, chance)

    def _exchange(self, chance: random.Random) -> None:
        """Something else in place of what the dump has made."""
        there = sorted(path for path in self.dump.rglob('*') if not path.is_symlink())
        if not there:
            return
        path = chance.choice(there)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        match chance.randrange(3):
            case 0:
                path.symlink_to(
                    chance.choice((self.outside, self.outside / 'kept', self.outside / 'kept' / 'file', path))
                )
            case 1:
                os.link(self.outside / 'kept' / 'file', path)
            case 2:
                put(path, chance)


def some_lines(chance: random.Random, lines: list[dict[str, Any]], outside: str) -> list[Any]:
    """Lines of a log: those of a real one, some of them changed, and some new."""

    def path() -> str:
        return chance.choice(PATHS).replace('/OUT', outside)

    said = {'uuid': 'u', 'mtime': 'm', 'group': 'g', 'top': 'u', 'how': 'ia'}
    new: list[Any] = [
        {'folder': path(), **said, 'files': {path(): 'k', 'file': 'k'}},
        {'folder': 'x', **said, 'files': chance.choice(ODD)},
        {'folder': 'x', **said, 'target': path(), 'files': {}},
        {'removed': path()},
        {'moved': [path(), path()]},
        {'moved': chance.choice(ODD)},
        {'group': 'g', 'root': path()},
        {'group': chance.choice(ODD), 'root': chance.choice(ODD)},
        {'ricordi_dump': 1, 'folder': path(), **said},
        {**said, 'folder': 'x', chance.choice(list(said)): chance.choice(ODD)},
        chance.choice(ODD),
    ]
    if chance.random() < 0.3:  # one of the real ones, changed
        changed = dict(chance.choice(lines))
        changed[chance.choice(list(changed))] = chance.choice((path(), *ODD))
        return [*lines, changed]
    return [*lines, *chance.sample(new, 3)] if chance.random() < 0.7 else [lines[0], *new]
