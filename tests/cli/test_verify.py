"""`ricordi storage verify` as a person, a script and cron have it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from deadlines import wait_for_end_of
from ricordi.backend.verification_report import Subset
from ricordi.cli.terminal.quantities import parse_subset
from ricordi.errors import UsageError
from ricordi.repository.container.container import Container
from ricordi.repository.worker_process import several_processors

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def spoiled(reference_home: Path) -> str:
    """A profile of which one object is damaged; returns its key."""
    with Container(reference_home / 'repository' / 'loose' / 'container') as container:
        key = next(key for key in container.list_objects() if container.get_object_size(key) > 100)
        path = Path(container.loose_path(key))
        path.chmod(0o644)
        path.write_bytes(bytes(path.stat().st_size))
    return key


def test_what_is_well_ends_with_0_and_is_told_topic_by_topic(run_here: Run, reference_home: Path) -> None:
    done = run_here('-p', 'mixed', 'storage', 'verify', '--read')
    assert (done.returncode, done.stderr) == (0, '')
    for words in ('structure and content', 'named objects', '24 objects', 'content of packs', 'Nothing is wrong'):
        assert words in done.stdout


def test_a_finding_ends_with_6_and_is_told_with_its_nodes_and_a_way_out(run_here: Run, spoiled: str) -> None:
    done = run_here('-p', 'loose', 'storage', 'verify', '--read')
    assert done.returncode == 6
    assert done.stderr == 'ricordi: error: 1 damaged object\n'
    assert f'damaged object {spoiled}: its bytes are not what its key says' in done.stdout
    assert f'in loose/{spoiled[:2]}/{spoiled[2:]}' in done.stdout
    assert 'node ' in done.stdout
    assert 'way out: `ricordi storage repair --from SOURCE`' in done.stdout


def test_quiet_is_silent_but_for_what_is_wrong(run_here: Run, spoiled: str, reference_home: Path) -> None:
    done = run_here('-q', '-p', 'mixed', 'storage', 'verify', '--read')
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    done = run_here('-q', '-p', 'loose', 'storage', 'verify', '--read')
    assert (done.returncode, done.stdout) == (6, '')
    assert spoiled in done.stderr


def test_the_json_has_all_of_it(run_here: Run, spoiled: str) -> None:
    done = run_here('-p', 'loose', 'storage', 'verify', '--subset', '100%', '--format', 'json')
    report = json.loads(done.stdout)
    assert (done.returncode, report['exit_code'], report['subset']) == (6, 6, {'share': 1.0})
    assert (report['finding_count'], report['counts']) == (1, {'damaged object': 1})
    (finding,) = report['findings']
    assert (finding['key'], finding['remedy'], finding['notice']) == (spoiled, 'source', False)
    assert finding['nodes'][0]['path']
    assert report['state']['open_findings'] == 1


def test_status_and_info_tell_what_was_verified(run_here: Run, spoiled: str) -> None:
    assert 'never verified' in run_here('-p', 'loose', 'status').stdout
    run_here('-p', 'mixed', 'storage', 'verify', '--read')
    assert ' % of the content read within 30 days' in run_here('-p', 'mixed', 'status').stdout
    run_here('-p', 'loose', 'storage', 'verify', '--read')
    done = run_here('-p', 'loose', 'status')
    assert done.returncode == 6
    assert done.stderr.startswith(
        'ricordi: error: objects: 1 missing, damaged or unclear; `ricordi storage repair --from'
    )
    planned = run_here('-p', 'loose', 'storage', 'maintain', '--full', '--dry-run')
    assert planned.returncode == 6
    assert f'damaged {spoiled}' in planned.stdout
    assert 'nothing that could still be used would be removed' in planned.stdout
    assert 'way out: `ricordi storage repair --from SOURCE`' in planned.stdout
    info = json.loads(run_here('-p', 'loose', 'storage', 'info', '--format', 'json').stdout)
    assert info['verified']['open_findings'] == 1
    assert info['verified']['structure'] is not None


def test_time_that_is_over_ends_with_7_and_the_next_run_goes_on(run_here: Run, reference_home: Path) -> None:
    done = run_here('-p', 'mixed', 'storage', 'verify', '--read', '--max-runtime', '0')
    assert done.returncode == 7
    assert 'ended early' in done.stderr
    assert 'not all' in done.stdout
    assert run_here('-p', 'mixed', 'storage', 'verify', '--read').returncode == 0


HELD = """
import os, sys
from ricordi.cli.main import run
from ricordi.repository.verification import container
read = container.read_parts

def held(*args):
    os.write(1, b'ready\\n')
    while not args[-1].stop.reason:
        pass
    return read(*args)

