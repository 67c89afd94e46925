"""Repacking: what rows name is copied into a new pack, checked by its SHA-256 on the way, and the old pack goes.

Rows switch to the new pack in one transaction after its bytes are fsynced. A damaged object stays where it is, and the
old pack with it, unless a good copy is at hand.
"""

from __future__ import annotations

import errno
import hashlib
import os
import zlib
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from ricordi.backend.maintenance import CompressMode
from ricordi.errors import CorruptStorage
from ricordi.files import fsync_folder
from ricordi.progress import Progress, Stop
from ricordi.repository.bulk import LARGE_BYTES, append_large, stored_form, undone_on_error
from ricordi.repository.compression import decompress, decompressed_chunks
from ricordi.repository.index import Index, PackedObject
from ricordi.repository.loose import chunks_of
from ricordi.repository.objects import ObjectStore
from ricordi.repository.pack_writer import PackWriter
from ricordi.repository.packing import Work
from ricordi.repository.parallel import READERS, in_order
from ricordi.repository.problems import Problems
from ricordi.repository.streams import PackSlice

WINDOW_BYTES = 1 << 20
"""Neighbouring objects are read together up to this many bytes."""

Result = TypeVar('Result')


class CheckedObject(NamedTuple):
    """A packed object as a reader thread found it.

    :param stored: the form in which it shall lie in the new pack; None if it is large or damaged.
    :param size: bytes of content.
    """

    row: PackedObject
    stored: bytes | memoryview | None = None
    compressed: bool = False
    size: int = 0
    trouble: str = ''


