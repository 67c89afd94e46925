"""Who is behind a record, and whether they still run. What cannot be checked, or read, counts as live."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ricordi.access.holder import Holder, join_command
from ricordi.access.namespaces import OtherNamespaces, Sought
from ricordi.access.process import Machine, command_line, existence, owner, start_time, start_token, user_name
from ricordi.access.records import LARGEST_RECORD, Kind, Record, State, identify, is_held
from ricordi.access.writers import has_writer
from ricordi.files import describe_kind, read_regular

CLOCK_TOLERANCE = 0.1
"""Seconds by which a process may seem younger than the record it wrote: both times are coarse by a tick or two."""
OPENING_SECONDS = 10.0
"""How long AiiDA may take from its record to the first connection to the database."""


class Here:
    """Where this process runs, and what else can be seen from there; found out once for many records."""

    def __init__(self, database: Path | None = None, wary: bool = False) -> None:
        """
        :param wary: take everybody for alive who may hide, whatever the database tells.
        :param database: the file that whoever works in the storage has open for writing; None where there is none:
            that of a server tells itself who is connected.
        """
        self._database = database
        self._wary = wary

    @cached_property
    def machine(self) -> Machine:
        """Where this process runs."""
        return Machine.here()

    @cached_property
    def elsewhere(self) -> OtherNamespaces:
        """What runs in other PID namespaces."""
        return OtherNamespaces(self.machine.namespace)

    def may_be_at_work(self, record: Record, written: float) -> bool:
        """Whether the process of AiiDA's that wrote a record may be in the storage, if it cannot be seen from here.

        AiiDA opens the database right after it has written its record, before it stores anything, and leaves it open.
        """
        if self._database is None or self._wary:
            return self._wary
        just_written = record.kind == 'access' and time.time() - written < OPENING_SECONDS
        return just_written or self._has_writer is not False

    @cached_property
    def _has_writer(self) -> bool | None:
        return None if self._database is None else has_writer(self._database)


def may_be_alive(record: Record) -> bool:
    """Whether the process of a record may still run, by AiiDA's record alone."""
    try:
        return _judge(record, Here(wary=True), record.path.stat())[0] != 'stale'
    except FileNotFoundError:
        return False


def read_holders(record: Record, here: Here | None = None) -> list[Holder]:
    """Who is behind a record: one holder, or several where process IDs clash; none if the record is gone by now.

    :param here: for a caller with many records.
    """
    try:
        status = record.path.lstat()
    except FileNotFoundError:
        return []
    if not stat.S_ISREG(status.st_mode):
        return [_nobody(record.kind, record.path, status)]
    since = datetime.fromtimestamp(status.st_mtime, UTC)
    here = here or Here()
    claims = list(_claims(record, here, since))
    claimed = [holder for holder, _ in claims]
    if any(holder.state != 'stale' for holder in claimed):
        return [holder for holder in claimed if holder.state != 'stale']
    if not claimed and record.path in record.sidecars:
        return []
    if record.path in record.sidecars or identify(status) in [written for _, written in claims]:
        return claimed  # nobody of AiiDA's has written it anew under the same process ID
    state, pid = _judge(record, here, status)
    if state == 'stale' and claimed:
        return claimed
    arguments = None if pid is None or state != 'live' else command_line(pid)
    return [
        Holder(
            pid=pid,
            host=here.machine.host,
            user=(owner(pid) if pid is not None and state == 'live' else '') or user_name(status.st_uid),
            command=join_command(arguments if arguments is not None else _recorded_command(record)),
            since=since,
            purpose='',
            kind=record.kind,
            state=state,
            path=record.path,
            own=pid == os.getpid() and state == 'live',
        )
    ]


def find_odd(kind: Kind, path: Path) -> list[Holder]:
    """What stands in the place of a file of ours, and is no regular file; empty if nothing does."""
    try:
        status = path.lstat()
    except OSError:
        return []
    return [] if stat.S_ISREG(status.st_mode) else [_nobody(kind, path, status)]


