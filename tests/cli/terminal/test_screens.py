"""What goes to a terminal of 40, 80 or 140 columns: no line is wider, no word is broken, no row is lost."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from deadlines import DEADLINE
from ricordi.cli import main
from ricordi.cli.terminal.help_pages import quoted_words
from ricordi.cli.terminal.widths import display_width
from ricordi.cli.tree import TREE, leaves

WIDTHS = (40, 80, 140)
ARCHIVE = Path(__file__).parents[2] / 'data' / 'reference.aiida'
Shown = Callable[..., str]


class FakeTerminal(io.StringIO):
    """A stream that is a terminal for who asks."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What a command line shows on a terminal of so many columns."""

    def run(columns: int, *arguments: str) -> str:
        screen = FakeTerminal()
        monkeypatch.setenv('COLUMNS', str(columns))
        monkeypatch.setenv('NO_COLOR', '1')
        with monkeypatch.context() as patched:
            patched.setattr(sys, 'stdout', screen)
            patched.setattr(sys, 'stderr', messages := io.StringIO())  # no terminal: no bars
            main.run(list(arguments))
        assert screen.getvalue(), messages.getvalue()
        return screen.getvalue()

    return run


HEADINGS_OF_TABLES = {'freed', 'Property', 'Value'}
"""What blocks and pairs do without: a heading that has no values, and those of names and values."""


def assert_fits(screen: str, columns: int) -> None:
    lines = [line for line in screen.splitlines() if len(quoted_words(line.strip(' \\'))) > 1]
    assert [line for line in lines if display_width(line) > columns] == []


def short_words(screen: str) -> set[str]:
    """The words that have room on every terminal, without the signs around them, and without numbers."""
    words = {word.strip('`,;:.()[]"\'-') for word in screen.split()}
    return {word for word in words if len(word) <= 16 and '…' not in word and word[:1].isalpha()}


def assert_reads_well(shown: Shown, *arguments: str) -> None:
    """A screen fits at each width, and has the words of one that is wide enough for everything."""
    whole = shown(1000, *arguments)
    for columns in WIDTHS:
        screen = shown(columns, *arguments)
        assert_fits(screen, columns)
        assert short_words(whole) - short_words(screen) <= HEADINGS_OF_TABLES, screen


def test_help_fits_with_its_examples(shown: Shown) -> None:
    nouns = [noun for noun, (_, place) in TREE.items() if not isinstance(place, str)]
    for words in ('', *nouns, *(' '.join(path) for path, _, _ in leaves())):
        assert_reads_well(shown, *words.split(), '--help')


def test_screens_of_a_profile_fit(shown: Shown, reference_home: Path) -> None:
    for words in (
        'profile list',
        'profile show mixed',
        'status',
        'storage info',
        'storage maintain --full --dry-run',
        'node show 57',
        'group list -A',
        f'archive info --detailed {ARCHIVE}',
    ):
        assert_reads_well(shown, '-p', 'mixed', *words.split())


def test_messages_of_logs_keep_their_lines(shown: Shown, reference_home: Path) -> None:
    for columns in WIDTHS:
        screen = shown(columns, '-p', 'mixed', 'node', 'logs', '43')
        assert_fits(screen, columns)
        assert '\\n' not in screen
        assert re.search(r"^ +raise( RuntimeError\('boom'\))?$", screen, re.M)


