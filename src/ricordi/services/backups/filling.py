"""A new, empty storage filled from a source: objects first, each compared with its key, then the rows.

Of a large database the rows are put by a process of their own beside the objects, and committed after these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ricordi.backend.maintenance import Amount, KeyStream, Problem
from ricordi.backup.key_spool import KeySpool, lacking
from ricordi.errors import Interrupted, NotEnoughSpace
from ricordi.files import DISK_IS_FULL, format_bytes
from ricordi.model.file_trees import is_key
from ricordi.repository.archive.unpacking import ROOM_TO_SPARE
from ricordi.repository.worker_process import several_processors
from ricordi.services.backups.counted import CountedSnapshot
from ricordi.services.backups.rows_beside import RowsBeside
from ricordi.services.backups.source import RestoreSource

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.storage import StorageBackend
    from ricordi.progress import Run

MOST_PROBLEMS = 100
MOST_USES = 5
KEYS_AT_ONCE = 1000


class FillingLimits(NamedTuple):
    """When more than one process is worth it.

    :param database_bytes: of rows, for which a process of their own is started.
    :param processors: how many there are to be used; None: those that this process may use.
    """

    database_bytes: int = 8 << 20
    processors: int | None = None


USUAL = FillingLimits()


def bytes_held(repository: RepositoryBackend) -> int:
    """Bytes that all objects of a repository take there."""
    info = repository.get_info(detailed=True)
    forms = [info[form] for form in ('loose', 'packed') if form in info]  # a place in a bucket tells of its packs alone
    return sum(int(form['bytes']) for form in forms or [info])


class Filling:
    """One source on its way into one storage.

    `objects`, `problems` (the first ones), `unusable` and `snapshot.rows` tell afterwards what was done.
    """

    def __init__(
        self,
        source: RestoreSource,
        run: Run,
        *,
        database_beside: bool = True,
        rows_beside: bool = True,
        limits: FillingLimits = USUAL,
    ) -> None:
        """
        :param database_beside: whether the database is a file on the same disk as the objects.
        :param rows_beside: whether a process of their own may put the rows.
        """
        self.source = source
        self._database_beside = database_beside
        self._may_put_beside = rows_beside
        self._database_bytes = source.database_bytes if database_beside else 0
        self._limits = limits
        self.snapshot = CountedSnapshot(source.snapshot)
        self.objects = Amount()
        self.problems: tuple[Problem, ...] = ()
        self.unusable: set[str] = set()
        """Keys of all objects that are missing or damaged in the source."""
        self.no_keys = 0
        """How many names stand where a key should, and can be none."""
        self._reasons: dict[str, str] = {}
        self._run = run
        self._note_no_keys(source.no_keys)

    def fill(self, storage: StorageBackend) -> None:
        """Put everything into a storage that holds no row; what of the objects is there is not put again.

        :raises ricordi.errors.NotEnoughSpace: the disk has no room for it, or is full.
        :raises ricordi.errors.Interrupted: the run was asked to end.
        """
        with self._rows_beside(storage) as rows:
            with KeySpool() as keys:
                with self._run.step('look what nodes name', None, 'objects'):
                    keys.add(self._named_keys())
                self._put_objects(storage.repository, keys.ascending)
            # only now, when all objects are there, a row that names them may be seen
            put = None if rows is None else rows.commit(self._run)
        if put is None:
            self._fill(storage)
        else:
            self.snapshot.rows, self.snapshot.bytes = put.rows, put.bytes
        if rows is not None:  # the other process had let go of what nodes name
            storage.repository.guard_nodes(lenient=bool(self.unusable))
        self.problems = tuple(self._problems(storage))

    @property
    def problem_count(self) -> int:
        """How many objects are missing or damaged in the source, names that can be no key of one among them."""
        return len(self.unusable) + self.no_keys

    def _fill(self, storage: StorageBackend) -> None:
        """Put the rows; a database that keeps what nodes name would refuse those of which objects are missing."""
        if not self.unusable:
            storage.fill(self.snapshot, self._run)
            return
        storage.repository.release_nodes()
        storage.fill(self.snapshot, self._run)
        storage.repository.guard_nodes(lenient=True)

    @contextmanager
    def _rows_beside(self, storage: StorageBackend) -> Iterator[RowsBeside | None]:
        """A process that puts the rows, where it is worth one; it has ended after the block."""
        large = self.source.database_bytes >= self._limits.database_bytes
        if not (
            self._may_put_beside and self.source.is_stored and large and several_processors(self._limits.processors)
        ):
            yield None
            return
        with closing(RowsBeside(self.source, storage)) as rows:
            yield rows

    def _check_stop(self) -> None:
        if self._run.stop.reason:
            raise Interrupted(f'{self._run.stop.reason}: ended early; what was restored so far is removed')

    # -- objects ------------------------------------------------------------------------------------------------

    def _put_objects(self, repository: RepositoryBackend, keys: KeyStream) -> None:
        total = self.source.content_bytes
        if total is None:
            with self._run.step('look through objects', None, 'objects'):
                total = self.source.objects.content_bytes(keys())
        self._check_room(repository, total)

        def told(size: int) -> None:
            self.objects = Amount(self.objects.objects, self.objects.bytes + size)
            self._run.progress.advance(size)
            self._check_stop()

        with self._run.step('restore objects', total):
            try:
                objects = self.source.objects.known_objects
                repository.put_known_objects(
                    lambda: objects(lacking(keys(), repository.list_objects())), told, self._note_unusable
                )
            except OSError as error:
                if error.errno not in DISK_IS_FULL:
                    raise
                raise NotEnoughSpace(
                    f'the disk is full ({error.strerror}); what was restored so far is removed: make room, or choose '
                    'another place'
                ) from error
        self.objects = Amount(sum(1 for _ in keys()) - len(self.unusable), self.objects.bytes)

    def _named_keys(self) -> Iterator[str]:
        named = self.snapshot.named_keys()
        while some := list(islice(named, KEYS_AT_ONCE)):
            self._check_stop()
            keys = list(filter(is_key, some))
            self._note_no_keys(name for name in some if not is_key(name))
            self._run.progress.advance(len(keys))
            yield from keys

    def _check_room(self, repository: RepositoryBackend, content_bytes: int) -> None:
        room = repository.free_space()
        needed = content_bytes + self._database_bytes + ROOM_TO_SPARE
        if room is not None and room.bytes < needed:
            # objects are taken over in the form that they have; only now it is worth to look what that takes
            needed -= max(0, content_bytes - bytes_held(self.source.objects))
        if room is not None and room.bytes < needed:
            raise NotEnoughSpace(
                f'the storage takes up to {format_bytes(needed - ROOM_TO_SPARE)}, {format_bytes(ROOM_TO_SPARE)} more '
                f'are kept free for what else is written, and only {format_bytes(room.bytes)} are free at '
                f'{room.place}; nothing was restored: make room for {format_bytes(needed - room.bytes)}, or choose '
                'another place'
            )

    def _note_no_keys(self, names: Iterable[str]) -> None:
        for name in names:
            self.no_keys += 1
            if len(self._reasons) < MOST_PROBLEMS:
                self._reasons[name] = 'it can be the key of no object'

    def _note_unusable(self, key: str, reason: str) -> None:
        self.unusable.add(key)
        if len(self._reasons) < MOST_PROBLEMS:
            self._reasons[key] = reason

    def _problems(self, storage: StorageBackend) -> Iterator[Problem]:
        """What is missing or damaged, with the nodes that name it."""
        uses: dict[str, list[tuple[int, str, str]]] = {key: [] for key in self._reasons}
        for use in storage.uses_of_keys(self._reasons):
            if len(uses[use.key]) < MOST_USES:
                uses[use.key].append((use.pk, use.uuid, use.path))
        there = [is_key(key) and self.source.objects.has_object(key) for key in self._reasons]
        for (key, reason), damaged in zip(self._reasons.items(), there, strict=True):
            detail = reason if damaged else 'the backup has no such object'
            yield Problem('damaged' if damaged else 'missing', key, detail, tuple(uses[key]))
