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
    assert (
        '`ricordi storage maintain --full` would do: 1 object removed that no node names, 2 loose objects into packs'
        in done.stdout
    )


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
    assert [check['state'] for check in json.loads(done.stdout)['checks']] == ['ok'] * 9
    assert not empty_home.exists()


def test_options_of_verdi_about_what_is_not_here_are_taken(run_cli, reference_home: Path) -> None:
    assert run_cli('status', '--no-rmq', '-t').returncode == 0


def test_an_object_that_maintenance_found_damaged_is_told_and_not_planned_again(run_cli, reference_home: Path) -> None:
    loose = reference_home / 'repository' / 'loose' / 'container' / 'loose'
    path = next(path for path in sorted(loose.rglob('*')) if path.is_file() and path.stat().st_size)
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes(len(content)))
    assert run_cli('-p', 'loose', 'storage', 'maintain').returncode == 6
    done = run_cli('-p', 'loose', 'status')
    assert done.returncode == 6
    assert '1 missing, damaged or unclear' in done.stderr
    assert 'loose object into packs' not in done.stdout
    again = run_cli('-p', 'loose', 'storage', 'maintain', '--format', 'json')
    report = json.loads(again.stdout)
    assert (again.returncode, report['steps'], report['problem_count']) == (6, [], 1)
    assert json.loads(run_cli('-p', 'loose', 'storage', 'info', '--format', 'json').stdout)['last_maintained'] == {
        'live': None,
        'full': None,
    }
    path.write_bytes(content)
    assert run_cli('-p', 'loose', 'storage', 'maintain').returncode == 0
    assert run_cli('-p', 'loose', 'status').returncode == 0


@pytest.mark.parametrize(('name', 'things'), [('mixed', 1), ('aborted_before_commit', 3), ('aborted_after_remove', 2)])
def test_status_plan_and_report_count_the_same_things(run_cli, reference_home: Path, name: str, things: int) -> None:
    container = reference_home / 'repository' / name / 'container'
    (container / 'sandbox' / 'left').write_bytes(b'half')

    def counted(steps) -> dict[str, int]:
        return {step['name']: step['objects'] for step in steps}

    looked = json.loads(run_cli('-p', name, 'status', '--format', 'json').stdout)['maintenance']
    words = ('-p', name, 'storage', 'maintain', '--full', '--format', 'json')
    plan = json.loads(run_cli(*words, '--dry-run').stdout)
    done = json.loads(run_cli(*words, '--yes').stdout)
    assert counted(looked['steps']) == counted(plan['steps']) == counted(done['steps'])
    assert counted(plan['steps'])['recover'] == things
    assert looked['before'] == plan['before']
    assert plan['before']['packed'] == done['before']['packed']
    assert run_cli(*words, '--yes').returncode == 0


def test_who_was_never_verified_is_told_so_on_that_line_alone(run_cli, reference_home: Path) -> None:
    lines = run_cli('-p', 'mixed', 'status').stdout.splitlines()
    assert [line.split()[0] for line in lines if 'storage verify' in line] == ['verification']
