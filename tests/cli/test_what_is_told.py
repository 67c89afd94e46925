"""What a person is told who has nothing yet, waits, was interrupted, or deletes: the next step, and for whom."""

from __future__ import annotations

import ast
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ricordi
from deadlines import DEADLINE
from ricordi.access import ProfileAccessManager
from ricordi.cli.session import CommandSession
from ricordi.config import load_config
from ricordi.errors import Interrupted, InvalidOperation

Run = Callable[..., subprocess.CompletedProcess[str]]
SOURCE = Path(ricordi.__file__).parent


@pytest.fixture
def no_profiles(reference_home: Path) -> Path:
    path = reference_home / 'config.json'
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, 'profiles': {}, 'default_profile': None}))
    return reference_home


@pytest.mark.parametrize('words', [('node', 'list'), ('-p', 'main', 'node', 'list'), ('status',)], ids=' '.join)
def test_a_configuration_without_profiles_names_what_makes_one(
    run_here: Run, no_profiles: Path, words: tuple[str, ...]
) -> None:
    done = run_here(*words)
    assert done.returncode == 1
    assert 'has no profiles yet: make one with `ricordi presto`, or with `ricordi profile setup`' in done.stderr


@pytest.mark.parametrize(('pip', 'told'), [(True, ' -m pip install numpy'), (False, 'uv pip install -p ')])
def test_the_way_to_numpy_works_from_this_installation(monkeypatch: pytest.MonkeyPatch, pip: bool, told: str) -> None:
    from ricordi import installing
    from ricordi.orm.data import array

    monkeypatch.setitem(sys.modules, 'numpy', None)
    monkeypatch.setattr(installing, 'find_spec', lambda name: object() if pip else None)
    with pytest.raises(InvalidOperation) as caught:
        array.load_numpy()
    assert told in str(caught.value)
    words = shlex.split(str(caught.value).partition(': ')[2])
    assert sys.executable in words
    assert not any(word.startswith('ricordi') for word in words)


