"""Packing: loose objects go to the end of a pack; a loose file goes when its packed copy was read back and checked."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from ricordi.backend.maintenance import Amount, CompressMode
from ricordi.errors import CorruptStorage
from ricordi.progress import Run
from ricordi.repository.container.bulk import append_large, stored_form, undone_on_error
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_writer import PackWriter, StoredObject
from ricordi.repository.limits import Limits
from ricordi.repository.maintenance.file_removal import FileRemover
from ricordi.repository.maintenance.problems import Problems
from ricordi.repository.maintenance.space import AMPLE_ROOM, PackingRoom
from ricordi.repository.parallel import PLAIN_READERS, READERS, in_order

GROUP_BYTES = 1 << 20
FIND_AT_ONCE = 1000


@dataclass(slots=True)
class Work:
    """What a step has done: objects touched, bytes read, written and freed on disk; in words, if not as planned."""

    objects: int = 0
    read: int = 0
    written: int = 0
    freed: int = 0
    detail: str = ''


class LooseObject(NamedTuple):
    """A loose file as a reader thread found it.

    :param listed_size: bytes of the file when it was listed.
    :param size: bytes of its content as it was read.
    :param stored: the form in which it shall lie in a pack; None if it is large, gone or not what its name says.
    """

    key: str
    listed_size: int
    stored: bytes | None = None
    compressed: bool = False
    size: int = 0
    trouble: str = ''


class LoosePacker:
    """Moves loose objects into packs. For one who holds the packer lock; readers and writers may go on meanwhile.

    The files of a batch are removed, in threads, after its rows are committed and while the next batch is read.
    """

    def __init__(
        self,
        container: ObjectStore,
        first_pack: int,
        mode: CompressMode,
        problems: Problems,
        run: Run,
        room: PackingRoom = AMPLE_ROOM,
    ) -> None:
        """
        :param first_pack: the pack to append to.
        :param room: how much may be written before loose copies go, and objects of which size fit.
        """
        config = container.config
        self._container = container
        self._mode = mode
        self._level = config.compression_level
        self._problems = problems
        self._run = run
        self._any_packed = not container.index.is_empty
        self._writer = PackWriter(
            container.layout,
            container.index,
            config.pack_size_target,
            container.index.put,
            first_pack,
            room.batch,
            container.limits,
        )
        self._room = room
        self.too_large = Amount()
        """What did not fit on the disk: its number, and the bytes of the largest."""
        self._packed: list[tuple[str, int]] = []
        self._remover = FileRemover(limits=container.limits)
        self.work = Work()

    def pack(self, loose: Iterable[tuple[str, int]]) -> None:
        """Pack these objects (key, bytes), until done or told to stop; what was begun is finished.

        :raises ricordi.errors.PackerBusy: somebody else writes to the same pack.
        """
        wanted = self._fitting(self._not_packed_yet(loose) if self._any_packed else loose)
        with self._remover, closing(self._writer):
            threads = PLAIN_READERS if self._mode in ('keep', 'no') else READERS
            with closing(
                in_order(self._read_group, _groups(wanted, self._container.limits), threads=threads)
            ) as groups:
                for group in groups:
                    self._append_group(group)
                    if self._writer.pending_is_large:
                        self._commit()
                        if self._run.stop.reason:
                            break
            self._commit()

    def _not_packed_yet(self, loose: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """Pass on what the packs have not; if they have it, and what they have is right, the loose file can go."""
        source = iter(loose)
        while not self._run.stop.reason and (some := dict(islice(source, FIND_AT_ONCE))):
            for row in self._container.index.find_many(list(some)):
                if self._container.packed_copy_is_sound(row):
                    size = some.pop(row.key)
                    self._packed.append((row.key, size))
                    self.work.read += row.length
                    self._run.progress.advance(size)
            if len(self._packed) >= self._room.batch.objects:
                self._commit()
            yield from some.items()

    def _fitting(self, loose: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        for key, size in loose:
            if size <= self._room.largest:
                yield key, size
            else:
                self.too_large = Amount(self.too_large.objects + 1, max(self.too_large.bytes, size))

    # -- in the reader threads ----------------------------------------------------------------------------------------

    def _read_group(self, group: list[tuple[str, int]]) -> list[LooseObject]:
        large = self._container.limits.large_bytes
        return [LooseObject(key, size) if size > large else self._read(key, size) for key, size in group]

    def _read(self, key: str, size: int) -> LooseObject:
        path = self._container.loose_path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would be waited for
            try:
                content = os.read(descriptor, size + 1)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return LooseObject(key, size)  # deleted since it was listed
        except OSError as error:
            return LooseObject(key, size, trouble=f'the loose file {path} cannot be read: {error.strerror}')
        if hashlib.sha256(content).hexdigest() != key:
            return LooseObject(key, size, trouble=f'the loose file {path} does not hold what its name says')
        if self._mode in ('keep', 'no'):
            return LooseObject(key, size, content, False, len(content))
        return LooseObject(key, size, *stored_form(content, self._mode, False, self._level), len(content))

    # -- in the calling thread ----------------------------------------------------------------------------------------

    def _append_group(self, group: list[LooseObject]) -> None:
        self._writer.append_many(
            [
                StoredObject(key, stored, size, compressed)
                for key, _, stored, compressed, size, _ in group
                if stored is not None
            ]
        )
        self._packed += [(found.key, found.size) for found in group if found.stored is not None]
        for found in group:
            if found.trouble:
                self._problems.add('damaged', found.key, found.trouble)
            elif found.stored is None and found.listed_size > self._container.limits.large_bytes:
                self._append_large(found)
        length = sum([found.listed_size for found in group])
        self.work.read += length
        self._run.progress.advance(length)

    def _append_large(self, found: LooseObject) -> None:
        path = self._container.loose_path(found.key)
        try:
            handle = open(path, 'rb', buffering=0)  # noqa: PTH123, SIM115
        except FileNotFoundError:
            return
        except OSError as error:
            self._problems.add('damaged', found.key, f'the loose file {path} cannot be read: {error.strerror}')
            return
        with handle:
            try:
                head = handle.read(self._container.limits.large_bytes) or b''
                handle.seek(0)
                chunks = undone_on_error(self._writer, chunks_of(handle))
                measured, compressed, place = append_large(
                    self._container, self._writer, chunks, head, self._mode, False
                )
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                self._problems.add('damaged', found.key, f'the disk cannot read the loose file {path}')
                return
        if measured.key == found.key:
            self._writer.add_row(found.key, measured.size, compressed, place)
            self._packed.append((found.key, found.size))
        else:
            self._writer.take_back(place)
            self._problems.add('damaged', found.key, f'the loose file {path} does not hold what its name says')

    def _commit(self) -> None:
        """Commit what is pending; then, and only then, its loose files begin to go."""
        self._writer.commit()
        self._see_rows([key for key, _ in self._packed])
        self._remover.finish()
        self._remover.remove([self._container.loose_path(key) for key, _ in self._packed])
        if self._room is not AMPLE_ROOM:
            self._remover.finish()  # the next batch needs what these files give back
        self.work.objects += len(self._packed)
        self.work.freed += sum(size for _, size in self._packed)
        self.work.written = self._writer.written
        self._packed = []

    def _see_rows(self, keys: list[str]) -> None:
        """Ask the index for what was committed, as a reader will: in a damaged one it may not be found."""
        if len(keys) != sum(1 for _ in self._container.index.find_many(keys)):
            raise CorruptStorage(
                f'the index {self._container.layout.index} is damaged: what was written to it is not found in it; no '
                'loose object was removed. Restore it from a backup, or try `sqlite3 packs.idx REINDEX`'
            )


def _groups(loose: Iterable[tuple[str, int]], limits: Limits) -> Iterator[list[tuple[str, int]]]:
    """Objects in groups that are worth a thread's while and small enough to hold several in memory."""
    group: list[tuple[str, int]] = []
    total = 0
    for key, size in loose:
        group.append((key, size))
        total += min(size, limits.large_bytes)
        if len(group) >= limits.group_objects or total >= GROUP_BYTES:
            yield group
            group, total = [], 0
    if group:
        yield group


def remove_loose(container: ObjectStore, loose: Iterable[tuple[str, int]], run: Run, work: Work) -> None:
    """Remove loose garbage, until done or told to stop. Only under the exclusive lock of the profile.

    :param work: to which is added what was done.
    """

    def paths() -> Iterator[str]:
        for key, size in loose:
            if run.stop.reason:
                return
            work.freed += size
            run.progress.advance(1)
            yield container.loose_path(key)

    # By threads alone: they end with the process, and so with its lock. Later, somebody may store the same content.
    with FileRemover(may_start=False) as remover:
        remover.remove(paths())
    work.objects += remover.removed
