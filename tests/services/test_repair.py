"""A storage is repaired: what was damaged is as before where that can be, and a verification finds nothing of it."""

from __future__ import annotations

import errno
import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ricordi.backend.repair import RepairOrder, RepairSource
from ricordi.backend.verification_report import VerifyOptions
from ricordi.errors import InvalidOperation, LockingProfileError, UsageError
from ricordi.manager import use_storage
from ricordi.progress import Run, Stop
from ricordi.repository.container.container import Container
from ricordi.services.profiles.profiles import ArchiveName, find_profile
from ricordi.services.repair.repair import RepairOptions, RepairReport, repair_storage
from ricordi.services.storage import maintain
from ricordi.services.verify import verify_storage

DATA = Path(__file__).parents[1] / 'data'
PROFILE = 'loose'
READ = VerifyOptions(read=True)
State = tuple[list[str], dict[str, str]]


@pytest.fixture(scope='module')
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration folder with a profile of which some objects are loose, packed, packed compressed; and a copy."""
    folder = tmp_path_factory.mktemp('repair')
    subprocess.run([sys.executable, DATA / 'unpack.py', folder], check=True, stdout=subprocess.DEVNULL)
    storage = folder / '.aiida' / 'repository' / PROFILE
    with Container(storage / 'container') as container:
        keys = list(container.list_objects())
        for part, compress in ((keys[::3], 'no'), (keys[1::3], 'yes')):
            container.put_objects_into_pack(map(container.get_object_content, part), compress)  # type: ignore[arg-type]
            for key in part:
                Path(container.loose_path(key)).unlink()
    shutil.copytree(storage, folder / 'copy')
    return folder


@pytest.fixture
def storage(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The storage of the profile, to be broken."""
    home = tmp_path / '.aiida'
    shutil.copytree(template / '.aiida', home, ignore=shutil.ignore_patterns('aborted_*'))
    (home / 'config.json').write_text((home / 'config.json').read_text().replace(str(template), str(tmp_path)))
    monkeypatch.setenv('AIIDA_PATH', str(tmp_path / '.aiida'))
    return tmp_path / '.aiida' / 'repository' / PROFILE


@pytest.fixture
def source(template: Path) -> str:
    """A copy of the storage as it was."""
    return str(template / 'copy')


def state() -> State:
    """All rows of the database, and the SHA-256 of each content that nodes name, as it is read."""
    with use_storage(find_profile(PROFILE)) as opened:
        keys = list(opened.named_keys())
        contents = {key: hashlib.sha256(opened.repository.get_object_content(key)).hexdigest() for key in keys}
        path = Path(opened.profile.storage_config['filepath']) / 'database.sqlite'
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump()), contents


def repair(*sources: str, **more: Any) -> RepairReport:
    return repair_storage(find_profile(PROFILE), RepairOptions(sources, **more))


def verified() -> dict[str, int]:
    return dict(verify_storage(find_profile(PROFILE), READ).counts)


def victims(storage: Path) -> dict[str, str]:
    """A key of each form."""
    with Container(storage / 'container') as container:
        rows = [row for pack in container.index.packs() for row in container.index.objects_of_pack(pack)]
        loose = max(container.layout.loose_objects(2), key=lambda pair: pair[1])[0]
    packed = {row.compressed: row.key for row in sorted(rows, key=lambda row: row.length)}
    return {'loose': loose, 'plain': packed[0], 'compressed': packed[1]}


def damage(storage: Path, key: str) -> None:
    """Change a byte of an object."""
    with Container(storage / 'container') as container:
        row = container.index.find(key)
        path, place = (Path(container.loose_path(key)), 3)
        if row is not None:
            path, place = container.layout.pack_path(row.pack_id), row.offset + row.length // 2
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def lose_index(storage: Path) -> None:
    for path in (storage / 'container').glob('packs.idx*'):
        path.unlink()


def lose_packs(storage: Path) -> None:
    for path in (storage / 'container' / 'packs').iterdir():
        path.unlink()


def lose_loose(storage: Path) -> None:
    shutil.rmtree(storage / 'container' / 'loose')


def lose_folders(storage: Path) -> None:
    for name in ('packs', 'sandbox', 'duplicates', 'loose'):
        shutil.rmtree(storage / 'container' / name)


def lose_settings(storage: Path) -> None:
    (storage / 'container' / 'config.json').unlink()


def spoil_settings(storage: Path) -> None:
    (storage / 'container' / 'config.json').write_text('{"container_version": 1}')


def lose_index_and_packs(storage: Path) -> None:
    lose_index(storage)
    lose_packs(storage)


def damage_everything(storage: Path) -> None:
    for key in victims(storage).values():
        damage(storage, key)
    lose_settings(storage)
    lose_index(storage)


