"""The record files in `access/<profile>/`: AiiDA's `<pid>.pid` and `<pid>.lock`, and beside each of ours a sidecar.

A sidecar (`<pid>.<machine tag>.pid.json`) tells what AiiDA's form cannot: on which host, in which PID namespace, since
when, what for (formats/access.md). AiiDA looks at names ending in `.pid` and `.lock` only.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ricordi.access.holder import Holder, join_command
from ricordi.access.process import (
    Machine,
    command_line,
    existence,
    own_command_line,
    owner,
    start_time,
    start_token,
    user_name,
)
from ricordi.files import DISK_IS_FULL, read_regular

Kind = Literal['access', 'lock']
State = Literal['live', 'stale', 'foreign']

ENDINGS: dict[Kind, str] = {'access': '.pid', 'lock': '.lock'}
DRAFT = '.tmp'
"""What is not whole yet ends so: ours, `<pid>.<machine tag>.….json.tmp`, and AiiDA's, `<pid>.tmp`."""
LEFTOVER_SECONDS = 24 * 3600.0
"""A draft, or a sidecar without its record, lasts for an instant; one that is so old has nobody who would finish it."""
CLOCK_TOLERANCE = 2.0
"""Seconds by which a process may seem younger than the record it wrote: start times are that coarse."""


class Record(NamedTuple):
    """A record file and the sidecars that claim it (several, where containers share a folder and process IDs clash)."""

    kind: Kind
    path: Path
    sidecars: tuple[Path, ...]

    @property
    def pid(self) -> int | None:
        """The process ID in the file name, or None where there is none."""
        stem = self.path.stem
        return int(stem) if stem.isascii() and stem.isdigit() and int(stem) > 0 else None


def find_records(folder: Path, kind: Kind) -> list[Record]:
    """The records of one kind; none where there is no folder."""
    ending = ENDINGS[kind]
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError:
        return []
    sidecars: dict[str, list[Path]] = {}
    for name in names:
        if name.endswith(f'{ending}.json'):
            sidecars.setdefault(name.partition('.')[0], []).append(folder / name)
    return [
        Record(kind, folder / name, tuple(sidecars.get(name.removesuffix(ending), ())))
        for name in names
        if name.endswith(ending)
    ]


# writing ---------------------------------------------------------------------------------------------------


class OwnRecord:
    """A record of this process."""

    def __init__(self, folder: Path, kind: Kind, purpose: str) -> None:
        self._machine = Machine.here()
        self._pid = os.getpid()
        self._kind = kind
        self._purpose = purpose
        self.path = folder / f'{self._pid}{ENDINGS[kind]}'
        self._sidecar = folder / f'{self._pid}.{self._machine.tag}{ENDINGS[kind]}.json'
        self._keep = False
        self._inode = 0

    @property
    def paths(self) -> tuple[Path, Path]:
        """Record and sidecar."""
        return self.path, self._sidecar

    def write(self) -> None:
        """Make record and sidecar; the sidecar first, so that no record of ours is ever seen without."""
        arguments = own_command_line()
        details = {
            **self._machine._asdict(),
            'pid': self._pid,
            'start': start_token(self._pid),
            'since': datetime.now(UTC).isoformat(),
            'user': user_name(os.geteuid()),
            'command': arguments,
            'purpose': self._purpose,
        }
        self._keep = self._belongs_to_aiida()
        draft = self._sidecar.with_name(f'{self._sidecar.name}{DRAFT}')
        try:
            _replace(self._sidecar, json.dumps(details).encode(), draft)
        except OSError as error:
            # On a full disk the lock does without: its record is an empty file, the kernel's lock decides, and who has
            # the profile alone may be about to make room.
            if self._kind != 'lock' or error.errno not in DISK_IS_FULL:
                raise
        content = str(arguments) if self._kind == 'access' else ''
        _replace(self.path, content.encode('utf-8', 'surrogateescape'), draft)
        self._inode = self.path.stat().st_ino

    def remove(self) -> None:
        """Remove both; the record stays if AiiDA in this process or a namesake in another container needs it."""
        others = [
            sidecar
            for record in find_records(self.path.parent, self._kind)
            if record.path == self.path
            for sidecar in record.sidecars
            if sidecar != self._sidecar
        ]
        with suppress(FileNotFoundError):
            if not others and not self._keep and self.path.stat().st_ino == self._inode:
                self.path.unlink()
        self._sidecar.unlink(missing_ok=True)

    def _belongs_to_aiida(self) -> bool:
        # AiiDA at work in this very process wrote the same record before, and needs it as long as the process runs.
        started = start_time(self._pid) if self.path.exists() else None
        with suppress(OSError):
            return started is not None and not self._sidecar.exists() and self.path.stat().st_mtime >= started
        return False


def _replace(path: Path, content: bytes, draft: Path) -> None:
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


# reading ---------------------------------------------------------------------------------------------------


