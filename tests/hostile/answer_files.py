"""The door of files of answers (`--config`): YAML of any types, shapes and bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import ClassVar

from hostile.configurations import put
from hostile.runner import Case, Door

KEYS = [
    *['label', 'hostname', 'transport', 'scheduler', 'work_dir', 'shebang', 'mpirun_command', 'mpiprocs_per_machine'],
    *['default_memory_per_machine', 'use_double_quotes', 'prepend_text', 'append_text', 'description', 'email'],
    *['<<', '? x', 'username', 'port', 'key_filename', 'timeout', 'proxy_command', 'safe_interval', 'first_name'],
    *['profile_name', 'repository_uri', 'filepath', 'database_port', 'set_as_default', 'label', 'host'],
]
VALUES = [
    *['null', '~', '[]', '[[]]', '{}', '{a: b}', '{[a]: b}', '? [x]', '5', '-1', '1e400', '.inf', '.nan', '9' * 5000],
    *['yes', '""', "' '", '!!python/object/apply:os.system ["true"]', '!!binary aGk=', '!!set {a, b}', '!!int x'],
    *['!!timestamp 99999-01-01', '&a [*a]', '*unknown', '"\\ud800"', '"\\0"', '"\\x1b[2J"', '2025-99-99'],
    *['0x' + 'f' * 400, '|\n  many\n  lines', '"\\U0001F4A5"', '[mpirun, [x]]', '!!float x', '!!bool 7', 'a: b: c'],
    *[
        '\t',
        '%',
        '@',
        '`',
        'core.ssh',
        'core.local',
        'x',
        'a@b.c',
        '2026-01-01',
        '12:30:45',
        '0o17',
        '1_000',
        '!!omap x',
    ],
    *['"' + 'x' * 100_000 + '"', '[' * 500 + ']' * 500, '{? ' * 90 + 'a' + '}' * 90, '!!str', '!<tag:x> y', '&a a'],
]
VERBS = [
    *(('-p', 'p', 'computer', 'setup', '-n'),) * 4,
    ('-p', 'p', 'computer', 'configure', 'core.ssh', '2', '-n'),
    ('-p', 'p', 'computer', 'configure', 'core.local', '1', '-n'),
    ('-p', 'p', 'computer', 'duplicate', '1', '-n'),
    ('-p', 'p', 'user', 'configure', '-n'),
    ('profile', 'setup', 'core.sqlite_dos', '-n'),
    ('profile', 'setup', 'core.sqlite_zip', '-n'),
    ('profile', 'setup', 'core.psql_dos', '-n'),
]
BILLION = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 9)}]\n' for n in range(1, 12)
)
"""A little file that becomes a large value."""
TOGETHER = 20
SOUND = """label: c{number}
hostname: host
transport: core.local
scheduler: core.direct
work_dir: /scratch
"""
SPARE = ['shebang', 'mpirun_command', 'default_memory_per_machine', 'prepend_text', 'append_text', 'description']
"""Names of options of `computer setup`."""


class AnswerFiles(Door):
    """Files with what would be typed at prompts."""

    name: ClassVar = 'answer files'
    cases_in_ci: ClassVar = 120
    may_change: ClassVar = ('.aiida', 'tmp', 'work')
    works_in: ClassVar = 'work'

    def set_up(self) -> None:
        self.profile.make()
        self.profile.keep()
        (self.folder / 'answers').mkdir()

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        self.profile.put_back()
        path = self.folder / 'answers' / 'x.yaml'
        for number in range(TOGETHER):
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)
            else:
                path.rename(path.with_name(f'{seed} {number}'))
            content = some_answers(chance)
            if content is None:
                put(path, chance)
            else:
                path.write_bytes(content)
            yield Case(f'seed {seed}, case {number}', (*chance.choice(VERBS), '--config', str(path)))


def some_answers(chance: random.Random) -> bytes | None:
    """A file: mostly lines of keys and values, sometimes anything; None: no file of text at all."""
    kind = chance.random()
    if kind < 0.1:
        return None
    if kind < 0.2:
        return chance.choice(
            (chance.randbytes(100), b'[' * 3000, BILLION.encode(), b'\xff\xfea\0', b'- ' * 3000, b'---\n---')
        )
    if kind < 0.5:  # all that is needed, and one thing that is not
        lines = [SOUND.format(number=chance.randrange(10**9)), f'{chance.choice(SPARE)}: {chance.choice(VALUES)}\n']
        return ''.join(lines).encode(errors='surrogatepass')
    lines = [f'{chance.choice(KEYS)}: {chance.choice(VALUES)}\n' for _ in range(chance.randint(1, 8))]
    return ''.join(lines).encode(errors='surrogatepass')
