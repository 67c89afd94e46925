"""`archive create`: all or a part of a storage, into a file that others can open or import."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import InvalidOperation, UsageError
from ricordi.files import TemporaryFolder
from ricordi.manager import use_storage
from ricordi.model.traversal import EXPORT_RULES, choose_rules
from ricordi.progress import Run
from ricordi.remedies import Remedy
from ricordi.services.output_files import check_output_file
from ricordi.version import __version__

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.config import Profile
    from ricordi.storage.archive.draft import ArchiveDraft
    from ricordi.storage.archive.selection import ArchiveSelection

DEFAULT_LEVEL = 6
NOBODYS_KEY = '0' * 64


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """What shall go into an archive.

    :param everything: the whole storage; then no single things are named.
    :param nodes: pks, uuids or starts of uuids.
    :param codes: pks, uuids, starts of uuids, or labels.
    :param groups: labels, pks or uuids.
    :param computers: labels, pks or uuids.
    :param switches: name of a traversal rule → on or off; None: as by default.
    :param level: 0 (stored) to 9 (small and slow).
    """

    everything: bool = False
    nodes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    computers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    switches: Mapping[str, bool | None] = field(default_factory=dict)
    authinfos: bool = False
    comments: bool = True
    logs: bool = True
    level: int = DEFAULT_LEVEL


@dataclass(frozen=True, slots=True)
class CreatedArchive:
    """What an archive holds, or, of a dry run, would hold.

    :param entities: number of rows by kind.
    :param objects: number of objects.
    :param content_bytes: bytes of their content.
    :param database_bytes: bytes of the database before it is compressed.
    :param archive_bytes: size of the file, None of a dry run.
    """

    path: Path
    dry_run: bool
    entities: dict[str, int]
    objects: int
    content_bytes: int
    database_bytes: int
    archive_bytes: int | None
    seconds: float


def create_archive(
    profile: Profile,
    path: Path,
    request: ArchiveRequest,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    storage: StorageBackend | None = None,
    run: Run | None = None,
) -> CreatedArchive:
    """Write an archive; the file gets its name when it is whole and durable. Where nothing was chosen, it is empty.

    :param storage: that of the profile, if it is open already.
    :raises ricordi.errors.UsageError: too much was chosen, or there is a file already.
    :raises ricordi.errors.NotExistent: something that was named is not in the storage.
    :raises ricordi.errors.InvalidOperation: a process that is not sealed would be in it.
    :raises ricordi.errors.ProblemsFound: an object is missing or damaged.
    :raises ricordi.errors.CorruptStorage: a row is damaged.
    :raises ricordi.errors.ValidationError: a row is larger than an import would take.
    :raises ricordi.errors.Interrupted: a stop was asked for.
    """
    began = time.monotonic()
    run = run or Run()
    _check_request(request)
    if not dry_run:
        _check_target(path, overwrite)
    from ricordi.services.archive.writing import ArchiveWork
    from ricordi.storage.archive.draft import ArchiveDraft

    with (
        TemporaryFolder('archive') as folder,
        use_storage(profile, purpose='archive create') if storage is None else nullcontext(storage) as storage,
        closing(ArchiveDraft(folder / 'db.sqlite3', run.stop)) as draft,
    ):
        selection = select(storage, request)
        with run.step('copy the database', None, 'rows'):
            _fill(draft, storage, selection, run)
        work = ArchiveWork(storage, draft, request.level, _metadata(draft, request, selection), run)
        objects, content = work.count_objects() if dry_run else work.write(path, overwrite)
        database = draft.path.stat().st_size
    size = None if dry_run else path.stat().st_size
    entities = {kind.value: number for kind, number in draft.counts.items()}
    seconds = time.monotonic() - began
    return CreatedArchive(path, dry_run, entities, objects, content, database, size, seconds)


def _fill(draft: ArchiveDraft, storage: StorageBackend, selection: ArchiveSelection, run: Run) -> None:
    try:
        draft.fill(storage, selection, run.progress.advance)
    except InvalidOperation:
        storage.repository.has_object(NOBODYS_KEY)  # of an index that cannot be read, that is told: it is graver
        raise


def select(storage: StorageBackend, request: ArchiveRequest) -> ArchiveSelection:
    """What the request means in this storage, in pks.

    :raises ricordi.errors.NotExistent: something that was named is not there.
    """
    from ricordi.orm import load_code
    from ricordi.services.computers.computers import find_computer
    from ricordi.services.groups.groups import find_group
    from ricordi.services.nodes.finding import find_pks
    from ricordi.storage.archive.selection import ArchiveSelection

    rules = choose_rules(EXPORT_RULES, request.switches)
    codes = (load_code(identifier, backend=storage).pk or 0 for identifier in request.codes)
    return ArchiveSelection(
        everything=request.everything,
        nodes=(*find_pks(storage, request.nodes), *codes),
        groups=tuple(find_group(storage, identifier).pk for identifier in request.groups),
        computers=tuple(find_computer(storage, identifier).pk for identifier in request.computers),
        forward=tuple(rule.link_type for rule in rules if rule.forward),
        backward=tuple(rule.link_type for rule in rules if not rule.forward),
        authinfos=request.authinfos,
        comments=request.comments,
        logs=request.logs,
    )


def _check_request(request: ArchiveRequest) -> None:
    named = request.nodes or request.groups or request.computers or request.codes
    if request.everything and named:
        raise UsageError(
            'everything, and single nodes, groups, computers or codes, contradict each other',
            remedy=Remedy('leave out everything'),
        )
    if not 0 <= request.level <= 9:
        raise UsageError(f'the compression level goes from 0 to 9; {request.level} is none')
    choose_rules(EXPORT_RULES, request.switches)


def _check_target(path: Path, overwrite: bool) -> None:
    check_output_file(path)
    if os.path.lexists(path) and not overwrite:
        raise UsageError(f'there is a file {path} already', remedy=Remedy('overwrite'))


def _metadata(draft: ArchiveDraft, request: ArchiveRequest, selection: ArchiveSelection) -> dict[str, Any]:
    """The content of `metadata.json` (formats/archive.md)."""
    from ricordi.storage.archive.file import HEAD

    chosen = {
        EntityKind.NODE: selection.nodes,
        EntityKind.GROUP: selection.groups,
        EntityKind.COMPUTER: selection.computers,
    }
    followed = set(choose_rules(EXPORT_RULES, request.switches))
    return {
        'export_version': HEAD,
        'aiida_version': f'Ricordi {__version__}',
        'key_format': 'sha256',
        'compression': request.level,
        'ctime': datetime.now().isoformat(),
        'creation_parameters': {
            'entities_starting_set': None
            if request.everything
            else {kind.value: draft.uuids(kind, pks) for kind, pks in chosen.items() if pks},
            'include_authinfos': request.authinfos,
            'include_comments': request.comments,
            'include_logs': request.logs,
            'graph_traversal_rules': {rule.name: rule in followed for rule in EXPORT_RULES},
            'entity_counts': {kind.value: number for kind, number in draft.counts.items()},
        },
    }