class Repacker:
    """Rewrites packs. For one who holds the packer lock and the exclusive lock of the profile."""

    def __init__(
        self, container: ObjectStore, first_pack: int, mode: CompressMode, problems: Problems, progress: Progress
    ) -> None:
        """
        :param first_pack: the number of the new pack.
        """
        config = container.config
        self._container = container
        self._mode = mode
        self._level = config.compression_level
        self._problems = problems
        self._progress = progress
        self._writer = PackWriter(
            container.layout, container.index, config.pack_size_target, container.index.move, first_pack
        )
        self.work = Work()

    def repack(self, pack_ids: Iterable[int], unchanged: Collection[int], stop: Stop) -> None:
        """Rewrite these packs one after the other, until done or told to stop.

        :param unchanged: those of which rewriting would give the very same bytes: they are read and checked instead.
        """
        with closing(self._writer):
            for pack_id in pack_ids:
                if stop.reason:
                    return
                if pack_id in unchanged and self._is_sound(pack_id):
                    continue
                if not self._move_objects(pack_id, stop):
                    return
                self._remove_if_empty(pack_id)

    def _is_sound(self, pack_id: int) -> bool:
        """Whether every object of the pack has the SHA-256 that its key says."""
        with (
            closing(self._container.new_index()) as reader,
            closing(self._in_order(self._is_window_sound, reader, pack_id)) as windows,
        ):
            objects = read = 0
            for sound, number, length in windows:
                if not sound:
                    return False
                objects, read = objects + number, read + length
        self.work.objects += objects
        self.work.read += read
        self._progress.advance(read)
        return True

    def _in_order(
        self, function: Callable[[list[PackedObject]], Result], reader: Index, pack_id: int
    ) -> Generator[Result, None, None]:
        """`function` of each window of a pack, computed ahead: in several threads if there is zlib's work to do."""
        squeezes = self._mode in ('yes', 'auto') or reader.any_compressed(pack_id)
        windows = _windows(reader.objects_of_pack(pack_id))
        return in_order(function, windows, threads=READERS if squeezes else 1)

    def _is_window_sound(self, window: list[PackedObject]) -> tuple[bool, int, int]:
        """Whether all objects of a window are; their number and bytes."""
        if _is_large(window[0]):
            return self._container.packed_copy_is_sound(window[0]), 1, window[0].length
        try:
            stored, start = self._stored_of(window), window[0].offset
        except OSError:
            return False, 0, 0
        for row in window:
            key, compressed, _, offset, length, _ = row
            content = stored[offset - start : offset - start + length]
            if (compressed or hashlib.sha256(content).hexdigest() != key) and self._check(row, content).trouble:
                return False, 0, 0
        return True, len(window), sum(row.length for row in window)

    def _stored_of(self, window: list[PackedObject]) -> memoryview:
        """The bytes of the pack from the beginning of a window to its end, as far as the file has them."""
        start = window[0].offset
        path = self._container.layout.pack_path(window[0].pack_id)
        return memoryview(_read(path, start, max(row.offset + row.length for row in window) - start))

    def _move_objects(self, pack_id: int, stop: Stop) -> bool:
        """Move what can be moved; False if told to stop before the end."""
        with (
            closing(self._container.new_index()) as reader,
            closing(self._in_order(self._read_window, reader, pack_id)) as windows,
        ):
            for window in windows:
                for checked in window:
                    self._append(checked)
                if self._writer.pending_is_large:
                    self._commit()
                    if stop.reason:
                        return False
        self._commit()
        return True

    def _commit(self) -> None:
        self._writer.commit()
        self.work.written = self._writer.written

    def _remove_if_empty(self, pack_id: int) -> None:
        path = self._container.layout.pack_path(pack_id)
        if not path.exists() or pack_id in self._container.index.packs():
            return
        self.work.freed += path.stat().st_size
        path.unlink()
        self._container.let_go_of_packs()
        fsync_folder(path.parent)

    # -- in the reader threads ----------------------------------------------------------------------------------------

    def _read_window(self, window: list[PackedObject]) -> list[CheckedObject]:
        """Read neighbouring objects together and check each; a large one is left to be streamed."""
        if _is_large(window[0]):
            return [CheckedObject(window[0])]
        start = window[0].offset
        try:
            stored = self._stored_of(window)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            if len(window) == 1:
                return [CheckedObject(window[0], trouble='the disk cannot read it')]
            return [checked for row in window for checked in self._read_window([row])]
        return [self._check(row, stored[row.offset - start : row.offset - start + row.length]) for row in window]

    def _check(self, row: PackedObject, stored: memoryview) -> CheckedObject:
        if len(stored) < row.length:
            return CheckedObject(row, trouble='the pack ends before the object does')
        try:
            content = decompress(bytes(stored)) if row.compressed else stored
        except zlib.error as error:
            return CheckedObject(row, trouble=str(error))
        if hashlib.sha256(content).hexdigest() != row.key:
            return CheckedObject(row, trouble='its bytes are not what its key says')
        if self._keeps_form(row):
            return CheckedObject(row, stored, bool(row.compressed), len(content))
        new, compressed = stored_form(bytes(content), self._mode, bool(row.compressed), self._level)
        return CheckedObject(row, new, compressed, len(content))

    # -- in the calling thread ----------------------------------------------------------------------------------------

    def _append(self, checked: CheckedObject) -> None:
        row = checked.row
        if checked.stored is not None:
            self._writer.append(row.key, checked.stored, checked.size, checked.compressed)
            self.work.objects += 1
        elif checked.trouble:
            self._move_good_copy(row, checked.trouble)
        else:
            self._move_large(row)
        self.work.read += row.length
        self._progress.advance(row.length)

    def _keeps_form(self, row: PackedObject) -> bool:
        return (
            self._mode == 'keep'
            or (self._mode == 'no' and not row.compressed)
            or (self._mode == 'yes' and bool(row.compressed))
        )

    def _move_large(self, row: PackedObject) -> None:
        path = self._container.layout.pack_path(row.pack_id)
        if not path.exists():
            self._move_good_copy(row, 'the pack file is gone')
            return
        with closing(PackSlice(path, row.offset, row.length)) as part:
            source = chunks_of(part)  # type: ignore[arg-type]
            try:
                if self._keeps_form(row) and row.compressed:
                    self._copy_stream(row, source)
                else:
                    self._append_content(row, decompressed_chunks(source) if row.compressed else source)
            except (CorruptStorage, zlib.error) as error:
                self._move_good_copy(row, str(error))
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                self._move_good_copy(row, 'the disk cannot read it')

    def _copy_stream(self, row: PackedObject, source: Iterator[bytes]) -> None:
        """Copy a compressed object as it is, while checking what it inflates to."""
        digest = hashlib.sha256()

        def checked() -> Iterator[bytes]:
            inflater = zlib.decompressobj()
            for chunk in source:
                pending = chunk
                while pending:
                    digest.update(inflater.decompress(pending, WINDOW_BYTES))
                    pending = inflater.unconsumed_tail
                yield chunk
            digest.update(inflater.flush())

        place = self._writer.append_chunks(undone_on_error(self._writer, checked()))
        if digest.hexdigest() != row.key:
            self._writer.take_back(place)
            raise zlib.error('its bytes are not what its key says')
        self._writer.add_row(row.key, row.size, True, place)
        self.work.objects += 1

    def _append_content(self, row: PackedObject, chunks: Iterator[bytes]) -> None:
        head = next(chunks, b'')
        measured, compressed, place = append_large(
            self._container,
            self._writer,
            undone_on_error(self._writer, _again(head, chunks)),
            head,
            self._mode,
            bool(row.compressed),
        )
        if measured.key != row.key:
            self._writer.take_back(place)
            raise zlib.error('its bytes are not what its key says')
        self._writer.add_row(row.key, measured.size, compressed, place)
        self.work.objects += 1

    # -- damage -----------------------------------------------------------------------------------------------

    def _move_good_copy(self, row: PackedObject, reason: str) -> None:
        """Use another copy whose SHA-256 is right; where there is none, leave the object and name it."""
        for open_copy in _candidates(self._container, row):
            if _has_key(open_copy, row.key):
                with suppress(CorruptStorage, zlib.error), open_copy() as handle:
                    self._append_content(row, chunks_of(handle))
                    return
        self._problems.add('damaged', row.key, f'in pack {row.pack_id} at byte {row.offset}: {reason}')


