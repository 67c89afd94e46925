"""Many objects of a container made members of an archive by several processes.

A worker is asked for a batch in a line of JSON, and answers with a line that says what the members are, then their
bytes one after the other. A batch that it does not answer for is packed by who asked.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import IO, Any

from ricordi.repository.archive.members import TOO_LARGE, PackedMember, pack_member
from ricordi.repository.archive.sources import ObjectSource, PackedSource, loose_source
from ricordi.repository.container.container import Container
from ricordi.repository.container.index import PackedObject
from ricordi.repository.worker_process import WorkerPool, WorkerProcess

Batch = list[ObjectSource]


class ArchiveWorkers:
    """Packs batches, beyond the first ones in processes. `pack` is for several threads at once."""

    def __init__(self, container: Container, level: int) -> None:
        """
        :param level: 0 (stored) to 9.
        """
        self.pool = WorkerPool(__name__, container.layout.folder.absolute(), level, limits=container.limits)
        self._level = level

    def pack(self, batch: Batch) -> list[PackedMember]:
        """The members that the objects of a batch become.

        :raises ricordi.repository.archive.sources.UnusableObject: one is missing or damaged.
        """
        found = self.pool.ask(lambda worker: _ask(worker, batch))
        return _pack(batch, self._level) if found is None else found

    def close(self) -> None:
        """End the processes."""
        self.pool.close()


def _pack(batch: Batch, level: int) -> list[PackedMember]:
    return [pack_member(source, level) for source in batch]


# -- what goes through the pipes ----------------------------------------------------------------------------------


def _ask(worker: WorkerProcess, batch: Batch) -> list[PackedMember] | None:
    """What a worker makes of a batch; None if it could not."""
    heads = worker.ask([_in_words(source) for source in batch])
    data = memoryview(worker.read(sum(length for _, _, _, length in heads if length > 0)))
    return _members(heads, data)


def _members(heads: list[list[int]], data: memoryview) -> list[PackedMember] | None:
    members, position = [], 0
    for method, crc, size, length in heads:
        if length < 0:
            members.append(TOO_LARGE)
            continue
        members.append(PackedMember(method, crc, size, data[position : position + length]))
        position += length
    return members if position == len(data) else None


def _in_words(source: ObjectSource) -> tuple[str, int, PackedObject | None]:
    return source.key, source.size, source.row if isinstance(source, PackedSource) else None


def _from_words(container: Container, key: str, size: int, row: list[Any] | None) -> ObjectSource:
    return loose_source(container, key, size) if row is None else PackedSource(container, PackedObject._make(row))


def _head(member: PackedMember) -> tuple[int, int, int, int]:
    return member.method, member.crc, member.size, -1 if member.data is None else len(member.data)


def serve(container: Container, level: int, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more; the first that cannot be answered whole ends it."""
    for line in requests:
        members = _pack([_from_words(container, *words) for words in json.loads(line)], level)
        answers.write(json.dumps([_head(member) for member in members]).encode() + b'\n')
        answers.writelines(member.data for member in members if member.data is not None)
        answers.flush()


if __name__ == '__main__':
    with closing(Container(sys.argv[1])) as container:
        serve(container, int(sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer)
