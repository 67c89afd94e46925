"""Repacking: what rows name is copied into a new pack, checked by its SHA-256 on the way, and the old pack goes.

Rows switch to the new pack in one transaction after its bytes are fsynced. A damaged object stays where it is, and the
old pack with it, unless a good copy is at hand: what has moved out of that pack moves back, for it would lie on the
disk twice.
"""

from __future__ import annotations

import errno
import hashlib
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ricordi.backend.maintenance import CompressMode
from ricordi.errors import CorruptStorage
from ricordi.progress import Run
from ricordi.repository.container.bulk import append_large, stored_form, undone_on_error
from ricordi.repository.container.compression import decompressed_chunks
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_windows import Window, content_of, is_large, read_window, windows_of
from ricordi.repository.container.pack_writer import PackWriter
from ricordi.repository.container.streams import PackSlice
from ricordi.repository.maintenance.moving_back import moved_back
from ricordi.repository.maintenance.pack_check import check_pack
from ricordi.repository.maintenance.packing import Work
from ricordi.repository.maintenance.problems import Problems
from ricordi.repository.parallel import READERS, in_order


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
        self,
        container: ObjectStore,
        first_pack: int,
        mode: CompressMode,
        problems: Problems,
        run: Run,
        has_room: Callable[[int], bool] = lambda pack_id: True,
    ) -> None:
        """
        :param first_pack: the number of the new pack.
        :param run: its `check_lock` is asked before a pack goes.
        :param has_room: whether the disk has now the room for what lives in a pack.
        """
        self._run = run
        self._has_room = has_room
        self._container = container
        self._mode = mode
        self._level = container.config.compression_level
        self._problems = problems
        self._writer = self._new_writer(first_pack)
        self._written_before = 0
        """Bytes that earlier writers have appended, and that are still there."""
        self._is_damaged = False
        """Whether an object of the pack in hand is damaged, so that its file stays."""
        self._origins: list[PackedObject] | None = []
        """Where the objects of it lay that were appended to another pack; None where they are too many to remember."""
        self.work = Work()
        self._moved = 0
        """Objects whose rows are still to be committed."""
        self.rewritten = self.checked = self.kept = 0
        """How many packs were rewritten, how many found to be as they should, how many left for damaged objects."""

    def _new_writer(self, first_pack: int) -> PackWriter:
        container = self._container
        return PackWriter(
            container.layout,
            container.index,
            container.config.pack_size_target,
            container.index.move,
            first_pack,
            limits=container.limits,
        )

    def repack(self, pack_ids: Iterable[int], check_first: Collection[int]) -> tuple[int, ...]:
        """Rewrite these packs one after the other, until done or told to stop; returns those that are left.

        What does not fit on the disk is tried again once others have given room back.

        :param check_first: those of which rewriting might give the very same bytes: they are read, and left if so.
        """
        left = tuple(pack_ids)
        with ExitStack() as stack:
            stack.callback(lambda: self._writer.close())  # the one there is by then
            while left and not self._run.stop.reason:
                unfitting = tuple(self._renew_all(left, check_first))
                if len(unfitting) == len(left):
                    break
                left, check_first = unfitting, ()  # each was checked by now
        return left

    def _renew_all(self, pack_ids: Iterable[int], check_first: Collection[int]) -> Iterator[int]:
        """Check or rewrite packs; yields those that do not fit, or were left since somebody told to stop."""
        for pack_id in pack_ids:
            if self._run.stop.reason or not self._renew(pack_id, pack_id in check_first):
                yield pack_id

    def _renew(self, pack_id: int, check_first: bool) -> bool:
        """Check or rewrite one pack; False if there is no room, or if told to stop before the end."""
        if check_first:
            found = check_pack(self._container, pack_id, self._mode, self._run)
            if found is None:
                return False
            if found.right:
                self.checked += 1
                self.work.objects += found.objects
                self.work.read += found.length
                return True
        if not self._has_room(pack_id) or not self._move_objects(pack_id):
            return False
        if self._is_damaged:
            self.kept += 1
        else:
            self.rewritten += 1
        self._remove_if_empty(pack_id)
        return True

    def _move_objects(self, pack_id: int) -> bool:
        """Move what can be moved; nothing where the pack must stay all the same. False if told to stop early."""
        self._is_damaged, self._origins = False, []
        finished = self._move_windows(pack_id)
        self._commit()
        if self._stays:
            self._move_back(pack_id)
        return finished

    def _move_windows(self, pack_id: int) -> bool:
        with closing(self._container.new_index()) as reader, ExitStack() as stack:
            span = self._container.index.span_of_pack(pack_id)
            windows = windows_of(reader.objects_of_span(span), self._container.limits)
            # zlib works beside others; what only takes digests is slower in several threads than in one
            threads = READERS if self._mode in ('yes', 'auto') or span.compressed else 1
            for window in stack.enter_context(closing(in_order(self._read_window, windows, threads=threads))):
                for checked in window:
                    self._append(checked)
                if self._writer.pending_is_large:
                    self._commit()
                    if self._run.stop.reason:
                        return False
        return True

    @property
    def _stays(self) -> bool:
        """Whether the pack in hand is to be left as it was: rewriting it would free nothing, and take its size anew."""
        return self._is_damaged and self._origins is not None

    def _move_back(self, pack_id: int) -> None:
        origins, self._origins = self._origins or [], []
        self._writer.close()
        self._run.check_lock()
        given_back = moved_back(self._container, pack_id, origins)
        self._written_before += self._writer.written - given_back
        self._writer = self._new_writer(self._writer.pack_id)
        self.work.written = self._written_before
        self.work.objects -= len(origins)

    def _commit(self) -> None:
        self._writer.commit()
        self.work.written = self._written_before + self._writer.written
        self.work.objects += self._moved
        self._moved = 0

    def _remove_if_empty(self, pack_id: int) -> None:
        path = self._container.layout.pack_path(pack_id)
        if not path.exists() or pack_id in self._container.index.packs():
            return
        # The rows of all that was in it are committed and name other packs; whoever came in meanwhile keeps it.
        self._run.check_lock()
        self.work.freed += path.stat().st_size
        packs = self._container.layout.opened.packs
        packs.unlink(path.name)
        self._container.let_go_of_packs()  # the disk has the room back only when nobody has the file open
        packs.sync()

    # -- in the reader threads ----------------------------------------------------------------------------------------

    def _read_window(self, window: Window) -> list[CheckedObject]:
        """Read neighbouring objects together and check each; a large one is left to be streamed."""
        if is_large(window[0], self._container.limits):
            return [CheckedObject(window[0])]
        try:
            found = read_window(self._container.layout.pack_path(window[0].pack_id), window)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            if len(window) == 1:
                return [CheckedObject(window[0], trouble='the disk cannot read it')]
            return [checked for row in window for checked in self._read_window([row])]
        return [self._check(row, stored) for row, stored in found]

    def _check(self, row: PackedObject, stored: memoryview) -> CheckedObject:
        try:
            content = content_of(row, stored)
        except zlib.error as error:
            return CheckedObject(row, trouble=str(error))
        if self._keeps_form(row):
            return CheckedObject(row, stored, bool(row.compressed), len(content))
        new, compressed = stored_form(bytes(content), self._mode, bool(row.compressed), self._level)
        return CheckedObject(row, new, compressed, len(content))

    # -- in the calling thread ----------------------------------------------------------------------------------------

    def _append(self, checked: CheckedObject) -> None:
        row = checked.row
        if checked.stored is not None:
            if not self._stays:
                self._writer.append(row.key, checked.stored, checked.size, checked.compressed)
                self._count_moved(row)
        elif checked.trouble:
            self._move_good_copy(row, checked.trouble)
        else:
            self._move_large(row)
        self.work.read += row.length
        self._run.progress.advance(row.length)

    def _count_moved(self, row: PackedObject) -> None:
        self._moved += 1
        if self._origins is not None:
            self._origins.append(row)
            if len(self._origins) > self._container.limits.moved_back:
                self._origins = None

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
        if self._stays:
            if not self._container.packed_copy_is_sound(row):
                self._move_good_copy(row, 'its bytes are not what its key says')
            return
        try:
            with closing(PackSlice(path, row.offset, row.length)) as part:
                source = chunks_of(part)  # type: ignore[arg-type]
                if self._keeps_form(row) and row.compressed:
                    self._copy_stream(row, source)
                else:
                    self._append_content(row, decompressed_chunks(source) if row.compressed else source)
                self._count_moved(row)
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
                    digest.update(inflater.decompress(pending, self._container.limits.window_bytes))
                    pending = inflater.unconsumed_tail
                yield chunk
            digest.update(inflater.flush())

        place = self._writer.append_chunks(undone_on_error(self._writer, checked()))
        if digest.hexdigest() != row.key:
            self._writer.take_back(place)
            raise zlib.error('its bytes are not what its key says')
        self._writer.add_row(row.key, row.size, True, place)

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

    # -- damage -----------------------------------------------------------------------------------------------

    def _move_good_copy(self, row: PackedObject, reason: str) -> None:
        """Use another copy whose SHA-256 is right; where there is none, leave the object and name it."""
        for open_copy in _candidates(self._container, row):
            if _has_key(open_copy, row.key):
                with suppress(CorruptStorage, zlib.error), open_copy() as handle:
                    self._append_content(row, chunks_of(handle))
                    self._moved += 1
                    return
        self._is_damaged = True
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


def _again(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks
