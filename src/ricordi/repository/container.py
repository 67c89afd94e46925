"""The container: objects as loose files and in packs, in the format of disk-objectstore 1.x.

Reading needs no lock: loose file, then index and pack, then both once more, for a packer may have moved the object in
between. A thread has an index connection and open packs of its own. Before a fork the connection is closed, for a child
that inherits one holds no lock on the index: what it commits may vanish when the parent ends.
"""

from __future__ import annotations

import hashlib
import heapq
import io
import os
import shutil
import threading
import weakref
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, cast

from ricordi.backend.maintenance import CompressMode, KeyStream, MaintenanceOptions, MaintenanceReport
from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import CorruptStorage, InvalidOperation, PackerBusy
from ricordi.progress import Progress, Stop
from ricordi.repository.compression import InflatedStream, decompress
from ricordi.repository.index import Index, PackedObject, not_existent
from ricordi.repository.layout import KEY_PATTERN, ContainerConfig, Layout
from ricordi.repository.loose import LooseWriter, chunks_of, read_fully
from ricordi.repository.streams import PackSlice

IN_MEMORY_BYTES = 1 << 20
"""Objects up to this size are read whole when they are opened."""
BULK_KEYS = 20_000


OPEN_PACKS = 32


class _Local(threading.local):
    """What a thread keeps: its index connection, open pack files, and whether the last object was found in a pack."""

    index: Index | None = None
    packed_last = False

    def __init__(self) -> None:
        self.packs: dict[int, io.FileIO] = {}


_containers: weakref.WeakSet[Container] = weakref.WeakSet()


def _before_fork() -> None:
    for container in list(_containers):
        container.suspend()


def _after_fork_in_child() -> None:
    for container in list(_containers):
        container.forget_connections()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
_abandoned: list[object] = []
"""Connections that a child inherited: kept, for closing them would meddle with what the parent has open."""


