"""Appending to packs. Bytes are read back, compared and fsynced before the index rows that name them are committed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from ricordi.errors import LostObject, PackerBusy, UnreachableStorage
from ricordi.files import DISK_IS_FULL, naming_full_disk
from ricordi.remedies import Remedy
from ricordi.repository.container.index import Index, PackedObject
from ricordi.repository.container.layout import Layout
from ricordi.repository.container.packer_lock import PackLock
from ricordi.repository.limits import USUAL, Limits

CHECK_BYTES = 512 * 1024


class Batch(NamedTuple):
    """How much may be pending before it is committed: bytes in packs, and objects."""

    bytes: int = USUAL.commit_bytes
    objects: int = USUAL.commit_objects


WHOLE_BATCH = Batch()


@dataclass(slots=True)
class _Touched:
    """A pack that was written to since the last commit: how to undo it."""

    pack_id: int
    committed_end: int
    existed: bool
    written_end: int


class StoredObject(NamedTuple):
    """A small object as it shall lie in a pack.

    :param stored: its content, or a zlib stream of it if `compressed`.
    :param size: bytes of content.
    """

    key: str
    stored: bytes | memoryview
    size: int
    compressed: bool = False


def fresh_pack_id(layout: Layout, index: Index) -> int:
    """A number above all that files, rows or locks name."""
    locked = [int(path.stem) for path in layout.pack_locks()]
    return max([-1, *layout.pack_sizes(), *index.packs(), *locked]) + 1


def pack_to_append_to(layout: Layout, index: Index, size_target: int) -> int:
    """The last pack, if it is below `size_target` bytes, whole and used by nobody; else a fresh number."""
    sizes, summaries = layout.pack_sizes(), index.packs()
    fresh = fresh_pack_id(layout, index)
    last = max(sizes, default=-1)
    if last < 0 or last != fresh - 1 or sizes[last] >= size_target:
        return fresh
    if last in summaries and summaries[last].end > sizes[last]:
        return (
            fresh  # a pack that was cut: rows point behind its end, and what is written there would be taken for theirs
        )
    return last if _may_append(layout, last) else fresh


def _may_append(layout: Layout, pack_id: int) -> bool:
    """Whether a pack can be written to; root writes to none that a user may have planted, or linked to a file."""
    try:
        os.close(layout.opened.packs.open_linked(str(pack_id), os.O_RDWR))
    except OSError as error:
        return error.errno not in (errno.EPERM, errno.ELOOP)  # else it is told what is wrong when it is written to
    return True


class PackWriter:
    """Appends objects to a pack, going on to the next number when it is full. For one who holds `packer_lock`.

    What is appended counts only after `commit`; `close` without it undoes. Once the pack could not be written, all but
    `close` fails, since nobody knows which of the bytes that are pending are on disk. Such a failure is no `OSError`,
    but for that of a full disk, lest it be taken for one of reading what is to be appended.
    """

    def __init__(
        self,
        layout: Layout,
        index: Index,
        size_target: int,
        save: Callable[[Iterable[PackedObject]], None],
        first_pack: int,
        batch: Batch = WHOLE_BATCH,
        limits: Limits = USUAL,
    ) -> None:
        """
        :param size_target: bytes at which a pack is full.
        :param save: what writes rows inside the transaction: `index.put` or `index.move`.
        :param first_pack: the number to begin with.
        :param batch: what is worth a commit; less than usual where there is little room.
        :param limits: after how much is written, fsynced and committed.
        """
        self._layout = layout
        self._index = index
        self._size_target = size_target
        self._save = save
        self._next_pack = first_pack
        self._limits = limits
        self._batch = Batch(min(limits.commit_bytes, batch.bytes), min(limits.commit_objects, batch.objects))
        self._descriptor: int | None = None
        self._lock: PackLock | None = None
        self._buffer: list[bytes | memoryview] = []
        self._buffered = 0
        self._flushed = 0
        self._unsynced = 0
        self._rows: list[PackedObject] = []
        self._touched: list[_Touched] = []
        self._row_bytes = 0
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix='flush')
        self._flush_under_way: Future[None] | None = None
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix='fsync')
        self._sync: Future[None] | None = None
        self._failure: BaseException | None = None
        self.written = 0
        """Bytes appended and kept, so far."""

    @property
    def pending_is_large(self) -> bool:
        """Whether enough is pending that a commit is worth its fsync."""
        return self._row_bytes >= self._batch.bytes or len(self._rows) >= self._batch.objects

    @property
    def pack_id(self) -> int:
        """The number of the pack that is appended to, or will be."""
        return self._next_pack

    @property
    def position(self) -> int:
        """Where in the open pack the next object would begin."""
        return self._flushed + self._buffered

    def append(self, key: str, stored: bytes | memoryview, size: int, compressed: bool) -> None:
        """Append the stored form of one object; `size` is the bytes of its content."""
        self.append_many([StoredObject(key, stored, size, compressed)])

    def append_many(self, objects: Sequence[StoredObject]) -> None:
        """Append some small objects; the same as to append each, in a third of the time."""
        if not objects:
            return
        self._need_pack()
        length = sum([len(one.stored) for one in objects])
        place, pack_id = self._flushed + self._buffered, self._next_pack
        if len(objects) > 1 and place + length >= self._size_target:
            for one in objects:
                self.append_many([one])
            return
        for key, stored, size, compressed in objects:
            self._rows.append(PackedObject(key, int(compressed), size, place, len(stored), pack_id))
            self._buffer.append(stored)
            place += len(stored)
        self._buffered += length
        self._row_bytes += length
        if self._buffered >= self._limits.flush_bytes:
            self._flush()

    def append_stretch(self, stored: bytes | memoryview, objects: Sequence[PackedObject], start: int) -> None:
        """Append small objects that lie one behind the other already; `objects` tell which is where.

        :param start: the offset at which `stored` begins.
        """
        self._need_pack()
        place, pack_id = self._flushed + self._buffered, self._next_pack
        if len(objects) > 1 and place + len(stored) >= self._size_target:
            for one in objects:
                begin = one.offset - start
                self.append_stretch(stored[begin : begin + one.length], [one], one.offset)
            return
        further = place - start
        self._rows += [
            PackedObject(key, compressed, size, further + offset, length, pack_id)
            for key, compressed, size, offset, length, _ in objects
        ]
        self._row_bytes += len(stored)
        self._add(stored)

    def append_chunks(self, stored: Iterable[bytes]) -> tuple[int, int]:
        """Append the stored form of a large object in pieces; returns the offset and the length.

        `add_row` must follow to keep it, or `take_back` to undo it.
        """
        self._need_pack()
        start = self._flushed + self._buffered
        for chunk in stored:
            self._add(chunk)
        return start, self._flushed + self._buffered - start

    def add_row(self, key: str, size: int, compressed: bool, place: tuple[int, int]) -> None:
        """Name what `append_chunks` has appended."""
        offset, length = place
        self._refuse_after_failure()
        self._rows.append(PackedObject(key, int(compressed), size, offset, length, self._next_pack))
        self._row_bytes += length

    def take_back(self, place: tuple[int, int]) -> None:
        """Undo the last `append_chunks`."""
        with self._writing():
            self._flush()
            self._await_flush()
            assert self._descriptor is not None
            if os.fstat(self._descriptor).st_size == self._flushed:
                os.ftruncate(self._descriptor, place[0])
                self._flushed = self._touched[-1].written_end = place[0]
            if not self._flushed and not self._touched[-1].existed:
                self._await_sync()
                self._layout.opened.packs.unlink(str(self._next_pack))
                self._touched.pop()
                self._release_pack()

    def commit(self) -> None:
        """Make everything appended so far durable: bytes first, then rows.

        :raises ricordi.errors.PackerBusy: the bytes are not where they were put: somebody else writes to the pack.
        :raises ricordi.errors.UnreachableStorage: the disk does not take them.
        """
        self._refuse_after_failure()
        if not self._rows:
            return
        with self._writing():
            # fsynced before any row: after a crash a row whose bytes are not on disk would name nothing
            self._finish_pack_bytes()
            with self._index.transaction():
                self._save(self._rows)
        self.written += self._row_bytes
        self._rows, self._row_bytes, self._touched = [], 0, []
        if self._descriptor is not None:
            self._touched.append(_Touched(self._next_pack, self._flushed, True, self._flushed))

    def close(self) -> None:
        """Close the pack, undoing what was not committed."""
        self._flusher.shutdown()  # if one of them failed: what it was about has not been committed, and is undone now
        self._syncer.shutdown()
        self._buffer, self._buffered, self._rows = [], 0, []
        try:
            self._undo()
        finally:
            self._release_pack()

    # -- failures ---------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Whatever goes wrong inside is the end of writing."""
        self._refuse_after_failure()
        try:
            with naming_full_disk(self._layout.pack_path(self._next_pack)):
                yield
        except BaseException as error:
            self._failure = self._failure or self._in_words(error)
            if self._failure is error:
                raise
            raise self._failure from error

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _in_words(self, error: BaseException) -> BaseException:
        if not isinstance(error, OSError) or error.errno in DISK_IS_FULL:
            return error
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not self._layout.packs.is_dir():
            return LostObject(
                f'the folder {self._layout.packs} is not there, and with it all that was packed; nothing '
                'can be packed: put the folder back, or, if it is lost, make an empty one',
                remedy=Remedy('mend objects'),
            )
        return UnreachableStorage(
            f'{self._layout.pack_path(self._next_pack)} cannot be written ({error.strerror or error}); what was not '
            'finished was undone, and no object is lost by that: see to the disk and run again'
        )

    # -- the pack that is open --------------------------------------------------------------------------------

    def _need_pack(self) -> None:
        self._refuse_after_failure()
        if self._descriptor is not None and self._flushed + self._buffered < self._size_target:
            return
        with self._writing():
            if self._descriptor is not None:
                self._finish_pack_bytes()
                self._release_pack()
                self._next_pack = fresh_pack_id(self._layout, self._index)
            self._open_pack()

    def _open_pack(self) -> None:
        # The lock before the size is looked at: where this writer begins must not move once it is noted.
        self._lock = PackLock(self._layout, self._next_pack)
        packs, name = self._layout.opened.packs, str(self._next_pack)
        try:
            self._descriptor, existed = packs.open_linked(name, os.O_RDWR | os.O_APPEND), True
        except FileNotFoundError:
            self._descriptor, existed = packs.create(name, 0o644, os.O_RDWR | os.O_APPEND), False
        self._flushed = os.fstat(self._descriptor).st_size
        self._touched.append(_Touched(self._next_pack, self._flushed, existed, self._flushed))
        packs.sync()  # a row that names the pack is on disk no sooner than the name of its file

    def _release_pack(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _add(self, piece: bytes | memoryview) -> None:
        self._buffer.append(piece)
        self._buffered += len(piece)
        if self._buffered >= self._limits.flush_bytes:
            self._flush()

    def _flush(self) -> None:
        """Hand the buffer to a thread that writes it, beside what is read and digested next."""
        if not self._buffer:
            return
        with self._writing():
            pieces, length, start = self._buffer, self._buffered, self._flushed
            self._buffer, self._buffered = [], 0
            self._await_flush()
            assert self._descriptor is not None
            self._flush_under_way = self._flusher.submit(
                self._write_out, self._descriptor, self._lock, self._touched[-1], pieces, start
            )
            self._flushed += length
            self._unsynced += length
            if self._unsynced >= self._limits.early_sync_bytes:
                self._start_sync()

    def _write_out(
        self,
        descriptor: int,
        lock: PackLock | None,
        touched: _Touched,
        pieces: list[bytes | memoryview],
        start: int,
    ) -> None:
        """Append to a pack and read it back: what is not found where it was put is not named by a row."""
        if lock is not None and not lock.is_held():
            raise self._foreign_writer(touched.pack_id)
        for content in _joined(pieces):
            view = memoryview(content)
            while view:
                number = os.write(descriptor, view)
                touched.written_end += number
                view = view[number:]
            # Two that append to one file at once both take its old end for their beginning: only reading back tells.
            self._read_back(descriptor, touched.pack_id, content, start)
            start += len(content)

    def _read_back(self, descriptor: int, pack_id: int, content: bytes | memoryview, start: int) -> None:
        """Compare what was appended with what the pack has there."""
        whole = bytes(content)  # views are compared item by item
        for position in range(0, len(whole), CHECK_BYTES):
            length = min(CHECK_BYTES, len(whole) - position)
            found = os.pread(descriptor, length, start + position)
            if len(found) != length or not whole.startswith(found, position):
                raise self._foreign_writer(pack_id)

    def _await_flush(self) -> None:
        if self._flush_under_way is not None:
            pending, self._flush_under_way = self._flush_under_way, None
            pending.result()

    @staticmethod
    def _foreign_writer(pack_id: int) -> PackerBusy:
        return PackerBusy(
            f'another program writes to pack {pack_id} at the same time; nothing was lost: run again when it has ended'
        )

    # -- fsync, begun early in another thread so that the disk works while the next objects are read ----------------

    def _start_sync(self) -> None:
        if self._sync is None or self._sync.done():
            self._await_sync()
            self._unsynced = 0
            assert self._descriptor is not None
            self._sync = self._syncer.submit(os.fsync, self._descriptor)

    def _await_sync(self) -> None:
        if self._sync is not None:
            pending, self._sync = self._sync, None
            pending.result()

    def _finish_pack_bytes(self) -> None:
        self._flush()
        self._await_flush()
        self._await_sync()
        if self._descriptor is not None:
            os.fsync(self._descriptor)  # once more: an early one covers only what was written when it began
            self._unsynced = 0
            # Bytes that somebody has cut off again, as a tail that no row names, must not get rows now.
            if os.fstat(self._descriptor).st_size < self._flushed:
                raise OSError(errno.EIO, 'the file is shorter than what was written to it')

    # -- undoing ----------------------------------------------------------------------------------------------

    def _undo(self) -> None:
        """Cut the packs back to what rows name, as far as nobody else has written to them.

        The index is asked again: an interrupt, or a disk that failed, may have hit between a commit and our note of it.
        After a commit that failed for want of a working disk nothing is cut, since a crash might yet bring it to life.
        What cannot be cut now is waste, which full maintenance tidies.
        """
        if self._index.in_doubt or not any(
            not touched.existed or touched.written_end > touched.committed_end for touched in self._touched
        ):
            return
        named = self._index.packs()
        for touched in self._touched:
            if touched.pack_id not in named or named[touched.pack_id].end <= touched.committed_end:
                with suppress(OSError):
                    self._cut_back(touched)

    def _cut_back(self, touched: _Touched) -> None:
        packs, name = self._layout.opened.packs, str(touched.pack_id)
        descriptor = packs.open_linked(name, os.O_RDWR)
        try:
            if os.fstat(descriptor).st_size != touched.written_end:
                return  # somebody has appended since: cutting would take their bytes
            if touched.existed:
                os.ftruncate(descriptor, touched.committed_end)
            else:
                packs.unlink(name)
        finally:
            os.close(descriptor)


def _joined(pieces: list[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same bytes in larger pieces; the list is emptied on the way."""
    small: list[bytes | memoryview] = []
    pieces.reverse()
    while pieces:
        piece = pieces.pop()
        if len(piece) < CHECK_BYTES:
            small.append(piece)
            continue
        if small:
            yield b''.join(small)
            small = []
        yield piece
    if small:
        yield b''.join(small)
