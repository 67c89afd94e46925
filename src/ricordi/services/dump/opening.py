"""The folder and the log of a dump, opened or begun anew."""

from __future__ import annotations

from pathlib import Path

from ricordi.backend.storage import StorageBackend
from ricordi.services.dump.folder import DumpFolder
from ricordi.services.dump.log import DumpLog
from ricordi.services.dump.names import UNGROUPED


def open_log(storage: StorageBackend, folder: DumpFolder, subject: str, dry_run: bool, overwrite: bool) -> DumpLog:
    """The log of the dump in a folder.

    :param subject: what of the storage is dumped: `profile`, or the uuid of a group or a process.
    :param overwrite: begin anew; in a dry run, which leaves the log that is there, one without folders.
    :raises ricordi.errors.InvalidOperation: the log is of another storage or subject, or damaged.
    """
    profile = storage.profile
    identity = storage.repository.uuid or Path(str(profile.storage_config.get('filepath', ''))).name
    whose = None if storage.read_only else (profile.name, profile.uuid)
    if dry_run and overwrite:
        log = DumpLog(folder.opened, identity, None, whose, read_only=True)
        log.entries.clear()
        return log
    return DumpLog(folder.opened, identity, subject, whose, read_only=dry_run)


def clear_dump(folder: DumpFolder) -> None:
    """Remove what earlier dumps made, and nothing else where there is a list of it."""
    if not folder.has_log:
        folder.clear()
        return
    log = DumpLog(folder.opened, '', None)
    for path in sorted(log.entries, key=_depth, reverse=True):
        folder.remove(path, log.files(path))
    for root in (*log.roots.values(), UNGROUPED):
        folder.unmark(root)
    folder.remove_log()


def _depth(path: str) -> int:
    """How deep a folder lies; that of the dump itself is above all others."""
    return path.count('/') if path else -1
