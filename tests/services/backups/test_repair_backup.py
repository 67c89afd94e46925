"""A place of backups that was damaged is mended as far as what is at hand goes, and then gives back what it has."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ricordi.backend.maintenance import OUT_OF_ROOM
from ricordi.backend.verification_report import VerifyOptions
from ricordi.backup.repository import BackupRepository
from ricordi.config.profile import Profile
from ricordi.errors import BusyBackupRepository, CorruptStorage, LostObject, NoBackupRepository, UsageError
from ricordi.manager import open_backup
from ricordi.remedies import Remedy
from ricordi.repository.container.container import Container
from ricordi.repository.container.loose import LooseWriter
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.rehearsal import rehearse
from ricordi.services.backups.verify import verify_backup
from ricordi.services.repair.backups import repair_backup
from ricordi.services.repair.repair import RepairOptions

Damage = Callable[[Path], None]


def without(name: str) -> Damage:
    return lambda place: (place / name).unlink()


def with_other_bytes(name: str, content: bytes = b'\0' * 100) -> Damage:
    """The middle of a file is overwritten."""

    def damage(place: Path) -> None:
        path = place / name
        whole = bytearray(path.read_bytes())
        begin = max(0, len(whole) // 2 - len(content) // 2)
        whole[begin : begin + len(content)] = content
        path.write_bytes(whole[: path.stat().st_size])

    return damage


def without_index_and_catalogues(place: Path) -> None:
    (place / 'container' / 'packs.idx').unlink()
    shutil.rmtree(place / 'container' / 'catalogue')


WITHOUT_SOURCE = {
    'description gone': without('repository.json'),
    'description damaged': with_other_bytes('repository.json'),
    'index gone': without('container/packs.idx'),
    'index damaged': with_other_bytes('container/packs.idx', b'\xff' * 5000),
    'index and catalogues gone': without_index_and_catalogues,
    'settings gone': without('container/config.json'),
    'settings damaged': with_other_bytes('container/config.json'),
}


@pytest.fixture
def place(place: Path, mixed: Profile) -> Path:
    """A place with two snapshots, so that its pack was written to several times."""
    back_up(mixed, place, tags=['again'])
    return place


@pytest.mark.parametrize('damage', WITHOUT_SOURCE.values(), ids=WITHOUT_SOURCE)
def test_what_is_told_elsewhere_in_the_place_is_mended_from_that(place: Path, damage: Damage) -> None:
    damage(place)
    plan = repair_backup(place, RepairOptions(dry_run=True))
    assert plan.can_do
    assert not plan.done
    report = repair_backup(place)
    assert report.is_whole
    assert report.done
    assert not verify_backup(place, VerifyOptions(read=True)).finding_count
    assert rehearse(str(place)).succeeded
    assert not repair_backup(place).planned


def test_nothing_is_done_without_consent(place: Path) -> None:
    (place / 'repository.json').unlink()
    report = repair_backup(place, consent=lambda plan: False)
    assert not report.done
    assert not (place / 'repository.json').exists()


def test_all_is_in_the_catalogues_after_a_backup(place: Path) -> None:
    (place / 'container' / 'packs.idx').unlink()
    report = repair_backup(place)
    with Container(place / 'container') as container:
        total = container.index.count()
    (index,) = [one for one in report.done if one.subject == 'packs.idx']
    assert index.detail.startswith(f'{total} objects, 0 of them found')


def test_a_pack_that_is_cut_is_filled_from_a_source(place: Path, mixed: Profile) -> None:
    pack = place / 'container' / 'packs' / '0'
    pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])
    assert not repair_backup(place).is_whole
    report = repair_backup(place, RepairOptions(sources=(mixed.name,)))
    assert report.is_whole
    assert rehearse(str(place)).succeeded


def test_where_the_disk_is_full_what_was_done_is_told_and_the_next_run_goes_on(
    place: Path, mixed: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_other_bytes('container/packs.idx', b'\xff' * 5000)(place)
    os.truncate(place / 'container' / 'packs' / '0', 15_000)
    stage, staged = LooseWriter.stage, list[str]()

    def full(writer: LooseWriter, chunks: Iterable[bytes]) -> tuple[str, str]:
        staged.append('one')
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(LooseWriter, 'stage', full)
    report = repair_backup(place, RepairOptions(sources=(mixed.name,)))
    assert (report.interrupted, report.after, bool(staged)) == (OUT_OF_ROOM, None, True)
    assert [one.subject for one in report.done] == ['packs.idx']
    assert any(one.endswith('packs.idx') for one in report.aside)
    monkeypatch.setattr(LooseWriter, 'stage', stage)
    assert repair_backup(place, RepairOptions(sources=(mixed.name,))).done


def cut_pack(place: Path) -> None:
    os.truncate(place / 'container' / 'packs' / '0', 15_000)


@pytest.mark.parametrize('damage', [without('container/packs/0'), cut_pack], ids=['gone', 'cut'])
def test_the_next_backup_puts_anew_what_lay_in_a_pack_that_is_gone_or_cut(
    place: Path, mixed: Profile, damage: Damage
) -> None:
    damage(place)
    record = back_up(mixed, place).record
    assert record is not None
    assert record.complete
    assert record.added.objects > 0
    assert rehearse(str(place)).succeeded
    assert not verify_backup(place, VerifyOptions(read=True)).finding_count
    again = back_up(mixed, place).record
    assert again is not None
    assert (again.added.objects, again.added_pieces.objects) == (0, 0)


def test_without_the_folder_of_packs_no_backup_says_that_all_is_there(place: Path, mixed: Profile) -> None:
    shutil.rmtree(place / 'container' / 'packs')
    with pytest.raises(LostObject, match='put the folder back'):
        back_up(mixed, place)


def piece_in(repository: BackupRepository) -> str:
    """The key of a list of pieces."""
    return next(lists.key for part in repository.snapshots()[-1].parts for lists in part.lists)


def damage_a_piece(place: Path) -> str:
    """Overwrite a list of pieces where it lies in its pack; its key."""
    with open_backup(place) as repository, Container(place / 'container') as container:
        row = container.index.find(piece_in(repository))
        assert row is not None
        with container.layout.pack_path(row.pack_id).open('r+b') as pack:
            pack.seek(row.offset)
            pack.write(b'\0' * row.length)
        return row.key


def test_a_damaged_list_is_told_and_left_where_no_source_has_it(place: Path) -> None:
    key = damage_a_piece(place)
    report = repair_backup(place)
    assert [one.subject for one in report.left] == [key]
    assert not report.is_whole


def test_a_snapshot_that_lacked_objects_when_it_was_made_is_no_fault(
    mixed: Profile, tmp_path: Path, home: Path
) -> None:
    with Container(Path(mixed.storage_config['filepath']) / 'container') as container:
        key = next(container.layout.loose_keys(2))
        Path(container.loose_path(key)).unlink()
    place = tmp_path / 'incomplete'
    record = back_up(mixed, place).record
    assert record is not None
    assert not record.complete
    report = repair_backup(place)
    assert report.is_whole
    assert not report.planned


def test_a_newer_form_is_left_alone(place: Path) -> None:
    (place / 'repository.json').write_text('{"format": 2, "id": "x"}')
    with pytest.raises(NoBackupRepository, match='use a newer Ricordi'):
        repair_backup(place)


def test_where_there_is_no_backup_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoBackupRepository):
        repair_backup(tmp_path / 'none')
    assert not (tmp_path / 'none').exists()


def test_a_place_in_use_is_left_alone(place: Path) -> None:
    with open_backup(place) as repository, repository.held():
        (place / 'repository.json').unlink()
        with pytest.raises(BusyBackupRepository):
            repair_backup(place)
    assert not (place / 'repository.json').exists()


def test_it_is_no_source_of_its_own(place: Path) -> None:
    with pytest.raises(UsageError, match='no source of its own'):
        repair_backup(place, RepairOptions(sources=(str(place),)))


def test_who_reads_one_without_description_is_told_what_mends_it(place: Path) -> None:
    (place / 'repository.json').unlink()
    with pytest.raises(CorruptStorage) as told:
        rehearse(str(place))
    assert told.value.remedy is not None
    assert told.value.remedy.deed == 'mend backup'


def test_who_meets_damage_in_it_is_told_what_mends_the_place_and_not_a_profile(place: Path) -> None:
    key = damage_a_piece(place)
    with pytest.raises(CorruptStorage) as told, open_backup(place) as repository:
        repository.objects.get_object_content(key)
    assert told.value.remedy == Remedy('mend backup', (str(place),))
    (place / 'container' / 'packs.idx').write_bytes(b'no index' * 1000)
    with pytest.raises(CorruptStorage) as told:
        look_for_all(place)
    assert told.value.remedy == Remedy('mend backup', (str(place),))


def look_for_all(place: Path) -> None:
    """Look for every object of every snapshot."""
    with open_backup(place) as repository:
        list(repository.objects.list_objects())


def test_damage_of_the_profile_that_is_backed_up_is_mended_in_the_profile(mixed: Profile, tmp_path: Path) -> None:
    (Path(mixed.storage_config['filepath']) / 'container' / 'packs.idx').write_bytes(b'no index' * 1000)
    with pytest.raises(CorruptStorage) as told:
        back_up(mixed, tmp_path / 'place')
    assert told.value.remedy is not None
    assert told.value.remedy.deed == 'repair storage'
