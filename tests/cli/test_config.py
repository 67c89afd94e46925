"""`ricordi config`: whose value counts, what is refused, what stays as it is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_value_of_the_profile_counts_before_that_of_all_and_the_default(
    run_here: Run, reference_home: Path
) -> None:
    def value(profile: str) -> str:
        return run_here('-p', profile, 'config', 'get', 'daemon.timeout').stdout

    assert value('mixed') == '2\n'
    run_here('-p', 'mixed', 'config', 'set', '--global', 'daemon.timeout', '3')
    run_here('-p', 'mixed', 'config', 'set', 'daemon.timeout', '4')
    assert (value('mixed'), value('loose')) == ('4\n', '3\n')
    listed = json.loads(run_here('-p', 'mixed', 'config', 'list', 'daemon.t', '--format', 'json').stdout)
    assert [(one['source'], one['value']) for one in listed] == [('profile', 4)]
    run_here('-p', 'mixed', 'config', 'unset', 'daemon.timeout')
    assert value('mixed') == '3\n'
    run_here('-p', 'mixed', 'config', 'unset', '-g', 'daemon.timeout')
    assert value('mixed') == '2\n'


def test_an_option_of_all_profiles_is_set_for_all(run_here: Run, reference_home: Path) -> None:
    done = run_here('-p', 'mixed', 'config', 'set', 'autofill.user.email', 'ada@example.org')
    assert (done.returncode, done.stderr) == (0, 'autofill.user.email set to ada@example.org for all profiles.\n')
    assert run_here('-p', 'loose', 'config', 'get', 'autofill.user.email').stdout == 'ada@example.org\n'


def test_values_are_added_to_a_list_once_and_taken_away(run_here: Run, reference_home: Path) -> None:
    def change(*words: str) -> str:
        done = run_here('-p', 'mixed', 'config', 'set', *words)
        assert done.returncode == 0, done.stderr
        return run_here('-p', 'mixed', 'config', 'get', 'caching.enabled_for').stdout

    assert change('caching.enabled_for', 'b a') == "['b', 'a']\n"
    assert change('-a', 'caching.enabled_for', 'c') == "['b', 'a', 'c']\n"
    assert change('-a', 'caching.enabled_for', 'a') == "['b', 'a', 'c']\n"
    assert change('-r', 'caching.enabled_for', 'a') == "['b', 'c']\n"


def test_what_cannot_be_meant_is_refused_and_changes_nothing(run_here: Run, reference_home: Path) -> None:
    before = (reference_home / 'config.json').read_bytes()
    cases = {
        ('set', 'daemon.timeout', 'soon'): (2, 'give a whole number'),
        ('set', 'daemon.timeuot', '1'): (1, 'did you mean `daemon.timeout`'),
        ('set', '-a', 'daemon.timeout', '1'): (2, 'is no list'),
        ('set', '-a', '-r', 'caching.enabled_for', 'x'): (2, 'contradict each other'),
        ('unset', 'nothing'): (1, 'there is no option'),
        ('get', 'nothing'): (1, 'there is no option'),
        ('show', 'nothing'): (1, '`ricordi config list --advanced` shows those there are'),
    }
    for words, (code, text) in cases.items():
        done = run_here('-p', 'mixed', 'config', *words)
        assert (done.returncode, text in done.stderr) == (code, True), done.stderr
    assert (reference_home / 'config.json').read_bytes() == before


def test_without_a_default_profile_the_options_of_all_are_meant(run_here: Run, reference_home: Path) -> None:
    path = reference_home / 'config.json'
    config = json.loads(path.read_text())
    config.pop('default_profile', None)
    path.write_text(json.dumps(config))
    assert run_here('config', 'set', 'daemon.timeout', '5').stderr == 'daemon.timeout set to 5 for all profiles.\n'
    assert json.loads(path.read_text())['options']['daemon.timeout'] == 5


def test_an_archive_has_no_options(run_here: Run, reference_home: Path) -> None:
    archive = Path(__file__).parents[1] / 'data' / 'reference.aiida'
    assert run_here('--archive', archive, 'config', 'list').returncode == 2
