"""Signals during long work: a clean end at the first, an end at once at the second Ctrl-C."""

import signal
import subprocess
import sys
import time

import pytest

WORK = """
import sys, time
from ricordi.cli.main import run
from ricordi.cli import main
from ricordi.cli.signals import stopping
from ricordi.progress import Stop

def work(arguments):
    stop = Stop()
    with stopping(stop):
        print('ready', flush=True)
        while not (stop.reason and 'looks' in sys.argv):
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
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (7, f'{number.name}\n')
    assert err.startswith(f'ricordi: {number.name}: ending at the next clean point')


def test_a_second_ctrl_c_ends_at_once() -> None:
    process = start('does not look')
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert 'again quits at once' in process.stderr.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, '', 'ricordi: interrupted\n')
