"""The store of objects in a bucket: packs in an S3-compatible store, their index in PostgreSQL, for many hosts.

What may never be the other way round stands in `publishing.py`, what keeps others' work safe from maintenance in
`maintenance/maintenance.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID, uuid4

from ricordi.backend.bucket import BucketLocation
from ricordi.backend.maintenance import (
    CompressMode,
    Distrust,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    trusted,
)
from ricordi.backend.repository import Owner, RepositoryBackend
from ricordi.backend.usage import ObjectSize
from ricordi.errors import CorruptStorage, LostObject
from ricordi.progress import Run
from ricordi.repository.bucket.cache import ReadCache
from ricordi.repository.bucket.database import IndexDatabase
from ricordi.repository.bucket.index import BucketIndex, hashes_of
from ricordi.repository.bucket.limits import USUAL, BucketLimits
from ricordi.repository.bucket.objects import PackStore, open_client
from ricordi.repository.bucket.packed_repository import PackedRepository
from ricordi.repository.bucket.publishing import Publisher
from ricordi.repository.bucket.putting import Putter
from ricordi.repository.bucket.read_ahead import ReadAhead
from ricordi.repository.bucket.reading import BucketReader

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

    from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
    from ricordi.backend.verification import Finding
    from ricordi.backend.verification_report import Topic, VerificationState, VerifyOptions

SETTINGS = 'ricordi.json'
OWNER = 'owner.json'


class BucketRepository(PackedRepository):
    """A store in a folder of a bucket, named by the identifier of the store: two stores in one bucket never meet.

    Making the object connects to nothing.
    """

    keeps_owner = True
    compares_live = False

    def __init__(
        self, location: BucketLocation, limits: BucketLimits = USUAL, client: Callable[[], Client] | None = None
    ) -> None:
        """
        :param client: makes the client of the bucket, where it shall not be what the location says.
        """
        self.location = location
        self.limits = limits
        self._client = client or (lambda: open_client(location, limits))
        self.database = IndexDatabase(location, limits)
        self.index: BucketIndex = BucketIndex(self.database, location.schema, limits.listed, limits.grace_seconds / 4)
        self.cache = ReadCache(location.cache_folder, location.cache_bytes)
        self.ahead = ReadAhead(limits)
        self._uuid: UUID | None = None
        self._store: PackStore | None = None

    @property
    def store(self) -> PackStore:
        """The folder of the bucket.

        :raises ricordi.errors.UnreachableStorage: the database, which knows the folder, cannot be reached.
        """
        if self._store is None:
            self._store = self._store_of(self._own_uuid())
        return self._store

    def _store_of(self, uuid: UUID) -> PackStore:
        return PackStore(self._client, uuid.hex, self.location.place, self.limits)

    def _own_uuid(self) -> UUID:
        if self._uuid is None:
            self._uuid = self.index.uuid()
        return self._uuid

    @property
    def uuid(self) -> str | None:
        return self._own_uuid().hex

    @property
    def is_initialised(self) -> bool:
        return self.index.is_there

    def initialise(self, **kwargs: Any) -> None:
        """Make the tables; the bucket has to be there, and to let us write, which is tried first. `identifier` may be
        given.

        :raises ricordi.errors.UnreachableStorage: it is not, or does not.
        """
        uuid = UUID(hex=kwargs.get('identifier') or uuid4().hex)
        store = self._store_of(uuid)
        store.put(SETTINGS, json.dumps({'ricordi_bucket': 1, 'uuid': uuid.hex}).encode())
        try:
            self.index.create(uuid)
        except BaseException:
            store.delete([SETTINGS])
            raise
        self._uuid = None

    @property
    def is_elsewhere(self) -> bool:
        try:
            self.store.size(SETTINGS)
        except LostObject:
            return True
        return False

    def guard_nodes(self, lenient: bool = False) -> None:
        """Have the database itself keep what nodes name, from now on and for those that are there; may be called again.

        A node whose objects are not there can then not be committed, and an object that a node names cannot go.

        :raises ricordi.errors.IntegrityError: a node names an object that is not there.
        """
        self.index.bring_up_to_date()
        if lenient:
            self.index.guard.make_anew()
        else:
            self.index.guard.make()

    def release_nodes(self) -> None:
        self.index.guard.drop()

    def guard_fault(self) -> str:
        guard = self.index.guard
        if not self.index.has_guard or not guard.has_working_triggers:
            return 'triggers of the table db_dbnode are missing or disabled'
        return 'what it has noted is gone' if guard.is_plainly_lost() else ''

    def erase(self) -> None:
        if self.is_initialised:
            store = self.store
            while names := [one.name for one in islice(store.listed(), self.limits.rows)]:
                store.delete(names)
            self.index.drop()
        self.close()
        self._uuid = self._store = None

    @property
    def owner(self) -> Owner | None:
        try:
            told = json.loads(self.store.get(OWNER))
            return Owner(str(told['database']), str(told['place']), bool(told['confirmed']))
        except LostObject:
            return None
        except (ValueError, KeyError, TypeError):
            return Owner('', f'database that {OWNER} does not tell', confirmed=False)

    def set_owner(self, owner: Owner | None) -> None:
        if owner is None:
            self.store.delete([OWNER])
        else:
            self.store.put(OWNER, json.dumps(owner._asdict()).encode())

    # -- writing ----------------------------------------------------------------------------------------------

    @property
    def publisher(self) -> Publisher:
        """What uploads packs."""
        return Publisher(self.index, self.store, self.limits)

    @property
    def _putter(self) -> Putter:
        return Putter(self.index, self.publisher, self.limits)

    def put_objects_into_pack(self, contents: Iterable[bytes | BinaryIO], compress: CompressMode = 'no') -> list[str]:
        """Store many objects in packs, durable together on return; the keys come in order.

        :param compress: as in maintenance; `keep` means `no` here.
        """
        return self._putter.put_many(contents, compress)

    def delete_objects(self, keys: Iterable[str]) -> None:
        """Remove objects from the index; their bytes are waste, until maintenance takes it away.

        :raises ricordi.errors.StillInUse: a node names one of them.
        """
        wanted = iter(hashes_of(keys))
        while some := list(islice(wanted, self.limits.listed)):
            self.index.delete(some)
            self.forget(some)

    def forget(self, hashes: Sequence[bytes]) -> None:
        """Keep nothing on this machine of objects that were removed."""
        self.ahead.forget()
        self.cache.drop(hashes)

    # -- reading ----------------------------------------------------------------------------------------------

    @property
    def reader(self) -> BucketReader:
        """What reads objects."""
        return BucketReader(self.index, self.store, self.cache, self.ahead, self.limits)

    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        found: list[bool] = []
        wanted = iter(keys)
        while some := list(islice(wanted, self.limits.listed)):
            there = self.index.there(hashes_of(some))
            found += [bool(hashes := hashes_of([key])) and hashes[0] in there for key in some]
        return found

    def list_objects(self) -> Iterator[str]:
        return (hash.hex() for hash in self.index.hashes())

    def object_sizes(self) -> Iterator[ObjectSize]:
        return (ObjectSize(place.key, place.stored, place.size) for place in self.index.placements())

    @property
    def holds_objects(self) -> bool:
        return self.database.rows('SELECT EXISTS (SELECT 1 FROM objects)') == [(True,)]

    # -- counting and maintenance -----------------------------------------------------------------------------

    def estimated_count(self) -> int:
        ((count,),) = self.database.rows(
            'SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass', ('objects',)
        )
        return int(count)

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """Objects and bytes in the database and in packs, packs, waste; `detailed`: each pack."""
        from ricordi.repository.bucket.counting import info_of

        return {'uuid': self.uuid, 'bucket': self.location.place, **info_of(self.database, detailed)}

    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        run: Run | None = None,
        distrust: Distrust = trusted,
    ) -> MaintenanceReport:
        from ricordi.repository.bucket.maintenance.maintenance import maintain

        return maintain(self, options, named_keys, run or Run(), distrust)

    def verify(
        self, options: VerifyOptions, named_keys: KeyStream, run: Run | None = None
    ) -> Iterator[Finding | Topic]:
        from ricordi.repository.bucket.verification.verification import verify_bucket

        return verify_bucket(self, options, named_keys, run or Run())

    def note_verified(self, findings: int, of_rows: int = 0) -> str:
        from ricordi.repository.bucket.verification.notes import ReadNotes

        notes = ReadNotes(self)
        notes.note_structure(findings, of_rows)
        return notes.failed

    def verification_state(self) -> VerificationState | None:
        from ricordi.repository.bucket.verification.notes import ReadNotes

        return ReadNotes(self).state()

    def repair(
        self, order: RepairOrder, sources: Sequence[RepairSource], named_keys: KeyStream, run: Run | None = None
    ) -> Iterator[Mending | SetAside]:
        from ricordi.repository.bucket.repair.repair import repair_bucket

        return repair_bucket(self, order, sources, run or Run())

    def settings_fault(self) -> str:
        return '' if self.index.is_there else f'the schema {self.location.schema} is not in the database'

    def settings_mending(self, fault: str) -> Mending:
        from ricordi.backend.repair import Mending

        detail = f'{fault}; it is made anew, and filled from the lists in the packs'
        return Mending('damaged object index', 'make the index anew', self.location.schema, detail)

    def restore_settings(self, uuid: str, alike: Sequence[RepositoryBackend]) -> None:
        """Make the tables of the index anew, empty; what lies in the bucket comes in by `repair`.

        :raises ricordi.errors.CorruptStorage: the bucket does not hold the store of this database.
        """
        identifier = UUID(hex=uuid)
        try:
            self._store_of(identifier).size(SETTINGS)
        except LostObject:
            raise CorruptStorage(f'the {self.location.place} does not hold the objects of this database') from None
        self.index.create(identifier)
        self._uuid = self._store = None

    def keep_aside(self, name: str, pieces: Iterable[bytes]) -> str:
        from ricordi.repository.bucket.repair.aside import BucketAside

        return BucketAside(self).keep(name, pieces)

    def close(self) -> None:
        self.database.close()
        self.cache.close()
        self.ahead.forget()
