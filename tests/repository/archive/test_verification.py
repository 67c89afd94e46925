"""Members of an archive are compared with their names by several processes, with the same result as by one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ricordi.errors import CorruptStorage
from ricordi.progress import Run, Stop
from ricordi.repository import worker_process
from ricordi.repository.archive import verification as archive_verification
from ricordi.repository.archive.unpacking import verify_members
from ricordi.repository.archive.verification import Batch, MemberVerifier
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.batches import batches_of
from ricordi.repository.limits import Limits
from ricordi.zipfiles.directory import ZipDirectory

LIMITS = Limits(batch_objects=3, few_questions=1, processors=2)
REFERENCE = Path(__file__).parents[2] / 'data' / 'reference.aiida'


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A copy of the archive that AiiDA made."""
    return Path(shutil.copy(REFERENCE, tmp_path / 'reference.aiida'))


@pytest.fixture
def directory(archive: Path) -> Iterator[ZipDirectory]:
    with closing(ZipDirectory(archive)) as directory:
        yield directory


@pytest.fixture
def batches(directory: ZipDirectory) -> list[Batch]:
    """Its objects in groups of three."""
    members = sorted(
        (member for member in directory.members() if member.name.startswith(PREFIX) and member.name != PREFIX),
        key=lambda member: member.offset,
    )
    return list(batches_of(members, LIMITS))


@pytest.fixture
def verifier(directory: ZipDirectory) -> Iterator[MemberVerifier]:
    with closing(MemberVerifier(directory, LIMITS)) as verifier:
        yield verifier


def verify_all(verifier: MemberVerifier, batches: list[Batch]) -> int:
    return sum(verifier.verify(batch) for batch in batches)


def content_bytes(batches: list[Batch]) -> int:
    return sum(member.size for batch in batches for member in batch)


@pytest.fixture
def asked_here(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The batches that this process looked at itself."""
    seen: list[Batch] = []
    verify = archive_verification.verify

    def noted(directory: ZipDirectory, batch: Batch) -> None:
        seen.append(batch)
        verify(directory, batch)

    monkeypatch.setattr(archive_verification, 'verify', noted)
    return seen


def test_workers_verify_all(verifier: MemberVerifier, batches: list[Batch], asked_here: list[Batch]) -> None:
    assert verify_all(verifier, batches) == content_bytes(batches) > 0
    assert asked_here == []


def test_killed_workers_leave_the_rest_to_us(
    verifier: MemberVerifier, batches: list[Batch], asked_here: list[Batch]
) -> None:
    verifier.verify(batches[0])
    for worker in verifier.pool.started:
        worker.process.kill()
    assert verify_all(verifier, batches[1:]) == content_bytes(batches[1:])
    assert asked_here == batches[1:]


@pytest.mark.parametrize('script', ['exit 1', 'echo no such module', 'read line; echo 1', 'read line; echo null'])
def test_what_a_worker_does_not_answer_for_is_verified_here(
    verifier: MemberVerifier,
    batches: list[Batch],
    asked_here: list[Batch],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    script: str,
) -> None:
    program = tmp_path / 'python'
    program.write_text(f'#!/bin/sh\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, 'executable', str(program))
    assert verify_all(verifier, batches) == content_bytes(batches)
    assert asked_here == batches


@pytest.mark.parametrize('number', [0, -1])
def test_a_damaged_member_is_named(
    archive: Path, directory: ZipDirectory, verifier: MemberVerifier, batches: list[Batch], number: int
) -> None:
    member = batches[number][number]
    with archive.open('r+b') as file:
        file.seek(directory.data_offset(member) + member.packed // 2)
        file.write(b'\xff\x00\xff')
    with pytest.raises(CorruptStorage, match=member.name):
        verify_all(verifier, batches)


def test_another_file_in_its_place_is_not_looked_at(
    archive: Path, verifier: MemberVerifier, batches: list[Batch], asked_here: list[Batch]
) -> None:
    archive.unlink()
    shutil.copy(REFERENCE, archive)
    assert verify_all(verifier, batches) == content_bytes(batches)
    assert asked_here == batches


def test_where_no_process_can_be_started_all_is_verified_here(
    verifier: MemberVerifier, batches: list[Batch], asked_here: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'executable', '/no/such/interpreter')
    assert verify_all(verifier, batches) == content_bytes(batches)
    assert asked_here == batches
    assert verifier.pool.started == []


def test_a_question_that_fails_leaves_the_pool_at_work(verifier: MemberVerifier, batches: list[Batch]) -> None:
    def fail(worker: object) -> int:
        raise MemoryError

    for _ in range(3):
        with suppress(MemoryError):
            verifier.pool.ask(fail)
    assert verify_all(verifier, batches) == content_bytes(batches)


def test_a_small_archive_starts_no_process(directory: ZipDirectory, batches: list[Batch]) -> None:
    with closing(MemberVerifier(directory)) as verifier:
        verifier.verify(batches[0])
        assert verifier.pool.started == []


def test_told_to_stop_all_ends(directory: ZipDirectory, batches: list[Batch], monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[worker_process.WorkerPool] = []
    start = archive_verification.WorkerPool

    def noted(*words: object, **options: object) -> worker_process.WorkerPool:
        pools.append(start(*words, **options))  # type: ignore[arg-type]
        return pools[-1]

    monkeypatch.setattr(archive_verification, 'WorkerPool', noted)
    stop = Stop()
    stop.request('SIGTERM')
    members = (member for batch in batches for member in batch)
    with pytest.raises(Exception, match='SIGTERM'):
        verify_members(directory, members, Run(stop=stop), LIMITS)
    assert [worker.process.returncode is not None for worker in pools[0].started] == [True] * len(pools[0].started)
