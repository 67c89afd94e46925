"""A backup repository: snapshots of storages, many profiles and hosts in one place."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ricordi.backend.maintenance import Amount
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.backup.announcing import Announcement
from ricordi.backup.key_spool import KeySpool
from ricordi.backup.manifests import manifest_of, record_in
from ricordi.backup.marks import has_same_objects, has_same_rows, new_mark, state_of
from ricordi.backup.places.place import BackupPlace
from ricordi.backup.records import SnapshotOrigin, SnapshotRecord
from ricordi.backup.stored_database import StoredDatabase
from ricordi.backup.taking import (
    NOTHING_YET,
    check_stop,
    is_lacking,
    new_record,
    now,
    put_database,
    put_objects,
    repeated,
)
from ricordi.errors import FutureSnapshot, MultipleObjectsError, NotExistent, RicordiError
from ricordi.progress import Run

if TYPE_CHECKING:
    from ricordi.backup.forgetting import ForgetReport
    from ricordi.progress import Stop

LATEST = 'latest'


def last_of(records: Sequence[SnapshotRecord]) -> SnapshotRecord:
    """The last of some snapshots, by time; there is one at least. `FutureSnapshot` is told of a time yet to come."""
    last = records[-1]
    if last.time > datetime.now(UTC):
        warnings.warn(
            f'the time of snapshot {last.name} is yet to come: a clock is or was wrong, and another one may have been '
            'made after it',
            FutureSnapshot,
            stacklevel=2,
        )
    return last


class BackupRepository:
    """The snapshots in a place. Opening it reads its description; `ricordi.manager.open_backup` hands it its store."""

    def __init__(self, place: BackupPlace, objects: RepositoryBackend) -> None:
        """
        :param objects: the store in the place.
        :raises ricordi.errors.NoBackupRepository: there is no repository, or it is of a form that is not known here.
        :raises ricordi.errors.CorruptStorage: its store is gone.
        """
        self.place = place
        self.objects = objects
        """All objects by key: content of files, and pieces of databases."""
        self.id = place.id()
        place.check_store(objects)

    @contextmanager
    def held(self, wait: float | None = None, stop: Stop | None = None) -> Iterator[None]:
        """Let nobody remove snapshots for the length of a `with` block: for whoever reads some. Errors as of `take`.

        Where the place may not be written to, nothing can be held, and nobody who may not either can remove anything.
        """
        with ExitStack() as stack:
            with suppress(OSError):
                stack.enter_context(self.place.locked('shared', wait, stop))
            yield

    # -- reading ------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of all snapshots, by time, also of those that cannot be read.

        :raises ricordi.errors.StorageError: they cannot be listed.
        """
        return self.place.manifest_names()

    def read(self, name: str) -> SnapshotRecord:
        """What the manifest of a snapshot says.

        :param name: the whole name.
        :raises ricordi.errors.StorageError: it is damaged, or of a form that is not known here.
        """
        return record_in(name, self.place.read_manifest(name))

    def read_all(self) -> tuple[list[SnapshotRecord], dict[str, RicordiError]]:
        """The snapshots by time, and by name what is wrong with those that cannot be read."""
        records, faults = [], {}
        for name in self.names():
            try:
                records.append(self.read(name))
            except RicordiError as error:
                faults[name] = error
        return sorted(records, key=lambda record: (record.time, record.name)), faults

    def snapshots(self) -> list[SnapshotRecord]:
        """The snapshots that can be read, by time; see `read_all` for the others."""
        return self.read_all()[0]

    def find_name(self, name: str) -> str:
        """The whole name of a snapshot.

        :param name: it, or the start of it, or of the digest at its end; `latest` for the last one.
        :raises ricordi.errors.NotExistent: there is none.
        :raises ricordi.errors.MultipleObjectsError: several begin so.
        """
        names = self.names()
        if name == LATEST and (records := self.snapshots()):
            return last_of(records).name
        found = [one for one in names if name in (one, one.rpartition('-')[2])]
        found = found or [one for one in names if name and (one.startswith(name) or _digest(one).startswith(name))]
        if not found:
            raise NotExistent(f'there is no snapshot {name!r} in {self.place.address}')
        if len(found) > 1:
            raise MultipleObjectsError(f'{len(found)} snapshots in {self.place.address} begin with {name!r}: say more')
        return found[0]

    def find(self, name: str) -> SnapshotRecord:
        """A snapshot by its name, as of `find_name`; errors also as of `read`."""
        return self.read(self.find_name(name))

    def database(self, record: SnapshotRecord) -> DatabaseSnapshot:
        """The database of a snapshot; each piece of it is compared with its key when it is read."""
        return StoredDatabase(record, self.objects)

    def check(self, record: SnapshotRecord) -> Iterator[str]:
        """What is wrong with a snapshot, in words: its lists and pieces are read, the names of its objects compared.

        The content of the objects is not read.
        """
        for _, faults in self.check_all([record]):
            yield from faults

    def check_all(self, records: Iterable[SnapshotRecord]) -> Iterator[tuple[SnapshotRecord, list[str]]]:
        """Some snapshots, each with what `check` finds; a piece that several have is read once."""
        from ricordi.backup.checking import SoundPieces, faults_of

        with closing(SoundPieces()) as sound:
            for record in records:
                yield record, [*faults_of(record, self.objects, sound)]

    # -- taking and forgetting --------------------------------------------------------------------------------

    def take(
        self,
        snapshot: DatabaseSnapshot,
        source: RepositoryBackend,
        origin: SnapshotOrigin,
        *,
        tags: Sequence[str] = (),
        previous: str = '',
        wait: float | None = None,
        run: Run | None = None,
    ) -> SnapshotRecord:
        """Put a snapshot of a storage into this place: what is there already is not put again.

        A database of which the rows are those of the previous snapshot is not read. What a verification has found
        damaged in the place, and the storage has, is put anew.

        Objects that are missing or damaged in the storage are left out, and the snapshot says so. If it fails, or is
        ended early, there is no snapshot, and what was put stays for the next one.

        :param snapshot: of the database; it is closed before the objects are copied.
        :param source: the objects of the storage.
        :param origin: which storage it is.
        :param previous: name of the last snapshot of the same storage, if it is known; else the newest of all is
            compared.
        :param wait: seconds to wait for those who remove snapshots; None: do not wait.
        :raises ricordi.errors.BusyBackupRepository: snapshots are being removed.
        :raises ricordi.errors.Interrupted: `run.stop` asked for an end.
        :raises OSError: the disk is full, or fails.
        """
        run = run or Run()
        began = now()
        with (
            self.place.locked('shared', wait, run.stop),
            KeySpool() as spool,
            Announcement(self.place, self.objects) as announcement,
        ):
            self.objects.look_again(lasting=True)
            before = self._earlier(previous)
            damaged = self.objects.damaged_objects()
            same_rows = before is not None and has_same_rows(before, snapshot, self.objects, damaged)
            if before is not None and same_rows and not damaged and has_same_objects(before, self.objects):
                record = repeated(before, origin, tuple(tags), began)
                if announcement.holds(record, lambda: has_same_objects(before, self.objects)):
                    return self._write(record, run)
            state = state_of(snapshot)  # of the rows that are put now; the snapshot is let go of then
            about = (origin, tuple(tags), began)
            database = put_database(
                snapshot,
                self.objects,
                spool,
                run,
                before if same_rows else None,
                damaged,
                lambda taken: announcement.make(new_record(taken, NOTHING_YET, *about, 0)),
            )
            put = Amount()
            while True:
                objects = put_objects(database.names, source, self.objects, run, damaged)
                if damaged:
                    self.objects.forget_mended()
                put = Amount(put.objects + objects.new.objects, put.bytes + objects.new.bytes)
                total = self._content_bytes(before, database.names.digest, spool)
                record = new_record(database, objects._replace(new=put), *about, total)
                if not announcement.make(record) or not is_lacking(record, database.names, self.objects):
                    break
            return self._write(record._replace(mark=new_mark(state, self.objects)), run)

    def _write(self, record: SnapshotRecord, run: Run) -> SnapshotRecord:
        check_stop(run)
        record, content = manifest_of(record)
        self.place.write_manifest(record.name, content)
        return record

    def _earlier(self, name: str) -> SnapshotRecord | None:
        """An earlier snapshot to compare with: the one of this name, else the last one; None where none can be read."""
        names = self.names()
        for one in [name] if name in names else names[-1:]:
            with suppress(RicordiError):
                return self.read(one)
        return None

    def _content_bytes(self, before: SnapshotRecord | None, digest: str, keys: KeySpool) -> int:
        """Bytes of content of what a snapshot names; of the same names an earlier one has counted them."""
        if before is not None and before.keys_digest == digest and before.complete:
            return before.objects.bytes
        return self.objects.content_bytes(keys.ascending())

    def forget(
        self, names: Sequence[str], *, free: bool = True, wait: float | None = None, run: Run | None = None
    ) -> ForgetReport:
        """Remove snapshots, then the objects that no other names.

        :param names: whole names; one that is gone already is passed over.
        :param free: whether the objects go too.
        :param wait: seconds to wait for others to be done with the place; None: do not wait.
        :raises ricordi.errors.BusyBackupRepository: snapshots are being made or read.
        """
        from ricordi.backup.forgetting import forget

        run = run or Run()
        with self.place.locked('exclusive', wait, run.stop):
            return forget(self, names, free, run)


def _digest(name: str) -> str:
    return name.rpartition('-')[2]
