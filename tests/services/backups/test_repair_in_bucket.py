"""A place in a bucket that has lost what describes it, or objects, is mended and then gives back what it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.bucket import BucketLocation
from ricordi.backend.verification_report import VerifyOptions
from ricordi.config.profile import Profile
from ricordi.errors import CorruptStorage, NoBackupRepository, UsageError
from ricordi.manager import open_backup
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.places import address_at
from ricordi.services.backups.rehearsal import rehearse
from ricordi.services.backups.snapshots import list_snapshots
from ricordi.services.backups.verify import verify_backup
from ricordi.services.repair.backups import repair_backup
from ricordi.services.repair.repair import RepairOptions


class Files:
    """What lies in the folder of the bucket."""

    def __init__(self, client: Any, folder: str) -> None:
        self._client = client
        self._folder = folder

    def names(self, below: str) -> list[str]:
        import obstore

        found = [one['path'] for page in obstore.list(self._client, f'{self._folder}/{below}') for one in page]
        return sorted(path.removeprefix(f'{self._folder}/') for path in found)

    def put(self, name: str, content: bytes) -> None:
        import obstore

        obstore.put(self._client, f'{self._folder}/{name}', content)

    def delete(self, *names: str) -> None:
        import obstore

        obstore.delete(self._client, [f'{self._folder}/{name}' for name in names])

    def flip(self, name: str, position: int) -> None:
        import obstore

        content = bytearray(bytes(obstore.get(self._client, f'{self._folder}/{name}').bytes()))
        content[position] ^= 1
        self.put(name, bytes(content))


@pytest.fixture
def place(at: str, mixed: Profile) -> BucketLocation:
    """A place with one snapshot of a profile."""
    found = address_at(at)
    assert isinstance(found, BucketLocation)
    back_up(mixed, found)
    return found


@pytest.fixture
def files(place: BucketLocation, object_store: Any, bucket: str) -> Files:
    return Files(object_store.client(bucket), place.prefix)


def pieces_of(place: BucketLocation) -> list[str]:
    """The keys of the lists of the snapshot."""
    with open_backup(place) as repository:
        return [lists.key for part in repository.snapshots()[-1].parts for lists in part.lists]


def object_of(place: BucketLocation) -> tuple[str, str, int]:
    """An object that a node names: its key, its pack, and the byte at which it begins there."""
    with open_backup(place) as repository:
        named = repository.database(repository.snapshots()[-1]).named_keys()
        key = next(key for key in named if repository.objects.get_object_size(key) > 1)
        copy = repository.objects.index.find(key)  # type: ignore[attr-defined]
    return key, f'packs/{str(copy.pack)[:2]}/{copy.pack}', copy.start


def is_sound(place: BucketLocation, at: str) -> bool:
    return not verify_backup(place, VerifyOptions(read=True)).finding_count and rehearse(at).succeeded


@pytest.mark.parametrize('content', [None, b'no JSON'], ids=['gone', 'damaged'])
def test_a_lost_description_is_written_anew(
    place: BucketLocation, at: str, files: Files, mixed: Profile, content: bytes | None
) -> None:
    files.delete('repository.json')
    if content is not None:
        files.put('repository.json', content)
    with pytest.raises(CorruptStorage) as told:
        list_snapshots(place)
    assert told.value.remedy is not None
    assert told.value.remedy.deed == 'mend backup'
    with pytest.raises(CorruptStorage):
        back_up(mixed, place)
    plan = repair_backup(place, RepairOptions(dry_run=True))
    assert [one.fault for one in plan.planned] == ['lost description']
    assert not repair_backup(place, consent=lambda plan: False).done
    report = repair_backup(place)
    assert report.is_whole
    assert report.done
    assert is_sound(place, at)
    assert not repair_backup(place).planned
    assert len(list_snapshots(place).records) == 1


def test_one_of_a_newer_form_is_left_alone(place: BucketLocation, files: Files) -> None:
    files.put('repository.json', b'{"format": 2, "id": "x"}')
    with pytest.raises(NoBackupRepository, match='use a newer Ricordi'):
        repair_backup(place)


def test_where_no_snapshot_is_nothing_is_made(place: BucketLocation, files: Files) -> None:
    files.delete('repository.json', *files.names('snapshots'))
    with pytest.raises(NoBackupRepository, match='is not there'):
        repair_backup(place)
    assert files.names('repository.json') == []


def test_packs_that_are_gone_are_put_anew_from_another_place_with_the_same_snapshot(
    place: BucketLocation, at: str, files: Files, mixed: Profile, tmp_path: Path
) -> None:
    other = tmp_path / 'other'
    back_up(mixed, other)
    files.delete(*files.names('packs'))
    assert not repair_backup(place).is_whole
    assert files.names('packs') == []
    options = RepairOptions(sources=(str(other),))
    assert repair_backup(place, options._replace(dry_run=True)).can_do
    assert files.names('packs') == []
    report = repair_backup(place, options)
    assert report.is_whole
    assert {one.source for one in report.done} == {str(other)}
    assert is_sound(place, at)
    assert not repair_backup(place).planned


def test_what_was_read_and_found_damaged_comes_from_a_profile(
    place: BucketLocation, at: str, files: Files, mixed: Profile
) -> None:
    key, pack, start = object_of(place)
    files.flip(pack, start)
    left = repair_backup(place, RepairOptions(read=True)).left
    assert [(one.fault, one.subject) for one in left] == [('damaged object', key)]
    report = repair_backup(place, RepairOptions(sources=(mixed.name,)))
    assert [(one.fault, one.subject, one.source) for one in report.done] == [('damaged object', key, mixed.name)]
    assert report.is_whole
    assert is_sound(place, at)
    record = back_up(mixed, place).record
    assert record is not None
    assert record.added.objects == 0


def test_a_list_that_nobody_has_read_before_is_found_damaged_and_put_anew(
    place: BucketLocation, at: str, files: Files, mixed: Profile, tmp_path: Path
) -> None:
    other = tmp_path / 'other'
    back_up(mixed, other)
    key = pieces_of(place)[0]
    with open_backup(place) as repository:
        copy = repository.objects.index.find(key)  # type: ignore[attr-defined]
    files.flip(f'packs/{str(copy.pack)[:2]}/{copy.pack}', copy.start)
    report = repair_backup(place, RepairOptions(sources=(mixed.name, str(other))))
    assert [(one.subject, one.source) for one in report.done] == [(key, str(other))]
    assert report.is_whole
    assert is_sound(place, at)


def test_it_is_no_source_of_its_own(place: BucketLocation, at: str) -> None:
    with pytest.raises(UsageError, match='no source of its own'):
        repair_backup(place, RepairOptions(sources=(at,)))