BREAKS: dict[str, Callable[[Path], None]] = {
    'a loose object': lambda storage: damage(storage, victims(storage)['loose']),
    'a packed object': lambda storage: damage(storage, victims(storage)['plain']),
    'a compressed object': lambda storage: damage(storage, victims(storage)['compressed']),
    'the packs': lose_packs,
    'the loose objects': lose_loose,
    'the folders': lose_folders,
    'the index': lose_index,
    'the settings': lose_settings,
    'damaged settings': spoil_settings,
    'index and packs': lose_index_and_packs,
    'of everything something': damage_everything,
}


@pytest.mark.parametrize('broken', BREAKS)
def test_what_was_broken_is_as_before_where_a_good_source_is_given(storage: Path, source: str, broken: str) -> None:
    before = state()
    BREAKS[broken](storage)
    report = repair(source, read=True)
    assert report.is_whole, (report.done, report.after)
    assert report.done
    if report.found is not None:
        assert all(finding.nodes for finding in report.found.findings if finding.key and not finding.notice)
    assert state() == before
    assert verified() == {}
    again = repair(source)
    assert (again.planned, again.is_whole) == ((), True)


def test_damaged_settings_are_kept_and_taken_from_a_copy_where_one_is_given(storage: Path, source: str) -> None:
    path = storage / 'container' / 'config.json'
    before = path.read_bytes()
    spoil_settings(storage)
    assert repair(source).is_whole
    assert path.read_bytes() == before
    kept = [one.read_text() for one in (storage / 'container' / 'set-aside').iterdir()]
    assert kept == ['{"container_version": 1}']


def test_the_plan_names_what_would_be_done_and_changes_nothing(storage: Path, source: str) -> None:
    key = victims(storage)['plain']
    damage(storage, key)
    for _ in range(2):
        report = repair(source, read=True, dry_run=True)
        (planned,) = report.planned
        assert (planned.deed, planned.subject, planned.source) == ('take it from a source', key, source)
        assert (report.done, report.after, report.is_whole) == ((), None, False)
    assert report.found is not None
    assert report.found.findings[0].nodes


def test_what_an_earlier_verification_has_found_damaged_is_known(storage: Path, source: str) -> None:
    damage(storage, victims(storage)['plain'])
    assert repair(source).planned == ()
    assert verified() == {'damaged object': 1}
    assert repair(source).is_whole
    assert verified() == {}


def test_without_consent_nothing_is_changed(storage: Path, source: str) -> None:
    damage(storage, victims(storage)['plain'])
    plans = []
    report = repair_storage(
        find_profile(PROFILE), RepairOptions((source,), read=True), consent=lambda plan: bool(plans.append(plan))
    )
    assert plans == [report._replace(seconds=0.0)]
    assert verified() == {'damaged object': 1}


def test_what_is_in_no_source_is_told(storage: Path) -> None:
    key = victims(storage)['loose']
    damage(storage, key)
    report = repair(read=True)
    (left,) = report.left
    assert (left.fault, left.subject) == ('damaged object', key)
    assert not report.is_whole
    assert report.after is not None
    assert report.after.counts == {'damaged object': 1}


def test_a_lost_index_needs_no_source_after_a_maintenance(storage: Path) -> None:
    from ricordi.backend.maintenance import MaintenanceOptions

    before = state()
    maintain(find_profile(PROFILE), MaintenanceOptions(), wait=None)
    lose_index(storage)
    report = repair()
    assert report.is_whole
    assert [one.deed for one in report.done] == ['make the index anew']
    assert state() == before


