"""The steps of an import: check everything, store the objects, merge the rows, see that the objects are still there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ricordi.errors import (
    AccessError,
    IntegrityError,
    Interrupted,
    ProblemsFound,
    UniquenessError,
)
from ricordi.progress import Run
from ricordi.repository.archive.unpacking import (
    add_members,
    check_room,
    checked_members,
    lacking_keys,
    verify_members,
)
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.services.author import default_user
from ricordi.services.groups.groups import find_or_create_group
from ricordi.storage.archive.merge import ImportedArchive, ImportRequest, Merger

if TYPE_CHECKING:
    from pathlib import Path

    from ricordi.backend.imports import ImportTarget
    from ricordi.backend.storage import StorageBackend
    from ricordi.storage.archive.staging import Staging
    from ricordi.zipfiles.directory import ZipDirectory
    from ricordi.zipfiles.format import Member

TRIES = 3
"""How often objects are put again that another program has removed while the import ran, and rows are tried anew that
another has put there meanwhile."""
WAIT_SECONDS = 600.0
"""How long an import waits for the rows of others."""
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class PreparedArchive:
    """An archive that is about to be imported.

    :param staging: its database, at the current version.
    :param directory: the zip file that its objects are in.
    :param path: the archive itself.
    :param hashed: yields where its objects lie, for one whose objects have just been found by their content; None for
        one that tells keys itself.
    :param notes: what had to be left out, in words.
    """

    staging: Staging
    directory: ZipDirectory
    path: Path
    hashed: Callable[[], Iterable[Member]] | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class ArchiveImport:
    """One archive on its way into one storage."""

    archive: PreparedArchive
    storage: StorageBackend
    request: ImportRequest
    run: Run
    objects: int = 0
    content_bytes: int = 0
    target: ImportTarget = field(init=False)

    def __post_init__(self) -> None:
        self.target = self.storage.import_target()

    @property
    def staging(self) -> Staging:
        """Its database."""
        return self.archive.staging

    @property
    def directory(self) -> ZipDirectory:
        """The file that its objects are in."""
        return self.archive.directory

    def check(self) -> None:
        """See that all of the archive is sound; nothing is written."""
        with self.run.step('check the database', None, 'rows'):
            self.staging.check(self.target)
            hashed = self.archive.hashed
            self.staging.take_members(checked_members(self.directory) if hashed is None else hashed(), PREFIX)
            self.objects, self.content_bytes = self._find_lacking()
            check_room(self.storage.repository, self.content_bytes)
        if hashed is None:
            with self.run.step('check objects', self.content_bytes):
                verify_members(self.directory, self._members(), self.run)
        if self.request.import_group:
            self._group_owner()

    def add_objects(self) -> None:
        """Store the objects that the storage lacks."""
        with self.run.step('add objects', self.content_bytes):
            add_members(self.storage.repository, self.directory, self._members, self.run)

    def merge(self) -> ImportedArchive:
        """Insert the rows, all or none, when no other import is about to.

        :raises ricordi.errors.AccessError: another one was at it for more than `WAIT_SECONDS`.
        """
        for tries_left in reversed(range(TRIES)):
            planned = False
            try:
                with self._turn(), self.run.step('add rows', None, 'rows'):
                    merger = self.merger(self._group_pk())
                    merger.plan()
                    planned = True
                    return merger.apply(self._told)
            except (UniquenessError, IntegrityError, AccessError):
                # Another program was first with a user, label or node, or took one away. A new plan finds it so.
                if not planned or not tries_left:
                    raise
        raise AssertionError('the last try returns or raises')

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The transaction for the rows, begun when that of another import has ended.

        Two that insert the same nodes side by side could not both be committed: the later one waits, and then finds
        the nodes there.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        with ExitStack() as stack:
            while not self._has_begun(stack, deadline):
                pass
            if not self.target.take_turn():
                with self.run.step('wait for another import', None, 'rows'):
                    while not self.target.take_turn():
                        self._check_stop()
                        if time.monotonic() > deadline:
                            raise AccessError(
                                f'another import into the {self.target.place} is at work for more than '
                                f'{WAIT_SECONDS:g} s; import again when it is done'
                            )
                        time.sleep(PAUSE_SECONDS)
            yield

    def _has_begun(self, stack: ExitStack, deadline: float) -> bool:
        try:
            stack.enter_context(self.storage.transaction())
        except AccessError:  # SQLite has waited in vain for another that writes
            self._check_stop()
            if time.monotonic() > deadline:
                raise
            return False
        return True

    def add_objects_again(self) -> None:
        """Put back what another program took for garbage before the rows were there (`verdi storage maintain` does)."""
        for _ in range(TRIES):
            number, _ = self._find_lacking()
            if not number:
                return
            add_members(self.storage.repository, self.directory, self._members, Run())
        raise ProblemsFound(
            f'{number:,} objects vanished while the import ran, again and again: another program removes them. '
            'End it, and import once more: the archive holds them all'
        )

    def merger(self, group_pk: int | None) -> Merger:
        """What merges the rows."""
        request = self.request
        user_pk = self._group_owner() if request.import_group else None
        return Merger(self.staging, self.target, request, group_pk, user_pk)

    def result(self, merged: ImportedArchive, dry_run: bool, began: float) -> ImportedArchive:
        """What is told of it."""
        return replace(
            merged,
            path=str(self.archive.path),
            notes=self.archive.notes,
            dry_run=dry_run,
            objects=self.objects,
            content_bytes=self.content_bytes,
            seconds=time.monotonic() - began,
        )

    def _members(self) -> Iterator[Member]:
        return self.staging.lacking_members(PREFIX)

    def _find_lacking(self) -> tuple[int, int]:
        return self.staging.note_lacking(lacking_keys(self.storage.repository, self.staging.named_keys()))

    def _group_owner(self) -> int:
        return default_user(self.storage).pk

    def _group_pk(self) -> int | None:
        """The group that was named, made if there is none of this label."""
        if not self.request.import_group or self.request.group is None:
            return None
        return find_or_create_group(self.storage, self.request.group).pk

    def _told(self, rows: int) -> None:
        self.run.progress.advance(rows)
        self._check_stop()

    def _check_stop(self) -> None:
        if self.run.stop.reason:
            raise Interrupted(f'{self.run.stop.reason}: ended early; the profile is as it was, but for unnamed objects')