def _candidates(container: ObjectStore, row: PackedObject) -> Iterator[Callable[[], BinaryIO]]:
    """Ways to open what may be another copy of an object: loose, in `duplicates/`, at its place in another pack."""
    layout = container.layout
    paths = [Path(container.loose_path(row.key))]
    paths += [Path(entry.path) for entry in layout.leftovers(layout.duplicates) if entry.name.startswith(row.key)]
    for path in paths:
        yield partial(_open_file, path)
    for pack_id, size in layout.pack_sizes().items():
        if pack_id != row.pack_id and size >= row.offset + row.length:
            yield partial(container.open_packed, row._replace(pack_id=pack_id))


def _open_file(path: Path) -> BinaryIO:
    return path.open('rb')


def _has_key(open_copy: Callable[[], BinaryIO], key: str) -> bool:
    digest = hashlib.sha256()
    try:
        with open_copy() as handle:
            for chunk in chunks_of(handle):
                digest.update(chunk)
    except (OSError, zlib.error, CorruptStorage):
        return False
    return digest.hexdigest() == key


def _windows(rows: Iterable[PackedObject]) -> Iterator[list[PackedObject]]:
    """Group rows, which come mostly by offset, into stretches that are read at once; a large object is alone."""
    window: list[PackedObject] = []
    start = total = 0
    for row in rows:
        _, _, size, offset, length, _ = row
        total += size
        if window and (offset < start or offset + length - start > WINDOW_BYTES or total > WINDOW_BYTES):
            yield window
            window = []
        if not window:
            start, total = offset, size
        window.append(row)
        if _is_large(row):
            yield window
            window = []
    if window:
        yield window


def _is_large(row: PackedObject) -> bool:
    """Whether an object is streamed: a compressed one that lies in few bytes may have very many."""
    return max(row.length, row.size) > LARGE_BYTES


def _read(path: Path, offset: int, length: int) -> bytes:
    """What the file has of these bytes: fewer if it ends before, none if it is not there."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return b''
    try:
        pieces = []
        while length and (piece := os.pread(descriptor, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b''.join(pieces)
    finally:
        os.close(descriptor)


def _again(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks
