"""The door of remote computers: what comes back through `ssh`, on both streams, with any exit code."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import ClassVar

from hostile.runner import Case, Door

WORDS = [
    *['ricordi-work-directory', '0', '1', '2', '-1', '9' * 5000, '²', 'removed', 'absent', 'failed', 'gone', '', '0.5'],
    *['\x1b[2J', '\u202e', 'x' * 100_000, '\0', 'true', 'me', '/home/me', '/scratch', 'drwxr-xr-x', 'None', '%', '{}'],
]
NOISE = [
    b'\xff\xfe' * 500,
    b'\0' * 500,
    b'\r\r\r',
    b'UNKNOWN port 65535\n',
    b'\x1b]0;x\x07',
    b'x' * (5 << 20),
    b'\n' * 100_000,
]
SCRIPT = """#!/bin/sh
case " $* " in *" -O exit "*) exit 0;; *" -G "*) [ -e {f}/settings ] && cat {f}/settings; exit 0;; esac
[ -e {f}/first ] && {{ rm {f}/first; exit 0; }}
cat {f}/out
cat {f}/err >&2
[ -e {f}/endless ] && cat /dev/zero
[ -e {f}/complaining ] && cat /dev/zero >&2
exit $(cat {f}/code)
"""
"""A program `ssh` that answers what lies in files: that it connects first, then whatever a stranger likes."""
PATHS = [
    '/scratch/a',
    '/scratch/b',
    '/w/../etc',
    '/',
    '/scratch/\x1b',
    'relative',
    '/scratch/ä ö',
    '//x/y',
    '/scratch/a\nb',
    5,
]
TOGETHER = 10


class RemoteAnswers(Door):
    """A computer behind an `ssh` that a stranger has written, with directories of calculations on it."""

    name: ClassVar = 'remote answers'
    cases_in_ci: ClassVar = 60
    may_change: ClassVar = ('.aiida', 'tmp', 'ssh')

    def set_up(self) -> None:
        self.profile.make()
        self._folder = self.folder / 'ssh'
        for name in ('bin', 'ssh'):
            (self.folder / name).mkdir()
        program = self.folder / 'bin' / 'ssh'
        program.write_text(SCRIPT.format(f=self._folder))
        program.chmod(0o755)
        (database,) = self.profile.home.rglob('database.sqlite')
        with closing(sqlite3.connect(database)) as raw, raw:
            raw.execute('DELETE FROM db_dbauthinfo')
            (user,) = raw.execute("SELECT id FROM db_dbuser WHERE email = 'me@example.org'").fetchone()
            access = json.dumps({'username': 'me', 'port': 1})
            raw.execute(
                'INSERT INTO db_dbauthinfo (aiidauser_id, dbcomputer_id, metadata, auth_params, enabled) '
                "SELECT ?, id, '{}', ?, 1 FROM db_dbcomputer WHERE transport_type = 'core.ssh'",
                (user, access),
            )
            raw.execute("UPDATE db_dbcomputer SET metadata = json_set(metadata, '$.workdir', '/scratch')")
            jobs = raw.execute("SELECT id FROM db_dbnode WHERE node_type LIKE '%CalcJobNode.' ORDER BY id").fetchall()
            self._jobs = [str(job) for (job,) in jobs]
            for number, job in enumerate(self._jobs):
                raw.execute(
                    "UPDATE db_dbnode SET attributes = json_set(attributes, '$.remote_workdir', ?) WHERE id = ?",
                    (PATHS[number % len(PATHS)], job),
                )
        self.profile.keep()

    def environment(self) -> Mapping[str, str]:
        return {'PATH': f'{self.folder / "bin"}:{os.environ.get("PATH", "/usr/bin:/bin")}'}

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        self.profile.put_back()
        for number in range(TOGETHER):
            self._answer_with(chance)
            words = chance.choice(
                (
                    ('computer', 'test', '2'),
                    ('computer', 'test', '3'),
                    ('node', 'delete', '--clean-workdir', '--yes', chance.choice(self._jobs)),
                    ('node', 'delete', '--clean-workdir', '--yes', *chance.sample(self._jobs, 3)),
                    ('node', 'delete', '--clean-workdir', '-n', *self._jobs),
                )
            )
            yield Case(f'seed {seed}, case {number}', ('-p', 'p', *words))

    def _answer_with(self, chance: random.Random) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        (self._folder / 'out').write_bytes(an_answer(chance))
        (self._folder / 'err').write_bytes(an_answer(chance) if chance.random() < 0.5 else b'')
        (self._folder / 'code').write_text(chance.choice(('0', '0', '0', '1', '255', '127', '141')))
        if chance.random() < 0.8:
            (self._folder / 'first').touch()
        if chance.random() < 0.03:
            (self._folder / chance.choice(('endless', 'complaining'))).touch()
        if chance.random() < 0.2:
            (self._folder / 'settings').write_bytes(
                chance.choice((b'controlpath /x\n', b'controlpath none\n', an_answer(chance)))
            )


def an_answer(chance: random.Random) -> bytes:
    """What comes back."""
    if chance.random() < 0.15:
        return chance.choice(NOISE)
    lines = [' '.join(chance.choices(WORDS, k=chance.randint(0, 6))) for _ in range(chance.randint(0, 5))]
    text = '\n'.join(f'ricordi-work-directory {line}' if chance.random() < 0.5 else line for line in lines)
    return text.encode(errors='replace')
