"""`ricordi status` for monitors: Prometheus, Nagios, thresholds, all profiles."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ricordi.cli.monitoring.nagios import plugin_line
from ricordi.cli.monitoring.prometheus import GAUGES, exposition
from ricordi.services.status import Status, StatusCheck, StatusQuestion, get_status

Run = Callable[..., subprocess.CompletedProcess[str]]
NUMBER = r"'[^'=|]+'=\d+(?:\.\d+)?(?:B|%|s)?(?:;\d*){0,4}"
PLUGIN = re.compile(rf'RICORDI (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(?: \| {NUMBER}(?: {NUMBER})*)?\n')


@pytest.fixture
def status(run_here: Run, reference_home: Path) -> Run:
    """Runs `status` on the profile `mixed`, or on all of them where that is asked for."""
    return lambda *words: run_here(*(() if '--all-profiles' in words else ('-p', 'mixed')), 'status', *words)


def samples(text: str) -> dict[tuple[str, str], float]:
    """Name and labels of each sample, with its value, as the parser of Prometheus reads them."""
    return {
        (sample.name, ','.join(f'{key}={value}' for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def was_maintained(home: Path, days_ago: float) -> None:
    """Have it noted that a full maintenance of `mixed` was so long ago."""
    moment = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    (home / 'log').mkdir(exist_ok=True)
    (home / 'log' / 'ricordi-maintenance-mixed.json').write_text(json.dumps({'full': moment, 'live': moment}))


def was_backed_up(home: Path, days_ago: float) -> None:
    """Have it noted that `mixed` was backed up so long ago."""
    moment = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    row = {'place': '/backup', 'snapshot': 'last', 'time': moment, 'complete': True}
    (home / 'log').mkdir(exist_ok=True)
    (home / 'log' / 'ricordi-backups-mixed.json').write_text(json.dumps({'backups': [row]}))


# Prometheus ----------------------------------------------------------------------------------------------------


def test_prometheus_reads_what_status_counts(status: Run, reference_home: Path) -> None:
    was_maintained(reference_home, 2)
    was_backed_up(reference_home, 3)
    done = status('--format', 'prometheus')
    read = samples(done.stdout)
    plan = json.loads(status('--format', 'json').stdout)['maintenance']
    assert (done.returncode, done.stderr) == (0, '')
    for state in ('loose', 'packed', 'garbage'):
        assert read['ricordi_objects', f'profile=mixed,state={state}'] == plan['before'][state]['objects']
        assert read['ricordi_object_bytes', f'profile=mixed,state={state}'] == plan['before'][state]['bytes']
    assert read['ricordi_freeable_bytes', 'profile=mixed'] == plan['freed_bytes']
    assert read['ricordi_missing_objects', 'profile=mixed'] == plan['before']['missing'] == 0
    assert read['ricordi_waste_bytes', 'profile=mixed'] == plan['before']['waste_bytes']
    assert read['ricordi_up', 'profile=mixed'] == read['ricordi_profiles', ''] == 1
    assert read['ricordi_status_code', 'profile=mixed'] == read['ricordi_hidden_objects', 'profile=mixed'] == 0
    now = datetime.now(UTC).timestamp()
    assert now - read['ricordi_last_maintenance_timestamp_seconds', 'kind=full,profile=mixed'] >= 2 * 86400
    assert now - read['ricordi_last_backup_timestamp_seconds', 'profile=mixed'] >= 3 * 86400


def test_what_never_was_is_told_to_prometheus_as_long_ago_but_not_of_an_archive(status: Run) -> None:
    never = ('ricordi_last_backup_timestamp_seconds', ''), ('ricordi_last_maintenance_timestamp_seconds', 'kind=full,')
    read = samples(status('--all-profiles', '--format', 'prometheus').stdout)
    assert read['ricordi_up', 'profile=archive'] == 1
    for gauge, kind in never:
        assert read[gauge, f'{kind}profile=mixed'] == 0
        assert (gauge, f'{kind}profile=archive') not in read


def test_every_gauge_is_explained_in_the_page(status: Run) -> None:
    page = (Path(__file__).parents[2] / 'docs' / 'monitoring.md').read_text(encoding='utf-8')
    assert [name for name in GAUGES if f'`{name}`' not in page] == []


def test_prometheus_is_told_of_all_profiles_also_of_those_that_are_gone(status: Run, reference_home: Path) -> None:
    was_maintained(reference_home, 2)
    shutil.rmtree(reference_home / 'repository' / 'mixed')
    done = status('--all-profiles', '--format', 'prometheus')
    read = samples(done.stdout)
    assert done.returncode == 0
    assert read['ricordi_up', 'profile=mixed'] == 0
    assert read['ricordi_status_code', 'profile=mixed'] == 3
    assert read['ricordi_up', 'profile=loose'] == 1
    assert ('ricordi_objects', 'profile=mixed,state=loose') not in read
    assert ('ricordi_last_maintenance_timestamp_seconds', 'kind=full,profile=mixed') in read


def test_the_file_of_the_node_exporter_is_replaced_as_a_whole(status: Run, tmp_path: Path) -> None:
    target = tmp_path / 'ricordi.prom'
    target.write_text('old')
    done = status('--format', 'prometheus', '-O', str(target))
    assert (done.returncode, done.stdout) == (0, '')
    assert samples(target.read_text())['ricordi_up', 'profile=mixed'] == 1
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.glob('*ricordi*')] == ['ricordi.prom']
    assert status('-O', str(target)).returncode == 2


@pytest.mark.parametrize('name', ['a"b', 'a\\b', 'a\nb', 'ünï {}', "it's=5"])
def test_any_name_can_be_a_label(name: str) -> None:
    found = [(name, Status(name, (StatusCheck('storage', 'error', 'a|b\nc', 3),), None))]
    assert samples(exposition(found))['ricordi_status_code', f'profile={name}'] == 3
    line, code = plugin_line(found, StatusQuestion())
    assert code == 2
    assert PLUGIN.fullmatch(line + '\n')


# Nagios --------------------------------------------------------------------------------------------------------


def test_a_plugin_says_ok_in_one_line_with_numbers_and_limits(status: Run, reference_home: Path) -> None:
    was_maintained(reference_home, 2)
    done = status('--format', 'nagios', '--max-garbage', '20%', '--max-age-full', '8d')
    assert (done.returncode, done.stderr) == (0, '')
    assert PLUGIN.fullmatch(done.stdout)
    assert done.stdout.startswith('RICORDI OK - mixed: all is well | ')
    assert "'mixed garbage'=1.03%;20;;0;100" in done.stdout
    (age,) = re.findall(r"'mixed full age'=(\d+)s;691200;;0", done.stdout)
    assert 2 * 86400 <= int(age) < 3 * 86400


def test_the_worst_of_all_profiles_is_what_a_plugin_tells(status: Run, reference_home: Path) -> None:
    shutil.rmtree(reference_home / 'repository' / 'mixed')
    done = status('--all-profiles', '--format', 'nagios')
    assert done.returncode == 2
    assert PLUGIN.fullmatch(done.stdout)
    told, _, _ = done.stdout.partition('|')
    assert ' mixed: ' in told
    assert ' loose: ' not in told


def test_what_a_plugin_cannot_look_at_is_unknown(run_here: Run, empty_home: Path) -> None:
    for words in ([], ['--all-profiles'], ['--max-garbage', 'much'], ['--no-such-option']):
        done = run_here('status', '--format', 'nagios', *words)
        assert (done.returncode, done.stderr) == (3, ''), words
        assert PLUGIN.fullmatch(done.stdout), words
        assert done.stdout.startswith('RICORDI UNKNOWN - ')


# thresholds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('option', 'note', 'check', 'never', 'late'),
    [
        (
            '--max-age-full',
            was_maintained,
            'maintenance',
            'no full one is known of',
            'the last full one 9 days ago, more than 8 days: `ricordi storage maintain --full` does it',
        ),
        (
            '--max-age-backup',
            was_backed_up,
            'backup',
            'none is known of',
            '9 days old, in /backup (last), more than 8 days: see `ricordi storage backup`',
        ),
    ],
)
def test_what_is_too_long_ago_is_a_warning(
    status: Run, reference_home: Path, option: str, note: Callable[..., None], check: str, never: str, late: str
) -> None:
    done = status(option, '8d')
    assert (done.returncode, f'ricordi: warning: {check}: {never}' in done.stderr) == (7, True)
    note(reference_home, 9)
    done = status(option, '8d', '--format', 'json')
    assert (done.returncode, done.stderr) == (7, f'ricordi: warning: {check}: {late}\n')
    assert {one['name']: one['state'] for one in json.loads(done.stdout)['checks']}[check] == 'warning'
    assert status(option, '10d').returncode == 0
    assert status(option, '8d', '--format', 'nagios').returncode == 1
    assert samples(status(option, '8d', '--format', 'prometheus').stdout)['ricordi_warnings', 'profile=mixed'] == 1


def test_too_much_garbage_is_a_warning(status: Run) -> None:
    done = status('--max-garbage', '1%')
    assert (done.returncode, '1.0 % of all bytes are garbage, more than 1 %' in done.stderr) == (7, True)
    assert status('--max-garbage', '2%').returncode == 0
    assert json.loads(status('--format', 'json').stdout)['garbage_percent'] == pytest.approx(1.03, abs=0.01)


def test_what_would_take_long_to_count_is_not_known_rather_than_counted(status: Run) -> None:
    done = status('--count', 'no', '--format', 'json')
    told = json.loads(done.stdout)
    assert (done.returncode, told['maintenance'], told['garbage_percent']) == (0, None, None)
    assert 'not counted' in next(one['detail'] for one in told['checks'] if one['name'] == 'objects')
    done = status('--count', 'no', '--max-garbage', '20%')
    assert (done.returncode, '; --count yes takes the time' in done.stderr) == (7, True)
    assert ('ricordi_missing_objects', 'profile=mixed') not in samples(
        status('--count', 'no', '--format', 'prometheus').stdout
    )


def test_how_much_is_counted_goes_by_nodes_and_objects_together(run_here: Run, reference_home: Path) -> None:
    assert run_here('-q', '-p', 'mixed', 'storage', 'maintain').returncode == 0
    path = reference_home / 'repository' / 'mixed'
    with (
        closing(sqlite3.connect(path / 'database.sqlite')) as database,
        closing(sqlite3.connect(path / 'container' / 'packs.idx')) as index,
    ):
        (nodes,) = database.execute('SELECT MAX(id) FROM db_dbnode').fetchone()
        (packed,) = index.execute('SELECT MAX(id) FROM db_object').fetchone()
    there = nodes + packed
    assert get_status('mixed', StatusQuestion(most_counted=there)).plan is not None
    assert get_status('mixed', StatusQuestion(most_counted=there - 1)).plan is None
    assert get_status('mixed', StatusQuestion(most_counted=0, counting='yes')).plan is not None


# a storage that AiiDA cannot read ------------------------------------------------------------------------------


def test_a_repack_of_aiida_that_was_killed_is_a_warning_until_it_is_put_right(
    run_here: Run, reference_home: Path
) -> None:
    words = ('-p', 'aborted_after_remove', 'status')
    for more in ([], ['--count', 'no']):
        done = run_here(*words, *more)
        assert done.returncode == 7
        assert 'AiiDA cannot read 23 objects until that is put right: `ricordi storage maintain --full`' in done.stderr
    assert run_here(*words, '--format', 'nagios').returncode == 1
    read = samples(run_here(*words, '--format', 'prometheus').stdout)
    assert read['ricordi_hidden_objects', 'profile=aborted_after_remove'] == 23
    assert read['ricordi_up', 'profile=aborted_after_remove'] == 1
    assert run_here('-p', 'aborted_after_remove', 'storage', 'maintain', '--full', '--yes').returncode == 0
    assert run_here(*words).returncode == 0


# all profiles --------------------------------------------------------------------------------------------------


def test_all_profiles_are_shown_and_an_error_gives_the_code_before_a_warning(
    status: Run, reference_home: Path, run_here: Run
) -> None:
    done = status('--all-profiles')
    assert done.returncode == 7
    assert 'ricordi: warning: profile aborted_after_remove: storage: ' in done.stderr
    shutil.rmtree(reference_home / 'repository' / 'archive', ignore_errors=True)
    shutil.rmtree(reference_home / 'repository' / 'aborted_before_commit')
    done = status('--all-profiles')
    assert done.returncode == 3
    assert 'Profile `loose`' in done.stdout
    assert 'ricordi: error: profile aborted_before_commit: ' in done.stderr
    told = json.loads(status('--all-profiles', '--format', 'json').stdout)['profiles']
    assert {one['profile']: one['exit_code'] for one in told}['loose'] == 0
    assert run_here('-p', 'mixed', 'status', '--all-profiles').returncode == 2


def test_a_line_for_the_journal_can_be_taken_apart(status: Run) -> None:
    lines = [fields(line) for line in status('--all-profiles', '--format', 'logfmt').stdout.splitlines()]
    by_name = {line['profile']: line for line in lines}
    assert (by_name['mixed']['status'], by_name['mixed']['garbage_objects']) == ('ok', '1')
    assert by_name['aborted_after_remove']['exit_code'] == '7'
    assert by_name['aborted_after_remove']['detail'].startswith('a repack of AiiDA was killed: ')


def fields(line: str) -> dict[str, str]:
    """Keys and values of a line of logfmt."""
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)(?: |$)', line)
    assert ' '.join(f'{key}={value}' for key, value in found) == line
    return {key: json.loads(value) if value.startswith('"') else value for key, value in found}


def test_all_profiles_are_maintained_and_none_keeps_the_others_from_their_turn(
    run_here: Run, reference_home: Path
) -> None:
    shutil.rmtree(reference_home / 'repository' / 'mixed' / 'container')
    words = ('storage', 'maintain', '--all-profiles', '--full')
    assert run_here(*words).returncode == 2
    done = run_here('-q', *words, '--yes', '--format', 'logfmt')
    told = {line['profile']: line for line in map(fields, done.stdout.splitlines())}
    assert done.returncode == 3
    assert {name: line['result'] for name, line in told.items()} == {
        'loose': 'done',
        'mixed': 'failed',
        'aborted_before_commit': 'done',
        'aborted_after_remove': 'done',
    }
    assert told['loose']['maintenance'] == 'full'
    assert told['aborted_before_commit']['garbage_objects'] == '0'
    assert int(told['aborted_before_commit']['freed_bytes']) > 300_000
    assert 'ricordi: error: profile mixed: ' in done.stderr
    again = run_here(*words, '--yes', '--format', 'json')
    assert [one.get('nothing_to_do') for one in json.loads(again.stdout)['profiles']] == [True, None, True, True]
    assert run_here('-p', 'loose', *words).returncode == 2


def test_time_that_is_over_leaves_the_profiles_after_it_for_the_next_run(run_here: Run, reference_home: Path) -> None:
    done = run_here('storage', 'maintain', '--all-profiles', '--max-runtime', '0s')
    assert done.returncode == 7
    assert 'not begun: loose, mixed, aborted_before_commit, aborted_after_remove' in done.stderr
