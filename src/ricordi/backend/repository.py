"""What a store of objects must offer. An object is one content, named by its key: the lower-case hex SHA-256 of it."""

from __future__ import annotations

import hashlib
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, NamedTuple, Protocol, Self

from ricordi.backend.maintenance import Distrust, KeyStream, MaintenanceOptions, MaintenanceReport, trusted
from ricordi.backend.objects import HeldObject, OneOfRepository
from ricordi.backend.usage import ObjectSize
from ricordi.errors import CorruptStorage, InvalidOperation, MissingObject, NotExistent
from ricordi.progress import Run

if TYPE_CHECKING:
    from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
    from ricordi.backend.verification import Finding
    from ricordi.backend.verification_report import Topic, VerificationState, VerifyOptions

CHUNK_BYTES = 1 << 20


class Owner(NamedTuple):
    """The database that a store of objects serves.

    :param database: what tells it from all others, copies of it among them; see `StorageBackend.database_identity`.
    :param place: where it is, in words, without any secret.
    :param confirmed: False: a new database was tied to objects that were there before it; nothing may go for want of a
        name in it until a person has said that it is meant.
    """

    database: str
    place: str
    confirmed: bool = True


def bytes_of(piece: bytes, handle: BinaryIO) -> bytes:
    """What was read from `handle`, if it is bytes.

    :raises TypeError: the stream yields text.
    """
    if not isinstance(piece, bytes | bytearray | memoryview):
        raise TypeError(
            f'a stream of bytes is needed, {handle!r} yields {type(piece).__name__}: open it with mode "rb"'
        )
    return piece


class FreeSpace(NamedTuple):
    """Room for objects.

    :param bytes: that are free.
    :param place: where, in words.
    """

    bytes: int
    place: str


