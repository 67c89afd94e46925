"""The objects of a repository into a zip file: read, checked and deflated beside one another, written in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, closing

from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import Interrupted
from ricordi.progress import Run
from ricordi.repository.archive.members import PackedMember, pack_member
from ricordi.repository.archive.sources import ObjectSource, damaged, sources, usable
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.batches import BATCHES_AHEAD, batches_of
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.limits import USUAL, Limits
from ricordi.repository.parallel import in_order
from ricordi.zipfiles.deflate import DeflatedPieces
from ricordi.zipfiles.writer import ZipWriter

LARGEST = 1 << 62


def write_objects(
    repository: RepositoryBackend,
    keys: Callable[[], Iterator[str]],
    writer: ZipWriter,
    level: int,
    executor: Executor,
    run: Run,
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
    with ExitStack() as stack:
        pack, limits = _packer(repository, level, stack)
        groups = batches_of(sources(repository, keys), limits)
        batches = stack.enter_context(closing(in_order(lambda batch: (batch, pack(batch)), groups, BATCHES_AHEAD)))
        for batch, members in batches:
            for source, member in zip(batch, members, strict=True):
                size = member.size
                if member.data is None:
                    size = _write_large(source, writer, level, executor)
                else:
                    writer.add(PREFIX + source.key, member.method, member.crc, size, member.data)
                total += size
            count += len(batch)
            run.progress.advance(len(batch))
            if run.stop.reason:
                raise Interrupted(f'{run.stop.reason}: ended early, no archive was written')
    return count, total


def _packer(
    repository: RepositoryBackend, level: int, stack: ExitStack
) -> tuple[Callable[[list[ObjectSource]], list[PackedMember]], Limits]:
    """What packs batches, in several threads at once, until `stack` is left; and by what they are divided."""
    from ricordi.repository.archive.workers import ArchiveWorkers
    from ricordi.repository.container.container import Container

    if isinstance(repository, Container):
        return stack.enter_context(closing(ArchiveWorkers(repository, level))).pack, repository.limits
    return lambda batch: [pack_member(source, level) for source in batch], USUAL


def _write_large(source: ObjectSource, writer: ZipWriter, level: int, executor: Executor) -> int:
    name, key = PREFIX + source.key, source.key
    ready = source.pieces() if level else None
    if ready is not None:
        with usable(key):
            writer.add_pieces(name, ready, LARGEST)
        if ready.key != key:
            raise damaged(key)
        return ready.size
    with usable(key), source.open() as handle:
        pieces = DeflatedPieces(chunks_of(handle), level, executor)
        writer.add_pieces(name, pieces, LARGEST)
    return pieces.size