def test_what_is_wrong_fits_too(reference_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in WIDTHS:
        monkeypatch.setenv('COLUMNS', str(columns))
        with monkeypatch.context() as patched:
            patched.setattr(sys, 'stdout', io.StringIO())
            patched.setattr(sys, 'stderr', messages := FakeTerminal())
            main.run(['-p', 'aborted_after_remove', 'status', '--no-color'])
        assert_fits(messages.getvalue(), columns)
        told = ' '.join(messages.getvalue().split())
        assert told.startswith('ricordi: warning: storage: a repack of AiiDA was killed: AiiDA cannot read 23 objects')


def test_what_comes_after_presto_stands_in_columns(reference_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('COLUMNS', '80')
    with monkeypatch.context() as patched:
        patched.setattr(sys, 'stdout', io.StringIO())
        patched.setattr(sys, 'stderr', messages := FakeTerminal())
        assert main.run(['presto', '--profile-name', 'longer', '--no-set-as-default', '--no-color']) == 0
    assert_fits(messages.getvalue(), 80)
    told = [line for line in messages.getvalue().splitlines() if line.startswith('  ricordi ')]
    begins = {line.rindex('  ') for line in told}
    assert (len(told), len(begins)) == (3, 1)


def test_all_errors_are_told_at_one_place_which_heeds_the_width() -> None:
    folder = Path(main.__file__).parent
    told = re.compile(r"print\((f?['\"]ricordi: (error|warning)|.*'ricordi: (error|warning))")
    assert told.search("print(f'ricordi: error: {wrong}', file=sys.stderr)")
    assert [path.name for path in folder.rglob('*.py') if told.search(path.read_text())] == []


def test_the_tour_fits_from_beginning_to_end(shown: Shown) -> None:
    for columns in WIDTHS:
        screen = shown(columns, 'tour')
        assert_fits(screen, columns)
        assert 'The temporary folder is gone.' in screen


def test_no_row_is_lost_and_pks_are_aligned_right(shown: Shown, reference_home: Path) -> None:
    pks = shown(1000, '-p', 'mixed', 'node', 'list', '-P', 'pk', '-r').split()
    for columns in WIDTHS:
        screen = shown(columns, '-p', 'mixed', 'node', 'list', '-P', 'pk', 'uuid', 'node_type', 'ctime')
        assert_fits(screen, columns)
        assert [first or second for first, second in re.findall(r'^PK +(\d+)$|^ *(\d+)  ', screen, re.M)] == pks
    assert '\n 9  ' in screen


def test_processes_are_all_there_at_each_width(shown: Shown, reference_home: Path) -> None:
    pks = shown(1000, '-p', 'mixed', 'process', 'list', '-a', '-P', 'pk', '-r').split()
    for columns in WIDTHS:
        screen = shown(columns, '-p', 'mixed', 'process', 'list', '-a')
        assert_fits(screen, columns)
        assert [first or second for first, second in re.findall(r'^PK +(\d+)$|^ *(\d+)  ', screen, re.M)] == pks


def test_many_columns_become_a_block_for_each_node_with_what_is_nested_indented(
    shown: Shown, reference_home: Path
) -> None:
    pks = shown(1000, '-p', 'mixed', 'node', 'list', '-P', 'pk', '-r').split()
    for columns in WIDTHS:
        screen = shown(columns, '-p', 'mixed', 'node', 'list', '-P', '*')
        assert_fits(screen, columns)
        assert re.findall(r'^PK  (\d+)$', screen, re.M) == pks


def test_a_real_terminal_has_the_say_and_a_pipe_gets_all_of_it(reference_home: Path) -> None:
    command = [sys.executable, '-m', 'ricordi', '-p', 'mixed', 'node', 'list', '-l', '3']
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 44, 0, 0))
    # given in full: GNU readline, where a test has loaded it, sets COLUMNS without Python's knowledge
    environment = {name: value for name, value in os.environ.items() if name != 'COLUMNS'}
    subprocess.run(command, env=environment, stdout=theirs, stderr=theirs, stdin=theirs, check=True, timeout=DEADLINE)
    os.close(theirs)
    screen = b''
    with contextlib.suppress(OSError):  # how Linux tells that the other side is closed
        while part := os.read(ours, 65536):  # which need not be all that was written
            screen += part
    os.close(ours)
    lines = screen.decode().replace('\r\n', '\n').splitlines()
    assert len(lines) == 5
    assert max(map(display_width, lines)) <= 44
    assert '…' in lines[2]
    piped = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=DEADLINE).stdout
    assert re.search(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', piped)
    assert '…' not in piped
