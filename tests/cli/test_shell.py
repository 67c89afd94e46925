"""`ricordi shell`: programs on standard input, and what is said on a terminal."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_program_on_standard_input_has_the_profile_and_the_names(run_here: Run, reference_home: Path) -> None:
    program = 'print(load_node(21).process_label, QueryBuilder().append(CalcJobNode).count(), storage.profile.name)'
    done = run_here('-p', 'mixed', 'shell', stdin=program)
    assert (done.returncode, done.stdout) == (0, 'Nested 7 mixed\n')


def test_an_archive_is_looked_into(run_here: Run, reference_home: Path) -> None:
    archive = Path(__file__).parents[1] / 'data' / 'reference.aiida'
    done = run_here('--archive', archive, 'shell', stdin='print(orm.Node.collection.count())')
    assert (done.returncode, done.stdout) == (0, '74\n')


def test_the_profile_is_let_go_when_a_program_fails(run_here: Run, reference_home: Path) -> None:
    from ricordi import get_profile

    done = run_here('-p', 'mixed', 'shell', stdin='def fail():\n    raise ValueError("mine")\nfail()')
    told = done.stderr.splitlines()
    assert (done.returncode, told[0], told[-1]) == (1, 'Traceback (most recent call last):', 'ValueError: mine')
    assert len([line for line in told if line.startswith('  File ')]) == 2
    wrong = run_here('-p', 'mixed', 'shell', stdin='1 +')
    assert (wrong.returncode, wrong.stderr.splitlines()[-1]) == (1, 'SyntaxError: invalid syntax')
    assert get_profile() is None


def test_on_a_terminal_python_is_started_with_the_profile(
    run_in_terminal: Callable[..., Any], reference_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"Profile 'mixed' is loaded": '', '>>> ': 'print(6 * 7, load_node(1).pk); raise SystemExit(3)\n'}
    done = run_in_terminal('-p', 'mixed', 'shell', '--plain', '--no-startup', answers=answers)
    assert '42 1' in done.screen
    assert done.returncode == 3
