"""`profile dump` and `group dump` beside those of verdi: the same folders, the same files, byte for byte.

What differs on purpose is listed in docs/dump.md; here, only the log of each program is left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.cli.main import run as run_ricordi

DATA = Path(__file__).parents[1] / 'data'
LOGS = {'aiida_dump_log.json', 'ricordi_dump_log.jsonl'}
EVERYTHING = ('--all', '--also-ungrouped', '--dump-unsealed')

pytestmark = pytest.mark.interop


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration folder whose profile `mixed` has processes in groups, one of them in two."""
    folder = tmp_path_factory.mktemp('dump')
    subprocess.run([sys.executable, DATA / 'unpack.py', folder], check=True, stdout=subprocess.DEVNULL)
    home = folder / '.aiida'
    for words in (
        ('group', 'add-nodes', '-G', 'numbers', '4', '13', '57', '18'),
        ('group', 'add-nodes', '-G', 'tree/branch/leaf', '21', '24', '57', '60'),
        ('group', 'add-nodes', '-G', 'tree', '43', '6'),
        ('group', 'create', 'a b.c'),
        ('group', 'add-nodes', '-G', 'a b.c', '33', '14'),
    ):
        subprocess.run(
            [sys.executable, '-m', 'ricordi', '-p', 'mixed', *words],
            env={**os.environ, 'AIIDA_PATH': str(home)},
            check=True,
            capture_output=True,
        )
    return home


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """Every path below a folder: content of files, target of links, None of folders."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob('*')):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_dir():
            found[name] = None
        elif name not in LOGS:
            found[name] = path.read_bytes()
    return found


@pytest.fixture
def both(
    home: Path, aiida_python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[dict, dict]]:
    """What a dump leaves, that of verdi and ours: `both('profile', 'dump', '--all')`."""
    monkeypatch.setenv('AIIDA_PATH', str(home))
    verdi = Path(aiida_python).parent / 'verdi'

    def run(*words: str, verdi_only: tuple[str, ...] = ()) -> tuple[dict, dict]:
        theirs, ours = tmp_path / 'theirs', tmp_path / 'ours'
        done = subprocess.run(
            [verdi, '-p', 'mixed', *words, '--path', theirs, *verdi_only], capture_output=True, text=True, timeout=240
        )
        assert 'Success' in done.stderr + done.stdout, done.stderr
        code = run_ricordi(['-p', 'mixed', *words, '--path', str(ours)])
        assert code == 0, capsys.readouterr().err
        return tree(theirs), tree(ours)

    return run


def compare(pair: tuple[dict, dict]) -> None:
    theirs, ours = pair
    assert sorted(ours) == sorted(theirs)
    assert ours == theirs


@pytest.mark.parametrize(
    'words',
    [
        (),
        ('--include-outputs', '--include-extras'),
        ('--exclude-inputs', '--exclude-attributes'),
        ('--flat',),
        ('--flat', '--include-outputs'),
        ('--symlink-calcs',),
        ('--past-days', '36500'),
    ],
    ids=' '.join,
)
def test_a_whole_profile_is_dumped_as_verdi_does(
    both: Callable[..., tuple[dict, dict]], words: tuple[str, ...]
) -> None:
    compare(both('profile', 'dump', *EVERYTHING, *words))


def test_without_groups_all_lies_together(both: Callable[..., tuple[dict, dict]]) -> None:
    compare(both('profile', 'dump', *EVERYTHING, '--no-organize-by-groups', '--no-relabel-groups'))


@pytest.mark.parametrize(
    'words',
    [
        ('--groups', 'numbers', 'tree/branch/leaf'),
        ('--groups', 'numbers', '--also-ungrouped', '--dump-unsealed'),
        ('--groups', 'numbers', '--user', 'alice@example.org'),
        ('--groups', 'numbers', 'tree/branch/leaf', '--computers', 'cluster'),
        ('--all',),
        ('--all', '--start-date', '2025-01-01', '--end-date', '2100-01-01'),
    ],
    ids=' '.join,
)
def test_a_choice_is_dumped_as_verdi_does(both: Callable[..., tuple[dict, dict]], words: tuple[str, ...]) -> None:
    compare(both('profile', 'dump', *words))


def test_called_processes_of_their_own_are_dumped_as_verdi_does(both: Callable[..., tuple[dict, dict]]) -> None:
    words = ('--also-ungrouped', '--dump-unsealed', '--user', 'alice@example.org')
    compare(both('profile', 'dump', *words, '--no-only-top-level-calcs', '--no-only-top-level-workflows'))


def test_links_lead_to_the_folders_of_calculations_as_those_of_verdi(both: Callable[..., tuple[dict, dict]]) -> None:
    words = ('--also-ungrouped', '--dump-unsealed', '--user', 'alice@example.org')
    theirs, ours = both('profile', 'dump', *words, '--no-only-top-level-calcs', '--symlink-calcs')
    assert any(isinstance(content, str) for content in theirs.values())
    compare((theirs, ours))


@pytest.mark.parametrize('words', [(), ('--flat', '--include-outputs'), ('--symlink-calcs',)], ids=' '.join)
@pytest.mark.parametrize('group', ['numbers', 'tree/branch/leaf', 'a b.c'])
def test_a_group_is_dumped_as_verdi_does(
    both: Callable[..., tuple[dict, dict]], group: str, words: tuple[str, ...]
) -> None:
    compare(both('group', 'dump', group, *words))


def test_verdi_goes_on_with_a_dump_of_ours_and_we_with_one_of_verdi(
    home: Path,
    aiida_python: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv('AIIDA_PATH', str(home))
    words = ['-p', 'mixed', 'profile', 'dump', *EVERYTHING, '--path', str(tmp_path / 'dump')]
    assert run_ricordi(words) == 0
    first = tree(tmp_path / 'dump')
    done = subprocess.run([Path(aiida_python).parent / 'verdi', *words], capture_output=True, text=True, timeout=240)
    assert 'Success' in done.stderr + done.stdout, done.stderr
    assert tree(tmp_path / 'dump') == first
    (tmp_path / 'dump' / 'ricordi_dump_log.jsonl').unlink()
    assert run_ricordi(words) == 0
    assert tree(tmp_path / 'dump') == first
    capsys.readouterr()
