"""Signals during long work: a clean end at the first, an end at once at the second Ctrl-C."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WORK = """
import os, sys, time
from ricordi.cli.main import run
from ricordi.cli import main
from ricordi.cli.terminal.signals import stopping
from ricordi.progress import Stop

def work(arguments):
    stop = Stop()
    with stopping(stop):
        print('ready', flush=True)
        while not stop.reason:
            time.sleep(0.02)
        if 'looks' not in sys.argv:
            os.write(1, b'asked\\n')
            while True:
                time.sleep(0.02)
    print(stop.reason, flush=True)
    return 7

main.dispatch = work
sys.exit(run([]))
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, '-c', WORK, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == 'ready\n'
    return process


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_the_work_to_end_cleanly_and_says_so(number: signal.Signals) -> None:
    process = start('looks')
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (7, f'{number.name}\n')
    assert err.startswith(f'ricordi: {number.name}: ending at the next clean point')


def test_a_second_ctrl_c_ends_at_once() -> None:
    process = start('does not look')
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert 'again quits at once' in process.stderr.readline()
    assert process.stdout is not None
    assert process.stdout.readline() == 'asked\n'
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (130, '', 'ricordi: interrupted\n')


def test_what_writes_nothing_is_ended_at_once(run_in_terminal: Callable[..., Any], reference_home: Path) -> None:
    slow = """
import sys
from ricordi.cli.main import run
from ricordi.storage import maintenance

def found(*arguments):
    print('looks', flush=True)
    while True:
        pass

maintenance.unclear_trees = found
sys.exit(run(['-p', 'loose', 'storage', 'maintain', '--dry-run']))
"""
    done = run_in_terminal(program=[sys.executable, '-c', slow], answers={'looks': '\x03'})
    assert done.returncode == 130
    assert 'ricordi: interrupted' in done.screen
    assert 'clean point' not in done.screen


WAIT = """
import os, sys, time
from ricordi.cli import main
from ricordi.cli.terminal.signals import end_tidily

def work(arguments):
    end_tidily()
    print('a result that nobody will read')
    os.write(2, b'ready\\n')  # no buffer that a signal could find in use
    while True:
        time.sleep(0.02)

main.dispatch = work
main.main()
"""


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize('reader', ['there', 'gone', 'full'])
def test_elsewhere_a_signal_ends_at_once_with_its_documented_code_whatever_becomes_of_the_output(
    number: signal.Signals, code: int, reader: str
) -> None:
    with open('/dev/full', 'wb') as full:  # noqa: PTH123
        out = full if reader == 'full' else subprocess.PIPE
        process = subprocess.Popen([sys.executable, '-c', WAIT], stdout=out, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == 'ready\n'
    if reader == 'gone':
        assert process.stdout is not None
        process.stdout.close()
    process.send_signal(number)
    assert process.wait(240) == code
    assert process.stderr.read() == ''
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    documented = (Path(__file__).parents[3] / 'docs' / 'exit-codes.md').read_text()
    assert f'| {code} |' in documented


AMID_A_QUERY = """
import signal, sys
from ricordi.storage.query import functions
number = int(sys.argv[1])
def signalled(function):
    def call(*values):
        signal.raise_signal(number)
        return function(*values)
    return call
def register(connection):
    for name, (arguments, function) in functions.FUNCTIONS.items():
        connection.create_function(name, arguments, signalled(function))
functions.register = register
from ricordi.cli import main
sys.argv[1:] = ['-p', 'mixed', 'node', 'list', '--where', "label ilike '%Ü%'"]
main.main()
"""


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_comes_while_sqlite_asks_our_functions_ends_a_listing(
    number: signal.Signals, code: int, reference_home: Path
) -> None:
    command = [sys.executable, '-c', AMID_A_QUERY, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (code, '', 'ricordi: interrupted\n')


TWICE = """
import atexit, signal, sys
from ricordi.cli import failures, main

def interrupted(*_):
    signal.raise_signal(signal.SIGINT)

if sys.argv[1] == 'told':
    failures.complain = interrupted
else:
    atexit.register(interrupted)
main.dispatch = interrupted
main.main()
"""


@pytest.mark.parametrize(('when', 'code'), [('told', 130), ('over', -signal.SIGINT)])
def test_a_second_ctrl_c_shows_no_traceback_while_the_first_is_told_or_the_process_ends(when: str, code: int) -> None:
    done = subprocess.run([sys.executable, '-c', TWICE, when], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout) == (code, '')
    assert done.stderr in ('', 'ricordi: interrupted\n')
