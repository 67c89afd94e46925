"""Objects from an archive into a repository: all checked first, then stored in one go.

The content of each is compared with its key twice: before anything is written, and on the way into the pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import CorruptStorage, Interrupted, NotEnoughSpace
from ricordi.files import format_bytes
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.repository.archive.verification import MemberVerifier, content_of, expect
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.batches import BATCHES_AHEAD, batches_of
from ricordi.repository.limits import USUAL, Limits
from ricordi.repository.parallel import in_order
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import Member
from ricordi.zipfiles.member import open_member

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
        if name.startswith(PREFIX) and name != PREFIX and not is_key(name, len(PREFIX)):
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
    room = repository.free_space()
    if room is not None and room.bytes < content_bytes + ROOM_TO_SPARE:
        raise NotEnoughSpace(
            f'the objects of the archive take {format_bytes(content_bytes)}, {format_bytes(ROOM_TO_SPARE)} more are '
            f'kept free for what else is written, and only {format_bytes(room.bytes)} are free at {room.place}; '
            f'nothing was changed: make room for {format_bytes(content_bytes + ROOM_TO_SPARE - room.bytes)} first'
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


@dataclass(frozen=True, slots=True)
class MemberObject:
    """An object of an archive on its way into a repository (`ricordi.backend.repository.KnownObject`)."""

    directory: ZipDirectory
    member: Member

    @property
    def key(self) -> str:
        return self.member.name[len(PREFIX) :]

    @property
    def size(self) -> int:
        return self.member.size

    def content(self, largest: int) -> bytes | None:
        return content_of(self.directory, self.member, largest)

    def open(self) -> BinaryIO:
        return open_member(self.directory, self.member)

    def expect(self, key: str) -> None:
        expect(key, self.member, self.directory)


def add_members(
    repository: RepositoryBackend, directory: ZipDirectory, members: Callable[[], Iterable[Member]], run: Run
) -> None:
    """Store objects of an archive durably, however the repository does so best.

    :param members: asked anew, yields those to store, in the order in which they lie in the archive.
    :raises ricordi.errors.CorruptStorage: one is not what its key says.
    """

    def told(size: int) -> None:
        run.progress.advance(size)
        _end_if_asked(run)

    repository.put_known_objects(lambda: (MemberObject(directory, member) for member in members()), told)


def _end_if_asked(run: Run) -> None:
    if run.stop.reason:
        raise Interrupted(
            f'{run.stop.reason}: ended early; the profile is as it was, but for objects that no node names'
        )
