"""Packing: loose objects go to the end of a pack; a loose file goes when its packed copy was read back and checked."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ricordi.backend.maintenance import CompressMode
from ricordi.progress import Progress, Stop
from ricordi.repository.bulk import LARGE_BYTES, append_large, stored_form
from ricordi.repository.loose import chunks_of
from ricordi.repository.pack_writer import PackWriter
from ricordi.repository.problems import Problems

if TYPE_CHECKING:
    from ricordi.repository.container import Container


@dataclass(slots=True)
class Work:
    """What a step has done: objects touched, bytes read, written and freed on disk."""

    objects: int = 0
    read: int = 0
    written: int = 0
    freed: int = 0


class LoosePacker:
    """Moves loose objects into packs. For one who holds the packer lock; readers and writers may go on meanwhile."""

    def __init__(
        self, container: Container, first_pack: int, mode: CompressMode, problems: Problems, progress: Progress
    ) -> None:
        """
        :param first_pack: the pack to append to.
        """
        config = container.config
        self._container = container
        self._mode = mode
        self._level = config.compression_level
        self._problems = problems
        self._progress = progress
        self._any_packed = container.index.count() > 0
        self._writer = PackWriter(
            container.layout, container.index, config.pack_size_target, container.index.put, first_pack
        )
        self._pending: list[tuple[str, int]] = []
        self.work = Work()

    def pack(self, loose: Iterable[tuple[str, int]], stop: Stop) -> None:
        """Pack these objects (key, bytes), until done or told to stop; what was begun is finished.

        :raises ricordi.errors.PackerBusy: somebody else writes to the same pack.
        """
        with closing(self._writer):
            for key, size in loose:
                if self._any_packed and self._drop_if_packed(key, size):
                    continue
                self._append(key, self._container.loose_path(key), size)
                if self._writer.pending_is_large:
                    self._commit()
                    if stop.reason:
                        return
            self._commit()

    def _drop_if_packed(self, key: str, size: int) -> bool:
        """If the packs have the object already, and what they have is right, the loose file can go at once."""
        row = self._container.index.find(key)
        if row is None or not self._container.packed_copy_is_sound(row):
            return False
        self._unlink(key, size)
        self.work.read += row.length
        self._progress.advance(size)
        return True

    def _append(self, key: str, path: str, size: int) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return  # deleted since it was listed
        except OSError as error:
            self._problems.add('damaged', key, f'the loose file {path} cannot be read: {error.strerror}')
            return
        with os.fdopen(descriptor, 'rb', buffering=0) as handle:
            if size > LARGE_BYTES:
                sound = self._append_large(key, handle)
            else:
                sound = self._append_small(key, handle.readall())
        if sound:
            self._pending.append((key, size))
        else:
            self._problems.add('damaged', key, f'the loose file {path} does not hold what its name says')
        self.work.read += size
        self._progress.advance(size)

    def _append_small(self, key: str, content: bytes) -> bool:
        if hashlib.sha256(content).hexdigest() != key:
            return False
        if self._mode in ('keep', 'no'):
            self._writer.append(key, content, len(content), False)
        else:
            stored, compressed = stored_form(content, self._mode, False, self._level)
            self._writer.append(key, stored, len(content), compressed)
        return True

    def _append_large(self, key: str, handle: io.FileIO) -> bool:
        head = handle.read(LARGE_BYTES) or b''
        handle.seek(0)
        measured, compressed, place = append_large(
            self._container, self._writer, chunks_of(handle), head, self._mode, False
        )
        if measured.key != key:
            self._writer.take_back(place)
            return False
        self._writer.add_row(key, measured.size, compressed, place)
        return True

    def _commit(self) -> None:
        self._writer.commit()
        for key, size in self._pending:
            self._unlink(key, size)
        self.work.objects += len(self._pending)
        self.work.written = self._writer.written
        self._pending = []

    def _unlink(self, key: str, size: int) -> None:
        try:
            os.unlink(self._container.loose_path(key))  # noqa: PTH108
        except FileNotFoundError:
            return
        self.work.freed += size


def remove_loose(container: Container, loose: Iterable[tuple[str, int]], progress: Progress) -> Work:
    """Remove loose garbage. Only under the exclusive lock of the profile."""
    work = Work()
    for key, size in loose:
        try:
            os.unlink(container.loose_path(key))  # noqa: PTH108
        except FileNotFoundError:
            continue
        work.objects += 1
        work.freed += size
        progress.advance(1)
    return work
