"""A database that has lost rows: maintenance, its plan, `status` and `backup` say so with one voice, and end with 6."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ricordi.cli.remedies import WORDS
from sqlite_pages import hide_last_rows, zero_last_page

Run = Callable[..., CompletedProcess[str]]
FULL = ('storage', 'maintain', '--full')


@pytest.fixture
def damaged(reference_home: Path) -> Path:
    """The configuration folder with the profile `loose`, whose database has lost the last nodes without a trace."""
    hide_last_rows(reference_home / 'repository' / 'loose' / 'database.sqlite', 'db_dbnode')
    return reference_home


def objects_in(run_here: Run) -> int:
    state = json.loads(run_here('-p', 'loose', *FULL, '--dry-run', '--format', 'json').stdout)['before']
    return int(state['packed']['objects'] + state['loose']['objects'])


def test_maintenance_its_plan_and_status_refuse_alike(run_here: Run, damaged: Path) -> None:
    there = objects_in(run_here)
    told = [run_here('-p', 'loose', *FULL, *more) for more in (('--dry-run',), ('--yes',), ('--yes',))]
    told.append(run_here('-p', 'loose', 'status'))
    for one in told:
        assert one.returncode == 6
        assert 'name nodes that are not in the database' in one.stdout
        assert WORDS['trust rows'] in one.stdout
    line = run_here('-p', 'loose', *FULL, '--yes', '--format', 'logfmt').stdout
    assert 'result=problems exit_code=6' in line
    assert objects_in(run_here) == there
    assert json.loads(run_here('-p', 'loose', 'storage', 'info', '--format', 'json').stdout)['last_maintained'] == {
        'live': None,
        'full': None,
    }


def test_open_findings_about_rows_hold_until_they_are_mended(run_here: Run, damaged: Path) -> None:
    assert run_here('-p', 'loose', 'storage', 'verify').returncode == 6
    done = run_here('-p', 'loose', *FULL, '--dry-run')
    assert (done.returncode, 'the last verification has left open findings' in done.stdout) == (6, True)


def test_what_is_found_in_a_malformed_database_stays_known(run_here: Run, reference_home: Path) -> None:
    zero_last_page(reference_home / 'repository' / 'mixed' / 'database.sqlite', 'db_dbnode')
    done = run_here('-p', 'mixed', 'storage', 'verify', '--format', 'json')
    told = json.loads(done.stdout)
    assert done.returncode == 6
    assert told['state']['structure'] is not None
    assert told['state']['open_findings'] == sum(told['counts'].values()) > 1


def test_a_backup_says_so_and_does_not_count_as_complete(run_here: Run, damaged: Path, tmp_path: Path) -> None:
    place = tmp_path / 'place'
    done = run_here('-p', 'loose', 'storage', 'backup', place)
    assert done.returncode == 6
    assert 'lacks what the database has lost, and does not count as complete' in done.stderr
    assert run_here('-p', 'loose', 'storage', 'backup', place, '--dry-run').returncode == 6
    (row,) = json.loads(run_here('storage', 'snapshots', place, '--format', 'json').stdout)
    assert (row['complete'], row['missing'], row['lacks']) == (False, 0, 'rows')
    assert row['lost_rows']
    done = run_here('storage', 'restore', place, '--rehearse')
    assert (done.returncode, 'rows may have been lost before it was backed up' in done.stderr) == (6, True)
    done = run_here('storage', 'verify', '--backup', place, '--format', 'json')
    assert 'incomplete snapshot' in done.stdout
