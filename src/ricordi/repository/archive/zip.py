"""The objects of an archive, read straight from the zip file (formats/archive.md)."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from ricordi.backend.maintenance import Distrust, KeyStream, MaintenanceOptions, MaintenanceReport, trusted
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.usage import ObjectSize
from ricordi.errors import CorruptStorage, MissingObject, ReadOnlyStorage
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.repository.archive.zip_keys import PREFIX, KeyTable
from ricordi.repository.container.streams import OTHER_BYTES, checked
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import Member
from ricordi.zipfiles.member import MemberStream, check_readable, damaged, is_small, read_member

if TYPE_CHECKING:
    from ricordi.backend.verification import Finding
    from ricordi.backend.verification_report import Topic, VerifyOptions

SEARCHES = 16
"""So many objects are searched for one by one; for more, a table of all is made."""
BULK_KEYS = 20_000


class ZipRepository(RepositoryBackend):
    """The members `repo/<key>` of a zip file; they can only be read. Usable from several threads."""

    def __init__(self, path: str | Path) -> None:
        """
        :param path: the archive; opened at first use.
        """
        self.path = Path(path)
        self._lock = threading.Lock()
        self._opened: ZipDirectory | None = None
        self._table: KeyTable | None = None
        self._searches = 0

    def __repr__(self) -> str:
        return f'ZipRepository({str(self.path)!r})'

    @property
    def uuid(self) -> str | None:
        return None

    @property
    def is_initialised(self) -> bool:
        return self.path.is_file()

    @property
    def directory(self) -> ZipDirectory:
        """The open archive."""
        with self._lock:
            if self._opened is None:
                self._opened = ZipDirectory(self.path)
            return self._opened

    def close(self) -> None:
        with self._lock:
            self._opened = None  # closed when the last stream over it is gone
            self._table = None
            self._searches = 0

    # -- reading ------------------------------------------------------------------------------------------------

    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        return [self.find(key) is not None for key in keys]

    def open(self, key: str) -> BinaryIO:
        return self._open(key, self._member(key))

    def _open(self, key: str, member: Member) -> BinaryIO:
        """A stream over a member that is checked by the key: its own checksum is that of whoever wrote the archive."""

        def damaged_object(reason: str) -> CorruptStorage:
            return damaged(self.directory, member, reason)

        check_readable(self.directory, member)
        if not is_small(member):
            return checked(MemberStream(self.directory, member), key, member.size, damaged_object)
        content = read_member(self.directory, member)
        if hashlib.sha256(content).hexdigest() != key:
            raise damaged_object(OTHER_BYTES)
        return io.BytesIO(content)

    def get_object_size(self, key: str) -> int:
        return self._member(key).size

    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        for key, member in self.in_file_order(keys):
            with self._open(key, member) as handle:
                yield key, handle

    def in_file_order(self, keys: Iterable[str]) -> Iterator[tuple[str, Member]]:
        """Objects with where they lie, sorted by that, in portions of constant size.

        :raises ricordi.errors.MissingObject: at the first key that the archive lacks.
        """
        wanted = iter(keys)
        while portion := list(islice(wanted, BULK_KEYS)):
            found = [(self._member(key), key) for key in portion]
            found.sort(key=lambda pair: pair[0].offset)
            for member, key in found:
                yield key, member

    def list_objects(self) -> Iterator[str]:
        return self._all().keys()

    def object_sizes(self) -> Iterator[ObjectSize]:
        from ricordi.repository.archive.sizes import archived_sizes

        return archived_sizes(self.directory)

    def sizes_of(self, keys: Iterable[str]) -> Iterator[ObjectSize]:
        for key in keys:
            if (member := self.find(key)) is not None:
                yield ObjectSize(key, member.packed, member.size)

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """Objects, and the bytes they take; `detailed`: also bytes of content, for which all entries are read."""
        directory = self.directory
        info: dict[str, Any] = {'objects': max(0, directory.place.entries - 2), 'bytes': directory.place.offset}
        if detailed:
            members = [(member.packed, member.size) for member in directory.members() if member.name.startswith(PREFIX)]
            content, packed = sum(size for _, size in members), sum(length for length, _ in members)
            info = {'objects': len(members), 'bytes': packed, 'content_bytes': content}
        return {'packed': info}

    def find(self, key: str) -> Member | None:
        """The member that holds an object, or None."""
        if not is_key(key):
            return None
        directory = self.directory
        with self._lock:
            self._searches += 1
            table, few = self._table, self._searches <= SEARCHES
        if table is None and few:
            return directory.find(PREFIX + key)
        return self._all().find(key)

    def _member(self, key: str) -> Member:
        member = self.find(key)
        if member is None:
            raise MissingObject(f'there is no object {key} in {self.path}')
        return member

    def _all(self) -> KeyTable:
        directory = self.directory
        with self._lock:
            if self._table is None:
                self._table = KeyTable(directory, PREFIX)
            return self._table

    def verify(
        self,
        options: VerifyOptions,
        named_keys: KeyStream,
        run: Run | None = None,
    ) -> Iterator[Finding | Topic]:
        from ricordi.repository.verification.archive import verify_archive

        return verify_archive(self, options, named_keys, run or Run())

    # -- what an archive cannot do ------------------------------------------------------------------------------

    def initialise(self, **kwargs: Any) -> None:
        self._refuse()

    def erase(self) -> None:
        self._refuse()

    def put_object_from_filelike(self, handle: BinaryIO) -> str:
        self._refuse()

    def delete_objects(self, keys: Iterable[str]) -> None:
        self._refuse()

    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        run: Run | None = None,
        distrust: Distrust = trusted,
    ) -> MaintenanceReport:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ReadOnlyStorage(f'{self.path} is an archive and can only be read; import it into a profile to change it')
