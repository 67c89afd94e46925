"""The door of arguments: every verb with values that nobody means, huge, infinite, torn, of another kind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import ClassVar

from hostile.profiles import SECRET
from hostile.runner import Case, Door
from verb_table import VERBS

VALUES = [
    *['', ' ', '-', '--', '0', '-1', '1', '57', '9' * 5000, '1e10', '1e400', 'inf', '-inf', 'nan', 'Infinity', '²'],
    *['99999-01-01', '0000-00-00', 'x' * 100_000, '\udcff\udce9', '\ud800', '\x1b[2J', '\u202e', '*', '%', '_', "'"],
    *['"; DROP TABLE', '{}', '[]', 'null', '{"a":' * 500, '../../etc', '/dev/zero', '/proc/self/mem', '💥' * 100],
    *['\t\n', 'a=b=c', '@', '1,2', 'http://[', 'https://x:y/z', 'file:///etc/passwd', '!' * 50, '10m' * 100],
    *['1e999d', 'numbers', 'numbers!', 'attributes.' * 40, 'id > ' + '9' * 400, '0x10', '1_000', '١', '~', '$HOME'],
    *['/', '.', '..', '-0', '+1', '1.5', 'true', 'table', 'json', 'a/b/../c', 'n' * 300, 'http://127.0.0.1:1/x.aiida'],
]
OPTIONS = [
    *['--format', '-p', '-n', '--limit', '--where', '--past-days', '--label', '--wait', '-G', '-u', '--config'],
    *['--order-by', '--project', '--depth', '--type', '--offset', '--max-runtime', '--path', '--yes', '--all'],
    *['--subset', '--max-waste', '--compress', '--dry-run', '--overwrite', '--output-file', '-k', '-t', '-s', '-f'],
]
SECRETS = [
    ('archive', 'import', f'https://me:{SECRET}@127.0.0.1:1/x.aiida'),
    ('archive', 'import', '-w', f'http://me:{SECRET}@127.0.0.1:1/'),
    ('archive', 'import', f'http://me:{SECRET}@[/x'),
    ('computer', 'setup', '-n', '--config', f'http://me:{SECRET}@127.0.0.1:1/x'),
    ('profile', 'setup', 'core.psql_dos', '-n', '--admin-uri', f'postgresql://me:{SECRET}@127.0.0.1:1/x'),
    ('profile', 'setup', 'core.psql_dos', '-n', '--admin-uri', f'postgresql://me:{SECRET}@h:port/x'),
    ('profile', 'setup', 'core.psql_dos', '-n', f'--database-password={SECRET}', '--database-port', 'x'),
    *(('-p', 'closed', *words) for words in (('status',), ('node', 'list'), ('storage', 'info'), ('profile', 'show'))),
    ('profile', 'list', '--format', 'json'),
    ('profile', 'show', 'closed', '--format', 'json'),
]
SKIPPED = {'tour', 'presto', 'computer goto', 'profile setup core.psql_dos', 'archive create', 'profile delete'}
"""Verbs that would make much, ask a terminal or a server, or take away what the next case needs."""
TOGETHER = 20
"""Cases between which the profile is not put back."""


class Arguments(Door):
    """Command lines on a profile with data."""

    name: ClassVar = 'arguments'
    cases_in_ci: ClassVar = 250
    on_postgres: ClassVar = True
    may_change: ClassVar = ('.aiida', 'tmp', 'work')
    works_in: ClassVar = 'work/a/b'

    def set_up(self) -> None:
        self.profile.make()
        self.profile.keep()

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        self.profile.put_back()
        for number in range(TOGETHER):
            told = f'seed {seed}, case {number}'
            if chance.random() < 0.05:
                yield Case(told, self._debugged(chance.choice(SECRETS), chance), codes=(0, 1, 2, 3))
            else:
                yield Case(told, a_command_line(chance), stdin=chance.randbytes(20))

    def _debugged(self, words: tuple[str, ...], chance: random.Random) -> tuple[str, ...]:
        return words if words[0].startswith('-') or chance.random() < 0.5 else ('-v', *words)


def a_command_line(chance: random.Random) -> tuple[str, ...]:
    """Some verb, with what stands in no manual."""
    verb = chance.choice(sorted(set(VERBS) - SKIPPED))
    words = [chance.choice(VALUES) for _ in range(chance.randint(0, 3))]
    if chance.random() < 0.3:  # some that work, too
        words = [word for word in VERBS[verb].arguments if '{' not in word]
        if words and chance.random() < 0.7:
            words[chance.randrange(len(words))] = chance.choice(VALUES)
    for _ in range(chance.choice((0, 1, 1, 2))):
        words.insert(chance.randint(0, len(words)), chance.choice(OPTIONS))
    start = chance.choice([['-p', 'p'], ['-p', 'p'], ['-p', chance.choice(VALUES)], [], ['-p', 'closed']])
    words = [word for word in (*start, *verb.split(), *words) if word not in ('--debug',)]
    return tuple(word.replace('\0', '') for word in words)
