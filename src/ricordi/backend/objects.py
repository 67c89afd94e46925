"""Objects on their way from one store into another: what is known of each, and the form in which it lies already."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from ricordi.errors import CorruptStorage, NotExistent

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend


class StoredForm(NamedTuple):
    """A whole object in the form in which it shall lie, compared with its key.

    :param data: its content, or a zlib stream of it.
    :param size: bytes of content.
    """

    data: bytes | memoryview
    size: int
    compressed: bool = False


class ZlibPieces(Protocol):
    """A zlib stream in pieces, to be iterated once; what it was of is known at the end."""

    def __iter__(self) -> Iterator[bytes]:
        """The pieces.

        :raises ricordi.errors.CorruptStorage: it is damaged.
        """

    @property
    def key(self) -> str:
        """SHA-256 of the content."""

    @property
    def size(self) -> int:
        """Bytes of content."""


class HeldObject(ABC):
    """An object of which the key is known (`KnownObject`); where it lies compressed, it is taken over as it is."""

    __slots__ = ()

    @property
    @abstractmethod
    def key(self) -> str:
        """Its key."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes of content, as far as is known without reading it."""

    @abstractmethod
    def stored(self, largest: int) -> StoredForm | None:
        """All of it, checked; None of one that takes more than `largest` bytes. For any thread.

        :raises ricordi.errors.MissingObject: it is not there.
        :raises ricordi.errors.CorruptStorage: it is damaged.
        """

    @abstractmethod
    def open(self) -> BinaryIO:
        """A stream over its content, which is checked before its end is given; errors as of `stored`."""

    def pieces(self) -> ZlibPieces | None:
        """The zlib stream that there is of it, in constant memory; None if there is none."""
        return None

    def content(self, largest: int) -> bytes | None:
        """Its content, checked; None of one that takes more than `largest` bytes."""
        if self.size > largest:
            return None
        with self.open() as handle:
            return handle.read()

    def expect(self, key: str) -> None:
        """Refuse what was read of it, if it has another key.

        :raises ricordi.errors.CorruptStorage: it has.
        """
        if key != self.key:
            raise CorruptStorage(f'object {self.key} is damaged: its content is not what its key says')


class OneOfRepository(HeldObject):
    """An object that is read through its repository."""

    def __init__(self, repository: RepositoryBackend, key: str) -> None:
        self._repository = repository
        self._key = key

    @property
    def key(self) -> str:
        return self._key

    @cached_property
    def size(self) -> int:
        try:
            return self._repository.get_object_size(self._key)
        except (NotExistent, CorruptStorage):
            return 0  # who reads it is told what is wrong

    def stored(self, largest: int) -> StoredForm | None:
        if self.size > largest:
            return None
        content = self._repository.get_object_content(self._key)
        return StoredForm(content, len(content))

    def open(self) -> BinaryIO:
        return self._repository.open(self._key)