class KnownObject(Protocol):
    """An object on its way into a store, of which the key is known."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def size(self) -> int:
        """Bytes of content."""

    def content(self, largest: int) -> bytes | None:
        """All of it, compared with the key; None of one that takes more than `largest` bytes. For any thread."""

    def open(self) -> BinaryIO:
        """A stream over it, compared with nothing."""

    def expect(self, key: str) -> None:
        """Refuse what was read of the stream, if it has another key.

        :raises ricordi.errors.CorruptStorage: it has.
        """


class RepositoryBackend(ABC):
    """Content by key. What a `put_…` method has returned is durable: file and folder are fsynced."""

    key_format = 'sha256'

    keeps_owner: ClassVar[bool] = False
    """Whether it can be reached by several databases, and so keeps a record of the one that it serves."""

    compares_live: ClassVar[bool] = True
    """Whether maintenance beside others looks what no node names, and so can tell that all is clean."""

    given_over: bool = False
    """Whether a person has said that a new database may have it, whatever it holds and whomever it serves."""

    @property
    def owner(self) -> Owner | None:
        """The database that it serves; None where that was not recorded."""
        return None

    def set_owner(self, owner: Owner | None) -> None:  # noqa: B027 - most serve one database and no other
        """Record which database it serves."""

    @property
    def holds_objects(self) -> bool:
        """Whether there is anything in it that may be an object."""
        return next(self.list_objects(), None) is not None

    def complete(self) -> None:  # noqa: B027 - most are there whole or not at all
        """Make what an empty store lacks, for its creation was cut short."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether what it knows of objects is of another place than the one that it was made with."""
        return False

    def guard_nodes(self, lenient: bool = False) -> None:  # noqa: B027 - most cannot be asked by a database
        """Have the database of the storage, of which the tables are there by now, keep the objects that nodes name.

        Nothing is done where that is so already. From then on a node that names an object which is not there is
        refused, and no object goes that one names.

        :param lenient: also where nodes that are there name objects which are not; then a maintenance removes nothing.
        """

    def release_nodes(self) -> None:  # noqa: B027 - as above
        """Have the database of the storage mind no more what nodes name, for another store has the objects by now."""

    def guard_fault(self) -> str:
        """Why the database does not know by now all that nodes name, though it was told to; empty: it does."""
        return ''

    @property
    @abstractmethod
    def uuid(self) -> str | None:
        """The identifier that the database repeats (32 hex digits), or None for a store without one."""

    @property
    @abstractmethod
    def is_initialised(self) -> bool:
        """Whether the store exists and can be used."""

    @abstractmethod
    def initialise(self, **kwargs: Any) -> None:
        """Create an empty store.

        :param kwargs: `identifier`, where it shall have that of another store; what else may be said is the store's.
        :raises ricordi.errors.InvalidOperation: if there is one already.
        """

    @abstractmethod
    def erase(self) -> None:
        """Delete the store and all in it, also what a deletion that was cut short has left."""

    @abstractmethod
    def put_object_from_filelike(self, handle: BinaryIO) -> str:
        """Store what `handle` yields, in constant memory, and return its key.

        :raises TypeError: it yields text, not bytes; nothing is stored then.
        """

    def put_object_from_bytes(self, content: bytes) -> str:
        """Store `content` and return its key."""
        return self.put_object_from_filelike(io.BytesIO(content))

    def put_object_from_file(self, filepath: str | Path) -> str:
        """Store the content of a file and return its key."""
        with Path(filepath).open('rb') as handle:
            return self.put_object_from_filelike(handle)

    def put_objects(self, contents: Iterable[bytes | BinaryIO]) -> list[str]:
        """Store many at once, durable together on return; the keys come in the order of `contents`."""
        return [
            self.put_object_from_bytes(content)
            if isinstance(content, bytes)
            else self.put_object_from_filelike(content)
            for content in contents
        ]

    def put_known_objects(
        self,
        objects: Callable[[], Iterable[KnownObject]],
        told: Callable[[int], None],
        unusable: Callable[[str, str], None] | None = None,
    ) -> None:
        """Store objects that the store lacks, as far as is known; durable on return.

        :param objects: asked anew, yields those to store: a store whose short way is barred takes the long one for all.
        :param told: hears of the bytes of content that were stored; what it raises ends the work.
        :param unusable: hears the key of an object that is missing or damaged where it comes from, and what is wrong;
            it is left out. None: it is an error.
        :raises ricordi.errors.CorruptStorage: one is not what its key says; others may have been stored by then.
        """
        for one in objects():
            try:
                with one.open() as handle:
                    one.expect(self.put_object_from_filelike(handle))
            except (CorruptStorage, NotExistent) as error:
                if unusable is None:
                    raise
                unusable(one.key, str(error))
            else:
                told(one.size)

    def known_objects(self, keys: Iterable[str]) -> Iterable[HeldObject]:
        """Objects of this store on their way into another, in the order that is cheapest to read.

        One that the store lacks comes as well: who reads it is told so.

        :param keys: distinct, ascending.
        """
        return (OneOfRepository(self, key) for key in keys)

    def content_bytes(self, keys: Iterable[str]) -> int:
        """Bytes of content of these objects together, as far as they are there.

        :param keys: distinct, ascending.
        """
        return sum(OneOfRepository(self, key).size for key in keys)

    def look_again(self, lasting: bool = False) -> None:  # noqa: B027 - most see at once what others do
        """Look anew what is there, as others have left it by now.

        :param lasting: pass over what others are about to take away, from now on: what is there then may be relied on.
        """

    def free_space(self) -> FreeSpace | None:
        """How much room there is for objects; None where that cannot be told."""
        return None

    @abstractmethod
    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        """For each key, in order, whether the store has it."""

    def has_object(self, key: str) -> bool:
        """Whether the store has the object `key`."""
        return self.has_objects([key])[0]

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """A seekable binary stream over the content; close it, or use it as a context manager.

        Who reads it from start to end gets what the key says, or an error before the last piece. What is read after a
        jump forward (`seek`) is as it lies on disk, unchecked, if the object is larger than what is read at once.

        :raises ricordi.errors.MissingObject: if there is no such object.
        :raises ricordi.errors.CorruptStorage: here or while reading: it is damaged.
        """

    def get_object_content(self, key: str) -> bytes:
        """The whole content of an object.

        :raises ricordi.errors.MissingObject: there is no such object.
        :raises ricordi.errors.CorruptStorage: it is damaged.
        """
        with self.open(key) as handle:
            return handle.read()

    def contents_ahead(self, keys: Iterable[str]) -> Generator[Callable[[], bytes], None, None]:
        """For each key, in order, what gives the content of the object, as of `get_object_content`.

        Where a read takes long, the next ones are under way meanwhile; a few are in memory then.
        """
        yield from (partial(self.get_object_content, key) for key in keys)

    @abstractmethod
    def get_object_size(self, key: str) -> int:
        """Bytes of content, found without reading it."""

    def get_object_hash(self, key: str) -> str:
        """SHA-256 of the content as it is now, read for the purpose: it is `key`.

        :raises ricordi.errors.CorruptStorage: it is another, for the object is damaged.
        """
        digest = hashlib.sha256()
        with self.open(key) as handle:
            while chunk := handle.read(CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    @abstractmethod
    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        """Open many, in the order that is cheapest to read; each stream is valid until the next is asked for.

        :raises ricordi.errors.MissingObject: at the first key the store lacks.
        """

    @abstractmethod
    def list_objects(self) -> Iterator[str]:
        """All keys in ascending order, streamed in constant memory."""

    def object_sizes(self) -> Iterator[ObjectSize]:
        """What each object takes, ascending by key, streamed in constant memory; no content is read."""
        return self.sizes_of(self.list_objects())

    def sizes_of(self, keys: Iterable[str]) -> Iterator[ObjectSize]:
        """What some objects take, as far as they are there."""
        for key in keys:
            with suppress(MissingObject):
                size = self.get_object_size(key)
                yield ObjectSize(key, size, size)

    @abstractmethod
    def delete_objects(self, keys: Iterable[str]) -> None:
        """Remove objects. Only for a caller who holds the exclusive lock of the profile."""

    @abstractmethod
    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """Counts and sizes in bytes."""

    @abstractmethod
    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        run: Run | None = None,
        distrust: Distrust = trusted,
    ) -> MaintenanceReport:
        """Plan and, unless `options.dry_run`, carry out: recover, pack; when full also remove garbage, repack, vacuum.

        :param named_keys: asked anew, streams the keys that nodes name, distinct and ascending; what is not among them
            is garbage. For `options.full` the caller holds the exclusive lock of the profile.
        :param run: its `check_lock` is to be asked before what only that lock allows.
        :param distrust: asked where something would be removed for want of a name. What it says is told in the report,
            and then nothing is.
        :raises ricordi.errors.PackerBusy: another process packs this store.
        :raises ricordi.errors.NotEnoughSpace: before anything is written.
        """

    def verify(
        self,
        options: VerifyOptions,
        named_keys: KeyStream,
        run: Run | None = None,
    ) -> Iterator[Finding | Topic]:
        """Look whether all that nodes name is there and, where that is asked for, whether it is what its key says.

        Beside other users; nothing is changed but what the store notes for itself of what was read when. It goes on
        after each finding, and ends early where `run` is told to stop; the topic is then not complete.

        :param named_keys: as for `maintain`.
        :returns: findings as they are found, without the nodes; after what was looked at, a `Topic`.
        """
        from ricordi.backend.plain_verification import verify_plainly

        return verify_plainly(self, options, named_keys, run or Run())

    def note_verified(self, findings: int, of_rows: int = 0) -> str:
        """Remember that the structure of the whole storage was checked just now.

        :param findings: how many there were, damaged objects left out, which the store remembers by itself.
        :param of_rows: how many of these tell that rows of the database may be lost.
        :returns: why that cannot be remembered; empty where it can, or where there is nothing to remember it in.
        """
        return ''

    def estimated_count(self) -> int:
        """About how many objects there are, told without counting; 0 for a store that is counted in no time."""
        return 0

    def hidden_by_killed_repack(self) -> int:
        """How many objects AiiDA cannot read here since a repack of its was killed; Ricordi reads them all the same."""
        return 0

    def verification_state(self) -> VerificationState | None:
        """What is known of earlier verifications; None for a store that remembers none."""
        return None

    def damaged_objects(self) -> frozenset[str]:
        """The keys of objects that a verification has found damaged, or whose pack is gone or ends before they do, and
        that would be mended if they were put anew."""
        return frozenset()

    def forget_mended(self) -> int:
        """Look again at objects that are noted as damaged, and note those no more that are what their key says.

        Returns how many these are.
        """
        return 0

    def settings_fault(self) -> str:
        """What is wrong with the settings of a store of which the objects are there; empty: nothing."""
        return ''

    def settings(self) -> bytes:
        """The settings that a copy of this store has to have, as they are written; empty where there are none."""
        return b''

    def settings_mending(self, fault: str) -> Mending:
        """What `restore_settings` would do.

        :param fault: as `settings_fault` has told it.
        """
        from ricordi.backend.repair import Mending

        deed = 'they are written anew, as in a copy of the container or as the folder shows it'
        kind = 'damaged container settings'
        return Mending(kind, 'write the configuration of the container anew', 'config.json', f'{fault}; {deed}')

    def restore_settings(self, uuid: str, alike: Sequence[RepositoryBackend]) -> None:
        """Write the settings of a store anew, where `settings_fault` tells of some. What was there is kept.

        For one who holds the exclusive lock of the profile.

        :param uuid: the identifier that the database knows it by.
        :param alike: other stores: one that has the same identifier is a copy, and its settings are taken.
        """
        raise InvalidOperation(f'a {type(self).__name__} has no settings that could be written anew')

    def repair(
        self,
        order: RepairOrder,
        sources: Sequence[RepairSource],
        named_keys: KeyStream,
        run: Run | None = None,
    ) -> Iterator[Mending | SetAside]:
        """Mend what a verification has found, from copies at hand and from sources. What goes out of use is kept.

        Each object is looked at again, and what is sound by now is left alone. Unless `order.dry_run`, the caller holds
        the exclusive lock of the profile. Ends early where `run` is told to stop.

        :param sources: where objects may be taken from, in this order.
        :param named_keys: as for `maintain`.
        :returns: what was done about each fault, when it is durable, and where is kept what was put out of use.
        """
        raise InvalidOperation(f'nothing can be mended in a {type(self).__name__}')

    def keep_aside(self, name: str, pieces: Iterable[bytes]) -> str:
        """Keep a file with what a repair takes away, durably, where nobody minds it.

        :param name: what it is called, after the time.
        :returns: where it is in the store.
        """
        raise InvalidOperation(f'nothing can be kept in a {type(self).__name__}')

    @abstractmethod
    def close(self) -> None:
        """Let go of open files and connections; further use opens them anew."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
