"""Where the objects of a repository are read from for an archive, in the order that is cheapest to read.

Each source gives the content checked by its SHA-256 and, where the repository holds it compressed already, its raw
deflate stream, so that it is not deflated anew.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import CorruptStorage, NotExistent, ProblemsFound
from ricordi.repository.container.compression import decompress
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.pack_windows import is_large
from ricordi.repository.container.streams import PackSlice
from ricordi.repository.limits import USUAL
from ricordi.zipfiles.deflate import crc32
from ricordi.zipfiles.format import DEFLATED, Member
from ricordi.zipfiles.member import unpack
from ricordi.zipfiles.packed import ZlibStreamPieces, has_plain_header, raw_deflate

if TYPE_CHECKING:
    from ricordi.repository.archive.zip import ZipRepository
    from ricordi.repository.container.container import Container


@dataclass(frozen=True, slots=True)
class Content:
    """A whole object.

    :param content: its content.
    :param deflated: the raw deflate stream of it, where there is one already.
    """

    content: bytes
    deflated: bytes | None = None

    @property
    def crc(self) -> int:
        """CRC-32 of the content."""
        return crc32(self.content)


class ObjectSource(Protocol):
    """One object of a repository."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def size(self) -> int:
        """Bytes of content, as far as is known without reading it."""

    def small(self) -> Content | None:
        """The object, checked; None for one that is too large for memory."""

    def open(self) -> BinaryIO:
        """A stream over the content, which is checked before its end is given."""

    def pieces(self) -> ZlibStreamPieces | None:
        """A raw deflate stream of the content, if there is one already."""


def sources(repository: RepositoryBackend, keys: Callable[[], Iterator[str]]) -> Iterator[ObjectSource]:
    """All objects that `keys` names, as they lie in the repository.

    :param keys: asked anew, yields the keys: distinct, ascending.
    """
    from ricordi.repository.archive.zip import ZipRepository
    from ricordi.repository.container.container import Container

    if isinstance(repository, Container):
        return _of_container(repository, keys())
    if isinstance(repository, ZipRepository):
        return _of_zip(repository, keys())
    return (AnySource(repository, key, _size(repository, key)) for key in keys())


def _of_container(container: Container, keys: Iterable[str]) -> Iterator[ObjectSource]:
    """Loose ones first, then pack by pack from front to back."""
    with closing(container.new_index()) as index:
        for key, row in index.by_place(keys):
            if row is not None:
                yield PackedSource(container, row)
            else:  # in no pack, or nobody knows where
                yield loose_source(container, key, _size(container, key))


def loose_source(container: Container, key: str, size: int) -> AnySource:
    """An object of a container that is in no pack, or was not when one looked."""
    return AnySource(container, key, size, container.limits.large_bytes)


def _of_zip(repository: ZipRepository, keys: Iterable[str]) -> Iterator[ObjectSource]:
    def known() -> Iterator[str]:
        for key in keys:
            if repository.find(key) is None:
                raise UnusableObject(key, f'there is no object {key} in {repository.path}')
            yield key

    for key, member in repository.in_file_order(known()):
        yield ZippedSource(repository, key, member)


@dataclass(frozen=True, slots=True)
class AnySource:
    """An object that is read through its repository: a loose one, or one of a store without packs.

    :param large_bytes: a larger one is streamed.
    """

    repository: RepositoryBackend
    key: str
    size: int
    large_bytes: int = USUAL.large_bytes

    def small(self) -> Content | None:
        if self.size > self.large_bytes:
            return None
        with usable(self.key):
            return Content(self.repository.get_object_content(self.key))

    def open(self) -> BinaryIO:
        return self.repository.open(self.key)

    def pieces(self) -> ZlibStreamPieces | None:
        return None


@dataclass(frozen=True, slots=True)
class PackedSource:
    """An object in a pack."""

    container: Container
    row: PackedObject

    @property
    def key(self) -> str:
        return self.row.key

    @property
    def size(self) -> int:
        return self.row.size

    def small(self) -> Content | None:
        if is_large(self.row, self.container.limits):
            return None
        stored = b''
        try:
            stored = self.container.read_stored(self.row)
            content = decompress(stored) if self.row.compressed else stored
        except (FileNotFoundError, CorruptStorage, zlib.error):
            content = b''
        if hashlib.sha256(content).hexdigest() == self.key:
            return Content(content, raw_deflate(stored) if self.row.compressed else None)
        # repacked meanwhile, or damaged: the container looks for a sound copy, and tells if there is none
        return loose_source(self.container, self.key, self.size).small()

    def open(self) -> BinaryIO:
        return self.container.open(self.key)

    def pieces(self) -> ZlibStreamPieces | None:
        if not self.row.compressed:
            return None
        path = self.container.layout.pack_path(self.row.pack_id)
        try:
            with PackSlice(path, self.row.offset, self.row.length) as part:
                if not has_plain_header(part.read(2)):
                    return None
        except (OSError, CorruptStorage):
            return None
        return ZlibStreamPieces(self._stored_chunks(path))

    def _stored_chunks(self, path: os.PathLike[str]) -> Iterator[bytes]:
        with PackSlice(path, self.row.offset, self.row.length) as part:
            while chunk := part.read(1 << 20):
                yield chunk


@dataclass(frozen=True, slots=True)
class ZippedSource:
    """An object in another archive."""

    repository: ZipRepository
    key: str
    member: Member

    @property
    def size(self) -> int:
        return self.member.size

    def small(self) -> Content | None:
        if max(self.member.size, self.member.packed) > USUAL.large_bytes:
            return None
        directory = self.repository.directory
        with usable(self.key):
            packed = directory.packed_bytes(self.member)
            content = unpack(packed, self.member, directory)
        _check(content, self.key)
        return Content(content, packed if self.member.method == DEFLATED else None)

    def open(self) -> BinaryIO:
        return self.repository.open(self.key)

    def pieces(self) -> ZlibStreamPieces | None:
        return None


def _check(content: bytes, key: str) -> None:
    if hashlib.sha256(content).hexdigest() != key:
        raise damaged(key)


class UnusableObject(ProblemsFound):
    """An object that a node names is missing or damaged.

    :param key: which one.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def damaged(key: str) -> UnusableObject:
    """The error for an object that is not what its key says."""
    return UnusableObject(key, f'object {key} is damaged: its content is not what its key says')


class usable:
    """What the repository says of an object that it lacks or cannot read becomes `UnusableObject`."""

    __slots__ = ('_key',)

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (NotExistent, CorruptStorage)):
            raise UnusableObject(self._key, str(error)) from error


def _size(repository: RepositoryBackend, key: str) -> int:
    with usable(key):
        return repository.get_object_size(key)
