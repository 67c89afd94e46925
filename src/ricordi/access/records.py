"""The record files in `access/<profile>/`: AiiDA's `<pid>.pid` and `<pid>.lock`, and beside each of ours a sidecar.

A sidecar (`<pid>.<machine tag>.pid.json`) tells what AiiDA's form cannot: on which host, in which PID namespace, since
when, what for (formats/access.md). AiiDA looks at names ending in `.pid` and `.lock` only. The process that wrote a
sidecar keeps a kernel-held lock on it as long as it runs.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal['access', 'lock']
State = Literal['live', 'stale', 'foreign']

ENDINGS: dict[Kind, str] = {'access': '.pid', 'lock': '.lock'}
DRAFT = '.tmp'
"""What is not whole yet ends so: ours, `<pid>.<machine tag>.….json.tmp`, and AiiDA's, `<pid>.tmp`."""

LARGEST_RECORD = 1 << 20
"""Bytes that are read of a record or sidecar: that of the longest command line that a system starts is far below."""

BARE_FOLDER = 'ricordi.access'
"""The folder of records in a container, where AiiDA looks for nothing: there the sidecar alone is the record."""


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
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    if folder.name == BARE_FOLDER:
        return [Record(kind, folder / name, (folder / name,)) for name in names if name.endswith(f'{ending}.json')]
    sidecars: dict[str, list[Path]] = {}
    for name in names:
        if name.endswith(f'{ending}.json'):
            sidecars.setdefault(name.partition('.')[0], []).append(folder / name)
    return [
        Record(kind, folder / name, tuple(sidecars.get(name.removesuffix(ending), ())))
        for name in names
        if name.endswith(ending)
    ]


def identify(status: os.stat_result) -> list[int]:
    """What tells a record from one that is written later under the same name."""
    return [status.st_dev, status.st_ino, status.st_mtime_ns]


def is_held(sidecar: Path, file: object) -> bool | None:
    """Whether the process that wrote a sidecar, under the same kernel as this one, still has its lock on it.

    :param file: what the sidecar says of the file that was locked: device and inode.
    :returns: None where that cannot be told: the file system has no locks, or it is a copy.
    """
    try:
        descriptor = os.open(sidecar, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if file != [status.st_dev, status.st_ino]:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False
