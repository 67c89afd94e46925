"""A place in a bucket: all that is done with a folder, without a database and without a lock."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from given_snapshots import all_pieces, without_settings
from ricordi.backend.bucket import BucketLocation
from ricordi.backend.repository import FreeSpace
from ricordi.backend.rows import EntityKind, UserRow
from ricordi.backend.verification_report import VerifyOptions
from ricordi.config import load_config
from ricordi.config.profile import Profile
from ricordi.errors import CorruptStorage, NoBackupRepository, NotEnoughSpace, NotExistent, UnreachableStorage
from ricordi.manager import open_backup, use_storage
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.listed.repository import ListedRepository
from ricordi.repository.container.container import Container
from ricordi.services.backups.backup import BackupReport, back_up, plan_backup
from ricordi.services.backups.places import address_at
from ricordi.services.backups.rehearsal import rehearse
from ricordi.services.backups.restore import restore
from ricordi.services.backups.snapshots import estimate_forgetting, forget, list_snapshots, plan_forgetting
from ricordi.services.backups.verify import verify_backup
from ricordi.services.repair.repair import RepairOptions, repair_storage


@pytest.fixture
def place(at: str) -> BucketLocation:
    found = address_at(at)
    assert isinstance(found, BucketLocation)
    return found


@pytest.fixture
def every_place_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a bucket is too young to go."""
    limits = BucketLimits(leftover_seconds=-3600.0)
    monkeypatch.setattr(ListedRepository.__init__, '__defaults__', (limits, None))


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


def flip(object_store: Any, bucket: str, name: str, position: int) -> None:
    """One bit of something in the bucket."""
    import obstore

    client = object_store.client(bucket)
    content = bytearray(bytes(obstore.get(client, name).bytes()))
    content[position] ^= 1
    obstore.put(client, name, bytes(content))


def test_profiles_share_a_place_and_what_only_a_forgotten_one_named_goes(
    reference_home: Path, place: BucketLocation, object_store: Any, bucket: str, at: str, every_place_gives: None
) -> None:
    for name in ('mixed', 'loose'):
        back_up(load_config().get_profile(name), place)
    before = object_store.names(bucket, f'{place.prefix}/packs')
    plan = plan_forgetting(place, [list_snapshots(place).records[0].name])
    estimated = estimate_forgetting(plan).report
    assert object_store.names(bucket, f'{place.prefix}/packs') == before
    assert estimated.maintenance is not None
    assert estimated.maintenance.steps
    done = forget(plan).report
    assert (done.trouble, done.kept) == ('', 1)
    assert {*before} - {*object_store.names(bucket, f'{place.prefix}/packs')}
    assert not object_store.names(bucket, f'{place.prefix}/condemned')
    assert verify_backup(place, VerifyOptions(read=True)).counts == {}
    assert rehearse(at, of='loose').succeeded
    with pytest.raises(NotExistent):
        rehearse(at, of='mixed')


def test_damage_is_found_and_put_anew_by_the_next_backup(
    mixed: Profile, place: BucketLocation, object_store: Any, bucket: str, at: str
) -> None:
    record = back_up(mixed, place).record
    assert record is not None
    with open_backup(place) as backups:
        (key, *_) = (key for key in backups.database(record).named_keys() if backups.objects.get_object_size(key) > 1)
        copy = backups.objects.index.find(key)  # type: ignore[attr-defined]
    flip(object_store, bucket, f'{place.prefix}/packs/{str(copy.pack)[:2]}/{copy.pack}', copy.start)
    report = verify_backup(place, VerifyOptions(read=True))
    assert report.counts == {'damaged object': 1}
    assert report.findings[0].key == key
    assert put(back_up(mixed, place)) == (0, 1)
    again = verify_backup(place, VerifyOptions(read=True))
    assert (again.counts, again.notices) == ({}, {'damaged copy': 1})
    assert rehearse(at).succeeded


def test_a_pack_that_is_gone_is_told_and_put_anew(
    mixed: Profile, place: BucketLocation, object_store: Any, bucket: str, tmp_path: Path
) -> None:
    import obstore

    back_up(mixed, place)
    packs = object_store.names(bucket, f'{place.prefix}/packs')
    obstore.delete(object_store.client(bucket), packs)
    assert 'damaged snapshot' in verify_backup(place).counts
    pieces, objects = put(back_up(mixed, place))
    assert pieces
    assert objects
    assert verify_backup(place, VerifyOptions(read=True)).counts == {}