container.read_parts = held
sys.exit(run(['-p', 'mixed', 'storage', 'verify', '--read', '--format', 'json']))
"""


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_7(reference_home: Path, number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, '-c', HELD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == 'ready\n'
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 7, err
    report = json.loads(out)
    assert report['interrupted'] == number.name
    assert [topic['complete'] for topic in report['topics'] if topic['name'].startswith('content')] == [False, False]


HELD_BESIDE = """
import os, sys, time
from ricordi.cli.main import run
from ricordi.services.checks_beside import SharedChecks

def held(shared, awaited):
    os.write(1, b'%d\\n' % shared._worker.process.pid)
    while True:
        shared._check_stop()
        time.sleep(0.01)

SharedChecks._here = held
sys.exit(run(['-p', 'mixed', 'storage', 'verify', '--format', 'json']))
"""


@pytest.fixture
def large(reference_home: Path) -> Path:
    """A database that is large enough for a second process, and something wrong in it; returns its container."""
    folder = reference_home / 'repository' / 'mixed'
    with closing(sqlite3.connect(folder / 'database.sqlite')) as raw:
        content = json.dumps({'long': 'x' * 25_000_000})
        raw.execute('UPDATE db_dbnode SET extras = ? WHERE id = (SELECT min(id) FROM db_dbnode)', (content,))
        raw.execute("UPDATE db_dbnode SET node_type = 'nothing' WHERE id = (SELECT max(id) FROM db_dbnode)")
        raw.commit()
    return folder / 'container'


@pytest.mark.skipif(not several_processors(), reason='needs two processors')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_while_another_process_takes_part_that_one_ends_too(
    large: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, '-c', HELD_BESIDE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    wait_for_end_of(worker)
    with Container(large) as container:
        state = container.verification_state()
    assert state is None or state.structure is None  # what was not looked at as a whole is not noted as that
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        return
    report = json.loads(out)
    assert (process.returncode, report['interrupted']) in ((7, number.name), (6, number.name)), err
    assert [topic['complete'] for topic in report['topics'] if topic['name'] == 'database'] == [False]


def test_a_large_database_is_looked_at_as_a_small_one_is(run_here: Run, large: Path) -> None:
    done = run_here('-p', 'mixed', 'storage', 'verify')
    assert (done.returncode, done.stderr.splitlines()[0]) == (6, 'ricordi: error: 1 node type')


def test_a_locked_profile_is_5_and_a_storage_that_is_gone_3(run_here: Run, reference_home: Path) -> None:
    from ricordi.access import ProfileAccessManager
    from ricordi.services.profiles.profiles import find_profile

    holder = (
        'import sys; from ricordi.access import ProfileAccessManager; '
        'from ricordi.services.profiles.profiles import find_profile\n'
        'with ProfileAccessManager(find_profile("mixed")).lock():\n'
        '    print("locked", flush=True)\n    sys.stdin.read()'
    )
    assert ProfileAccessManager(find_profile('mixed'))
    with subprocess.Popen([sys.executable, '-c', holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'locked\n'
        assert run_here('-p', 'mixed', 'storage', 'verify').returncode == 5
        process.kill()
    (reference_home / 'repository' / 'loose' / 'database.sqlite').unlink()
    assert run_here('-p', 'loose', 'storage', 'verify').returncode == 3


def test_a_container_of_another_database_is_told_with_the_word_for_it(run_here: Run, reference_home: Path) -> None:
    from ricordi.backend.repository import Owner

    with Container(reference_home / 'repository' / 'mixed' / 'container') as container:
        container.set_owner(Owner('sqlite:another', 'database elsewhere'))
    done = run_here('-p', 'mixed', 'storage', 'verify')
    assert done.returncode == 6
    assert 'doubtful container' in done.stdout
    assert '--adopt' in done.stdout


@pytest.mark.parametrize(
    ('text', 'subset'),
    [
        ('10%', Subset(share=0.1)),
        (' 0.5 % ', Subset(share=0.005)),
        ('3/12', Subset(part=3, parts=12)),
        ('1/1', Subset(part=1, parts=1)),
        ('20G', Subset(size=20 * 10**9)),
        ('1.5GB', Subset(size=1_500_000_000)),
        ('2GiB', Subset(size=2 << 30)),
        ('500', Subset(size=500)),
    ],
)
def test_parts_are_read_as_they_are_meant(text: str, subset: Subset) -> None:
    assert parse_subset(text) == subset


@pytest.mark.parametrize(
    'text', ['', '0', '0%', '101%', '13/12', '0/3', '1/0', '-1G', 'x', '5X', '1/2/3', '%', 'nan%', 'inf']
)
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match='10%, 20G or 3/12'):
        parse_subset(text)
