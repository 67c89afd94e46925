"""One process as a folder of files, with those that it called in folders inside."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from ricordi.backend.rows import NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation
from ricordi.progress import Run
from ricordi.services.dump.folder import DumpFolder
from ricordi.services.dump.names import node_name
from ricordi.services.dump.opening import clear_dump, open_log
from ricordi.services.dump.request import DumpReport, report_of
from ricordi.services.dump.select import process_of
from ricordi.services.dump.stale import stale_folders
from ricordi.services.dump.sync import Sync, SyncOptions
from ricordi.services.dump.writing import Tally


def folder_name(row: NodeRow) -> str:
    """The name of the folder of a process, where none is given: `relax-42`."""
    process = process_of(row)
    return node_name(process.pk, process.label, process.process_label, process.process_type)


def is_sealed(row: NodeRow) -> bool:
    """Whether a process has ended and will not change."""
    return process_of(row).sealed


def dump_process(
    storage: StorageBackend,
    row: NodeRow,
    path: Path,
    options: SyncOptions,
    overwrite: bool = False,
    run: Run | None = None,
) -> DumpReport:
    """Dump a process into a folder of its own, which holds its files, and a folder for each process that it called.

    A second run writes what is new or has changed; one that was interrupted or killed is completed by the next.

    :param path: the folder: a new one, an empty one, or one that an earlier dump of the process made.
    :param overwrite: begin anew: remove what an earlier dump made there.
    :raises ricordi.errors.InvalidOperation: the process is not sealed and unsealed ones are not asked for; the folder
        is not one of a dump, or of a dump of something else.
    :raises ricordi.errors.AccessError: another process dumps into the folder.
    :raises ricordi.errors.Interrupted: a stop was asked for.
    """
    if not is_sealed(row) and not options.unsealed:
        raise InvalidOperation(
            f'process {row.pk} is not sealed: it still runs, or was broken off, and such are dumped only if asked for'
        )
    began = time.monotonic()
    folder = DumpFolder(path)
    run = run or Run()
    if options.dry_run:
        tally = _dump(storage, row, folder, options, overwrite, run)
    else:
        with folder.held():
            if overwrite:
                clear_dump(folder)
            tally = _dump(storage, row, folder, options, overwrite, run)
    return report_of(tally, folder, options.dry_run, time.monotonic() - began)


def _dump(
    storage: StorageBackend,
    row: NodeRow,
    folder: DumpFolder,
    options: SyncOptions,
    overwrite: bool,
    run: Run,
) -> Tally:
    log = open_log(storage, folder, row.uuid, options.dry_run, overwrite)
    try:
        sync = Sync(storage, folder, log, options, run)
        for path in stale_folders(storage, log, ()):
            if not options.dry_run:
                folder.remove(path, log.files(path))
            log.remove(path)
            sync.tally.removed += 1
        with run.step('dump processes', 1, 'nodes'):
            sync.dump([(process_of(row), row.uuid)], None, '')
    except BaseException:
        with suppress(OSError):  # on a full disk what is not in the log is written again
            log.flush()
        raise
    log.close()
    return sync.tally
