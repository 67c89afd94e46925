"""The folder of unpacked databases of archives: this user's alone, or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ricordi.backend.rows import NodeRow
from ricordi.config import Profile
from ricordi.manager import use_storage
from ricordi.services.archive.info import archive_profile
from ricordi.storage.archive.cache import KEPT_IN_ALL

ARCHIVE = Path(__file__).parents[2] / 'data' / 'reference.aiida'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder is to be, in a folder for temporary files in which nothing is."""
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    return tmp_path / f'ricordi-archives-{os.getuid()}'


@pytest.fixture
def profile() -> Profile:
    return archive_profile(ARCHIVE)


def read(profile: Profile) -> int:
    """The number of nodes in the archive."""
    with use_storage(profile) as storage:
        return len(list(storage.find(NodeRow)))


def test_the_database_is_kept_where_nobody_else_can_look(place: Path, profile: Profile) -> None:
    assert read(profile) == 74
    assert place.stat().st_mode & 0o777 == 0o700
    (kept,) = place.iterdir()
    made = kept.stat().st_ino
    assert read(profile) == 74
    assert kept.stat().st_ino == made, 'used again'


def test_a_kept_file_that_was_changed_is_not_used(place: Path, profile: Profile) -> None:
    read(profile)
    (kept,) = place.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1] + b'!')
    assert read(profile) == 74


@pytest.mark.parametrize('trap', ['link', 'open', 'file'])
def test_a_place_that_others_could_have_prepared_is_not_used(
    place: Path, profile: Profile, tmp_path: Path, trap: str
) -> None:
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir(mode=0o700)
    if trap == 'link':
        place.symlink_to(elsewhere)
    elif trap == 'open':
        place.mkdir()
        place.chmod(0o777)
    else:
        place.write_text('')
    assert read(profile) == 74
    assert list(elsewhere.iterdir()) == []
    assert trap != 'open' or list(place.iterdir()) == []
    assert not list(tmp_path.glob('ricordi-archive-*')), 'the folder used instead is gone'


def test_a_kept_file_that_is_a_link_is_not_followed(place: Path, profile: Profile, tmp_path: Path) -> None:
    read(profile)
    (kept,) = place.iterdir()
    target = tmp_path / 'target'
    kept.rename(target)
    kept.symlink_to(target)
    before = target.read_bytes()
    assert read(profile) == 74
    assert target.read_bytes() == before
    assert not kept.is_symlink()


def test_what_another_process_is_about_to_keep_stays_however_large_and_what_a_crash_left_goes(
    place: Path, profile: Profile
) -> None:
    read(profile)
    (kept,) = place.iterdir()
    draft, left = place / f'.{"a" * 32}.sqlite3.1.1', place / f'.{"b" * 32}.sqlite3.2.2'
    for path in (draft, left):
        path.touch()
        os.truncate(path, KEPT_IN_ALL)
    os.utime(left, (0, 0))
    kept.unlink()
    assert read(profile) == 74
    assert {*place.iterdir()} == {draft, kept}
