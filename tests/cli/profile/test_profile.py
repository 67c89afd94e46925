"""`ricordi profile`: list, show, set-default through the installed command."""

import csv
import io
import json
import os
from pathlib import Path

import pytest

NAMES = ['loose', 'mixed', 'aborted_before_commit', 'aborted_after_remove', 'archive']


def edit_config(home: Path, **changes: object) -> None:
    path = home / 'config.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_list_marks_the_default_profile(run_cli, reference_home: Path) -> None:
    done = run_cli('profile', 'list')
    assert (done.returncode, done.stderr) == (0, '')
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    assert rows[0][:2] == ['*', 'loose']
    assert [row[-3] for row in rows] == NAMES


def test_the_list_as_json_and_csv_holds_the_same(run_cli, reference_home: Path) -> None:
    rows = json.loads(run_cli('profile', 'list', '--format', 'json').stdout)
    assert [row['name'] for row in rows] == NAMES
    assert [row['default'] for row in rows] == [True, False, False, False, False]
    assert set(rows[0]) == {'name', 'default', 'backend', 'uuid', 'default_user_email', 'test_profile'}
    table = csv.DictReader(io.StringIO(run_cli('profile', 'list', '--format', 'csv').stdout))
    assert [row['name'] for row in table] == NAMES


def test_a_quiet_list_is_the_bare_names(run_cli, reference_home: Path) -> None:
    assert run_cli('-q', 'profile', 'list').stdout.split() == NAMES


def test_no_password_is_ever_shown(run_cli, reference_home: Path) -> None:
    config = json.loads((reference_home / 'config.json').read_text())
    storage = {'backend': 'core.psql_dos', 'config': {'database_name': 'x', 'database_password': 'very-secret'}}
    config['profiles']['loose']['storage'] = storage
    edit_config(reference_home, **config)
    for name in ('table', 'json', 'jsonl', 'csv', 'yaml'):
        done = run_cli('profile', 'show', 'loose', '--format', name)
        assert done.returncode == 0
        assert 'very-secret' not in done.stdout + done.stderr
        assert '********' in done.stdout


def test_show_takes_the_argument_before_the_option_before_the_default(run_cli, reference_home: Path) -> None:
    def shown(*arguments: str) -> str:
        return json.loads(run_cli('profile', 'show', '--format', 'json', *arguments).stdout)['name']

    assert shown('mixed', '-p', 'archive') == 'mixed'
    assert shown('-p', 'archive') == 'archive'
    assert shown() == 'loose'


def test_set_default_changes_nothing_but_the_default(run_cli, reference_home: Path) -> None:
    before = json.loads((reference_home / 'config.json').read_text())
    done = run_cli('profile', 'set-default', 'mixed')
    assert (done.returncode, done.stdout) == (0, '')
    assert '`mixed` is now the default profile, in place of `loose`' in done.stderr
    after = json.loads((reference_home / 'config.json').read_text())
    assert after == {**before, 'default_profile': 'mixed'}
    assert run_cli('-q', 'profile', 'set-default', 'mixed').stderr == ''


@pytest.mark.parametrize(
    'arguments', [['profile', 'show', 'mixd'], ['profile', 'set-default', 'mixd'], ['-p', 'mixd', 'storage', 'info']]
)
def test_an_unknown_profile_is_refused_with_what_may_have_been_meant(
    run_cli, reference_home: Path, arguments: list[str]
) -> None:
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout) == (1, '')
    assert "no profile 'mixd'" in done.stderr
    assert 'did you mean `mixed`?' in done.stderr


def test_without_a_configuration_the_message_says_where_it_was_sought(run_cli, empty_home: Path) -> None:
    done = run_cli('profile', 'list')
    assert (done.returncode, done.stdout) == (1, '')
    assert str(empty_home / 'config.json') in done.stderr
    assert 'AIIDA_PATH' in done.stderr


@pytest.mark.parametrize(
    ('content', 'told', 'code'),
    [
        ('{', 'not JSON', 3),
        ('[]', 'must be an object', 3),
        ('{"CONFIG_VERSION": {"CURRENT": 10, "OLDEST_COMPATIBLE": 9}, "profiles": {"a": 5}}', '$.profiles.a', 3),
        ('9' * 5000, 'too many digits', 3),
        ('{"CONFIG_VERSION": {"CURRENT": 5, "OLDEST_COMPATIBLE": 5}, "profiles": {}}', 'verdi', 1),
        ('{"CONFIG_VERSION": {"CURRENT": 99, "OLDEST_COMPATIBLE": 99}, "profiles": {}}', 'install a newer ricordi', 1),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told_with_file_and_way_out(
    run_cli, reference_home: Path, content: str, told: str, code: int
) -> None:
    (reference_home / 'config.json').write_text(content)
    done = run_cli('profile', 'list')
    assert (done.returncode, done.stdout) == (code, '')
    assert str(reference_home) in done.stderr
    assert told in done.stderr
    assert 'Traceback' not in done.stderr


def test_without_a_default_profile_the_message_names_the_profiles(run_cli, reference_home: Path) -> None:
    edit_config(reference_home, default_profile=None)
    done = run_cli('storage', 'version')
    assert done.returncode == 1
    assert 'profile set-default' in done.stderr
    assert 'mixed' in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read everything')
def test_a_configuration_that_may_not_be_read_is_told(run_cli, reference_home: Path) -> None:
    (reference_home / 'config.json').chmod(0)
    done = run_cli('profile', 'list')
    assert done.returncode == 3
    assert 'ermission denied' in done.stderr


def test_the_data_of_an_archive_is_refused_by_a_dry_run_and_before_any_other_profile_goes(
    run_cli, reference_home: Path
) -> None:
    for words in (('archive', '-n'), ('loose', 'archive', '-y')):
        done = run_cli('profile', 'delete', '--delete-data', *words)
        assert (done.returncode, '--keep-data' in done.stderr, 'elete profile' in done.stderr) == (1, True, False)
    assert 'loose' in run_cli('profile', 'list', '-q').stdout


def test_what_becomes_of_the_default_profile_is_told(run_cli, reference_home: Path) -> None:
    done = run_cli('profile', 'delete', '--keep-data', '-y', 'loose')
    assert 'there is none now: choose one with `ricordi profile set-default NAME` (mixed,' in done.stderr
    run_cli('profile', 'set-default', 'mixed')
    run_cli('profile', 'delete', '--keep-data', '-y', 'aborted_before_commit', 'aborted_after_remove')
    done = run_cli('profile', 'delete', '--keep-data', '-y', 'mixed')
    assert '`archive`, the only one left, is that now' in done.stderr
    assert json.loads((reference_home / 'config.json').read_text())['default_profile'] == 'archive'


@pytest.mark.parametrize('what', ['--keep-data', '--delete-data'])
def test_a_profile_that_is_open_elsewhere_is_not_deleted(run_cli, reference_home: Path, what: str) -> None:
    from ricordi.manager import profile_context
    from ricordi.manager.manager import get_manager

    with profile_context('loose'):
        get_manager().get_profile_storage()
        done = run_cli('profile', 'delete', what, '-y', 'loose')
        assert done.returncode == 5
        assert 'loose' in run_cli('profile', 'list', '-q').stdout
    assert run_cli('profile', 'delete', what, '-y', 'loose').returncode == 0


def test_a_profile_whose_storage_is_gone_can_be_taken_out_of_the_configuration(run_cli, reference_home: Path) -> None:
    (reference_home / 'repository' / 'mixed').rename(reference_home / 'repository' / 'elsewhere')
    assert run_cli('profile', 'delete', '--keep-data', '-y', 'mixed').returncode == 0
