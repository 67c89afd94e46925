"""`ricordi user`: list, configure, set-default."""

import json
from pathlib import Path

import pytest


@pytest.fixture(params=['loose', 'psql'])
def profile(request: pytest.FixtureRequest, reference_home: Path) -> str:
    return request.param if request.param == 'loose' else request.getfixturevalue('psql_profile')


def users(run_cli, profile: str) -> dict[str, dict]:
    rows = json.loads(run_cli('-p', profile, 'user', 'list', '--format', 'json').stdout)
    return {row['email']: row for row in rows}


def test_the_list_marks_the_default_user(run_cli, profile: str) -> None:
    found = users(run_cli, profile)
    assert [email for email, user in found.items() if user['default']] == ['alice@example.org']
    assert found['bob@example.org']['last_name'] == 'Ünïcode'
    assert run_cli('-q', '-p', profile, 'user', 'list').stdout.split() == sorted(found)


def test_a_new_user_is_added_and_a_known_one_changed_where_something_was_given(run_cli, profile: str) -> None:
    new = run_cli('-p', profile, 'user', 'configure', '--email', 'dan@example.org', '--first-name', 'Dan', '-n')
    assert (new.returncode, new.stdout) == (0, '')
    assert 'Added' in new.stderr
    changed = run_cli('-p', profile, 'user', 'configure', '--email', 'bob@example.org', '--institution', 'Here', '-n')
    assert 'Changed' in changed.stderr
    found = users(run_cli, profile)
    assert found['dan@example.org']['first_name'] == 'Dan'
    assert (found['bob@example.org']['first_name'], found['bob@example.org']['institution']) == ('Bob', 'Here')


def test_where_nothing_would_change_nothing_is_said_to_have_changed(run_cli, profile: str) -> None:
    before = users(run_cli, profile)
    for words in ((), ('-n', '--email', 'bob@example.org')):
        done = run_cli('-p', profile, 'user', 'configure', *words)
        assert (done.returncode, 'nothing was changed: give --first-name' in done.stderr) == (2, True)
    done = run_cli('-p', profile, 'user', 'configure', '-n', '--email', 'bob@example.org', '--first-name', 'Bob')
    assert (done.returncode, 'nothing was changed' in done.stderr) == (0, True)
    assert users(run_cli, profile) == before


def test_the_default_user_is_set_for_this_profile_only(run_cli, reference_home: Path) -> None:
    assert run_cli('-p', 'loose', 'user', 'set-default', 'bob@example.org').returncode == 0
    profiles = json.loads((reference_home / 'config.json').read_text())['profiles']
    assert profiles['loose']['default_user_email'] == 'bob@example.org'
    assert profiles['mixed']['default_user_email'] == 'alice@example.org'


def test_an_unknown_user_is_refused_with_what_may_have_been_meant(run_cli, reference_home: Path) -> None:
    done = run_cli('user', 'set-default', 'bob@example.com')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'did you mean `bob@example.org`?' in done.stderr


def test_without_a_terminal_the_address_has_to_be_given(run_cli, reference_home: Path) -> None:
    done = run_cli('user', 'configure', '-n')
    assert done.returncode == 2
    assert '--email' in done.stderr


def test_on_a_terminal_the_values_that_are_there_are_offered(run_in_terminal, run_cli, reference_home: Path) -> None:
    answers = {
        'Email address': 'bob@example.org\n',
        'First name [Bob]': 'Rob\n',
        'Last name': '\n',
        'Institution': '\n',
    }
    run = run_in_terminal('user', 'configure', answers=answers)
    assert run.returncode == 0, run.screen
    bob = users(run_cli, 'loose')['bob@example.org']
    assert (bob['first_name'], bob['last_name'], bob['institution']) == ('Rob', 'Ünïcode', 'Somewhere')
