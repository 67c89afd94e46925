"""A maintenance that takes a while: its progress on a terminal and in a log, and its end on a signal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deadlines import wait_until

OBJECTS = 6_000


@pytest.fixture
def busy_home(reference_home: Path) -> Path:
    """The profile `loose` with so many more loose objects that packing them takes a while."""
    write_loose_objects(reference_home, OBJECTS)
    return reference_home


def write_loose_objects(home: Path, count: int) -> None:
    """Loose objects of 2 KB that no node names, in the profile `loose`."""
    folder = home / 'repository' / 'loose' / 'container'
    for number in range(count):
        write_loose(folder, os.urandom(20) * 100 + str(number).encode())


def write_loose(folder: Path, content: bytes) -> None:
    """A loose object as any program might have written it, without the time for an fsync each."""
    from hashlib import sha256

    key = sha256(content).hexdigest()
    path = folder / 'loose' / key[:2] / key[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


HELD_UP = """
import sys
from ricordi.repository.limits import Limits
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_writer import PackWriter
ObjectStore.__init__.__defaults__ = (Limits(commit_objects=100, group_objects=20),)
plain = PackWriter.append_many
def held_up(self, objects):
    plain(self, objects)
    if not held:
        held.append(sys.stdin.readline())
held, PackWriter.append_many = [], held_up
from ricordi.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
"""The command line, held up with a pack in hand until it is told to go on; with a commit every hundred objects."""


BAR_AT_ONCE = """
import sys
from ricordi.cli.terminal.drawing import BarProgress
BarProgress.__init__.__defaults__ = (0.0,)
from ricordi.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
"""The command line, with a bar however fast the machine is: usually short work has none."""


def test_a_terminal_shows_how_far_it_is_and_then_the_report_alone(run_in_terminal, busy_home: Path) -> None:
    run = run_in_terminal('-p', 'loose', 'storage', 'maintain', program=[sys.executable, '-c', BAR_AT_ONCE])
    assert run.returncode == 0
    assert 'MB' in run.screen.split('Live maintenance')[0]
    assert '━' in run.screen
    assert r'\x1b' not in run.screen
    assert 'Live maintenance of profile `loose`.' in run.screen
    assert f'{OBJECTS + 23:,}' in run.screen


def test_off_a_terminal_there_is_no_bar(run_cli, busy_home: Path) -> None:
    done = run_cli('-p', 'loose', 'storage', 'maintain')
    assert done.returncode == 0
    assert '━' not in done.stdout + done.stderr
    assert '\x1b' not in done.stdout + done.stderr


def test_verbose_tells_what_is_worked_on_and_each_step(run_cli, reference_home: Path) -> None:
    done = run_cli('-v', '-p', 'mixed', 'storage', 'maintain')
    assert done.returncode == 0
    assert f'configuration folder {reference_home}' in done.stderr
    assert 'profile `mixed`, core.sqlite_dos' in done.stderr
    assert 'ricordi: pack: begins, 730 B' in done.stderr
    assert 'ricordi: pack: ended after' in done.stderr
    assert run_cli('-v', '-q', 'storage', 'maintain').returncode == 2


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('options', [(), ('--full', '--yes', '--repack', 'all')], ids=['live', 'full'])
def test_a_signal_ends_it_cleanly_with_7_and_the_next_run_goes_on(
    run_cli, reference_home: Path, number: signal.Signals, options: tuple[str, ...]
) -> None:
    write_loose_objects(reference_home, 600)
    process = subprocess.Popen(
        [sys.executable, '-c', HELD_UP, '-p', 'loose', 'storage', 'maintain', *options, '--format', 'json'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    packs = reference_home / 'repository' / 'loose' / 'container' / 'packs'
    wait_until(lambda: any(packs.iterdir()) or process.poll() is not None, 'a pack is begun')
    process.send_signal(number)
    out, err = process.communicate('go on\n', timeout=240)
    assert 'Traceback' not in err
    assert process.returncode == 7, err
    assert number.name in err
    assert json.loads(out)['interrupted'] == number.name
    again = run_cli('-p', 'loose', 'storage', 'maintain', *options, '--format', 'json')
    assert again.returncode == 0
    found = json.loads(again.stdout)
    left = found['before']['loose']['objects']
    assert left == 0 if options else 0 < left < 600  # which no node names: full maintenance has removed them at first
    assert found['after']['loose']['objects'] == 0
