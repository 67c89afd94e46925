"""Progress: a bar with rate and time left on a terminal, lines in a log, nothing when quiet."""

import re
import subprocess
import sys

import pyte
import pytest

from ricordi.cli.terminal.drawing import LogProgress
from ricordi.cli.terminal.meter import Meter

WORK = """
import sys, time
from ricordi.cli.terminal.drawing import drawing
with drawing(quiet='-q' in sys.argv) as progress:
    progress.begin('pack loose objects', 100_000_000)
    for _ in range(20):
        time.sleep(0.06)
        progress.advance(5_000_000)
    progress.end()
    progress.begin('vacuum database', None)
    time.sleep(0.3)
    progress.end()
print('done')
"""


AMID = """
import sys, time
from ricordi.cli.terminal.drawing import BarProgress
from ricordi.cli.terminal.streams import watch_streams
watch_streams()
progress = BarProgress(first_after=0.0)
progress.begin('pack', 100)
for number in range(4):
    time.sleep(0.15)
    progress.advance(10)
    print(f'message {number} \\033[31m', file=sys.stderr)
    print('x' * number, file=sys.stdout)
time.sleep(0.3)
"""
"""Messages amid a bar, by the streams of the command line."""
LEAVE = """
progress._bar.live.transient = False
progress._bar.stop()
"""
"""The bar stays on the screen, and nobody draws it any more: who draws while the interpreter ends kills it."""


def _displayed(screen: str) -> list[str]:
    """What a terminal of 120 columns shows after it got this; without the empty lines at the end."""
    terminal = pyte.Screen(120, 50)
    terminal.set_mode(pyte.modes.LNM)
    pyte.Stream(terminal).feed(screen)
    return '\n'.join(line.rstrip() for line in terminal.display).rstrip().splitlines()


def test_a_bar_is_one_line_below_what_is_told_meanwhile(run_in_terminal) -> None:
    *told, bar = _displayed(run_in_terminal(program=[sys.executable, '-c', AMID + LEAVE]).screen)
    assert told == [line for number in range(4) for line in (f'message {number} \\x1b[31m', 'x' * number)]
    assert re.fullmatch(r'. pack [━╸╺]{24} 40 B of 100 B \(40 %\), .*', bar)
    assert '\\x1b[2K' not in bar


def test_a_bar_that_ends_leaves_nothing(run_in_terminal) -> None:
    told = _displayed(run_in_terminal(program=[sys.executable, '-c', AMID + 'progress.end()']).screen)
    assert told == [line for number in range(4) for line in (f'message {number} \\x1b[31m', 'x' * number)]


def test_a_terminal_shows_a_bar_with_bytes_rate_and_time_left(run_in_terminal) -> None:
    run = run_in_terminal(program=[sys.executable, '-c', WORK])
    assert run.returncode == 0
    assert 'pack loose objects' in run.screen
    assert 'of 100 MB' in run.screen
    assert 'MB/s' in run.screen
    assert 's left' in run.screen
    assert '━' in run.screen
    assert run.screen.rstrip().endswith('done')


def test_a_terminal_names_a_step_of_which_nobody_knows_the_length(run_in_terminal) -> None:
    assert 'vacuum database' in run_in_terminal(program=[sys.executable, '-c', WORK]).screen


def test_the_cursor_that_the_bar_hid_is_back_at_the_end(run_in_terminal) -> None:
    screen = run_in_terminal(program=[sys.executable, '-c', WORK]).screen
    assert screen.rfind('\x1b[?25h') > screen.rfind('\x1b[?25l')


def test_quiet_draws_nothing(run_in_terminal) -> None:
    assert run_in_terminal('-q', program=[sys.executable, '-c', WORK]).screen == 'done\n'


def test_a_short_job_in_a_pipe_writes_no_progress() -> None:
    done = subprocess.run([sys.executable, '-c', WORK], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ('done\n', '')


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LogProgress(every=0.0)
    progress.begin('pack loose objects', 4_000_000)
    progress.advance(1_000_000)
    progress.end()
    progress.advance(5)
    told = capsys.readouterr()
    assert told.out == ''
    assert told.err == 'ricordi: pack loose objects: 1.00 MB of 4.00 MB (25 %)\n'


def test_a_meter_estimates_the_time_left_from_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr('ricordi.cli.terminal.meter.time.monotonic', lambda: now[0])
    meter = Meter('repack', 1000, 'objects')
    now[0] += 10
    meter.done = 250
    assert meter.rate == 25
    assert meter.seconds_left == 30
    assert meter.words() == '250 objects of 1,000 objects (25 %), 25 objects/s, 30.0 s left'
    assert Meter('remove garbage', 1, 'objects').words() == '0 objects of 1 object (0 %)'