def test_a_repair_takes_from_it_what_a_profile_has_lost(mixed: Profile, place: BucketLocation, at: str) -> None:
    back_up(mixed, place)
    with use_storage(mixed) as storage:
        key = next(iter(storage.named_keys()))
        content = storage.repository.get_object_content(key)
        storage.repository.delete_objects([key])
    report = repair_storage(mixed, RepairOptions(sources=(at,)))
    assert report.is_whole
    with use_storage(mixed) as storage:
        assert storage.repository.get_object_content(key) == content


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'repository.json': b'{"format": 2, "id": "x"}'}, 'form 2; this program knows 1'),
        ({'repository.json': b'no JSON'}, 'not that of a backup repository'),
        ({'thesis.tex': b'dear'}, r"holds something else \('thesis.tex'\)"),
        ({'snapshots/some.json': b'{}'}, 'bring that file back'),
    ],
)
def test_what_is_none_is_refused_and_left_alone(
    mixed: Profile, place: BucketLocation, object_store: Any, bucket: str, content: dict[str, bytes], message: str
) -> None:
    import obstore

    for name, data in content.items():
        obstore.put(object_store.client(bucket), f'{place.prefix}/{name}', data)
    before = object_store.names(bucket, place.prefix)
    with pytest.raises((NoBackupRepository, CorruptStorage), match=message):
        back_up(mixed, place)
    assert object_store.names(bucket, place.prefix) == before


def test_a_manifest_that_was_cut_is_told_and_keeps_what_it_may_name(
    mixed: Profile, place: BucketLocation, object_store: Any, bucket: str, every_place_gives: None
) -> None:
    import obstore

    record = back_up(mixed, place).record
    assert record is not None
    client, name = object_store.client(bucket), f'{place.prefix}/snapshots/{record.name}.json'
    obstore.put(client, name, bytes(obstore.get(client, name).bytes())[:-20])
    packs = object_store.names(bucket, f'{place.prefix}/packs')
    assert 'damaged' in list_snapshots(place).faults[record.name]
    assert verify_backup(place).counts == {'damaged snapshot': 1}
    with open_backup(place) as backups:
        assert 'damaged' in backups.forget([]).trouble
    assert object_store.names(bucket, f'{place.prefix}/packs') == packs


def test_without_a_bucket_credentials_or_a_store_the_message_says_which(
    at: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoBackupRepository, match=r'repository\.json is not there'):
        list_snapshots(address_at(at))
    with pytest.raises(UnreachableStorage, match='there is no bucket s3://nowhere-at-all'):
        list_snapshots(address_at('s3://nowhere-at-all/x'))
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'wrong')
    with pytest.raises(UnreachableStorage, match='credentials') as caught:
        list_snapshots(address_at(at))
    assert 'wrong' not in str(caught.value)
    monkeypatch.setenv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1')
    with pytest.raises(UnreachableStorage, match='does not answer'):
        list_snapshots(address_at(at))


def test_lists_of_packs_that_are_kept_here_are_made_anew_where_they_are_damaged(
    mixed: Profile, place: BucketLocation
) -> None:
    back_up(mixed, place)
    assert place.cache_folder is not None
    (path,) = place.cache_folder.glob('*.sqlite')
    with closing(sqlite3.connect(path, isolation_level=None)) as kept:
        # a backup that believed this would put nothing and lack everything
        kept.execute('UPDATE objects SET hash = randomblob(32)')
        kept.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    assert put(back_up(mixed, place)) == (0, 0)
    path.write_bytes(b'no database' * 1000)
    assert put(back_up(mixed, place)) == (0, 0)
    assert verify_backup(place, VerifyOptions(read=True)).counts == {}


def test_a_disk_that_is_too_small_for_what_a_bucket_holds_is_told_before_anything_is_put(
    mixed: Profile, place: BucketLocation, at: str, to_sqlite: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with use_storage(mixed, purpose='test') as storage:
        content = os.urandom(3_000_000)
        key = storage.repository.put_object_from_bytes(content)
        user = next(iter(storage.find(UserRow))).pk
        storage.insert(EntityKind.NODE, [{'user_pk': user, 'repository_metadata': {'o': {'a': {'k': key}}}}])
    back_up(mixed, place)
    monkeypatch.setattr(Container, 'free_space', lambda self: FreeSpace((64 << 20) + 2_000_000, 'here'))
    with pytest.raises(NotEnoughSpace, match=r'takes up to 3\.\d\d MB, 67\.1 MB more .* free at here'):
        restore(at, to_sqlite())
