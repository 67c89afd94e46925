"""A file that was named for a result and cannot be made is named, at once, and is wrong usage: 2."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ricordi.errors import OutputError, UnwritableFile
from ricordi.services.output_files import check_output_file, make_output_folder

Run = Callable[..., subprocess.CompletedProcess[str]]
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'
WRITERS = {
    'graph': ('node', 'graph', 'generate', '1', '-O'),
    'archive': ('archive', 'create', '-N', '1', '--'),
    'migrated archive': ('archive', 'migrate', str(ARCHIVE)),
    'numbers': ('status', '--format', 'prometheus', '-O'),
    'computer': ('computer', 'export', 'setup', 'localhost'),
    'dump': ('profile', 'dump', '--all', '--path'),
    'files of a node': ('node', 'repo', 'dump', '5'),
}
MAKE_FOLDERS = ('dump', 'files of a node')


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that this process may not write to, whoever runs the tests."""
    with tempfile.TemporaryDirectory(prefix='ricordi-closed-') as name:
        folder = Path(name)
        folder.chmod(0o555)
        as_root = os.geteuid() == 0
        if as_root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if as_root:
                os.seteuid(0)
            folder.chmod(0o755)


@pytest.mark.parametrize('what', WRITERS)
def test_where_nothing_can_be_made_the_file_is_named(run_here: Run, reference_home: Path, what: str) -> None:
    target = '/proc/result'  # where not even root can make one
    done = run_here('-p', 'mixed', *WRITERS[what], target)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f'ricordi: error: {target}: ')
    assert '/.' not in done.stderr


@pytest.mark.parametrize('what', [what for what in WRITERS if what not in MAKE_FOLDERS])
def test_where_the_folder_is_missing_both_are_named(
    run_here: Run, reference_home: Path, tmp_path: Path, what: str
) -> None:
    target = tmp_path / 'none' / 'result'
    done = run_here('-p', 'mixed', *WRITERS[what], target)
    assert done.returncode == 2, done.stderr
    assert done.stderr == f'ricordi: error: {target}: there is no folder {target.parent}; make it first\n'


def test_without_permission_the_file_is_named(closed_folder: Path) -> None:
    for make in (check_output_file, make_output_folder):
        with pytest.raises(UnwritableFile, match=f'^{closed_folder}/result: Permission denied') as caught:
            make(closed_folder / 'result')
        assert isinstance(caught.value, OutputError | OSError)
        assert caught.value.exit_code == 2


def test_what_can_be_made_is_not_there_yet(tmp_path: Path) -> None:
    check_output_file(tmp_path / 'result')
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnwritableFile, match='is a folder'):
        check_output_file(tmp_path)