def read_holders(record: Record, here: Machine | None = None) -> list[Holder]:
    """Who is behind a record: one holder, or several where process IDs clash; none if the record is gone by now.

    What cannot be read, or only in part, counts as live.

    :param here: `Machine.here()`, for a caller with many records.
    """
    try:
        status = record.path.stat()
    except FileNotFoundError:
        return []
    since = datetime.fromtimestamp(status.st_mtime, UTC)
    here = here or Machine.here()
    claimed = list(_claims(record, here, since))
    if any(holder.state != 'stale' for holder in claimed):
        return [holder for holder in claimed if holder.state != 'stale']
    state = _judge(record, status.st_mtime)
    if state == 'stale' and claimed:
        return claimed
    pid = record.pid
    arguments = None if pid is None or state == 'stale' else command_line(pid)
    return [
        Holder(
            pid=pid,
            host=here.host,
            user=(owner(pid) if pid is not None and state == 'live' else '') or user_name(status.st_uid),
            command=join_command(arguments if arguments is not None else _recorded_command(record)),
            since=since,
            purpose='',
            kind=record.kind,
            state=state,
            path=record.path,
        )
    ]


def _claims(record: Record, here: Machine, since: datetime) -> Iterator[Holder]:
    for sidecar in record.sidecars:
        try:
            details = json.loads(read_regular(sidecar))
            yield _claim(record, here, details)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield Holder(record.pid, '', '', '', since, 'reasons that cannot be read', record.kind, 'live', record.path)


def _claim(record: Record, here: Machine, details: dict[str, Any]) -> Holder:
    there = Machine(
        host=str(details['host']),
        machine=str(details['machine']),
        boot=str(details['boot']),
        namespace=str(details['namespace']),
    )
    pid = int(details['pid'])
    relation = here.relation(there)
    state: State
    if relation == 'same':
        state = _judge_process(pid, str(details['start']))
    else:
        state = 'stale' if relation == 'earlier boot' else 'foreign'
    return Holder(
        pid=pid,
        host=there.host,
        user=str(details['user']),
        command=join_command(map(str, details['command'])),
        since=datetime.fromisoformat(details['since']),
        purpose=str(details['purpose']),
        kind=record.kind,
        state=state,
        path=record.path,
    )


def _judge_process(pid: int, token: str) -> State:
    exists = existence(pid)
    if exists == 'running' and token:
        now = start_token(pid)
        return 'stale' if now and now != token else 'live'
    return 'stale' if exists == 'gone' else 'live'


def _judge(record: Record, written: float) -> State:
    """The rules for a record without sidecar: gone, started after it was written, or another command line is stale."""
    pid = record.pid
    if pid is None:
        return 'live'
    exists = existence(pid)
    if exists != 'running':
        return 'stale' if exists == 'gone' else 'live'
    started = start_time(pid)
    if started is not None and started > written + CLOCK_TOLERANCE:
        return 'stale'
    if record.kind == 'lock':
        return 'live'
    recorded = _read_command(record.path)
    arguments = command_line(pid)
    if recorded is None or not arguments:
        return 'live'
    return 'live' if recorded == str(arguments) else 'stale'


def _read_command(path: Path) -> str | None:
    """The content of an access record if it is whole: the text of a list."""
    import ast

    try:
        text = read_regular(path).decode('utf-8', 'surrogateescape')
        return text if isinstance(ast.literal_eval(text), list) else None
    except (OSError, ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _recorded_command(record: Record) -> list[str]:
    import ast

    text = _read_command(record.path) if record.kind == 'access' else None
    return [] if text is None else list(map(str, ast.literal_eval(text)))


# removing --------------------------------------------------------------------------------------------------


def remove_record(record: Record) -> None:
    """Remove a record and the sidecars that claim it."""
    for path in (record.path, *record.sidecars):
        path.unlink(missing_ok=True)


def remove_stale(folder: Path, kind: Kind) -> list[Holder]:
    """Remove the records of those who have ended; returns those who have not."""
    here = Machine.here()
    left: list[Holder] = []
    stale: dict[Record, int] = {}
    for record in find_records(folder, kind):
        try:
            written = record.path.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        holders = [holder for holder in read_holders(record, here) if holder.state != 'stale']
        left += holders
        if not holders:
            stale[record] = written
    if stale:
        # A listing is no snapshot: a sidecar made meanwhile may be missing in ours.
        for record in find_records(folder, kind):
            with suppress(FileNotFoundError):
                if record in stale and record.path.stat().st_mtime_ns == stale[record]:
                    remove_record(record)
                    del stale[record]
        for record in stale:
            left += [holder for holder in read_holders(record, here) if holder.state != 'stale']
    return left


def remove_leftovers(folder: Path) -> None:
    """Remove what was never finished by processes that were killed: drafts, and sidecars without a record."""
    tag = Machine.here().tag
    names = {path.name for path in folder.iterdir()}
    for name in names:
        pid, _, rest = name.partition('.')
        record = f'{pid}.{rest.split(".")[1]}' if rest.count('.') == 2 else ''
        if not name.endswith(DRAFT) and (not name.endswith('.json') or record in names):
            continue
        with suppress(FileNotFoundError):
            ended = rest.startswith(f'{tag}.') and pid.isdecimal() and existence(int(pid)) == 'gone'
            if ended or time.time() - (folder / name).stat().st_mtime > LEFTOVER_SECONDS:
                (folder / name).unlink()
