"""Backing up profiles, of SQLite and of PostgreSQL: beside others, into places that may hold it, and noted."""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

from both_programs import add_psql_profile
from prepared import reference_database
from ricordi.backend.rows import GroupRow
from ricordi.backup.policy import KeepPolicy
from ricordi.backup.records import SnapshotRecord
from ricordi.backup.repository import BackupRepository
from ricordi.config import Profile, load_config
from ricordi.errors import FutureSnapshot, InvalidOperation, NoBackupRepository, UsageError
from ricordi.manager import open_backup, use_storage
from ricordi.services.backups.backup import back_up, plan_backup
from ricordi.services.backups.history import forget_backups, last_backups
from ricordi.services.backups.repository_source import chosen_snapshot
from ricordi.services.backups.snapshots import list_snapshots
from ricordi.services.status import get_status
from ricordi.services.storage import get_info

if TYPE_CHECKING:
    from conftest import PostgresServer


def profile_of(name: str) -> Profile:
    return load_config().get_profile(name)


@pytest.fixture
def psql(reference_home: Path, postgres: PostgresServer, new_database: Callable[..., str]) -> Profile:
    """The reference data in PostgreSQL."""
    return profile_of(add_psql_profile(reference_home, postgres, new_database(reference_database(postgres))))


@pytest.fixture(params=['mixed', 'psql'])
def profile(request: pytest.FixtureRequest, reference_home: Path) -> Profile:
    """The reference data in each database."""
    return profile_of('mixed') if request.param == 'mixed' else request.getfixturevalue('psql')


def test_a_profile_is_backed_up_and_a_second_time_nothing_is_put(profile: Profile, tmp_path: Path) -> None:
    place = tmp_path / 'place'
    plan = plan_backup(profile, place).plan
    assert plan is not None
    assert not place.exists()
    record = back_up(profile, place, tags=['x']).record
    assert record is not None
    assert (record.added_pieces, record.added) == (plan.pieces, plan.objects)
    assert record.complete
    assert record.origin.profile_uuid == profile.uuid
    with use_storage(profile) as storage, open_backup(place) as backups, storage.snapshot() as now:
        database = backups.database(record)
        assert [*database.named_keys()] == [*now.named_keys()]
        assert database.parts == now.parts
        for part in now.parts:
            assert [*database.pieces(part)] == [*now.pieces(part)]
        for key in now.named_keys():
            assert backups.objects.get_object_content(key) == storage.repository.get_object_content(key)
        assert record.origin.container == storage.repository.uuid
    again = back_up(profile, place).record
    assert again is not None
    assert (again.added_pieces.objects, again.added.objects) == (0, 0)
    again_planned = plan_backup(profile, place).plan
    assert again_planned is not None
    assert (again_planned.pieces.objects, again_planned.objects.objects) == (0, 0)


def test_no_password_and_no_way_in_enters_a_place(psql: Profile, tmp_path: Path) -> None:
    config = psql.storage_config
    back_up(psql, tmp_path / 'place')
    manifest = next((tmp_path / 'place' / 'snapshots').iterdir()).read_text()
    assert config['database_name'] in manifest
    for secret in (config['database_password'], str(config['database_port']), config['repository_uri']):
        assert secret not in manifest


def test_many_profiles_share_a_place(reference_home: Path, tmp_path: Path) -> None:
    place = tmp_path / 'place'
    for name in ('mixed', 'loose', 'mixed'):
        back_up(profile_of(name), place, policy=KeepPolicy(last=1))
    assert [record.origin.profile for record in list_snapshots(place).records] == ['loose', 'mixed']


