"""SIGKILL at the changes that a backup and the removal of a snapshot make: what was there stays whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from backup.conftest import ORIGIN, FewRows
from faults.trap import killed
from ricordi.backup.forgetting import forget
from ricordi.backup.key_spool import lacking
from ricordi.backup.records import SnapshotRecord
from ricordi.backup.repository import BackupRepository
from ricordi.manager import open_backup
from ricordi.repository.container import known, zlib_pieces
from ricordi.repository.container.container import Container
from ricordi.repository.maintenance import maintenance

assert all((forget, known, zlib_pieces, maintenance))  # imported here, before the forks


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Container]:
    with Container(tmp_path / 'source') as container:
        container.initialise()
        container.put_objects_into_pack([b'packed %d' % number * 99 for number in range(4)])
        container.put_object_from_bytes(b'loose')
        yield container


def is_whole(backups: BackupRepository, record: SnapshotRecord) -> bool:
    database = backups.database(record)
    for part in database.parts:
        list(database.pieces(part))
    return not [*lacking(database.named_keys(), backups.objects.list_objects())]


def kill_at_each_change(place: Path, before: Path, work: Callable[[], object], look: Callable[[], None]) -> int:
    """Do the work from the same beginning, again and again, killed at one change after the other; returns how many.

    Ends with the change that there is none of.
    """
    for point in count(1):
        shutil.rmtree(place, ignore_errors=True)
        if before.exists():
            shutil.copytree(before, place)
        died, _ = killed(work, point)
        if not died:
            return point - 1
        look()
    raise AssertionError('the work never ends')


@pytest.mark.slow
@pytest.mark.parametrize('is_first', [True, False])
def test_a_backup_that_is_killed_leaves_all_as_it_was_and_the_next_one_succeeds(
    tmp_path: Path, source: Container, is_first: bool, record_property: Callable[[str, object], None]
) -> None:
    place, before = tmp_path / 'place', tmp_path / 'before'
    nodes = dict(enumerate(source.list_objects(), 1))
    earlier: list[SnapshotRecord] = []
    if not is_first:
        with open_backup(before, create=True) as backups:
            earlier.append(backups.take(FewRows({pk: key for pk, key in nodes.items() if pk > 2}), source, ORIGIN))

    def work() -> None:
        with Container(source.layout.folder) as objects, open_backup(place, create=True) as backups:
            backups.take(FewRows(nodes), objects, ORIGIN)

    def look() -> None:
        with open_backup(place, create=True) as backups:
            records, faults = backups.read_all()
            assert not faults
            assert {record.name for record in earlier} <= {record.name for record in records}
            assert all(is_whole(backups, record) for record in records)
            made = backups.take(FewRows(nodes), source, ORIGIN)
            assert made.complete
            assert is_whole(backups, made)

    points = kill_at_each_change(place, before, work, look)
    assert points > 20, 'the trap no longer lies under all that changes files'
    record_property('counted', f'storage backup{", first" if is_first else ""}: killed at each of {points} changes')


@pytest.mark.slow
def test_removing_a_snapshot_that_is_killed_leaves_the_others_whole_and_the_next_one_finishes(
    tmp_path: Path, source: Container, record_property: Callable[[str, object], None]
) -> None:
    place, before = tmp_path / 'place', tmp_path / 'before'
    nodes = dict(enumerate(source.list_objects(), 1))
    with open_backup(before, create=True) as backups:
        first = backups.take(FewRows(nodes), source, ORIGIN)
        second = backups.take(FewRows({1: nodes[1]}), source, ORIGIN)

    def work() -> None:
        with open_backup(place) as backups:
            backups.forget([first.name])

    def look() -> None:
        with open_backup(place) as backups:
            assert second in backups.snapshots()
            assert all(is_whole(backups, record) for record in backups.snapshots())
            report = backups.forget([first.name])
            assert report.trouble == ''
            assert backups.snapshots() == [second]
            assert is_whole(backups, second)
            assert nodes[2] not in {*backups.objects.list_objects()}

    points = kill_at_each_change(place, before, work, look)
    assert points > 10, 'the trap no longer lies under all that changes files'
    record_property('counted', f'storage forget: killed at each of {points} changes')
