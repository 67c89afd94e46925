"""Objects are made members of an archive by several processes, with the same result as by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ricordi.repository.archive.members import pack_member
from ricordi.repository.archive.sources import ObjectSource, UnusableObject, sources
from ricordi.repository.archive.workers import ArchiveWorkers
from ricordi.repository.container.container import Container
from ricordi.repository.limits import USUAL

LEVEL = 6
Contents = Callable[..., list[bytes]]
Batches = list[list[ObjectSource]]


@pytest.fixture
def filled(container: Container, contents: Contents) -> Container:
    """Objects that are packed, packed and compressed, loose, and too large for memory."""
    some = contents(90)
    container.put_objects_into_pack(some[:30])
    container.put_objects_into_pack(some[30:60], compress='yes')
    for content in some[60:]:
        container.put_object_from_bytes(content)
    container.put_object_from_bytes(bytes(USUAL.large_bytes + 1))
    return container


@pytest.fixture
def batches(filled: Container) -> Batches:
    found = list(sources(filled, lambda: iter(sorted(filled.list_objects()))))
    return [found[start : start + 10] for start in range(0, len(found), 10)]


@pytest.fixture
def workers(filled: Container, limited: Callable[..., Container]) -> Iterator[ArchiveWorkers]:
    with closing(ArchiveWorkers(limited(few_questions=1, processors=2), LEVEL)) as workers:
        yield workers


def packed_here(batches: Batches) -> list[object]:
    return [[pack_member(source, LEVEL) for source in batch] for batch in batches]


def test_workers_pack_as_this_process_does(workers: ArchiveWorkers, batches: Batches) -> None:
    assert [workers.pack(batch) for batch in batches] == packed_here(batches)
    assert sorted(worker.process.poll() is None for worker in workers.pool.started) == [True, True]


def test_killed_workers_lose_nothing(workers: ArchiveWorkers, batches: Batches) -> None:
    found = [workers.pack(batches[0])]
    for worker in workers.pool.started:
        worker.process.kill()
    found += [workers.pack(batch) for batch in batches[1:]]
    assert found == packed_here(batches)


@pytest.mark.parametrize('script', ['exit 1', 'echo no such module', 'read line; echo "[[8,1,2,300]]"; echo short'])
def test_what_a_worker_does_not_answer_for_is_packed_here(
    workers: ArchiveWorkers, batches: Batches, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / 'python'
    program.write_text(f'#!/bin/sh\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, 'executable', str(program))
    assert [workers.pack(batch) for batch in batches] == packed_here(batches)


def test_a_damaged_object_is_told_as_without_workers(
    filled: Container, workers: ArchiveWorkers, batches: Batches
) -> None:
    row = next(iter(filled.index.objects_of_pack(0)))
    with filled.layout.pack_path(0).open('r+b') as pack:
        pack.seek(row.offset)
        pack.write(b'\xff\x00\xff')
    with pytest.raises(UnusableObject) as raised:
        [workers.pack(batch) for batch in batches]
    assert raised.value.key == row.key


def test_they_end_with_the_block(workers: ArchiveWorkers, batches: Batches) -> None:
    workers.pack(batches[0])
    processes = [worker.process for worker in workers.pool.started]
    workers.close()
    assert [process.poll() is not None for process in processes] == [True, True]


def test_a_small_archive_starts_none(filled: Container, batches: Batches) -> None:
    with closing(ArchiveWorkers(filled, LEVEL)) as workers:
        workers.pack(batches[0])
        assert workers.pool.started == []