def test_what_was_just_made_stays_where_an_older_snapshot_has_a_later_time(
    reference_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, profile = tmp_path / 'place', profile_of('mixed')
    with monkeypatch.context() as patch:
        patch.setattr('ricordi.backup.repository.now', lambda: (datetime.now(UTC) + timedelta(days=400), 0.0))
        ahead = back_up(profile, place).record
    made = [back_up(profile, place, policy=KeepPolicy(last=1)).record for _ in range(2)][-1]
    assert ahead is not None
    assert made is not None
    assert {record.name for record in list_snapshots(place).records} == {made.name, ahead.name}
    with open_backup(place) as repository:
        for wanted, of in [(None, None), ('latest', None), (None, profile.name), ('latest', profile.name)]:
            with pytest.warns(FutureSnapshot, match=ahead.name):
                assert chosen_snapshot(repository, wanted, of).name == ahead.name
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            for of in (None, profile.name):
                assert chosen_snapshot(repository, made.name, of).name == made.name


def test_a_policy_with_a_tag_leaves_what_was_made_by_hand(reference_home: Path, tmp_path: Path) -> None:
    place, profile = tmp_path / 'place', profile_of('mixed')
    by_hand = back_up(profile, place, tags=['by hand']).record
    for _ in range(2):
        report = back_up(profile, place, tags=['nightly'], policy=KeepPolicy(last=1))
    assert by_hand is not None
    assert report.record is not None
    assert report.forgotten is not None
    assert report.forgotten.kept == 2
    assert {record.name for record in list_snapshots(place).records} == {by_hand.name, report.record.name}


def test_others_may_use_the_profile_meanwhile_and_full_maintenance_waits(
    reference_home: Path, tmp_path: Path, run_cli: Callable[..., CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, real = profile_of('mixed'), BackupRepository.take
    met: list[CompletedProcess[str]] = []

    def meanwhile(*arguments: Any, **more: Any) -> SnapshotRecord:
        met.append(run_cli('-p', 'mixed', 'group', 'create', 'meanwhile'))
        met.append(run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes'))
        return real(*arguments, **more)

    monkeypatch.setattr(BackupRepository, 'take', meanwhile)
    record = back_up(profile, tmp_path / 'place').record
    assert [done.returncode for done in met] == [0, 5]
    assert 'storage backup' in met[1].stderr
    assert record is not None
    with use_storage(profile) as storage:
        assert len([*storage.find(GroupRow)]) == record.rows['db_dbgroup'] + 1


def test_places_that_would_be_lost_with_the_profile_are_refused(reference_home: Path, tmp_path: Path) -> None:
    profile = profile_of('mixed')
    storage = Path(profile.storage_config['filepath'])
    link = tmp_path / 'link'
    link.symlink_to(storage)
    for place in (storage, storage / 'container' / 'backup', reference_home / 'backup', link / 'backup'):
        with pytest.raises(UsageError, match='would be lost with it'):
            back_up(profile, place)
        with pytest.raises(UsageError):
            plan_backup(profile, place)
    assert not (reference_home / 'backup').exists()


def test_places_that_hold_something_else_are_refused_before_anything_is_read(
    reference_home: Path, tmp_path: Path
) -> None:
    (tmp_path / 'place').mkdir()
    (tmp_path / 'place' / 'photo.jpg').touch()
    for work in (back_up, plan_backup):
        with pytest.raises(NoBackupRepository, match='something else'):
            work(profile_of('mixed'), tmp_path / 'place')
    assert last_backups(profile_of('mixed')) == []


def test_an_archive_is_its_own_backup(reference_home: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidOperation, match='an archive'):
        back_up(profile_of('archive'), tmp_path / 'place')


# what is remembered ----------------------------------------------------------------------------------------


def test_the_last_backup_is_told(reference_home: Path, tmp_path: Path) -> None:
    profile = profile_of('mixed')
    assert get_info(profile, detailed=False)['last_backup']['place'] is None
    assert get_status('mixed').checks[-1].detail == 'none is known of'
    back_up(profile, tmp_path / 'one')
    record = back_up(profile, tmp_path / 'two').record
    assert record is not None
    assert get_info(profile, detailed=False)['last_backup'] == {
        'place': str(tmp_path / 'two'),
        'snapshot': record.name,
        'time': record.time,
        'complete': True,
    }
    assert [Path(backup.place).name for backup in last_backups(profile)] == ['two', 'one']
    check = get_status('mixed').checks[-1]
    assert (check.name, check.state) == ('backup', 'ok')
    assert record.name in check.detail
    assert 'a moment old' in check.detail
    forget_backups(profile)
    assert last_backups(profile) == []


@pytest.mark.parametrize('noted', ['no JSON', '{"backups": 7}', '{"backups": [7, {"place": "x"}]}'])
def test_a_note_that_says_nothing_that_can_be_is_no_obstacle(reference_home: Path, tmp_path: Path, noted: str) -> None:
    note = reference_home / 'log' / 'ricordi-backups-mixed.json'
    note.parent.mkdir(exist_ok=True)
    note.write_text(noted)
    assert last_backups(profile_of('mixed')) == []
    back_up(profile_of('mixed'), tmp_path / 'place')
    assert len(json.loads(note.read_text())['backups']) == 1


# what PostgreSQL would refuse ------------------------------------------------------------------------------


def test_values_that_postgresql_refuses_are_named_and_kept(reference_home: Path, tmp_path: Path) -> None:
    profile = profile_of('mixed')
    with sqlite3.connect(Path(profile.storage_config['filepath']) / 'database.sqlite') as database:
        database.execute("UPDATE db_dbnode SET label = 'a' || char(0) || 'b' WHERE id = 1")
    record = back_up(profile, tmp_path / 'place').record
    assert record is not None
    assert [(misfit.table, misfit.pk, misfit.column) for misfit in record.misfits] == [('db_dbnode', 1, 'label')]
    with open_backup(tmp_path / 'place') as backups:
        again = backups.find(record.name)
        assert backups.database(again).misfits(10) == [*record.misfits]
