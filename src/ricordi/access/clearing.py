"""Removing records of processes that have ended, and what killed processes left unfinished."""

from __future__ import annotations

import errno
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ricordi.access.holder import Holder
from ricordi.access.judging import Here, read_holders
from ricordi.access.process import Machine, existence
from ricordi.access.records import BARE_FOLDER, DRAFT, Kind, Record, find_records
from ricordi.folders import OpenFolder, remove_file

LEFTOVER_SECONDS = 24 * 3600.0
"""A draft, or a sidecar without its record, lasts for an instant; one that is so old has nobody who would finish it."""

_NOT_OURS_TO_REMOVE = (errno.EACCES, errno.EPERM, errno.EROFS)


def remove_record(record: Record) -> None:
    """Remove a record and the sidecars that claim it; also what is none, but a link, pipe, socket or empty folder.

    :raises OSError: one may not be removed, or is a folder with something in it.
    """
    with OpenFolder(record.path.parent) as folder:
        for path in (record.path, *record.sidecars):
            with suppress(FileNotFoundError):
                folder.remove_odd(path.name)


def remove_odd_files(paths: Iterable[Path]) -> list[Path]:
    """Remove links, pipes, sockets and empty folders; returns what cannot be removed safely."""
    left = []
    for path in paths:
        try:
            with OpenFolder(path.parent) as folder:
                folder.remove_odd(path.name)
        except FileNotFoundError:
            continue
        except OSError:
            left.append(path)
    return left


def remove_stale(folder: Path, kind: Kind, here: Here) -> list[Holder]:
    """Remove the records of those who have ended; returns those who have not.

    Where this user may remove nothing, the records stay: whoever meets them finds them stale as well.
    """
    left: list[Holder] = []
    stale: dict[Record, int] = {}
    for record in find_records(folder, kind):
        try:
            status = record.path.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(status.st_mode):
            continue  # nobody's record; a person clears it
        holders = [holder for holder in read_holders(record, here) if holder.state != 'stale']
        left += holders
        if not holders:
            stale[record] = status.st_mtime_ns
    if stale:
        # A listing is no snapshot: a sidecar made meanwhile may be missing in ours.
        for record in find_records(folder, kind):
            with suppress(FileNotFoundError):
                if record in stale and record.path.lstat().st_mtime_ns == stale[record]:
                    _remove_if_allowed(record)
                    del stale[record]
        for record in stale:
            left += [holder for holder in read_holders(record, here) if holder.state != 'stale']
    return left


def _remove_if_allowed(record: Record) -> None:
    try:
        remove_record(record)
    except OSError as error:
        if error.errno not in _NOT_OURS_TO_REMOVE:
            raise


def remove_leftovers(folder: Path) -> None:
    """Remove what was never finished by processes that were killed: drafts, and sidecars without a record."""
    tag = Machine.here().tag
    names = {path.name for path in folder.iterdir()}
    for name in names:
        pid, _, rest = name.partition('.')
        record = f'{pid}.{rest.split(".")[1]}' if rest.count('.') == 2 else ''
        if not name.endswith(DRAFT) and (not name.endswith('.json') or record in names or folder.name == BARE_FOLDER):
            continue
        with suppress(FileNotFoundError, IsADirectoryError):
            ended = rest.startswith(f'{tag}.') and pid.isdecimal() and existence(int(pid)) == 'gone'
            if ended or time.time() - (folder / name).lstat().st_mtime > LEFTOVER_SECONDS:
                remove_file(folder / name)