def _nobody(kind: Kind, path: Path, status: os.stat_result) -> Holder:
    """What stands in the place of a record and is none: no program writes such, and so nobody is behind it."""
    purpose = f'no use: {describe_kind(status.st_mode)} in the place of the file {path.name}'
    since = datetime.fromtimestamp(status.st_mtime, UTC)
    return Holder(None, '', user_name(status.st_uid), '', since, purpose, kind, 'stale', path)


# by a sidecar ----------------------------------------------------------------------------------------------


def _claims(record: Record, here: Here, since: datetime) -> Iterator[tuple[Holder, object]]:
    """Who claims a record by a sidecar, and what the sidecar says of the record that was written with it."""
    for sidecar in record.sidecars:
        try:
            details = json.loads(read_regular(sidecar, LARGEST_RECORD, follow=False))
            yield _claim(record, sidecar, here, details), details.get('record')
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            purpose = 'reasons that cannot be read'
            yield Holder(record.pid, '', '', '', since, purpose, record.kind, 'live', record.path), None


def _claim(record: Record, sidecar: Path, here: Here, details: dict[str, Any]) -> Holder:
    there = Machine(
        host=str(details['host']),
        machine=str(details['machine']),
        boot=str(details['boot']),
        namespace=str(details['namespace']),
    )
    pid = int(details['pid'])
    return Holder(
        pid=pid,
        host=there.host,
        user=str(details['user']),
        command=join_command(map(str, details['command'])),
        since=datetime.fromisoformat(details['since']),
        purpose=str(details['purpose']),
        kind=record.kind,
        state=_judge_claim(sidecar, here.machine, there, details),
        path=record.path,
        own=pid == os.getpid() and here.machine == there,
        name=str(details.get('profile', '')),
    )


def _judge_claim(sidecar: Path, here: Machine, there: Machine, details: dict[str, Any]) -> State:
    if here.shares_kernel(there):
        # Its lock is seen in every PID namespace, and ends with it, whoever has its process ID by now.
        held = is_held(sidecar, details.get('held'))
        if held is not None:
            return 'live' if held else 'stale'
    relation = here.relation(there)
    if relation == 'same':
        return _judge_process(int(details['pid']), str(details['start']))
    return 'stale' if relation == 'earlier boot' else 'foreign'


def _judge_process(pid: int, token: str) -> State:
    exists = existence(pid)
    if exists == 'running' and token:
        now = start_token(pid)
        return 'stale' if now and now != token else 'live'
    return 'stale' if exists == 'gone' else 'live'


# by AiiDA's record alone -----------------------------------------------------------------------------------


def _judge(record: Record, here: Here, status: os.stat_result) -> tuple[State, int | None]:
    """The state, and the ID that the process has here.

    Where the process of that ID is not the one that wrote the record, that one has ended, or it is in another PID
    namespace: found there, it is live; where it may be and cannot be seen, `foreign`.
    """
    pid = record.pid
    if pid is None:
        return 'live', None
    if _is_here(record, pid, status.st_mtime):
        return 'live', pid
    command = _read_command(record.path) if record.kind == 'access' else None
    sought = Sought(pid, command, status.st_uid, status.st_mtime)
    found = here.elsewhere.find(sought)
    if found is not None:
        return 'live', found
    hidden = here.elsewhere.may_hide(sought) and here.may_be_at_work(record, status.st_mtime)
    return ('foreign' if hidden else 'stale'), pid


def _is_here(record: Record, pid: int, written: float) -> bool:
    """Whether a process of this ID is there which did not start after the record, and has its command line."""
    exists = existence(pid)
    if exists != 'running':
        return exists != 'gone'
    started = start_time(pid)
    if started is not None and started > written + CLOCK_TOLERANCE:
        return False
    recorded = _read_command(record.path) if record.kind == 'access' else None
    arguments = command_line(pid)
    return recorded is None or not arguments or recorded == str(arguments)


def _read_command(path: Path) -> str | None:
    """The content of an access record if it is whole: the text of a list."""
    import ast

    try:
        text = read_regular(path, LARGEST_RECORD, follow=False).decode('utf-8', 'surrogateescape')
        return text if isinstance(ast.literal_eval(text), list) else None
    except (OSError, ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _recorded_command(record: Record) -> list[str]:
    import ast

    text = _read_command(record.path) if record.kind == 'access' else None
    return [] if text is None else list(map(str, ast.literal_eval(text)))
