"""Root at work where a user has put links to what is root's: each verb that writes says so, and stays out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.config import load_config

pytestmark = pytest.mark.skipif(sys.platform != 'linux' or os.geteuid() != 0, reason='needs root')

USER = 65534
Run = Callable[..., subprocess.CompletedProcess[str]]
Snapshot = dict[str, tuple[int, int, int, bytes]]

WRITES = {
    'files of a node': ('node', 'repo', 'dump', '1', '{link}/out'),
    'a drawing': ('node', 'graph', 'generate', '13', '-O', '{link}/drawing.svg'),
    'a drawing, by a link of its own': ('node', 'graph', 'generate', '13', '-O', '{theirs}/drawing.svg'),
    'an archive': ('archive', 'create', '-N', '1', '--', '{link}/made.aiida'),
    'a dump': ('profile', 'dump', '--all', '--path', '{link}/dump'),
    'a dump in the folder itself': ('profile', 'dump', '--all', '--path', '{link}'),
    'a new storage': (
        *('profile', 'setup', 'core.sqlite_dos', '-n', '--profile-name', 'new', '--email', 'a@b.c'),
        *('--filepath', '{link}/store'),
    ),
}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of the user, with links to an empty folder and to a file of root's."""
    theirs, roots = tmp_path / 'theirs', tmp_path / 'roots'
    (roots / 'empty').mkdir(parents=True)
    (roots / 'drawing.svg').write_text('of root alone')
    theirs.mkdir()
    (theirs / 'link').symlink_to(roots / 'empty')
    (theirs / 'drawing.svg').symlink_to(roots / 'drawing.svg')
    give(theirs)
    return theirs


def folder_of(profile: str) -> Path:
    return Path(load_config().get_profile(profile).storage_config['filepath'])


def give(folder: Path) -> None:
    for path in (folder, *folder.rglob('*')):
        os.chown(path, USER, USER, follow_symlinks=False)


def snapshot(folder: Path) -> Snapshot:
    found = {}
    for path in (folder, *folder.rglob('*')):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b''
        found[str(path)] = (status.st_uid, status.st_mode, status.st_mtime_ns, content)
    return found


@pytest.mark.parametrize('words', WRITES.values(), ids=WRITES)
def test_nothing_is_written_where_a_link_of_the_user_leads_to(
    run_here: Run, reference_home: Path, theirs: Path, words: tuple[str, ...]
) -> None:
    roots = theirs.parent / 'roots'
    before = snapshot(roots)
    done = run_here('-p', 'mixed', *[word.format(link=theirs / 'link', theirs=theirs) for word in words])
    assert snapshot(roots) == before
    assert (done.returncode, 'bug' in done.stderr) in {(1, False), (2, False), (3, False)}, done.stderr
    assert 'root' in done.stderr


@pytest.mark.parametrize('words', [*WRITES.values()][:5], ids=[*WRITES][:5])
def test_what_is_written_into_a_folder_of_the_user_is_the_users(
    run_here: Run, reference_home: Path, theirs: Path, words: tuple[str, ...]
) -> None:
    (theirs / 'link').unlink()
    (theirs / 'drawing.svg').unlink()
    (theirs / 'link').mkdir()
    give(theirs)
    done = run_here('-p', 'mixed', *[word.format(link=theirs / 'link', theirs=theirs) for word in words])
    assert done.returncode == 0, done.stderr
    (made,) = [path for path in (*theirs.iterdir(), *(theirs / 'link').iterdir()) if path.name != 'link']
    assert made.stat().st_uid == USER


@pytest.mark.parametrize('kind', ['symbolic link', 'hard link'])
@pytest.mark.parametrize('name', ['database.sqlite', 'database.sqlite-journal', 'container/packs.idx'])
def test_a_database_of_roots_is_not_used_as_that_of_the_user(
    run_here: Run, reference_home: Path, theirs: Path, name: str, kind: str
) -> None:
    storage = folder_of('mixed')
    roots = theirs.parent / 'roots' / 'copy'
    shutil.copytree(storage, roots)
    (roots / name).touch()
    give(storage)
    (storage / name).unlink(missing_ok=True)
    if kind == 'symbolic link':
        (storage / name).symlink_to(roots / name)
        os.chown(storage / name, USER, USER, follow_symlinks=False)
    else:
        (storage / name).hardlink_to(roots / name)
    before = snapshot(roots)
    done = run_here('-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert done.returncode == 3, done.stderr
    assert 'root does not use' in done.stderr
    run_here('-p', 'mixed', 'group', 'create', 'mine')
    assert snapshot(roots) == before


def test_deleting_a_profile_deletes_nothing_that_a_link_leads_to(
    run_here: Run, reference_home: Path, theirs: Path
) -> None:
    storage = folder_of('mixed')
    roots = theirs.parent / 'roots' / storage.name
    shutil.move(storage, roots)
    storage.symlink_to(roots)
    os.chown(storage, USER, USER, follow_symlinks=False)
    before = snapshot(roots)
    run_here('profile', 'delete', '--force', '--delete-data', 'mixed')
    assert snapshot(roots) == before
