"""`-v LEVEL` and `--verbosity LEVEL`, as users of verdi write them: understood at any verb, with an effect."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.cli.main import load_command
from ricordi.cli.tree import leaves
from ricordi.cli.verb import Verb

Run = Callable[..., subprocess.CompletedProcess[str]]
MORE = 'ricordi: version '


@pytest.fixture
def on_mixed(run_here: Run, reference_home: Path) -> Run:
    return lambda *words: run_here('-p', 'mixed', *words)


@pytest.mark.parametrize(
    'words',
    [
        ('node', 'label', '-v', 'INFO', '5'),
        ('node', 'label', '5', '-v', 'info'),
        ('node', 'label', '5', '-v', 'Debug', '6'),
        ('node', 'label', '--verbosity', 'info', '5'),
        ('node', 'label', '--verbosity=notset', '5'),
        ('-v', 'INFO', 'node', 'label', '5'),
        ('--verbosity', 'debug', 'node', 'label', '5'),
        ('--verbosity=debug', 'node', 'label', '5'),
        ('node', '-v', 'INFO', 'label', '5'),
        ('node', 'extras', '-v', 'INFO', '5'),
        ('node', 'label', '-v', '5'),
        ('-v', 'node', 'label', '5'),
    ],
    ids=' '.join,
)
def test_more_is_told(on_mixed: Run, words: tuple[str, ...]) -> None:
    done = on_mixed(*words)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(MORE)
    assert re.search(r'^(PK: )? *5$', done.stdout, re.MULTILINE)


@pytest.mark.parametrize('level', ['WARNING', 'error', 'critical'])
def test_less_is_told_and_a_list_stays_a_table(on_mixed: Run, level: str) -> None:
    done = on_mixed('node', 'label', '-L', 'a', '5', '-v', level)
    assert (done.returncode, done.stderr) == (0, '')
    usual = on_mixed('group', 'list', '-A')
    assert on_mixed('group', 'list', '-A', '-v', level).stdout == usual.stdout
    assert on_mixed('node', 'label', '99999', '-v', level).stderr.startswith('ricordi: error: ')


def test_the_usual_level_is_the_usual(on_mixed: Run) -> None:
    words = ('node', 'label', '-L', 'a', '5')
    assert on_mixed(*words, '-v', 'REPORT').stderr == on_mixed(*words).stderr != ''


def test_a_word_that_is_no_level_is_refused(on_mixed: Run) -> None:
    done = on_mixed('node', 'label', '--verbosity', 'loud', '5')
    assert (done.returncode, "'loud' is not one of" in done.stderr) == (2, True)
    assert on_mixed('node', 'label', '5', '--verbosity').returncode == 2
    assert on_mixed('--verbosity').returncode == 2


def test_every_verb_takes_a_level() -> None:
    for path, _, place in leaves():
        command = load_command(place)
        if isinstance(command, Verb):
            assert '--verbosity' in {name for one in command.params for name in one.opts}, path
