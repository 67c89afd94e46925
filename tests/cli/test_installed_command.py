"""The command as it is installed: each verb tells its help, and does what its line in the table says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from verb_table import QUERY, VERBS

Run = Callable[..., subprocess.CompletedProcess[str]]
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


@pytest.mark.parametrize('verb', VERBS)
def test_a_verb_has_help_and_works(run_installed: Run, reference_home: Path, tmp_path: Path, verb: str) -> None:
    told = run_installed(*verb.split(), '--help')
    assert (told.returncode, told.stderr) == (0, '')
    assert told.stdout.startswith(f'Usage: ricordi {verb} ')
    if VERBS[verb].kind == 'needs more':
        return
    (tmp_path / 'query.json').write_text(json.dumps(QUERY))
    places = {'archive': ARCHIVE, 'tmp': tmp_path, 'query': tmp_path / 'query.json'}
    done = run_installed('-p', 'mixed', *verb.split(), *(word.format(**places) for word in VERBS[verb].arguments))
    assert done.returncode == 0, done.stderr
    assert 'Traceback' not in done.stderr
    assert done.stdout or done.stderr


def test_an_unknown_verb_is_wrong_usage(run_installed: Run) -> None:
    done = run_installed('node', 'lsit')
    assert (done.returncode, done.stdout) == (2, '')
    assert 'did you mean `list`' in done.stderr
