"""Who uses or locks a profile, as told to people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

LONGEST_COMMAND = 160


class Holder(NamedTuple):
    """One process that uses a profile, or locked it.

    :param pid: process ID; None where the record does not tell.
    :param command: its command line, as one would type it; empty where nobody can say.
    :param since: when access or lock was granted, with time zone.
    :param purpose: what for, in words of the program; empty for AiiDA's.
    :param state: `live`; `stale`: it has ended without removing the record; `foreign`: recorded on another host or in
        another container, so that nobody here can check: to be treated as live.
    :param path: the record file.
    :param own: whether it is this process.
    :param name: of the profile by which it has the storage; empty where that is not told, as of AiiDA's.
    """

    pid: int | None
    host: str
    user: str
    command: str
    since: datetime | None
    purpose: str
    kind: Literal['access', 'lock']
    state: Literal['live', 'stale', 'foreign']
    path: Path | None
    own: bool = False
    name: str = ''

    def __str__(self) -> str:
        text = f'process {self.pid}' if self.pid is not None else 'a process'
        if self.host:
            text += f' on {self.host}'
        if self.user:
            text += f', user {self.user}'
        if self.command:
            text += f', command `{shorten(self.command)}`'
        if self.since is not None:
            text += f', since {self.since.astimezone().isoformat(" ", "seconds")}'
        if self.purpose:
            text += f', for {self.purpose}'
        if self.state == 'foreign':
            text += ' (on another host or in another container: cannot be checked from here)'
        elif self.state == 'stale':
            text += ' (has ended)'
        return text


def shorten(command: str) -> str:
    """A command that fits into a line of a message."""
    command = ' '.join(command.split())
    return command if len(command) <= LONGEST_COMMAND else f'{command[: LONGEST_COMMAND - 1]}…'


def join_command(arguments: Iterable[str]) -> str:
    """An argument list as one would type it."""
    import shlex

    return shlex.join(arguments)


def list_holders(holders: Iterable[Holder]) -> str:
    """Holders as lines of a message."""
    return ''.join(f'\n  - {holder}' for holder in holders)
