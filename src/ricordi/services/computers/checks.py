"""Whether a computer can be used: connection, output of shells, scheduler, user name, work directory, login shell."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from ricordi.errors import RicordiError
from ricordi.remedies import Remedy
from ricordi.services.computers.access import Access
from ricordi.services.computers.connection import Completed, Connection, connect, in_short
from ricordi.services.computers.ssh import shell_path, ssh_host

TIMEOUT = 120.0
"""Seconds within which each command has to end."""

_QUEUES = {
    'core.direct': 'ps -xo pid=',
    'core.lsf': 'bjobs -noheader -o jobid',
    'core.pbspro': "qstat -f | { grep '^Job Id' || true; }",
    'core.sge': 'qstat | tail -n +3',
    'core.slurm': "squeue --noheader -o '%A'",
    'core.torque': "qstat -f | { grep '^Job Id' || true; }",
}
"""How each scheduler is asked for its jobs, one a line."""

_SLOWER = 0.1
"""Seconds by which a login shell may be slower before it is worth a word; and it has to be twice as slow."""


@dataclass(frozen=True, slots=True)
class ComputerCheck:
    """One check and how it went.

    :param message: what was found, or what is wrong.
    :param details: the traceback of a failure.
    :param remedy: what can be done about it.
    """

    name: str
    ok: bool
    message: str
    seconds: float
    details: str = ''
    remedy: Remedy | None = None


class Advice(NamedTuple):
    """What was found where all is well, but could be better."""

    message: str
    remedy: Remedy


def check_computer(access: Access) -> Iterator[ComputerCheck]:
    """Check a computer step by step, each told as soon as it is done; only the first if there is no connection."""
    connection = connect(access, timeout=TIMEOUT)
    opened = _check('Opening connection', lambda: _open(connection))
    yield opened
    if not opened.ok:
        return
    try:
        steps: tuple[tuple[str, Callable[[], str | Advice]], ...] = (
            ('Checking for spurious output', lambda: _no_spurious_output(connection)),
            ('Getting number of jobs from scheduler', lambda: _jobs(connection, access.scheduler)),
            ('Determining remote user name', lambda: _answer(connection.run('id -un')).strip()),
            ('Creating and deleting temporary file', lambda: _temporary_file(connection, access)),
            ('Checking for possible delay from using login shell', lambda: _login_shell(connection, access)),
        )
        for name, step in steps:
            yield _check(name, step)
    finally:
        connection.__exit__()


def _check(name: str, step: Callable[[], str | Advice]) -> ComputerCheck:
    started = time.monotonic()
    remedy, details = None, ''
    try:
        ok, found = True, step()
        message, remedy = (in_short(found), None) if isinstance(found, str) else found
    except (RicordiError, OSError) as error:
        ok, message, remedy, details = False, str(error), getattr(error, 'remedy', None), traceback.format_exc()
    return ComputerCheck(name, ok, message, round(time.monotonic() - started, 3), details, remedy)


def _open(connection: Connection) -> str:
    connection.__enter__()
    return ''


def _answer(done: Completed) -> str:
    """What a command wrote.

    :raises ricordi.errors.RicordiError: it failed.
    """
    if done.code:
        raise RicordiError(in_short(done.err) or f'the command ended with {done.code}')
    return done.out


def _no_spurious_output(connection: Connection) -> str:
    done = connection.run('echo -n')
    for name, text in (('stdout', _answer(done)), ('stderr', done.err)):
        if text:
            raise RicordiError(
                f'the shell writes to {name} by itself, which would be taken for the output of commands: '
                f'{in_short(text)!r}; '
                'look into ~/.bash_profile, ~/.profile and ~/.bashrc there, and have them write only to a terminal'
            )
    return ''


def _jobs(connection: Connection, scheduler: str) -> str:
    if scheduler not in _QUEUES:
        return f'not looked at: {scheduler} comes from a plug-in'
    lines = _answer(connection.run(f'set -o pipefail; {_QUEUES[scheduler]}')).split('\n')
    return f'{sum(bool(line.strip()) for line in lines)} jobs found in the queue'


def _temporary_file(connection: Connection, access: Access) -> str:
    """Write a file into the work directory, read it, remove it; through the host for files, if there is one."""
    if ssh_host(access, files=True) != ssh_host(access):
        with connect(access, files=True, timeout=TIMEOUT) as other:
            return _write_and_read(other, access)
    return _write_and_read(connection, access)


def _write_and_read(connection: Connection, access: Access) -> str:
    name, content = f'ricordi-test-{uuid4().hex}', f'written to test the computer: {uuid4().hex}\n'
    folder = _answer(connection.run(f'd={shell_path(access.work_dir)}; mkdir -p -- "$d" && cd -- "$d" && pwd')).strip()
    place = f'cd -- {shell_path(access.work_dir)} &&'
    _answer(connection.run(f'{place} cat > {name}', stdin=content))
    try:
        if _answer(connection.run(f'{place} cat {name}')) != content:
            raise RicordiError(f'the file {folder}/{name} has not the content that was written to it')
    finally:
        _answer(connection.run(f'{place} rm -- {name}'))
    return folder


def _login_shell(connection: Connection, access: Access) -> str | Advice:
    if not access.parameters.get('use_login_shell', True):
        return 'no login shell is used'
    with_it, without = (_time(connection, login_shell) for login_shell in (True, False))
    if with_it - without > _SLOWER and with_it > 2 * without:
        return Advice(
            f'a login shell takes {with_it:.3f} s and another {without:.3f} s for each command: if nothing in the '
            'login files is needed, do without it',
            Remedy('do without login shell', (access.transport, access.label)),
        )
    return ''


def _time(connection: Connection, login_shell: bool) -> float:
    started = time.monotonic()
    for _ in range(3):
        connection.run('true', login_shell=login_shell)
    return (time.monotonic() - started) / 3
