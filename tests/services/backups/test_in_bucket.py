"""A place in a bucket: all that is done with a folder, without a database and without a lock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from given_snapshots import all_pieces, without_settings
from ricordi.backend.bucket import BucketLocation
from ricordi.backend.verification_report import VerifyOptions
from ricordi.config import load_config
from ricordi.config.profile import Profile
from ricordi.manager import use_storage
from ricordi.services.backups.backup import BackupReport, back_up, plan_backup
from ricordi.services.backups.places import address_at
from ricordi.services.backups.rehearsal import rehearse
from ricordi.services.backups.restore import restore
from ricordi.services.backups.snapshots import list_snapshots
from ricordi.services.backups.verify import verify_backup


@pytest.fixture(scope='module')
def bucket(object_store: Any) -> str:
    """One bucket for all: each test has a folder of its own in it."""
    return object_store.new_bucket()


@pytest.fixture
def at(object_store: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of a new folder of a bucket; who we are there, and where it is, stands in the environment."""
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', object_store.access_key)
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', object_store.secret_key)
    monkeypatch.setenv('AWS_ENDPOINT_URL', object_store.endpoint)
    for name in ('AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'XDG_CACHE_HOME'):
        monkeypatch.setenv(name, str(tmp_path / name))
    return f's3://{bucket}/{tmp_path.name}'


@pytest.fixture
def place(at: str) -> BucketLocation:
    found = address_at(at)
    assert isinstance(found, BucketLocation)
    return found


@pytest.fixture
def mixed(reference_home: Path) -> Profile:
    return load_config().get_profile('mixed')


def put(report: BackupReport) -> tuple[int, int]:
    """How many pieces and objects a backup has put."""
    assert report.record is not None
    return report.record.added_pieces.objects, report.record.added.objects


def test_what_was_backed_up_is_restored_and_a_second_backup_puts_its_manifest_alone(
    mixed: Profile, place: BucketLocation, at: str, to_sqlite: Callable[..., Any], object_store: Any, bucket: str
) -> None:
    planned = plan_backup(mixed, place)
    first = back_up(mixed, place, tags=['first'])
    assert planned.plan is not None
    assert first.record is not None
    assert (planned.plan.pieces.objects, planned.plan.objects.objects) == put(first)
    assert first.record.complete
    before = object_store.names(bucket, place.prefix)
    second = back_up(mixed, place)
    assert put(second) == (0, 0)
    assert second.record is not None
    new = [f'{place.prefix}/snapshots/{second.record.name}.json']
    assert sorted({*object_store.names(bucket, place.prefix)} - {*before}) == new
    listed = list_snapshots(place)
    assert [record.name for record in listed.records] == [first.record.name, second.record.name]
    report = restore(f'{at}@{first.record.name}', to_sqlite())
    assert (report.problem_count, report.place) == (0, at)
    with (
        use_storage(mixed) as old,
        use_storage(load_config().get_profile('back')) as new_storage,
        old.snapshot() as one,
        new_storage.snapshot() as other,
    ):
        assert without_settings(all_pieces(one)) == without_settings(all_pieces(other))
        for key in one.named_keys():
            assert old.repository.get_object_content(key) == new_storage.repository.get_object_content(key)
    assert rehearse(at).succeeded
    sound = verify_backup(place, VerifyOptions(read=True))
    assert (sound.counts, sound.notices, sound.interrupted) == ({}, {}, None)
    assert sound.state is not None
    assert sound.state.recent_share == 1.0
