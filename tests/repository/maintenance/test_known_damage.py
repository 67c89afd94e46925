"""What is damaged is known to maintenance and verification alike, whoever found it; and costs no disk twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.backend.maintenance import MaintenanceReport
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.repository.container.container import Container

Maintain = Callable[..., MaintenanceReport]
Spoil = Callable[..., None]
EMPTY_KEY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'


def found(container: Container, read: bool = False) -> list[tuple[str, str]]:
    keys = sorted(container.list_objects())
    told = list(container.verify(VerifyOptions(read=read), lambda: iter(keys)))
    return [(one.kind, one.key) for one in told if isinstance(one, Finding) and not one.notice]


def disk_use(container: Container) -> int:
    return sum(container.layout.pack_sizes().values())


@pytest.fixture
def wasteful(limited: Callable[..., Container], spoil: Spoil) -> tuple[Container, list[str], str]:
    """A container with a pack of which a part is waste and the last object damaged; the sound ones, the damaged one."""
    container = limited(commit_objects=5, moved_back=1000)
    contents = [bytes([number]) * 700 + os.urandom(1300) for number in range(40)]
    container.put_objects_into_pack(contents)
    rows = sorted(container.index.objects_of_pack(0), key=lambda row: row.offset)
    container.delete_objects([row.key for row in rows[:12]])
    spoil(container.layout.pack_path(0), rows[-1].offset + 100, 10)
    return container, [row.key for row in rows[12:-1]], rows[-1].key


def test_what_maintenance_finds_damaged_a_verification_tells_without_reading_all(
    wasteful: tuple[Container, list[str], str], maintain: Maintain
) -> None:
    container, _, damaged = wasteful
    assert found(container) == []
    assert [problem.key for problem in maintain(container, full=True).problems] == [damaged]
    assert found(container) == [('damaged object', damaged)]


@pytest.mark.parametrize('options', [{'full': True, 'dry_run': True}, {'full': True}, {}])
def test_what_a_verification_finds_damaged_every_maintenance_tells(
    wasteful: tuple[Container, list[str], str], maintain: Maintain, options: dict[str, bool]
) -> None:
    container, _, damaged = wasteful
    assert found(container, read=True) == [('damaged object', damaged)]
    report = maintain(container, **options)
    assert [(problem.kind, problem.key) for problem in report.problems] == [('damaged', damaged)]


def test_a_pack_with_a_damaged_object_is_as_it_was_after_a_repack_that_met_it(
    wasteful: tuple[Container, list[str], str], maintain: Maintain
) -> None:
    container, sound, damaged = wasteful
    before = container.layout.pack_path(0).read_bytes()
    rows = {key: container.index.find(key) for key in (*sound, damaged)}
    report = maintain(container, full=True)
    assert container.layout.pack_sizes() == {0: len(before)}
    assert container.layout.pack_path(0).read_bytes() == before
    assert {key: container.index.find(key) for key in rows} == rows
    assert all(container.get_object_hash(key) == key for key in sound)
    assert [(step.objects, step.write, step.freed) for step in report.steps if step.name == 'repack'] == [(0, 0, 0)]
    assert '1 left as it is, with damaged objects' in [step.detail for step in report.steps]
    again = maintain(container, full=True)
    assert again.nothing_to_do
    assert again.problem_count == 1
    assert 'pack 0 cannot be rewritten' in again.notes[0].text


def test_objects_of_other_packs_are_moved_and_stay_moved_where_one_pack_has_to_stay(
    wasteful: tuple[Container, list[str], str], maintain: Maintain
) -> None:
    container, sound, _ = wasteful
    with Container(container.layout.folder) as writer:
        other = writer.put_objects_into_pack([os.urandom(3000) for _ in range(10)])
    pack, start = container.layout.pack_path(0), disk_use(container) - 30_000
    with container.index.transaction():
        rows = list(container.index.find_many(other))
        container.index.move([row._replace(pack_id=1, offset=row.offset - start) for row in rows])
    container.layout.pack_path(1).write_bytes(pack.read_bytes()[start:])
    os.truncate(pack, start)
    container.delete_objects(other[:5])
    maintain(container, full=True)
    assert {row.pack_id for row in container.index.find_many(sound)} == {0}
    assert {row.pack_id for row in container.index.find_many(other)} == {2}
    assert container.layout.pack_sizes() == {0: start, 2: 15_000}
    assert all(container.get_object_hash(key) == key for key in (*sound, *other[5:]))


def test_what_is_more_than_can_be_moved_back_is_moved_and_the_pack_not_rewritten_again(
    wasteful: tuple[Container, list[str], str], limited: Callable[..., Container], maintain: Maintain
) -> None:
    _, sound, damaged = wasteful
    container = limited(commit_objects=5, moved_back=3)
    maintain(container, full=True)
    after = container.layout.pack_sizes()
    assert all(container.get_object_hash(key) == key for key in sound)
    assert [problem.key for problem in maintain(container, full=True).problems] == [damaged]
    assert container.layout.pack_sizes() == after


def test_damaged_objects_that_go_as_garbage_are_no_problem_and_no_open_finding(
    wasteful: tuple[Container, list[str], str], maintain: Maintain
) -> None:
    container, sound, _ = wasteful
    assert len(found(container, read=True)) == 1
    plan = maintain(container, sound, full=True, dry_run=True)
    report = maintain(container, sound, full=True)
    assert (plan.problem_count, report.problem_count) == (0, 0)
    state = container.verification_state()
    assert state is not None
    assert state.findings == 0


def test_what_is_put_in_again_is_no_finding_any_more_after_the_next_maintenance(
    container: Container, maintain: Maintain, spoil: Spoil
) -> None:
    (key,) = container.put_objects_into_pack([b'content' * 100])
    spoil(container.layout.pack_path(0), 50, 5)
    assert found(container, read=True) == [('damaged object', key)]
    container.put_object_from_bytes(b'content' * 100)
    assert maintain(container).problem_count == 0
    assert found(container) == []


def test_an_empty_object_is_whole_though_its_pack_ends_before_its_place(
    container: Container, maintain: Maintain
) -> None:
    keys = container.put_objects_into_pack([b'a' * 1000, b'b' * 1000, b''])
    os.truncate(container.layout.pack_path(0), 500)
    damaged = [key for key in keys if key != EMPTY_KEY]
    assert [problem.key for problem in maintain(container, full=True).problems] == sorted(damaged)
    for content in (b'a' * 1000, b'b' * 1000):
        container.put_object_from_bytes(content)
    assert maintain(container, full=True).problem_count == 0
    assert maintain(container, full=True).problem_count == 0
    assert found(container, read=True) == []
    assert container.get_object_content(EMPTY_KEY) == b''


def test_an_empty_object_of_a_pack_that_is_gone_is_missing(container: Container, maintain: Maintain) -> None:
    container.put_objects_into_pack([b'', b'a'])
    Path(container.layout.pack_path(0)).unlink()
    assert maintain(container, full=True).problem_count == 2
