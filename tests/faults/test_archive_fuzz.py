"""Archives with flipped bits, missing and doubled pieces: each is refused in words, or is as good as before."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.config import Profile
from ricordi.errors import RicordiError
from ricordi.manager import get_config, initialise_storage, use_storage
from ricordi.services.archive_create import ArchiveRequest, create_archive
from ricordi.services.archive_import import ImportRequest, import_archive
from services.archive_tools import REFERENCE, Members, changed, everything, files_in

PLAIN = ImportRequest(authinfos=True, import_group=False)
ALL = ArchiveRequest(everything=True)
ROUNDS = 25
SEEDS = range(8)


@pytest.fixture
def new_profile(tmp_path: Path, empty_home: Path) -> Callable[[str], Profile]:
    """Makes empty profiles."""
    get_config(create=True)

    def make(name: str) -> Profile:
        storage = {'backend': 'core.sqlite_dos', 'config': {'filepath': str(tmp_path / name)}}
        profile = Profile(name, {'storage': storage, 'process_control': {'backend': None, 'config': None}})
        initialise_storage(profile)
        return profile

    return make


def damage(content: bytes, chance: random.Random) -> bytes:
    """Flip bits of a few bytes, or remove, double, blank or exchange a piece."""
    broken = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(broken))
        length = chance.choice((1, 1, 1, 2, 4, 100, 5000))
        match chance.randrange(6):
            case 0 | 1 | 2:
                broken[at] ^= 1 << chance.randrange(8)
            case 3:
                del broken[at : at + length]
            case 4:
                broken[at : at + length] = bytes(len(broken[at : at + length]))
            case 5:
                other = chance.randrange(len(broken))
                broken[at : at + length] = broken[other : other + length]
    return bytes(broken)


def sees_no_harm(archive: Path, profile: Profile, folder: Path, before: dict[str, bytes]) -> bool:
    """Try to import; whether the archive was accepted. Anything but an error in our words is a failure."""
    try:
        import_archive(profile, archive, PLAIN, dry_run=True)
    except RicordiError:
        assert files_in(folder) == before
        return False
    assert files_in(folder) == before
    return True


@pytest.mark.parametrize('seed', SEEDS)
def test_a_damaged_file_never_ends_in_a_traceback_or_a_change(
    tmp_path: Path, new_profile: Callable[[str], Profile], seed: int
) -> None:
    chance, profile = random.Random(seed), new_profile('p')
    before = files_in(tmp_path / 'p')
    archive, content, whole = tmp_path / 'x.aiida', REFERENCE.read_bytes(), everything(REFERENCE)
    for number in range(ROUNDS):
        archive.write_bytes(damage(content, chance))
        if sees_no_harm(archive, profile, tmp_path / 'p', before):
            other = new_profile(f'accepted-{number}')
            import_archive(other, archive, PLAIN)
            assert everything(other) == whole, f'round {number}: accepted, though it is not what it was'


@pytest.mark.parametrize('seed', SEEDS)
def test_a_damaged_database_never_ends_in_a_traceback_or_a_change(
    tmp_path: Path, new_profile: Callable[[str], Profile], seed: int
) -> None:
    chance, profile = random.Random(1000 + seed), new_profile('p')
    before = files_in(tmp_path / 'p')
    archive = tmp_path / 'x.aiida'

    def damage_database(members: Members) -> None:
        members['db.sqlite3'] = damage(members['db.sqlite3'], chance)

    for number in range(ROUNDS):
        changed(archive, members=damage_database)
        if sees_no_harm(archive, profile, tmp_path / 'p', before):
            other = new_profile(f'accepted-{number}')
            import_archive(other, archive, PLAIN)
            everything(other)  # another label is no fault that anybody could see; but all must be readable
            with use_storage(other) as storage:
                database = sqlite3.connect(storage.dialect.path)  # type: ignore[attr-defined]
                assert not database.execute('PRAGMA foreign_key_check').fetchall()
                assert database.execute('PRAGMA integrity_check').fetchone() == ('ok',)
                database.close()


@pytest.mark.parametrize('seed', SEEDS)
def test_a_damaged_archive_that_is_opened_never_ends_in_a_traceback(
    tmp_path: Path, new_profile: Callable[[str], Profile], seed: int
) -> None:
    from ricordi.services.archive_info import archive_profile

    chance = random.Random(2000 + seed)
    archive, content = tmp_path / 'x.aiida', REFERENCE.read_bytes()
    for _ in range(ROUNDS):
        archive.write_bytes(damage(content, chance))
        try:
            everything(archive)
            create_archive(
                archive_profile(archive), tmp_path / 'y.aiida', ArchiveRequest(everything=True), overwrite=True
            )
        except (RicordiError, AssertionError):
            continue  # an object that is damaged is seen by `everything`