class Container(RepositoryBackend):
    """A repository in a folder. Opening it reads nothing; each use says what is wrong with the folder, if anything."""

    def __init__(self, folder: str | Path) -> None:
        """
        :param folder: the container folder, which need not exist yet.
        """
        self.layout = Layout(Path(folder))
        self._config: ContainerConfig | None = None
        self._local = _Local()
        self._connections: list[Index] = []
        _containers.add(self)

    def __repr__(self) -> str:
        return f'Container({str(self.layout.folder)!r})'

    # -- life -------------------------------------------------------------------------------------------------

    @property
    def config(self) -> ContainerConfig:
        """What `config.json` says; read once."""
        if self._config is None:
            self._config = ContainerConfig.read(self.layout.config)
        return self._config

    @property
    def uuid(self) -> str | None:
        return self.config.container_id

    @property
    def is_initialised(self) -> bool:
        return self.layout.config.is_file()

    def initialise(self, **kwargs: Any) -> None:
        """Create the container. `pack_size_target` (bytes) and `loose_prefix_len` may be given."""
        if self.is_initialised:
            raise InvalidOperation(f'there is a container in {self.layout.folder} already')
        self.layout.create(ContainerConfig.new(**kwargs))
        Index.create(self.layout.index)

    def erase(self) -> None:
        self.close()
        shutil.rmtree(self.layout.folder)
        self._config = None

    def close(self) -> None:
        for index in self._connections:
            try:
                index.close()
            except Exception:  # a connection of another thread: SQLite closes it when the thread's reference goes
                continue
        self._connections.clear()
        self._local = _Local()

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
        if not layout.index.exists() and not layout.pack_sizes():
            Index.create(layout.index)
        elif not layout.index.exists():
            raise CorruptStorage(
                f'the index {layout.index} is gone, but there are packs: nothing in them can be found without it; '
                'restore it from a backup. Nothing was changed'
            )
        read_only = not (os.access(layout.index, os.W_OK) and os.access(layout.folder, os.W_OK))
        return Index(layout.index, read_only=read_only)

    # -- writing ----------------------------------------------------------------------------------------------

    def put_object_from_filelike(self, handle: BinaryIO) -> str:
        head = read_fully(handle, IN_MEMORY_BYTES)
        if len(head) < IN_MEMORY_BYTES:
            return self.put_object_from_bytes(head)
        writer = self._loose_writer()
        temporary, key = writer.stage(_chained(head, handle))
        try:
            if self._is_packed_and_sound(key):
                writer.discard(temporary)
            else:
                writer.publish(temporary, key)
        except BaseException:
            writer.discard(temporary)
            raise
        return key

    def put_object_from_bytes(self, content: bytes) -> str:
        key = hashlib.sha256(content).hexdigest()
        if not self._is_packed_and_sound(key):
            self._loose_writer().write([content], key)
        return key

    def put_objects(self, contents: Iterable[bytes | BinaryIO]) -> list[str]:
        """Store many at once: straight into a pack, or as loose files while another process packs."""
        from ricordi.repository.packer_lock import packer_lock

        with ExitStack() as stack:
            try:
                stack.enter_context(packer_lock(self.layout))
            except PackerBusy:
                return super().put_objects(contents)
            return self._put_into_pack(contents, 'no')

    def put_objects_into_pack(self, contents: Iterable[bytes | BinaryIO], compress: CompressMode = 'no') -> list[str]:
        """Store many objects straight into a pack, durable together on return; the keys come in order.

        :param compress: as in maintenance; `keep` means `no` here.
        :raises ricordi.errors.PackerBusy: another process packs.
        """
        from ricordi.repository.packer_lock import packer_lock

        with packer_lock(self.layout):
            return self._put_into_pack(contents, compress)

    def _put_into_pack(self, contents: Iterable[bytes | BinaryIO], compress: CompressMode) -> list[str]:
        from ricordi.repository.bulk import put_into_packs

        return put_into_packs(self, contents, compress)

    def delete_objects(self, keys: Iterable[str]) -> None:
        """Remove objects, packed and loose. Only for a caller who holds the exclusive lock of the profile."""
        from ricordi.repository.packer_lock import packer_lock

        wanted = [key for key in keys if KEY_PATTERN.fullmatch(key)]
        with packer_lock(self.layout):
            with self.index.transaction():
                self.index.delete(wanted)
            for key in wanted:
                Path(self.loose_path(key)).unlink(missing_ok=True)

    def _loose_writer(self) -> LooseWriter:
        return LooseWriter(self.layout, self.config.loose_prefix_len)

    def _is_packed_and_sound(self, key: str) -> bool:
        """Whether a packed copy exists whose content was read and is right, so that nothing need be written."""
        row = self.index.find(key)
        return row is not None and self.packed_copy_is_sound(row)

    def packed_copy_is_sound(self, row: PackedObject) -> bool:
        """Read the packed object that `row` names, and tell whether its SHA-256 is the key."""
        digest = hashlib.sha256()
        try:
            with self.open_packed(row) as handle:
                for chunk in chunks_of(handle):
                    digest.update(chunk)
        except (OSError, zlib.error, CorruptStorage):
            return False
        return digest.hexdigest() == row.key

    # -- reading ----------------------------------------------------------------------------------------------

    def loose_path(self, key: str) -> str:
        """Path at which the loose file of `key` lies, if there is one.

        :raises ricordi.errors.NotExistent: it is not a key at all, so that no path outside the folder can be meant.
        """
        if KEY_PATTERN.fullmatch(key) is None:
            raise not_existent(key)
        return self.layout.loose_path(key, self.config.loose_prefix_len)

    def open(self, key: str) -> BinaryIO:
        path, local = self.loose_path(key), self._local
        trouble: Exception = not_existent(key)
        for attempt in range(3):
            if attempt or not local.packed_last:  # where the last one was packed, this one is likely to be
                try:
                    loose = open(path, 'rb')  # noqa: PTH123, SIM115
                    local.packed_last = False
                    return loose
                except FileNotFoundError:
                    pass
            row = self.index.find(key)
            if row is not None:
                try:
                    packed = self.open_packed(row)
                    local.packed_last = True
                    return packed
                except FileNotFoundError:  # repacked in between, and the row is another by now, or it is lost
                    trouble = _gone(row, self.layout)
                except CorruptStorage as error:  # a sound copy may be loose
                    trouble = error
        raise trouble

    def open_packed(self, row: PackedObject) -> BinaryIO:
        """A stream over a packed object; small ones are read at once.

        :raises FileNotFoundError: the pack file is not there.
        """
        if row.size <= IN_MEMORY_BYTES and row.length <= IN_MEMORY_BYTES:
            return io.BytesIO(self._read_checked(row))
        part = PackSlice(self.layout.pack_path(row.pack_id), row.offset, row.length)
        if row.compressed:
            inflated = InflatedStream(cast(BinaryIO, io.BufferedReader(part, IN_MEMORY_BYTES)), row.size)
            return cast(BinaryIO, io.BufferedReader(inflated, IN_MEMORY_BYTES))
        return cast(BinaryIO, io.BufferedReader(part))

    def _read_checked(self, row: PackedObject) -> bytes:
        """A small packed object, checked by its SHA-256: quicker than to ask whether the pack is still the same file.

        :raises ricordi.errors.CorruptStorage: it is damaged.
        """
        found = self._try_packed(row, self._local.packs.get(row.pack_id) or self._open_pack(row.pack_id))
        if isinstance(found, str):
            found = self._try_packed(row, self._open_pack(row.pack_id))  # the name may stand for a new file by now
        if isinstance(found, str):
            raise CorruptStorage(
                f'object {row.key} is damaged in {self.layout.pack_path(row.pack_id)} at byte {row.offset}: {found}; '
                'restore that file from a backup, or put the content in again'
            )
        return found

    @staticmethod
    def _try_packed(row: PackedObject, pack: io.FileIO) -> bytes | str:
        """The content, or what is wrong with it."""
        content = os.pread(pack.fileno(), row.length, row.offset)
        if len(content) < row.length:
            return 'the file ends before the object does'
        try:
            if row.compressed:
                content = decompress(content)
        except zlib.error as error:
            return str(error)
        return content if hashlib.sha256(content).hexdigest() == row.key else 'its bytes are not what its key says'

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
        file = open(f'{self.layout.packs}/{pack_id}', 'rb', buffering=0)  # noqa: PTH123, SIM115 - closed when unreferenced
        if len(packs) >= OPEN_PACKS:
            del packs[next(iter(packs))]
        packs[pack_id] = file
        return file

    def let_go_of_packs(self) -> None:
        """Close this thread's open packs, so that the room of removed ones is given back."""
        self._local.packs.clear()

    def get_object_size(self, key: str) -> int:
        for _ in range(2):
            try:
                return os.stat(self.loose_path(key)).st_size  # noqa: PTH116
            except FileNotFoundError:
                row = self.index.find(key)
            if row is not None:
                return row.size
        raise not_existent(key)

    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        return [self._has(key) for key in keys]

    def _has(self, key: str) -> bool:
        if KEY_PATTERN.fullmatch(key) is None:
            return False
        return (
            self.index.find(key) is not None
            or os.path.exists(self.loose_path(key))  # noqa: PTH110
            or self.index.find(key) is not None
        )

    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        wanted = iter(keys)
        while chunk := [key for key, _ in zip(wanted, range(BULK_KEYS), strict=False)]:
            rows = {row.key: row for row in self.index.find_many(chunk)}
            for key in chunk:
                if key not in rows:
                    with self.open(key) as handle:
                        yield key, handle
            for row in sorted(rows.values(), key=lambda row: (row.pack_id, row.offset)):
                with self._open_from(row) as handle:
                    yield row.key, handle

    def _open_from(self, row: PackedObject) -> BinaryIO:
        try:
            return self.open_packed(row)
        except (FileNotFoundError, CorruptStorage):
            return self.open(row.key)

    def list_objects(self) -> Iterator[str]:
        for first in '0123456789abcdef':
            # loose first: what a packer moves in between is found in the index then, not in neither
            loose = list(self.layout.loose_keys(self.config.loose_prefix_len, first))
            packed = self.index.keys(first)
            previous = ''
            for key in heapq.merge(loose, packed):
                if key != previous:
                    yield key
                previous = key

    # -- counting and maintenance -----------------------------------------------------------------------------

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """Objects and bytes loose and packed, packs, waste; `detailed`: each pack."""
        from ricordi.repository.census import count_container

        return count_container(self, detailed)

    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> MaintenanceReport:
        from ricordi.repository.maintenance import maintain

        return maintain(self, options, named_keys, progress or Progress(), stop or Stop())


def _chained(head: bytes, handle: BinaryIO) -> Iterator[bytes]:
    yield head
    yield from chunks_of(handle)


def _gone(row: PackedObject, layout: Layout) -> CorruptStorage:
    return CorruptStorage(
        f'object {row.key} cannot be read: the pack file {layout.pack_path(row.pack_id)} is gone; '
        'restore it from a backup'
    )
