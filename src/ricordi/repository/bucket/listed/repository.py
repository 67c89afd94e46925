"""The store of objects in packs in a folder of a bucket, without a database: what backups in a bucket are made of.

Objects are put and never changed; packs go by `giving_back.py` alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from ricordi.backend.bucket import BucketLocation
from ricordi.backend.maintenance import Distrust, KeyStream, MaintenanceOptions, MaintenanceReport, trusted
from ricordi.errors import InvalidOperation
from ricordi.progress import Run
from ricordi.repository.bucket.index import hashes_of
from ricordi.repository.bucket.limits import USUAL, BucketLimits
from ricordi.repository.bucket.listed.catalogue import PackCatalogue
from ricordi.repository.bucket.listed.catalogue_file import CatalogueFile
from ricordi.repository.bucket.listed.notes import PlaceNotes
from ricordi.repository.bucket.listed.publishing import ListedPublisher
from ricordi.repository.bucket.listed.reading import CopiesReader
from ricordi.repository.bucket.objects import PackStore, open_client
from ricordi.repository.bucket.packed_repository import PackedRepository
from ricordi.repository.bucket.putting import Putter
from ricordi.repository.parallel import in_order

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

    from ricordi.backend.repair import Mending, RepairOrder, RepairSource
    from ricordi.backend.verification import Finding
    from ricordi.backend.verification_report import Topic, VerificationState, VerifyOptions

AHEAD = 6
"""Objects that are read before the one in hand, each by a request of its own."""
NEVER_INLINE = -1


class ListedRepository(PackedRepository):
    """The packs in one folder of a bucket. Making the object connects to nothing."""

    def __init__(
        self, location: BucketLocation, limits: BucketLimits = USUAL, client: Callable[[], Client] | None = None
    ) -> None:
        """
        :param client: makes the client of the bucket, where it shall not be what the location says.
        """
        self.location = location
        self.limits = limits._replace(inline_bytes=NEVER_INLINE)
        self.files = PackStore(client or (lambda: open_client(location, limits)), '', location.place, self.limits)
        """All that lies in the folder."""
        self.catalogue = PackCatalogue(self.files, CatalogueFile(_cache_path(location)), self.limits)
        self.index: PackCatalogue = self.catalogue
        self.notes = PlaceNotes(self.catalogue)
        """What is known about packs, by whoever has found it."""
        self._is_checked = False

    @property
    def uuid(self) -> str | None:
        return None

    @property
    def is_initialised(self) -> bool:
        return True

    def initialise(self, **kwargs: Any) -> None:
        """Packs make it; there is nothing to be made before."""

    def look_again(self, lasting: bool = False) -> None:
        self.catalogue.look_again(lasting)
        if lasting and not self._is_checked:
            self.notes.take_in()
            self.catalogue.check()
            self._is_checked = True

    def erase(self) -> None:
        raise InvalidOperation('a store of backups goes with its backup repository, not by itself')

    def delete_objects(self, keys: Iterable[str]) -> None:
        raise InvalidOperation('objects of backups go when no snapshot names them')

    # -- writing ------------------------------------------------------------------------------------------------

    @property
    def publisher(self) -> ListedPublisher:
        """What uploads packs."""
        return ListedPublisher(self.catalogue, self.limits)

    @property
    def _putter(self) -> Putter:
        return Putter(self.catalogue, self.publisher, self.limits)

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def reader(self) -> CopiesReader:
        """What reads objects."""
        return CopiesReader(self.catalogue, self.limits)

    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        found: list[bool] = []
        wanted = iter(keys)
        while some := list(islice(wanted, self.limits.listed)):
            there = {hash.hex() for hash in self.catalogue.there(hashes_of(some))}
            found += [key in there for key in some]
        return found

    def contents_ahead(self, keys: Iterable[str]) -> Generator[Callable[[], bytes], None, None]:
        yield from in_order(self._content_or_error, keys, AHEAD, AHEAD)

    def _content_or_error(self, key: str) -> Callable[[], bytes]:
        try:
            content = self.reader.content(key)
        except Exception as error:  # told when it is its turn
            return partial(_raise, error)
        return lambda: content

    def list_objects(self) -> Iterator[str]:
        return (hash.hex() for hash in self.catalogue.hashes())

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """Packs and their bytes; `detailed`: each of them."""
        self.look_again()
        packs = self.catalogue.packs
        info: dict[str, Any] = {'packs': len(packs), 'bytes': sum(one.bytes for one in packs.values())}
        if detailed:
            info['pack_list'] = [{'pack': str(pack), 'bytes': one.bytes} for pack, one in packs.items()]
        return info

    # -- maintenance and verification ---------------------------------------------------------------------------

    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        run: Run | None = None,
        distrust: Distrust = trusted,
    ) -> MaintenanceReport:
        """Take away packs of which nothing is named; see `listed/giving_back.py`."""
        from ricordi.repository.bucket.listed.giving_back import give_back

        return give_back(self, options, named_keys, run or Run())

    def verify(
        self, options: VerifyOptions, named_keys: KeyStream, run: Run | None = None
    ) -> Iterator[Finding | Topic]:
        from ricordi.repository.bucket.listed.verification import verify_listed

        return verify_listed(self, options, named_keys, run or Run())

    def repair(
        self,
        order: RepairOrder,
        sources: Sequence[RepairSource],
        named_keys: KeyStream,
        run: Run | None = None,
    ) -> Iterator[Mending]:
        """Put anew what cannot be read, from sources; the bytes that are damaged go when their pack does."""
        from ricordi.repository.bucket.listed.repair import repair_listed

        return repair_listed(self, order, sources, run or Run())

    def note_verified(self, findings: int, of_rows: int = 0) -> str:
        from ricordi.repository.bucket.listed.verification import note_structure

        note_structure(self.catalogue, findings)
        return ''

    def verification_state(self) -> VerificationState | None:
        from ricordi.repository.bucket.listed.verification import state_of_packs

        return state_of_packs(self.catalogue)

    def damaged_objects(self) -> frozenset[str]:
        return frozenset(hash.hex() for hash in self.catalogue.bad())

    def close(self) -> None:
        self.catalogue.file.close()


def _raise(error: Exception) -> bytes:
    raise error


def _cache_path(location: BucketLocation) -> Any:
    """Where the lists of the packs of a place are kept; None: nowhere."""
    if location.cache_folder is None:
        return None
    name = hashlib.sha256(f'{location.endpoint} {location.region} {location}'.encode()).hexdigest()[:32]
    return location.cache_folder / f'{name}.sqlite'
