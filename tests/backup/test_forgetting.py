"""Snapshots are removed by name or by a policy; what others name stays, what nobody names goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup.conftest import ORIGIN, FewRows, written
from ricordi.backend.maintenance import Amount
from ricordi.backend.repository import Owner
from ricordi.backup.key_spool import lacking
from ricordi.backup.policy import KeepPolicy, kept_by
from ricordi.backup.records import SnapshotRecord
from ricordi.backup.repository import BackupRepository
from ricordi.errors import BusyBackupRepository, ForeignRepository, NotExistent, UsageError
from ricordi.manager import open_backup
from ricordi.repository.container.container import Container
from ricordi.services.backups.snapshots import estimate_forgetting, forget, plan_forgetting


@pytest.fixture
def two(backups: BackupRepository, source: Container, nodes: dict[int, str]) -> list[SnapshotRecord]:
    """Two snapshots: nodes that were deleted are in the first one alone, one that is new in the second."""
    first = backups.take(FewRows(nodes), source, ORIGIN, tags=('first',))
    fewer = {pk: key for pk, key in nodes.items() if pk > 4} | {20: source.put_object_from_bytes(b'new')}
    return [first, backups.take(FewRows(fewer), source, ORIGIN)]


def keys_of(backups: BackupRepository, record: SnapshotRecord) -> list[str]:
    return list(backups.database(record).named_keys())


def is_whole(backups: BackupRepository, record: SnapshotRecord) -> bool:
    database = backups.database(record)
    for part in database.parts:
        list(database.pieces(part))
    return [*lacking(database.named_keys(), backups.objects.list_objects())] == []


def test_what_only_a_forgotten_snapshot_named_goes(
    backups: BackupRepository, two: list[SnapshotRecord], nodes: dict[int, str]
) -> None:
    first, second = two
    report = backups.forget([first.name])
    assert (report.removed, report.kept, report.trouble) == ((first.name,), 1, '')
    assert backups.snapshots() == [second]
    assert is_whole(backups, second)
    there = {*backups.objects.list_objects()}
    assert there & {*nodes.values()} == {key for pk, key in nodes.items() if pk > 4}
    assert not there & {entry.key for part in first.parts for entry in part.lists} - {
        entry.key for part in second.parts for entry in part.lists
    }
    again = backups.forget([])
    assert again.maintenance is not None
    assert again.maintenance.nothing_to_do


def test_the_last_snapshot_leaves_nothing_behind(backups: BackupRepository, two: list[SnapshotRecord]) -> None:
    backups.forget([record.name for record in two])
    assert (backups.names(), list(backups.objects.list_objects())) == ([], [])


def test_a_plan_changes_nothing(backups: BackupRepository, two: list[SnapshotRecord], place: Path) -> None:
    before = written(place)
    plan = plan_forgetting(place, policy=KeepPolicy(last=1))
    assert (plan.forget, plan.keep) == ((two[0].name,), {two[1].name: ('last',)})
    done = estimate_forgetting(plan).report
    assert done.maintenance is not None
    assert done.maintenance.before.garbage is not None
    assert done.maintenance.before.garbage.objects > 4
    assert written(place) == before
    assert forget(plan).report.removed == plan.forget
    assert backups.snapshots() == two[1:]


def test_an_incomplete_snapshot_does_not_keep_space_from_being_given_back(
    backups: BackupRepository, two: list[SnapshotRecord], source: Container, nodes: dict[int, str]
) -> None:
    lost = next(key for pk, key in nodes.items() if pk > 4)
    source.delete_objects([lost])
    backups.forget([record.name for record in two])
    incomplete = backups.take(FewRows(nodes), source, ORIGIN)
    assert not incomplete.complete
    other = backups.take(FewRows({1: nodes[1]}), source, ORIGIN)
    report = backups.forget([other.name])
    assert report.trouble == ''
    assert report.maintenance is not None
    assert report.maintenance.problem_count == 0


@pytest.mark.parametrize('what', ['manifest', 'list', 'piece'])
def test_what_cannot_be_read_keeps_all_objects(
    backups: BackupRepository, two: list[SnapshotRecord], what: str, place: Path
) -> None:
    first, second = two
    damaged_keys = {
        'list': [entry.key for part in second.parts for entry in part.lists],
        'piece': [
            row.split('\t')[-1]
            for part in second.parts
            for entry in part.lists
            for row in backups.objects.get_object_content(entry.key).decode().splitlines()
        ],
        'manifest': [],
    }[what]
    if what == 'manifest':
        (backups.place.snapshots / f'{second.name}.json').write_bytes(b'{}')
    else:
        backups.objects.delete_objects(damaged_keys)
    before = [*backups.objects.list_objects()]
    report = backups.forget([first.name])
    assert report.removed == (first.name,)
    assert 'removed' in report.trouble
    assert [*backups.objects.list_objects()] == before
    # who removes what cannot be read, by its name, has the space
    plan = plan_forgetting(place, [second.name[:20]])
    assert forget(plan).report.trouble == ''
    assert list(backups.objects.list_objects()) == []


def test_beside_a_backup_nothing_is_removed(backups: BackupRepository, two: list[SnapshotRecord], place: Path) -> None:
    with open_backup(place) as other, other.held():
        with pytest.raises(BusyBackupRepository, match='made or read'):
            backups.forget([two[0].name])
        assert backups.snapshots() == two
    assert backups.forget([two[0].name]).removed == (two[0].name,)


def test_a_store_that_a_database_claims_keeps_its_objects(backups: BackupRepository, two: list[SnapshotRecord]) -> None:
    backups.objects.set_owner(Owner('another', 'profile main'))
    before = [*backups.objects.list_objects()]
    with pytest.raises(ForeignRepository, match='profile main'):
        backups.forget([two[0].name])
    assert [*backups.objects.list_objects()] == before


# policies --------------------------------------------------------------------------------------------------

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def made(two: list[SnapshotRecord]) -> list[SnapshotRecord]:
    """Snapshots of two profiles, every six hours for a hundred days."""
    records = []
    for number in range(400):
        time = NOON - timedelta(hours=6 * number)
        for uuid in ('a', 'b'):
            origin = ORIGIN._replace(profile_uuid=uuid)
            records.append(two[0]._replace(name=f'{uuid}{number}', time=time, origin=origin))
    return records


@pytest.mark.parametrize(
    ('policy', 'kept'),
    [
        (KeepPolicy(last=3), [0, 1, 2]),
        (KeepPolicy(hourly=2), [0, 1]),
        (KeepPolicy(daily=3), [0, 3, 7]),
        (KeepPolicy(weekly=2), [0, 19]),
        (KeepPolicy(monthly=3), [0, 107, 231]),
        (KeepPolicy(yearly=5), [0]),
        (KeepPolicy(last=1, daily=2, monthly=1), [0, 3]),
    ],
)
def test_a_policy_keeps_the_last_of_each_period_of_each_profile(
    made: list[SnapshotRecord], policy: KeepPolicy, kept: list[int]
) -> None:
    assert {*kept_by(policy, made, LATER)} == {f'{uuid}{number}' for uuid in 'ab' for number in kept}


def test_the_last_complete_snapshot_stays_however_many_came_after_it(made: list[SnapshotRecord]) -> None:
    records = [
        record._replace(missing_count=0 if record.name in ('a5', 'a9') else 1, objects=Amount(1, 1))
        for record in made
        if record.origin.profile_uuid == 'a'
    ]
    assert kept_by(KeepPolicy(last=2), records, LATER) == {'a0': ['last'], 'a1': ['last'], 'a5': ['last complete']}


def test_what_has_a_time_that_is_yet_to_come_stays_and_pushes_nothing_out(made: list[SnapshotRecord]) -> None:
    records = [record for record in made if record.origin.profile_uuid == 'a']
    kept = kept_by(KeepPolicy(last=1), records, NOON - timedelta(hours=12))
    assert kept == {'a0': ['in the future'], 'a1': ['in the future'], 'a2': ['last']}


def test_only_snapshots_with_a_tag_are_looked_at(place: Path, two: list[SnapshotRecord]) -> None:
    plan = plan_forgetting(place, policy=KeepPolicy(last=1), tags=['first'])
    assert (plan.forget, [*plan.keep]) == ((), [two[0].name, two[1].name])
    assert plan.keep[two[1].name] == ()


def test_a_policy_that_keeps_nothing_and_names_beside_a_policy_are_refused(
    place: Path, two: list[SnapshotRecord]
) -> None:
    with pytest.raises(UsageError, match='all would go'):
        plan_forgetting(place)
    with pytest.raises(UsageError, match='not both'):
        plan_forgetting(place, ['latest'], KeepPolicy(last=1))
    with pytest.raises(UsageError, match='negative'):
        plan_forgetting(place, policy=KeepPolicy(last=-1))
    with pytest.raises(NotExistent, match='no snapshot'):
        plan_forgetting(place, ['20200101'])
    assert plan_forgetting(place, ['latest']).forget == (two[1].name,)