def test_who_waits_is_told_for_whom(reference_home: Path) -> None:
    lock = ProfileAccessManager(load_config().get_profile('mixed')).lock(purpose='a long repair')
    words = ['-p', 'mixed', 'storage', 'maintain', '--wait', f'{DEADLINE:.0f}s']
    with lock:
        waiting = subprocess.Popen(
            [sys.executable, '-m', 'ricordi', *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert waiting.stderr is not None
        line = waiting.stderr.readline()  # which comes while the lock is held, or never
        holder = waiting.stderr.readline()
    rest = waiting.communicate(timeout=DEADLINE)[1]
    assert line.startswith('ricordi: warning: waiting for ')
    assert ' s at most: ' in line
    assert "'mixed'" in line
    assert 'a long repair' in holder
    assert (waiting.returncode, 'waiting for' in rest) == (0, False)


@pytest.mark.parametrize(
    'words',
    [
        ('storage', 'maintain', '--max-runtime', '0s'),
        ('storage', 'verify', '--read', '--max-runtime', '0s'),
    ],
    ids=' '.join,
)
def test_what_ended_early_names_the_profile(run_here: Run, reference_home: Path, words: tuple[str, ...]) -> None:
    done = run_here('-p', 'loose', *words)
    assert done.returncode == 7, done.stderr
    assert done.stderr.splitlines()[-1].startswith('ricordi: error: profile loose: ')


@pytest.mark.parametrize(('on_profile', 'told'), [(True, 'profile main: SIGTERM'), (False, 'SIGTERM')])
def test_an_error_that_says_so_names_the_profile_too(on_profile: bool, told: str) -> None:
    with (
        pytest.raises(Interrupted) as caught,
        CommandSession('main').named_when_interrupted(on_profile),
    ):
        raise Interrupted('SIGTERM')
    assert str(caught.value) == told


def test_a_dump_of_groups_without_processes_names_the_way_to_the_others(
    run_here: Run, reference_home: Path, tmp_path: Path
) -> None:
    run_here('-q', '-p', 'loose', 'group', 'delete', '--yes', '-A', '-s', '')
    for _ in range(2):
        done = run_here('-p', 'loose', 'profile', 'dump', '--all', '--path', tmp_path / 'dump')
        assert done.returncode == 0
        assert '; --also-ungrouped dumps those that are in none' in done.stderr
        assert '0 folders' not in done.stderr
    done = run_here('-p', 'loose', 'profile', 'dump', '--all', '--also-ungrouped', '--path', tmp_path / 'dump')
    assert '--also-ungrouped' not in done.stderr


def test_verbose_plans_of_deletion_name_the_nodes(run_here: Run, reference_home: Path) -> None:
    words = ('-p', 'mixed', 'node', 'delete', '--dry-run', '1')
    pks = json.loads(run_here(*words, '--format', 'json').stdout)['pks']
    assert f'PKs: {" ".join(map(str, pks))}\n' in run_here(*words, '-v').stdout
    assert 'PKs: ' not in run_here(*words).stdout
    for verb in (('group', 'delete', 'numbers', '--delete-nodes'), ('computer', 'delete', 'localhost')):
        done = run_here('-p', 'mixed', *verb, '--dry-run', '-v')
        assert done.returncode == 0, done.stderr
        assert ('\nPKs: ' in done.stdout) or verb[0] == 'computer'


def test_groups_of_others_are_told_of_first(run_here: Run, reference_home: Path) -> None:
    assert run_here('-q', '-p', 'mixed', 'user', 'configure', '--email', 'eve@example.org', '-n').returncode == 0
    assert run_here('-q', '-p', 'mixed', 'user', 'set-default', 'eve@example.org').returncode == 0
    done = run_here('-p', 'mixed', 'group', 'list')
    assert done.stderr.startswith('No groups fit; 6 are of other users: --all-users (-A) shows them')


# what is to be pasted ------------------------------------------------------------------------------------------


def unquoted() -> Iterator[str]:
    """Values in f-strings that stand in a command line of ours (between backticks) and are not quoted for the shell."""
    for path in SOURCE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.JoinedStr):
                yield from (f'{path.name}:{node.lineno} {word}' for word in _unquoted_in(node))


def _unquoted_in(text: ast.JoinedStr) -> Iterator[str]:
    command = ''
    for part in text.values:
        if isinstance(part, ast.Constant):
            for letter in str(part.value):
                command = ('' if command else letter) if letter == '`' else command + letter if command else ''
        elif isinstance(part, ast.FormattedValue) and command.startswith('`ricordi '):
            word = ast.unparse(part.value)
            if not word.startswith(('shlex.', 'pk')) and not word.endswith(('.pk', '.uuid')):
                yield word


def test_command_lines_that_are_shown_are_quoted_for_the_shell() -> None:
    generators = ('verdi_verbs.py',)  # which writes a page of verbs
    assert [found for found in unquoted() if not found.startswith((*generators, 'main.py'))] == []


def test_a_label_that_the_shell_would_take_apart_can_be_pasted(run_here: Run, reference_home: Path) -> None:
    label = 'cluster (Imported #0)'
    words = ('-L', label, '-H', 'hpc.example.org', '-T', 'core.local', '-S', 'core.direct')
    done = run_here('-p', 'mixed', 'computer', 'setup', '-n', *words)
    assert done.returncode == 0, done.stderr
    (command,) = [part for part in done.stderr.split('`') if part.startswith('ricordi ')]
    assert shlex.split(command) == ['ricordi', '-p', 'mixed', 'computer', 'configure', 'core.local', label]
    refused = run_here('-p', 'mixed', 'computer', 'test', label)
    (command,) = [part for part in refused.stderr.split('`') if part.startswith('ricordi ')]
    assert label in shlex.split(command)
