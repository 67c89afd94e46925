"""Whether the members of an archive are what their names say, found out by several processes, which only read.

A worker is asked for a batch in a line of JSON, and answers with the bytes of content if all of it is right. Whatever
it does not answer for is looked at by who asked, who can say what is wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import IO

from ricordi.errors import CorruptStorage
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.limits import USUAL, Limits
from ricordi.repository.worker_process import WorkerPool
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import DEFLATED, Member
from ricordi.zipfiles.member import check_readable, member_chunks, unpack

Batch = list[Member]


class MemberVerifier:
    """Verifies batches, beyond the first ones in processes. `verify` is for several threads at once."""

    def __init__(self, directory: ZipDirectory, limits: Limits = USUAL) -> None:
        self._directory = directory
        self.pool = WorkerPool(__name__, directory.path.absolute(), *_identity(directory), limits=limits)

    def verify(self, batch: Batch) -> int:
        """Compare each member with its name; returns the bytes of content.

        :raises ricordi.errors.CorruptStorage: one is damaged, or not what its key says.
        """
        size = sum(member.size for member in batch)
        if self.pool.ask(lambda worker: worker.ask(batch)) != size:
            verify(self._directory, batch)
        return size

    def close(self) -> None:
        """End the processes."""
        self.pool.close()


def content_of(directory: ZipDirectory, member: Member, large_bytes: int = USUAL.large_bytes) -> bytes | None:
    """The content of a member, checked; None of one that is too large for memory.

    :raises ricordi.errors.CorruptStorage: it is damaged, or not what its key says.
    """
    if member.size > large_bytes or member.packed > large_bytes:
        return None
    check_readable(directory, member)
    packed = directory.packed_bytes(member)
    content = unpack(packed, member, directory) if member.method == DEFLATED else packed
    expect(hashlib.sha256(content).hexdigest(), member, directory)
    return content


def verify(directory: ZipDirectory, batch: Batch) -> None:
    """The same as `MemberVerifier.verify`, in this process."""
    for member in batch:
        if content_of(directory, member) is None:
            digest = hashlib.sha256()
            for chunk in member_chunks(directory, member):
                digest.update(chunk)
            expect(digest.hexdigest(), member, directory)


def expect(key: str, member: Member, directory: ZipDirectory) -> None:
    """Refuse a member of which the content has another key than its name says."""
    if PREFIX + key != member.name:
        raise CorruptStorage(
            f'{member.name} in {directory.path} is not what its name says: its content has the SHA-256 {key}; '
            'get the archive anew'
        )


def _identity(directory: ZipDirectory) -> tuple[int, int]:
    status = os.fstat(directory.descriptor)
    return status.st_dev, status.st_ino


def serve(directory: ZipDirectory, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more; the first batch in which something is wrong ends it."""
    for line in requests:
        batch = [Member._make(words) for words in json.loads(line)]
        verify(directory, batch)
        answers.write(b'%d\n' % sum(member.size for member in batch))
        answers.flush()


def main(path: str, *identity: str) -> None:
    """Verify members of the file that has an identity; another one may have taken its place."""
    with closing(ZipDirectory(Path(path))) as directory:
        if tuple(map(str, _identity(directory))) == identity:
            serve(directory, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == '__main__':
    main(*sys.argv[1:])
