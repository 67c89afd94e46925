"""Objects from an archive into a repository: all checked first, then straight into packs.

The content of each is compared with its key twice: before anything is written, and on the way into the pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice

from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import CorruptStorage, Interrupted, NotEnoughSpace, PackerBusy
from ricordi.files import free_bytes
from ricordi.progress import Run
from ricordi.repository.archive.batches import batches_of
from ricordi.repository.archive.verification import MemberVerifier, contents_of, expect
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.container.bulk import Measured
from ricordi.repository.container.container import Container
from ricordi.repository.container.layout import KEY_PATTERN
from ricordi.repository.container.pack_writer import PackWriter, StoredObject, pack_to_append_to
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.repository.limits import USUAL, Limits
from ricordi.repository.parallel import PLAIN_READERS, in_order
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import Member
from ricordi.zipfiles.member import member_chunks, open_member

BATCHES_AHEAD = 6
MOST_SHRINKING = 1040
"""No deflate stream yields more than so many bytes for one of its own."""
ASKED_AT_ONCE = 1000
ROOM_TO_SPARE = 64 << 20


def checked_members(directory: ZipDirectory) -> Iterator[Member]:
    """The members of an archive, if their names and sizes can be trusted.

    :raises ricordi.errors.CorruptStorage: a name leads out of the archive, or is no key; a size cannot be.
    """
    for member in directory.members():
        name = member.name
        parts = name.replace('\\', '/').split('/')
        if name.startswith(('/', '\\')) or '..' in parts or ':' in parts[0] or '\x00' in name:
            raise CorruptStorage(
                f'{directory.path} holds a file named {name!r}, which leads out of it; do not trust it'
            )
        if name.startswith(PREFIX) and name != PREFIX and KEY_PATTERN.fullmatch(name, len(PREFIX)) is None:
            raise CorruptStorage(f'{directory.path} holds {name!r}, which is no key of an object; do not trust it')
        if member.size > member.packed * MOST_SHRINKING + MOST_SHRINKING:
            raise CorruptStorage(
                f'{name} in {directory.path} claims to unpack {member.packed:,} bytes to {member.size:,}, which cannot '
                'be; do not trust it'
            )
        yield member


def lacking_keys(repository: RepositoryBackend, keys: Iterable[str]) -> Iterator[str]:
    """Those of the keys that a repository does not have."""
    source = iter(keys)
    while portion := list(islice(source, ASKED_AT_ONCE)):
        yield from (key for key, there in zip(portion, repository.has_objects(portion), strict=True) if not there)


def check_room(repository: RepositoryBackend, content_bytes: int) -> None:
    """See that the disk of a repository has room for objects.

    :raises ricordi.errors.NotEnoughSpace: it has not.
    """
    if not isinstance(repository, Container):
        return
    free = free_bytes(repository.layout.folder)
    if free < content_bytes + ROOM_TO_SPARE:
        raise NotEnoughSpace(
            f'the objects of the archive take {content_bytes:,} bytes, {ROOM_TO_SPARE:,} more are kept free for what '
            f'else is written, and only {free:,} are free at {repository.layout.folder}; nothing was changed: make '
            f'room for {content_bytes + ROOM_TO_SPARE - free:,} bytes first'
        )


def verify_members(directory: ZipDirectory, members: Iterable[Member], run: Run, limits: Limits = USUAL) -> None:
    """Read objects of an archive and compare each with its key; nothing is written.

    :raises ricordi.errors.CorruptStorage: one is damaged, or not what its key says.
    """
    with (
        closing(MemberVerifier(directory, limits)) as verifier,
        closing(in_order(verifier.verify, batches_of(members), BATCHES_AHEAD, verifier.pool.number or 1)) as sizes,
    ):
        for size in sizes:
            run.progress.advance(size)
            _end_if_asked(run)


def add_members(
    repository: RepositoryBackend,
    directory: ZipDirectory,
    members: Callable[[], Iterator[Member]],
    run: Run,
) -> None:
    """Store objects of an archive durably: in packs, or, while another process packs, as loose files.

    :param members: asked anew, yields those to store, in the order in which they lie in the archive.
    :raises ricordi.errors.CorruptStorage: one is not what its key says.
    """
    with ExitStack() as stack:
        if isinstance(repository, Container):
            try:
                stack.enter_context(packer_lock(repository.layout))
                _add_to_pack(repository, directory, members(), run)
                return
            except PackerBusy:
                pass
        for member in members():
            with open_member(directory, member) as handle:
                expect(repository.put_object_from_filelike(handle), member, directory)
            run.progress.advance(member.size)
            _end_if_asked(run)


def _add_to_pack(container: Container, directory: ZipDirectory, members: Iterator[Member], run: Run) -> None:
    index, target = container.index, container.config.pack_size_target
    limits, first_pack = container.limits, pack_to_append_to(container.layout, index, target)
    writer = PackWriter(container.layout, index, target, index.put, first_pack, limits=limits)

    def read(batch: list[Member]) -> list[tuple[Member, bytes | None]]:
        return contents_of(directory, batch, limits.large_bytes)

    batches = in_order(read, batches_of(members, limits), BATCHES_AHEAD, PLAIN_READERS)
    with closing(writer), closing(batches):
        for batch in batches:
            writer.append_many(
                [
                    StoredObject(member.name[len(PREFIX) :], content, member.size)
                    for member, content in batch
                    if content is not None
                ]
            )
            for member, content in batch:
                if content is None:
                    _append_large(writer, directory, member)
            run.progress.advance(sum([member.size for member, _ in batch]))
            if writer.pending_is_large:
                writer.commit()
            _end_if_asked(run)
        writer.commit()


def _append_large(writer: PackWriter, directory: ZipDirectory, member: Member) -> None:
    measured = Measured(member_chunks(directory, member))
    place = writer.append_chunks(measured)
    try:
        expect(measured.key, member, directory)
    except CorruptStorage:
        writer.take_back(place)
        raise
    writer.add_row(measured.key, measured.size, False, place)


def _end_if_asked(run: Run) -> None:
    if run.stop.reason:
        raise Interrupted(
            f'{run.stop.reason}: ended early; the profile is as it was, but for objects that no node names'
        )