def test_the_profile_must_be_ones_own(storage: Path, source: str) -> None:
    damage(storage, victims(storage)['plain'])
    script = f"""
from ricordi.manager import use_storage
from ricordi.services.profiles.profiles import find_profile
with use_storage(find_profile({PROFILE!r})):
    print('open', flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, '-c', script], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == 'open\n'
        assert repair(source, read=True, dry_run=True).planned
        with pytest.raises(LockingProfileError):
            repair(source, read=True)
        other.communicate('\n')
    assert verified() == {'damaged object': 1}


def test_a_repair_that_is_stopped_goes_on_in_the_next_run(storage: Path, source: str) -> None:
    lose_packs(storage)
    stop = Stop()

    def consent(plan: RepairReport) -> bool:
        stop.request('SIGTERM')
        return True

    options = RepairOptions((source,))
    report = repair_storage(find_profile(PROFILE), options, consent=consent, run=Run(stop=stop))
    assert (report.interrupted, report.is_whole) == ('SIGTERM', False)
    assert repair(source).is_whole
    assert verified() == {}


def test_a_disk_that_is_full_leaves_a_clean_state_and_more_to_do(storage: Path, source: str) -> None:
    class Full(Container):
        def open(self, key: str) -> BinaryIO:
            raise OSError(errno.ENOSPC, 'No space left on device')

    lose_packs(storage)
    order = RepairOrder(tuple(victims(storage).values()))
    with (
        Full(Path(source) / 'container') as full,
        Container(storage / 'container') as container,
        pytest.raises(OSError, match='No space left'),
    ):
        list(container.repair(order, [RepairSource('full', full)], lambda: iter(()), Run()))
    assert list((storage / 'container' / 'sandbox').iterdir()) == []
    assert repair(source).is_whole


# sources ---------------------------------------------------------------------------------------------------


@pytest.fixture
def places(storage: Path, template: Path, tmp_path: Path) -> dict[str, str]:
    """The same objects in each kind of source."""
    backup = tmp_path / 'verdi'
    shutil.copytree(template / 'copy' / 'container', backup / 'backup_20261127120000_abcd' / 'container')
    (backup / 'last-backup').symlink_to('backup_20261127120000_abcd')
    unlinked = tmp_path / 'verdi-without-link'
    shutil.copytree(template / 'copy' / 'container', unlinked / 'backup_20261127120000_abcd' / 'container')
    return {
        'storage': str(template / 'copy'),
        'container': str(template / 'copy' / 'container'),
        'backup of verdi': str(backup),
        'one backup of verdi': str(backup / 'backup_20261127120000_abcd'),
        'backup without a link': str(unlinked),
        'profile': 'mixed',
    }


@pytest.mark.parametrize(
    'kind',
    ['storage', 'container', 'backup of verdi', 'one backup of verdi', 'backup without a link', 'profile'],
)
def test_objects_come_from_each_kind_of_source(storage: Path, places: dict[str, str], kind: str) -> None:
    with use_storage(find_profile('mixed')) as other, Container(storage / 'container') as container:
        key = next(container.layout.loose_keys(2))
        other.repository.put_object_from_bytes(container.get_object_content(key))
        Path(container.loose_path(key)).unlink()
    report = repair(places[kind])
    assert [(one.subject, one.source) for one in report.done] == [(key, places[kind])]
    assert report.is_whole


def test_objects_come_from_an_archive(storage: Path, tmp_path: Path) -> None:
    from ricordi.cli.main import run

    assert run(['-q', '-p', PROFILE, 'archive', 'create', '--all', str(tmp_path / 'all.aiida')]) == 0
    lose_packs(storage)
    assert repair(str(tmp_path / 'all.aiida')).is_whole
    assert verified() == {}


def test_an_archive_whose_files_are_not_called_by_their_sha256_is_refused(storage: Path, tmp_path: Path) -> None:
    import json
    import zipfile

    for name, metadata in (
        ('old', {'export_version': '0.4'}),
        ('md5', {'export_version': 'main_0001', 'key_format': 'md5'}),
    ):
        with zipfile.ZipFile(tmp_path / f'{name}.aiida', 'w') as file:
            file.writestr('metadata.json', json.dumps(metadata))
            file.writestr('db.sqlite3', b'')
        with pytest.raises(UsageError, match='SHA-256'):
            repair(str(tmp_path / f'{name}.aiida'))


@pytest.mark.parametrize('name', ['no such thing', '.'])
def test_what_is_no_source_is_refused_before_anything_is_done(
    storage: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'empty').mkdir()
    monkeypatch.chdir(tmp_path / 'empty')
    with pytest.raises(UsageError):
        repair(name)


def test_the_storage_itself_is_no_source(storage: Path) -> None:
    for name in (PROFILE, str(storage), str(storage / 'container')):
        with pytest.raises(UsageError, match='no source of its own'):
            repair(name)


def test_an_archive_cannot_be_repaired(storage: Path, tmp_path: Path) -> None:
    from ricordi.cli.main import run

    assert run(['-q', '-p', PROFILE, 'archive', 'create', '--all', str(tmp_path / 'all.aiida')]) == 0
    with pytest.raises(InvalidOperation, match='only be read'):
        repair_storage(find_profile(ArchiveName(tmp_path / 'all.aiida')))


def test_a_place_with_backups_is_a_source(storage: Path, tmp_path: Path) -> None:
    from ricordi.services.backups.backup import back_up

    before = state()
    back_up(find_profile(PROFILE), tmp_path / 'place')
    for key in victims(storage).values():
        damage(storage, key)
    report = repair(str(tmp_path / 'place'), read=True)
    assert report.is_whole
    assert {one.source for one in report.done} == {str(tmp_path / 'place')}
    assert state() == before
