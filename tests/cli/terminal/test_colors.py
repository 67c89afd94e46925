"""Colours: legible on a dark and on a light ground, and only where somebody sees them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from ricordi.cli import main
from ricordi.cli.terminal.colors import PALETTE, Toned, painted
from ricordi.cli.terminal.drawing import _new_bar
from ricordi.cli.terminal.screen import settle
from ricordi.cli.terminal.table import format_table

RED = '\x1b[38;5;160mfailed\x1b[0m'


def luminance(color: int) -> float:
    """How bright one of the 256 colours is, as WCAG reckons it."""
    if color >= 232:
        parts = [8 + 10 * (color - 232)] * 3
    else:
        steps = (0, 95, 135, 175, 215, 255)
        parts = [steps[(color - 16) // 36], steps[(color - 16) // 6 % 6], steps[(color - 16) % 6]]
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize('color', PALETTE.values())
def test_each_colour_stands_out_on_black_and_on_white(color: int) -> None:
    bright = luminance(color) + 0.05
    assert bright / 0.05 > 3.8
    assert 1.05 / bright > 3.8


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal with colours."""
    monkeypatch.delenv('NO_COLOR', raising=False)
    monkeypatch.setenv('TERM', 'xterm')
    settle([])
    return Terminal()


def test_colour_is_for_a_terminal_and_not_for_a_pipe(terminal: Terminal) -> None:
    assert painted('failed', 'bad', terminal) == RED
    assert painted('failed', 'bad', io.StringIO()) == 'failed'
    assert painted('failed', None, terminal) == 'failed'


def test_colour_is_off_with_no_color_and_on_a_terminal_that_has_none(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv('NO_COLOR', '1')
        assert painted('failed', 'bad', terminal) == 'failed'
    monkeypatch.setenv('TERM', 'dumb')
    assert painted('failed', 'bad', terminal) == 'failed'


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['--color', 'always'], RED),
        (['status', '--color=always'], RED),
        (['--color', 'never'], 'failed'),
        (['status', '--no-color'], 'failed'),
        (['node', 'repo', 'ls', '--color', '42'], 'failed'),
        (['node', 'label', '--', '--color=always'], 'failed'),
    ],
)
def test_the_command_line_says_whether_there_is_colour_wherever_that_stands(words: list[str], expected: str) -> None:
    settle(words)
    assert painted('failed', 'bad', io.StringIO() if expected == RED else Terminal()) in (expected, RED)
    assert painted('failed', 'bad', io.StringIO()) == expected
    settle([])


def test_a_cell_keeps_its_column_and_its_tone_where_it_is_wrapped(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('COLUMNS', '24')
    monkeypatch.setattr(sys, 'stdout', terminal)
    lines = format_table([['one', Toned('failed', 'bad'), 'x'], ['two', 'ok', 'y']], ['a', 'b', 'c']).split('\n')
    assert lines[2:] == [f'one  {RED}  x', 'two  ok      y']


def test_a_wrong_word_for_when_is_refused(capsys: pytest.CaptureFixture[str], reference_home: Path) -> None:
    assert main.run(['--color', 'blue', 'profile', 'list']) == 2
    assert 'always, auto, never' in capsys.readouterr().err
    assert main.run(['profile', 'list', '--color', 'blue']) == 2


@pytest.mark.parametrize(
    ('words', 'no_color', 'expected'), [([], '', True), (['--no-color'], '', False), ([], '1', False)]
)
def test_names_of_folders_and_the_bar_have_colour_unless_somebody_wants_none(
    words: list[str], no_color: str, expected: bool, run_here, reference_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('NO_COLOR', no_color)
    monkeypatch.setenv('TERM', 'xterm')
    listed = run_here(*words, '-p', 'mixed', 'node', 'repo', 'ls', '-c', '10').stdout
    assert ('\x1b[34;1mout/\x1b[0m' if expected else 'out/') in listed.splitlines()
    monkeypatch.setattr(sys, 'stderr', Terminal())
    assert _new_bar().console.no_color is not expected
