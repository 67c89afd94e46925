"""Snapshots are made and removed in a bucket beside each other, without a lock, and none ever lacks anything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from backup.conftest import ORIGIN, FewRows
from backup.in_buckets import SMALL, BeforeRequest, Dying, Killed, opened
from ricordi.backup.records import SnapshotRecord
from ricordi.backup.repository import BackupRepository
from ricordi.repository.container.container import Container

memory_store = pytest.importorskip('obstore.store', reason='obstore is not installed').MemoryStore


@pytest.fixture
def fewer(nodes: dict[int, str]) -> dict[int, str]:
    """Some of the nodes, so few that packs are written anew for the sake of the others."""
    return {pk: nodes[pk] for pk in list(nodes)[:3]}


@pytest.fixture
def two(source: Container, nodes: dict[int, str], fewer: dict[int, str]) -> Callable[[], tuple[Any, SnapshotRecord]]:
    """Makes a place with a snapshot of all nodes, to be forgotten, and one of some of them."""

    def make() -> tuple[Any, SnapshotRecord]:
        client = memory_store()
        backups = opened(client)
        first = backups.take(FewRows(nodes), source, ORIGIN)
        backups.take(FewRows(fewer), source, ORIGIN)
        return client, first

    return make


def faults(client: Any, snapshots: int) -> list[str]:
    """What is wrong with what a host sees that has never been here; every object of every snapshot is read."""
    backups = opened(client)
    records, unreadable = backups.read_all()
    assert (len(records), unreadable) == (snapshots, {})
    found = [fault for record in records for fault in backups.check(record)]
    for record in records:
        for key in backups.database(record).named_keys():
            backups.objects.get_object_content(key)
    return found


def names(client: Any, folder: str) -> list[str]:
    import obstore

    return [one['path'] for page in obstore.list(client, folder) for one in page]


def take(client: Any, nodes: dict[int, str], source: Container) -> SnapshotRecord:
    return opened(client).take(FewRows(nodes), source, ORIGIN)


def forget_all_but(client: Any, kept: int) -> None:
    """Remove all snapshots but the last ones, and what only they have named."""
    backups = opened(client, dead_seconds=-1.0)
    report = backups.forget(backups.names()[:-kept])
    assert report.trouble == ''


def test_a_snapshot_made_at_any_moment_of_forgetting_is_whole(
    two: Callable[[], tuple[Any, SnapshotRecord]], source: Container, nodes: dict[int, str]
) -> None:
    for number in count(1):
        client, first = two()
        forgetting = opened(client)
        steps = BeforeRequest(forgetting, number, lambda client=client: take(client, nodes, source))
        assert forgetting.forget([first.name]).trouble == ''
        if steps.count < number:
            break
        assert faults(client, 2) == [], f'before step {number}'
    assert number > 10


def test_forgetting_at_any_moment_of_a_backup_takes_nothing_from_it(
    two: Callable[[], tuple[Any, SnapshotRecord]], source: Container, nodes: dict[int, str]
) -> None:
    for number in count(1):
        client, first = two()
        taking = opened(client)
        steps = BeforeRequest(taking, number, lambda client=client, first=first: opened(client).forget([first.name]))
        taking.take(FewRows(nodes, {1: 'other'}), source, ORIGIN)
        if steps.count < number:
            break
        assert faults(client, 2) == [], f'before step {number}'
        assert names(client, 'pending') == []
    assert number > 10


def test_two_who_forget_at_once_take_nothing_that_is_named(
    two: Callable[[], tuple[Any, SnapshotRecord]],
) -> None:
    for number in count(1, 2):
        client, first = two()
        forgetting = opened(client)
        steps = BeforeRequest(
            forgetting, number, lambda client=client, first=first: opened(client).forget([first.name])
        )
        forgetting.forget([first.name])
        if steps.count < number:
            break
        assert faults(client, 1) == [], f'before step {number}'
    assert number > 10


def test_two_who_forget_different_snapshots_need_no_further_run(
    source: Container, nodes: dict[int, str], fewer: dict[int, str]
) -> None:
    others = {pk: nodes[pk] for pk in list(nodes)[-4:]}
    for number in count(1, 2):
        client = memory_store()
        backups = opened(client)
        first, second = (backups.take(FewRows(some), source, ORIGIN) for some in (nodes, others))
        backups.take(FewRows(fewer), source, ORIGIN)
        forgetting, troubles = opened(client), list[str]()
        steps = BeforeRequest(
            forgetting,
            number,
            lambda client=client, second=second, troubles=troubles: troubles.append(
                opened(client).forget([second.name]).trouble
            ),
        )
        troubles.append(forgetting.forget([first.name]).trouble)
        assert {*troubles} == {''}, f'before step {number}'
        if steps.count < number:
            break
        assert faults(client, 1) == [], f'before step {number}'
    assert number > 10


@pytest.mark.parametrize('work', ['take', 'forget'])
def test_whoever_dies_at_any_moment_leaves_what_is_sound_and_what_the_next_one_clears_away(
    two: Callable[[], tuple[Any, SnapshotRecord]], source: Container, nodes: dict[int, str], work: str
) -> None:
    for number in count(1, 2):
        client, first = two()
        dying = opened(client)
        steps = Dying(dying, number)
        with suppress(Killed):
            if work == 'take':
                dying.take(FewRows(nodes, {1: 'other'}), source, ORIGIN)
            else:
                dying.forget([first.name])
        there = len(opened(client).names())
        assert faults(client, there) == [], f'before step {number}'
        if steps.count < number:
            break
        take(client, nodes, source)
        forget_all_but(client, 1)
        assert faults(client, 1) == [], f'before step {number}'
        assert names(client, 'pending') == names(client, 'condemned') == []
        assert_nothing_is_left_over(opened(client))
    assert number > 10


def assert_nothing_is_left_over(backups: BackupRepository) -> None:
    """Every pack holds something that the only snapshot needs."""
    (record,) = backups.snapshots()
    needed = {*backups.database(record).named_keys()}
    needed |= {entry.key for part in record.parts for entry in part.lists}
    catalogue = backups.objects.catalogue  # type: ignore[attr-defined]
    catalogue.look_again()
    held: dict[Any, set[str]] = {}
    for place in catalogue.placements():
        held.setdefault(place.pack, set()).add(place.key)
    pieces = {piece for part in record.parts for piece in pieces_of(backups, part)}
    assert all(keys & (needed | pieces) for keys in held.values())


def pieces_of(backups: BackupRepository, part: Any) -> list[str]:
    from ricordi.backup.pieces import pieces_in

    return [entry.key for lists in part.lists for entry in pieces_in(backups.objects, lists)]


def test_what_was_put_lately_is_left_to_whoever_has_put_it(source: Container, nodes: dict[int, str]) -> None:
    client = memory_store()
    record = take(client, nodes, source)
    packs = names(client, 'packs')
    careful = opened(client, SMALL._replace(leftover_seconds=3600.0))
    report = careful.forget([record.name])
    assert report.maintenance is not None
    assert report.maintenance.steps == ()
    assert names(client, 'packs') == packs
    opened(client).forget([])
    assert names(client, 'packs') == []


def test_who_is_dead_is_waited_for_a_while_and_no_longer(source: Container, nodes: dict[int, str]) -> None:
    client = memory_store()
    dying = opened(client)
    last = BeforeRequest(dying, 0, lambda: None)
    dying.take(FewRows(nodes), source, ORIGIN)
    steps, client = last.count, memory_store()
    dying = opened(client)
    Dying(dying, steps - 1)
    with pytest.raises(Killed):
        dying.take(FewRows(nodes), source, ORIGIN)
    assert names(client, 'pending')
    opened(client).forget([])
    assert names(client, 'packs')
    opened(client, dead_seconds=-1.0).forget([])
    assert names(client, 'packs') == names(client, 'pending') == []
