"""The objects of a repository into a zip file: read, checked and deflated in threads, written in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass

from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import Interrupted
from ricordi.progress import Progress, Stop
from ricordi.repository.archive_sources import CheckedChunks, Source, damaged, sources, usable
from ricordi.repository.parallel import in_order
from ricordi.zipfiles.deflate import DeflatedPieces, crc32, deflate
from ricordi.zipfiles.format import DEFLATED, STORED
from ricordi.zipfiles.writer import ZipWriter

BATCH_OBJECTS = 64
BATCH_BYTES = 1 << 20
BATCHES_AHEAD = 6
LARGEST = 1 << 62
SMALLEST_DEFLATED = 32
"""Bytes; smaller content does not shrink."""
PREFIX = 'repo/'


@dataclass(frozen=True, slots=True)
class Packed:
    """A member that is ready to be written; without `data`, its source is too large for memory."""

    source: Source
    method: int = STORED
    crc: int = 0
    size: int = 0
    data: bytes | None = None


def write_objects(
    repository: RepositoryBackend,
    keys: Callable[[], Iterator[str]],
    writer: ZipWriter,
    level: int,
    executor: Executor,
    progress: Progress,
    stop: Stop,
) -> tuple[int, int]:
    """Write the objects that `keys` names as members `repo/<key>`.

    :param keys: asked anew, yields the keys: distinct, ascending.
    :param level: 0 (stored) to 9; what lies compressed in a pack is taken over as it is, unless it shall be stored.
    :param executor: deflates the pieces of large objects.
    :returns: number of objects, bytes of content.
    :raises UnusableObject: the repository lacks one, or one is damaged.
    :raises ricordi.errors.Interrupted: `stop` was asked to end the work.
    """
    count = total = 0
    batches = in_order(lambda batch: _pack_batch(batch, level), _batches(sources(repository, keys)), BATCHES_AHEAD)
    with closing(batches):
        for batch in batches:
            for packed in batch:
                size = packed.size
                if packed.data is None:
                    size = _write_large(packed.source, writer, level, executor)
                else:
                    writer.add(PREFIX + packed.source.key, packed.method, packed.crc, size, packed.data)
                count += 1
                total += size
            progress.advance(len(batch))
            if stop.reason:
                raise Interrupted(f'{stop.reason}: ended early, no archive was written')
    return count, total


def _batches(found: Iterable[Source]) -> Iterator[list[Source]]:
    """Objects in groups of a mebibyte or so, which bounds what is in memory; a larger object is a group of its own."""
    batch: list[Source] = []
    total = 0
    for source in found:
        if batch and (len(batch) >= BATCH_OBJECTS or total + source.size > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(source)
        total += source.size
    if batch:
        yield batch


def _pack_batch(batch: list[Source], level: int) -> list[Packed]:
    return [_packed(source, level) for source in batch]


def _packed(source: Source, level: int) -> Packed:
    whole = source.small()
    if whole is None:
        return Packed(source)
    content, size = whole.content, len(whole.content)
    crc = crc32(content)
    if level and size >= SMALLEST_DEFLATED:
        shorter = deflate(content, level) if whole.deflated is None else whole.deflated
        if len(shorter) < size:
            return Packed(source, DEFLATED, crc, size, shorter)
    return Packed(source, STORED, crc, size, content)


def _write_large(source: Source, writer: ZipWriter, level: int, executor: Executor) -> int:
    name, key = PREFIX + source.key, source.key
    ready = source.pieces() if level else None
    if ready is not None:
        with usable(key):
            writer.add_pieces(name, ready, LARGEST)
        if ready.key != key:
            raise damaged(key)
        return ready.size
    with usable(key), source.open() as handle:
        pieces = DeflatedPieces(CheckedChunks(handle, key), level, executor)
        writer.add_pieces(name, pieces, LARGEST)
    return pieces.size
