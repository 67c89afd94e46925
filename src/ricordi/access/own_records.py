"""The records of this process: written as it gets a profile, removed as it lets go."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ricordi.access.process import Machine, own_command_line, start_token, user_name
from ricordi.access.records import BARE_FOLDER, DRAFT, ENDINGS, LARGEST_RECORD, Kind, Record, find_records, identify
from ricordi.files import DISK_IS_FULL
from ricordi.folders import OpenFolder


def describe_self(purpose: str, name: str) -> dict[str, Any]:
    """What a sidecar tells of this process, which has a profile of this name for some purpose."""
    pid, machine = os.getpid(), Machine.here()
    return {
        **machine._asdict(),
        'tag': machine.tag,
        'pid': pid,
        'start': start_token(pid),
        'since': datetime.now(UTC).isoformat(),
        'user': user_name(os.geteuid()),
        'command': own_command_line(),
        'purpose': purpose,
        'profile': name,
    }


class OwnRecord:
    """A record of this process."""

    def __init__(self, folder: Path, kind: Kind, details: Mapping[str, Any]) -> None:
        """
        :param details: what `describe_self` says.
        """
        self._details = details
        self._kind = kind
        pid = details['pid']
        self._sidecar = folder / f'{pid}.{details["tag"]}{ENDINGS[kind]}.json'
        self._is_bare = folder.name == BARE_FOLDER
        self.path = self._sidecar if self._is_bare else folder / f'{pid}{ENDINGS[kind]}'
        self._descriptor: int | None = None
        self._before: bytes | None = None
        self._inode = 0

    @property
    def paths(self) -> tuple[Path, Path]:
        """Record and sidecar."""
        return self.path, self._sidecar

    def write(self) -> None:
        """Make record and sidecar; the sidecar first, so that no record of ours is ever seen without.

        On a full disk a lock does without its sidecar: its record is an empty file, the kernel's lock decides, and who
        has the profile alone may be about to make room.
        """
        with OpenFolder(self._sidecar.parent) as folder:
            drafts = [f'{name}{DRAFT}' for name in (self._sidecar.name, self._sidecar.stem)]
            try:
                self._write_in(folder, *drafts)
            except BaseException:
                for draft in drafts:
                    with suppress(OSError):
                        folder.unlink(draft)
                self.forget()
                raise

    def _write_in(self, folder: OpenFolder, sidecar_draft: str, draft: str) -> None:
        if self._is_bare:
            self._write_sidecar(folder, sidecar_draft, self._details)
            return
        self._before = self._find_other(folder)
        content = str(self._details['command']) if self._kind == 'access' else ''
        # Made first and named last: the sidecar tells the inode of the record, and is there before the record is seen.
        status = _write_new(folder, draft, content.encode('utf-8', 'surrogateescape'))
        self._inode = status.st_ino
        self._write_sidecar(folder, sidecar_draft, {**self._details, 'record': identify(status)})
        folder.replace(draft, self.path.name)

    def _write_sidecar(self, folder: OpenFolder, draft: str, details: Mapping[str, Any]) -> None:
        try:
            self._descriptor = _write_held(folder, draft, details)
            folder.replace(draft, self._sidecar.name)
        except OSError as error:
            if self._kind != 'lock' or error.errno not in DISK_IS_FULL:
                raise
            with suppress(OSError):
                folder.unlink(draft)

    def remove(self) -> None:
        """Remove both; the record stays if AiiDA in this process or a namesake in another container needs it."""
        with suppress(FileNotFoundError, NotADirectoryError), OpenFolder(self._sidecar.parent) as folder:
            if not self._is_bare:
                self._remove_record(folder)
            folder.unlink(self._sidecar.name, missing_ok=True)
        self.forget()

    def _remove_record(self, folder: OpenFolder) -> None:
        others = [
            sidecar
            for record in find_records(self.path.parent, self._kind)
            if record.path == self.path
            for sidecar in record.sidecars
            if sidecar != self._sidecar
        ]
        with suppress(FileNotFoundError):
            if not others and folder.status(self.path.name).st_ino == self._inode:
                self._give_back(folder)

    def forget(self) -> None:
        """Close what is open of it; a forked child leaves the record itself to its parent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _give_back(self, folder: OpenFolder) -> None:
        if self._before is None:
            folder.unlink(self.path.name)
            return
        draft = f'{self._sidecar.name}{DRAFT}'
        _write_new(folder, draft, self._before)
        folder.replace(draft, self.path.name)

    def _find_other(self, folder: OpenFolder) -> bytes | None:
        """What the record holds already, of AiiDA in this very process or a namesake of ours in another container."""
        if not self.path.exists() or self._sidecar.exists():
            return None
        from ricordi.access.judging import may_be_alive

        with suppress(OSError):
            if may_be_alive(Record(self._kind, self.path, ())):
                return folder.read(self.path.name, LARGEST_RECORD)
        return None


def _write_new(folder: OpenFolder, name: str, content: bytes) -> os.stat_result:
    with os.fdopen(folder.create_afresh(name, 0o666), 'wb') as handle:
        handle.write(content)
        handle.flush()
        return os.fstat(handle.fileno())


def _write_held(folder: OpenFolder, name: str, details: Mapping[str, Any]) -> int:
    """Write a sidecar under a lock that ends with this process; returns the descriptor that holds it."""
    descriptor = folder.create_afresh(name, 0o644)
    try:
        held: list[int] | None = None
        # Locked while it is a draft: whoever finds it under its own name finds it held.
        with suppress(OSError):  # a file system without locks: then the process itself is looked for
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(descriptor)
            held = [status.st_dev, status.st_ino]
        content = json.dumps({**details, 'held': held}).encode()
        if os.write(descriptor, content) < len(content):
            raise OSError(28, os.strerror(28), str(folder.path / name))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
