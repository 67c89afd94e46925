"""Opening objects of a container, loose or packed: what all that works on a container stands on.

Reading needs no lock: loose file, then index and pack, then both once more, for a packer may have moved the object in
between. A thread has an index connection and open packs of its own. Before a fork the connection is closed, for a child
that inherits one holds no lock on the index: what it commits may vanish when the parent ends.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
import weakref
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from ricordi.errors import CorruptStorage, LostObject
from ricordi.model.file_trees import is_key
from ricordi.remedies import Remedy
from ricordi.repository.container.compression import InflatedStream, decompress
from ricordi.repository.container.index import Index, PackedObject, not_existent
from ricordi.repository.container.layout import ContainerConfig, Layout
from ricordi.repository.container.loose import LooseWriter, chunks_of
from ricordi.repository.container.streams import ENDS_EARLY, OTHER_BYTES, PackSlice, checked, open_file
from ricordi.repository.limits import USUAL, Limits

IN_MEMORY_BYTES = 1 << 20
"""Objects up to this size are read whole when they are opened."""
OPEN_PACKS = 32

T = TypeVar('T')


class _Local(threading.local):
    """What a thread keeps: its index connection, open pack files, and whether the last object was found in a pack."""

    index: Index | None = None
    packed_last = False

    def __init__(self) -> None:
        self.packs: dict[int, io.FileIO] = {}


_stores: weakref.WeakSet[ObjectStore] = weakref.WeakSet()


def _before_fork() -> None:
    for store in list(_stores):
        store.suspend()


def _after_fork_in_child() -> None:
    for store in list(_stores):
        store.forget_connections()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
_abandoned: list[object] = []
"""Connections that a child inherited: kept, for closing them would meddle with what the parent has open."""


class ObjectStore:
    """The objects in a container folder. Creating one reads nothing; each use says what is wrong with the folder."""

    def __init__(self, folder: str | Path, limits: Limits = USUAL) -> None:
        """
        :param folder: the container folder, which need not exist yet.
        :param limits: by which its work is divided.
        """
        self.layout = Layout(Path(folder))
        self.limits = limits
        self._config: ContainerConfig | None = None
        self._local = _Local()
        self._connections: list[Index] = []
        _stores.add(self)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({str(self.layout.folder)!r})'

    # -- life -------------------------------------------------------------------------------------------------

    @property
    def config(self) -> ContainerConfig:
        """What `config.json` says; read once."""
        if self._config is None:
            self._config = ContainerConfig.read(self.layout.config)
        return self._config

    def close(self) -> None:
        for index in self._connections:
            try:
                index.close()
            except Exception:  # a connection of another thread: SQLite closes it when the thread's reference goes
                continue
        self._connections.clear()
        self._local = _Local()
        self.layout.opened.let_go()

    def suspend(self) -> None:
        """Close this thread's connection to the index until its next use."""
        if self._local.index is not None:
            self._local.index.suspend()

    def forget_connections(self) -> None:
        """In a forked child: open everything anew at the next use."""
        _abandoned.extend(self._connections)
        self._connections = []
        self._local = _Local()

    @property
    def index(self) -> Index:
        """The index connection of this thread."""
        index = self._local.index
        if index is None:
            index = self._local.index = self.new_index()
            self._connections.append(index)
        return index

    def new_index(self) -> Index:
        """A further connection to the index; read-only where the file cannot be written. The caller closes it.

        :raises ricordi.errors.CorruptStorage: the index is gone or damaged.
        """
        layout = self.layout
        _ = self.config
        if not layout.index.exists() and layout.packs.is_dir() and not layout.pack_sizes():
            Index.create(layout.index)
        elif not layout.index.exists():
            raise CorruptStorage(
                f'the index {layout.index} is gone, but there are packs, or were: nothing in them can be found without '
                'it; restore it from a backup. Nothing was changed',
                remedy=Remedy('repair storage', (str(layout.folder),)),
            )
        read_only = not (os.access(layout.index, os.W_OK) and os.access(layout.folder, os.W_OK))
        return Index(layout.index, read_only=read_only, busy_seconds=self.limits.busy_seconds)

    # -- reading ----------------------------------------------------------------------------------------------

    def loose_path(self, key: str) -> str:
        """Path at which the loose file of `key` lies, if there is one.

        :raises ricordi.errors.NotExistent: it is not a key at all, so that no path outside the folder can be meant.
        """
        if not is_key(key):
            raise not_existent(key)
        return self.layout.loose_path(key, self.config.loose_prefix_len)

    def open(self, key: str) -> BinaryIO:
        return self._with_copy(key, _as_it_is)

    def get_object_content(self, key: str) -> bytes:
        """The whole content of an object: that of a sound copy, if there is one."""
        return self._with_copy(key, _read_whole)

    def _with_copy(self, key: str, use: Callable[[BinaryIO], T]) -> T:
        """What `use` makes of the first copy that can be opened and that it does not find to be damaged."""
        path, local = self.loose_path(key), self._local
        trouble: Exception = not_existent(key)
        damaged: set[PackedObject | None] = set()
        for attempt in range(3):
            # where the last one was packed, this one is likely to be
            if None not in damaged and (attempt or not local.packed_last):
                try:
                    found = use(open_file(path, key, IN_MEMORY_BYTES))
                    local.packed_last = False
                    return found
                except FileNotFoundError:
                    pass
                except CorruptStorage as error:  # a sound copy may be packed
                    trouble = error
                    damaged.add(None)
            row = self.index.find(key)
            if row is None or row in damaged:
                continue
            if not attempt and local.packed_last and row.is_possible and not _is_small(row):
                continue  # it is checked late, while it is read: what may be loose, put in again, goes before
            try:
                found = use(self.open_packed(row))
                local.packed_last = True
                return found
            except FileNotFoundError:  # repacked in between, and the row is another by now, or it is lost
                trouble = _gone(row, self.layout)
            except CorruptStorage as error:  # a sound copy may be loose
                trouble = error
                damaged.add(row)
        raise trouble

    def open_packed(self, row: PackedObject) -> BinaryIO:
        """A stream over a packed object: small ones are read and checked at once, larger ones while they are read.

        :raises FileNotFoundError: the pack file is not there.
        :raises ricordi.errors.CorruptStorage: it is damaged, or the row says what cannot be.
        """
        self.check_row(row)
        if _is_small(row):
            return io.BytesIO(self._read_checked(row))
        return checked(self._stream(row), row.key, row.size, lambda reason: self._damaged(row, reason))

    def _stream(self, row: PackedObject) -> io.RawIOBase:
        """A stream over a packed object, unchecked."""
        part = PackSlice(self.layout.pack_path(row.pack_id), row.offset, row.length)
        if not row.compressed:
            return part
        return InflatedStream(cast(BinaryIO, io.BufferedReader(part, IN_MEMORY_BYTES)), row.size)

    def check_row(self, row: PackedObject) -> None:
        """
        :raises ricordi.errors.CorruptStorage: a row of the index says what cannot be.
        """
        if not row.is_possible:
            raise CorruptStorage(
                f'the index {self.layout.index} is damaged: what it says of object {row.key} cannot be '
                f'(pack {row.pack_id!r}, offset {row.offset!r}, length {row.length!r}, size {row.size!r}); restore it '
                'from a backup, or put the content in again'
            )

    def _damaged(self, row: PackedObject, reason: str) -> CorruptStorage:
        return CorruptStorage(
            f'object {row.key} is damaged in {self.layout.pack_path(row.pack_id)} at byte {row.offset}: {reason}; '
            'restore that file from a backup, or put the content in again',
            remedy=Remedy('repair storage', (str(self.layout.folder),)),
        )

    def _read_checked(self, row: PackedObject) -> bytes:
        """A small packed object, checked by its SHA-256: quicker than to ask whether the pack is still the same file.

        :raises ricordi.errors.CorruptStorage: it is damaged.
        """
        found = self._try_packed(row, self._local.packs.get(row.pack_id) or self._open_pack(row.pack_id))
        if isinstance(found, str):
            found = self._try_packed(row, self._open_pack(row.pack_id))  # the name may stand for a new file by now
        if isinstance(found, str):
            raise self._damaged(row, found)
        return found

    @staticmethod
    def _try_packed(row: PackedObject, pack: io.FileIO) -> bytes | str:
        """The content, or what is wrong with it."""
        content = os.pread(pack.fileno(), row.length, row.offset)
        if len(content) < row.length:
            return ENDS_EARLY
        try:
            if row.compressed:
                content = decompress(content)
        except zlib.error as error:
            return str(error)
        return content if hashlib.sha256(content).hexdigest() == row.key else OTHER_BYTES

    def read_stored(self, row: PackedObject) -> bytes:
        """The bytes of a packed object as they lie in its pack, unchecked.

        :raises FileNotFoundError: the pack file is not there.
        """
        pack = self._local.packs.get(row.pack_id) or self._open_pack(row.pack_id)
        return os.pread(pack.fileno(), row.length, row.offset)

    def _open_pack(self, pack_id: int) -> io.FileIO:
        """Open a pack for reading, and keep it for this thread's next read."""
        packs = self._local.packs
        packs.pop(pack_id, None)
        path = f'{self.layout.packs}/{pack_id}'
        try:
            file = open(path, 'rb', buffering=0)  # noqa: PTH123, SIM115 - closed when unreferenced
        except IsADirectoryError:
            raise CorruptStorage(f'{path} is a folder in the place of a pack; restore it from a backup') from None
        except NotADirectoryError as error:  # something stands in the place of the folder: as if it were gone
            raise FileNotFoundError(error.errno, error.strerror, path) from None
        if len(packs) >= OPEN_PACKS:
            del packs[next(iter(packs))]
        packs[pack_id] = file
        return file

    def let_go_of_packs(self) -> None:
        """Close this thread's open packs, so that the room of removed ones is given back."""
        self._local.packs.clear()

    def has_object(self, key: str) -> bool:
        """Whether the object `key` is here, loose or packed."""
        if not is_key(key):
            return False
        return (
            self.index.find(key) is not None
            or os.path.isfile(self.loose_path(key))  # noqa: PTH113
            or self.index.find(key) is not None
        )

    # -- help for writers --------------------------------------------------------------------------------------

    def loose_writer(self) -> LooseWriter:
        """What writes loose objects into this folder."""
        return LooseWriter(self.layout, self.config.loose_prefix_len)

    def is_packed_and_sound(self, key: str) -> bool:
        """Whether a packed copy exists whose content was read and is right, so that nothing need be written."""
        row = self.index.find(key)
        return row is not None and self.packed_copy_is_sound(row)

    def packed_copy_is_sound(self, row: PackedObject) -> bool:
        """Read the packed object that `row` names, and tell whether its SHA-256 is the key.

        It must be so in the file that has the pack's name now: a removed one, still open here, vouches for nothing.
        """
        try:
            pack = self._local.packs.get(row.pack_id)
            if pack is not None and not os.path.samestat(
                os.fstat(pack.fileno()),
                os.stat(f'{self.layout.packs}/{row.pack_id}'),  # noqa: PTH116
            ):
                self._open_pack(row.pack_id)
            with self.open_packed(row) as handle:
                for _ in chunks_of(handle):
                    pass
        except (OSError, zlib.error, CorruptStorage):
            return False
        return True


def _as_it_is(stream: BinaryIO) -> BinaryIO:
    return stream


def _read_whole(stream: BinaryIO) -> bytes:
    with stream:
        return stream.read()


def _is_small(row: PackedObject) -> bool:
    return row.size <= IN_MEMORY_BYTES and row.length <= IN_MEMORY_BYTES


def _gone(row: PackedObject, layout: Layout) -> LostObject:
    return LostObject(
        f'object {row.key} cannot be read: the pack file {layout.pack_path(row.pack_id)} is gone; '
        'restore it from a backup',
        remedy=Remedy('repair storage', (str(layout.folder),)),
    )
