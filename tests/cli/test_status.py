"""`ricordi status`: one look for a person, one exit code for monitoring."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture(params=['mixed', 'psql'])
def profile(request: pytest.FixtureRequest, reference_home: Path) -> str:
    return request.param if request.param == 'mixed' else request.getfixturevalue('psql_profile')


def states(done) -> dict[str, str]:
    return {check['name']: check['state'] for check in json.loads(done.stdout)['checks']}


def test_all_is_well(run_cli, profile: str) -> None:
    done = run_cli('-p', profile, 'status', '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    assert set(states(done).values()) == {'ok'}
    assert json.loads(done.stdout)['maintenance']['before']['loose']['objects'] > 0


def test_a_person_is_told_what_maintenance_would_gain(run_cli, reference_home: Path) -> None:
    done = run_cli('-p', 'mixed', 'status')
    assert done.returncode == 0
    assert '1 garbage' in done.stdout
    assert '`ricordi storage maintain --full` would do: 2 loose objects into packs' in done.stdout


def test_stderr_is_silent_while_all_is_well_and_has_one_line_if_not(run_cli, reference_home: Path) -> None:
    done = run_cli('-q', '-p', 'mixed', 'status')
    assert (done.returncode, done.stderr) == (0, '')
    shutil.rmtree(reference_home / 'repository' / 'mixed')
    for words in (['status'], ['-q', 'status'], ['status', '--format', 'json']):
        done = run_cli('-p', 'mixed', *words)
        assert done.returncode == 3
        assert done.stdout
        assert done.stderr.startswith('ricordi: error: ')
        assert done.stderr.count('\n') == 1


def test_no_configuration_is_1(run_cli, empty_home: Path) -> None:
    done = run_cli('status', '--format', 'json')
    assert done.returncode == 1
    assert states(done)['configuration'] == 'error'
    assert states(done)['storage'] == 'not checked'


def test_a_storage_that_is_gone_is_3(run_cli, reference_home: Path) -> None:
    shutil.rmtree(reference_home / 'repository' / 'mixed' / 'container')
    done = run_cli('-p', 'mixed', 'status')
    assert done.returncode == 3
    assert 'ERROR' in done.stdout


def test_missing_objects_are_6(run_cli, reference_home: Path) -> None:
    loose = reference_home / 'repository' / 'loose' / 'container' / 'loose'
    next(path for path in loose.rglob('*') if path.is_file()).unlink()
    assert run_cli('-p', 'loose', 'status').returncode == 6


def test_it_changes_nothing(run_cli, reference_home: Path) -> None:
    def content() -> dict[Path, bytes]:
        folder = reference_home / 'repository' / 'aborted_before_commit'
        return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}

    before = content()
    run_cli('-p', 'aborted_before_commit', 'status')
    after = content()
    assert {path: after[path] for path in before} == before


def test_an_archive_needs_no_configuration(run_cli, empty_home: Path) -> None:
    archive = Path(__file__).parents[1] / 'data' / 'reference.aiida'
    done = run_cli('--archive', str(archive), 'status', '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    assert [check['state'] for check in json.loads(done.stdout)['checks']] == ['ok'] * 6
    assert not empty_home.exists()


def test_options_of_verdi_about_what_is_not_here_are_taken(run_cli, reference_home: Path) -> None:
    assert run_cli('status', '--no-rmq', '-t').returncode == 0
