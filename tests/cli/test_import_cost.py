"""What a command loads: help and completion nothing but the tree, lists of profiles no SQL."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HEAVY = {
    'sqlalchemy',
    'psycopg',
    'rich',
    'psutil',
    'wcwidth',
    'yaml',
    'click',
    'sqlite3',
    'logging',
    'dataclasses',
    'typing',
}


def modules_after(*arguments: str) -> set[str]:
    """The top-level modules that a command line has loaded when it is done."""
    program = (
        'import sys; before = set(sys.modules); from ricordi.cli.main import run; code = run(sys.argv[1:]);'
        'print("\\n".join(set(sys.modules) - before), file=sys.stderr); sys.exit(code)'
    )
    done = subprocess.run([sys.executable, '-c', program, *arguments], capture_output=True, text=True, check=True)
    return {name.split('.')[0] for name in done.stderr.split()} | set(done.stderr.split())


@pytest.mark.parametrize('arguments', [['--help'], ['storage', '--help'], ['--version'], ['profile', '-h']])
def test_help_loads_nothing_but_the_tree(arguments: list[str]) -> None:
    loaded = modules_after(*arguments)
    assert not loaded & HEAVY
    own = {name for name in loaded if name.startswith('ricordi.')}
    terminal = {'ricordi.cli.terminal', *(f'ricordi.cli.terminal.{name}' for name in ('screen', 'streams', 'widths'))}
    assert own <= {
        'ricordi.cli',
        'ricordi.cli.main',
        'ricordi.cli.tree',
        'ricordi.errors',
        'ricordi.version',
        *terminal,
    }


@pytest.mark.parametrize(
    'arguments',
    [
        ['storage', 'maintain', '--help'],
        ['storage', 'info', '--help'],
        ['profile', 'list', '--help'],
        ['tour', '--help'],
    ],
)
def test_help_of_a_verb_loads_click_and_nothing_heavier(arguments: list[str]) -> None:
    assert modules_after(*arguments) & HEAVY <= {'click', 'logging', 'dataclasses', 'typing'}


def test_printing_a_completion_script_loads_no_storage() -> None:
    assert modules_after('completion', 'bash') & {'sqlalchemy', 'psycopg', 'rich', 'psutil', 'yaml'} == set()


def test_the_list_of_profiles_without_options_loads_no_click_and_is_the_same(
    reference_home: Path, run_cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert modules_after('profile', 'list') & HEAVY <= {'dataclasses', 'typing', 'wcwidth'}
    assert run_cli('profile', 'list').stdout == run_cli('profile', 'list', '--format', 'table').stdout


def test_the_value_of_an_option_loads_no_click_and_is_the_same(
    reference_home: Path, run_cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    loaded = modules_after('config', 'get', 'daemon.timeout')
    assert loaded & HEAVY <= {'typing'}
    assert not loaded & {'inspect', 'shutil', 'tempfile', 'configparser'}
    assert run_cli('config', 'get', 'daemon.timeout').stdout == run_cli('config', '-q', 'get', 'daemon.timeout').stdout
    refused = [run_cli('config', *words, 'no.such.option') for words in (['get'], ['-q', 'get'])]
    assert [(done.returncode, done.stderr) for done in refused] == [(refused[1].returncode, refused[1].stderr)] * 2
    assert 'no.such.option' in refused[0].stderr


def test_names_for_completion_load_neither_click_nor_a_storage(reference_home: Path) -> None:
    assert modules_after('_names', 'profile') & HEAVY <= {'dataclasses', 'typing'}


@pytest.mark.parametrize(
    'arguments', [['profile', 'list'], ['profile', 'show'], ['profile', 'list', '--format', 'json']]
)
def test_profiles_are_listed_and_shown_without_sql(arguments: list[str], reference_home: Path) -> None:
    assert modules_after(*arguments) & {'sqlalchemy', 'psycopg', 'rich', 'psutil', 'sqlite3', 'yaml'} == set()
