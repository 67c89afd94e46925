"""Damage to a place with backups is found, whatever part of it is meant; of what is sound nothing is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.backend.verification_report import VerificationReport, VerifyOptions
from ricordi.config import load_config
from ricordi.errors import NoBackupRepository
from ricordi.manager import open_backup, use_storage
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.verify import verify_backup


@pytest.fixture
def place(reference_home: Path, tmp_path: Path) -> Path:
    """A place with two snapshots of the reference data."""
    profile = load_config().get_profile('mixed')
    for tag in ('first', 'second'):
        back_up(profile, tmp_path / 'place', tags=[tag])
    return tmp_path / 'place'


def found(place: Path, read: bool = False) -> VerificationReport:
    return verify_backup(place, VerifyOptions(read))


def test_of_a_sound_place_nothing_is_said_and_what_was_looked_at_is_remembered(place: Path) -> None:
    report = found(place, read=True)
    assert (report.counts, report.notices, report.interrupted) == ({}, {}, None)
    assert [topic.checked for topic in report.topics if topic.name == 'snapshots'] == [2]
    assert report.state is not None
    assert report.state.structure is not None
    assert report.state.findings == 0


def flip(place: Path) -> None:
    """One bit in the middle of the largest pack."""
    pack = max((place / 'container' / 'packs').iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)


def cut(place: Path) -> None:
    pack = max((place / 'container' / 'packs').iterdir(), key=lambda path: path.stat().st_size)
    pack.write_bytes(pack.read_bytes()[:-100])


def spoil_manifest(place: Path) -> None:
    path = min((place / 'snapshots').iterdir())
    path.write_text(path.read_text().replace('"mixed"', '"other"'))


def empty_manifest(place: Path) -> None:
    min((place / 'snapshots').iterdir()).write_bytes(b'')


def lose_pieces(place: Path) -> None:
    with open_backup(place) as backups:
        backups.objects.delete_objects([lists.key for part in backups.snapshots()[0].parts for lists in part.lists])


def lose_content(place: Path) -> None:
    with open_backup(place) as backups, backups.database(backups.snapshots()[0]) as database:
        backups.objects.delete_objects([next(database.named_keys())])


@pytest.mark.parametrize(
    ('harm', 'kind'),
    [
        (flip, 'damaged object'),
        (cut, 'damaged object'),
        (spoil_manifest, 'damaged snapshot'),
        (empty_manifest, 'damaged snapshot'),
        (lose_pieces, 'damaged snapshot'),
        (lose_content, 'damaged snapshot'),
    ],
)
def test_each_damage_is_found(place: Path, harm: Callable[[Path], None], kind: str) -> None:
    harm(place)
    report = found(place, read=True)
    assert kind in report.counts
    assert report.state is not None
    assert report.state.findings


def test_a_folder_without_backups_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoBackupRepository):
        verify_backup(tmp_path)


def damage(place: Path, key: str) -> None:
    """One bit of an object in its pack."""
    with open_backup(place) as backups:
        row = backups.objects.index.find(key)  # type: ignore[attr-defined]
        assert row is not None
    with (place / 'container' / 'packs' / str(row.pack_id)).open('r+b') as pack:
        pack.seek(row.offset + row.length // 2)
        (byte,) = pack.read(1)
        pack.seek(row.offset + row.length // 2)
        pack.write(bytes([byte ^ 1]))


def test_what_was_found_damaged_is_put_anew_by_the_next_backup(place: Path) -> None:
    profile = load_config().get_profile('mixed')
    with open_backup(place) as backups:
        record = backups.snapshots()[-1]
        with backups.database(record) as database:
            content = next(key for key in database.named_keys() if backups.objects.get_object_size(key) > 1)
        lists = record.parts[0].lists[0].key
    for key, put in ((content, (1, 0)), (lists, (0, 1))):
        damage(place, key)
        assert found(place, read=True).counts
        made = back_up(profile, place).record
        assert made is not None
        assert (made.added.objects, made.added_pieces.objects) == put
        assert made.complete
        assert found(place, read=True).counts == {}
        again = back_up(profile, place).record
        assert again is not None
        assert (again.added.objects, again.added_pieces.objects) == (0, 0)


def test_what_is_damaged_in_the_place_and_missing_in_the_profile_is_told_to_be_missing(place: Path) -> None:
    profile = load_config().get_profile('mixed')
    with open_backup(place) as backups, backups.database(backups.snapshots()[-1]) as database:
        key = next(key for key in database.named_keys() if backups.objects.get_object_size(key) > 1)
    damage(place, key)
    assert found(place, read=True).counts
    with use_storage(profile) as storage:
        storage.repository.delete_objects([key])
    made = back_up(profile, place).record
    assert made is not None
    assert made.missing == (key,)
    assert made.added.objects == 0
