"""Temporary folders: gone with their process, whatever ends it, and never taken from a process that lives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deadlines import wait_until
from ricordi import files
from ricordi.files import TemporaryFolder

MAKE_AND_WAIT = """
import sys
from ricordi.files import TemporaryFolder
folder = TemporaryFolder('test')
(folder.path / 'large').write_bytes(b'x' * 1000)
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files in which nobody else is, and which was not looked through yet."""
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    monkeypatch.setattr(files, '_tidied', set())
    return tmp_path


def start() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, '-c', MAKE_AND_WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_goes_with_its_block_and_only_its_user_may_look_into_it() -> None:
    with TemporaryFolder('test') as path:
        assert path.is_dir()
        assert path.stat().st_mode & 0o777 == 0o700
        (path / 'file').touch()
    assert not path.exists()


def test_what_a_killed_process_left_goes_when_the_next_folder_is_made(own_place: Path) -> None:
    process, left = start()
    process.kill()
    process.communicate()
    assert (left / 'large').exists()
    with TemporaryFolder('other'):
        assert left.exists(), 'of another kind'
    with TemporaryFolder('test') as path:
        assert [entry for entry in own_place.iterdir() if entry.name.startswith('ricordi-test-')] == [path]


def test_the_folder_of_a_living_process_stays() -> None:
    process, theirs = start()
    with TemporaryFolder('test'):
        assert (theirs / 'large').exists()
    process.communicate('')
    assert not theirs.exists()


def test_a_folder_that_is_about_to_be_locked_by_who_made_it_stays(own_place: Path) -> None:
    young = own_place / 'ricordi-test-young'
    young.mkdir()
    with TemporaryFolder('test'):
        assert young.exists()


def test_a_folder_that_somebody_else_has_made_stays_whatever_its_name(own_place: Path) -> None:
    theirs = own_place / 'ricordi-test-results'
    theirs.mkdir()
    (theirs / 'thesis').touch()
    with TemporaryFolder('test'):
        assert (theirs / 'thesis').exists()


def test_links_and_files_of_the_name_are_not_followed_nor_removed(own_place: Path) -> None:
    target = own_place / 'target'
    target.mkdir()
    (target / 'file').touch()
    (own_place / 'ricordi-test-link').symlink_to(target)
    (own_place / 'ricordi-test-file').touch()
    with TemporaryFolder('test'):
        pass
    assert (target / 'file').exists()
    assert (own_place / 'ricordi-test-link').is_symlink()
    assert (own_place / 'ricordi-test-file').exists()


def test_a_forked_child_leaves_the_folder_of_its_parent_alone() -> None:
    folder = TemporaryFolder('test')
    child = os.fork()
    if child == 0:
        folder.remove()
        os._exit(0)
    os.waitpid(child, 0)
    assert folder.path.exists()
    folder.remove()
    assert not folder.path.exists()


def test_a_killed_import_leaves_nothing_for_ever(own_place: Path, reference_home: Path) -> None:
    archive = Path(__file__).parent / 'data' / 'reference.aiida'
    held = subprocess.Popen(
        [sys.executable, '-m', 'ricordi', '-p', 'loose', 'archive', 'import', '-'],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert held.stdin is not None
    held.stdin.write(archive.read_bytes()[:1000])
    held.stdin.flush()
    # its mark comes after its lock: from then on it is told from what somebody else has made
    wait_until(lambda: list(own_place.glob('ricordi-archive-*/.ricordi-temporary')), 'the import makes its folder')
    held.kill()
    held.communicate()
    with TemporaryFolder('archive') as path:
        assert list(own_place.glob('ricordi-archive-*')) == [path]
