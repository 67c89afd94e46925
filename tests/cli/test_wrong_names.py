"""What is named and is not there: told first, in one line, with the code of its kind and a way out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.cli.main import load_command
from ricordi.cli.tree import leaves

Run = Callable[..., subprocess.CompletedProcess[str]]
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


@pytest.mark.parametrize(
    'words',
    [
        ('node', 'list', '-u', 'nobody@nowhere'),
        ('node', 'comment', 'show', '-u', 'nobody@nowhere', 1),
        ('group', 'list', '-u', 'nobody@nowhere'),
        ('group', 'delete', '-u', 'nobody@nowhere', '--yes'),
        ('user', 'set-default', 'nobody@nowhere'),
        ('computer', 'configure', 'show', 'localhost', '-u', 'nobody@nowhere'),
    ],
    ids=lambda words: ' '.join(map(str, words[:2])),
)
def test_an_unknown_user_is_told_wherever_one_is_named(run_here: Run, each_profile: str, words: tuple) -> None:
    done = run_here('-p', each_profile, *words)
    assert (done.returncode, done.stdout, done.stderr.count('\n')) == (1, '', 1)
    assert "there is no user 'nobody@nowhere'" in done.stderr


@pytest.mark.parametrize(
    'words',
    [
        ('archive', 'info', 'nofile'),
        ('archive', 'info', '--detailed', 'nofile'),
        ('archive', 'version', 'nofile'),
        ('archive', 'migrate', 'nofile', 'new.aiida'),
        ('archive', 'import', 'nofile'),
        ('archive', 'import', ARCHIVE, 'nofile'),
        ('--archive', 'nofile', 'node', 'list'),
        ('--archive', 'nofile', 'storage', 'info'),
        ('profile', 'setup', 'core.sqlite_zip', '-p', 'new', '--filepath', 'nofile', '-n'),
    ],
    ids=lambda words: ' '.join(map(str, words[:3])),
)
def test_an_archive_that_is_named_and_not_there_is_wrong_usage(
    run_here: Run, reference_home: Path, words: tuple
) -> None:
    done = run_here(*words)
    assert (done.returncode, done.stdout, done.stderr.count('\n')) == (2, '', 1)
    assert 'nofile: check the path' in done.stderr


def test_a_profile_whose_archive_is_gone_is_a_storage_that_cannot_be_reached(
    run_here: Run, reference_home: Path
) -> None:
    config = json.loads((reference_home / 'config.json').read_text())
    config['profiles']['archive']['storage']['config']['filepath'] = str(reference_home / 'gone.aiida')
    (reference_home / 'config.json').write_text(json.dumps(config))
    assert run_here('-p', 'archive', 'node', 'list').returncode == 3


def test_an_unknown_profile_is_told_before_what_else_is_wrong(run_here: Run, reference_home: Path) -> None:
    done = run_here('profile', 'delete', 'nope')
    assert (done.returncode, "there is no profile 'nope'" in done.stderr) == (1, True)
    assert run_here('profile', 'delete', 'mixed').returncode == 2


def test_an_argument_that_is_left_out_is_told_in_one_line(run_here: Run) -> None:
    done = run_here('completion')
    assert (done.returncode, done.stderr.count('\n')) == (2, 1)
    assert 'bash, zsh, fish' in done.stderr


@pytest.mark.parametrize('words', [('node', 'list'), ('profile', 'list'), ('storage', 'info')])
def test_without_a_configuration_the_way_to_one_is_told(run_here: Run, empty_home: Path, words: tuple) -> None:
    done = run_here(*words)
    assert (done.returncode, done.stderr.count('\n')) == (1, 1)
    assert '`ricordi presto`' in done.stderr


def test_all_groups_of_an_archive_are_listed_for_it_has_no_default_user(run_here: Run, reference_home: Path) -> None:
    listed = run_here('--archive', ARCHIVE, 'group', 'list', '-a', '-q')
    assert listed.returncode == 0
    assert listed.stdout == run_here('--archive', ARCHIVE, 'group', 'list', '-a', '-A', '-q').stdout
    of_one = run_here('--archive', ARCHIVE, 'group', 'list', '-a', '-q', '-u', 'bob@example.org').stdout
    assert 0 < len(of_one.splitlines()) < len(listed.stdout.splitlines())


def test_verbs_that_make_or_name_profiles_offer_no_profile_to_work_on(run_here: Run) -> None:
    places = {' '.join(path): place for path, _, place in leaves()}
    for verb in [verb for verb in places if verb.startswith(('presto', 'profile setup', 'completion', 'tour'))]:
        text = run_here(*verb.split(), '--help').stdout
        assert '--profile ' not in text.replace('--profile-name', '')
        assert '--archive' not in text
        assert {name for option in load_command(places[verb]).params for name in option.opts} >= {'--profile'}


@pytest.mark.parametrize(
    'words',
    [
        ('-p', '', 'status'),
        ('node', 'show', ''),
        ('group', 'show', ''),
        ('group', 'create', ''),
        ('group', 'relabel', 'numbers', ''),
        ('computer', 'relabel', 'cluster', ''),
        ('user', 'set-default', ''),
        ('presto', '-p', ''),
        ('profile', 'setup', 'core.sqlite_dos', '-p', '', '-n'),
        ('node', 'graph', 'generate', '33', '-O', ''),
        ('archive', 'info', ''),
        ('',),
    ],
    ids=lambda words: ' '.join(words[:3]) or 'nothing',
)
def test_an_empty_name_is_refused_without_a_guess(run_here: Run, reference_home: Path, words: tuple) -> None:
    done = run_here(*words)
    assert (done.returncode, done.stdout, 'empty' in done.stderr) == (2, '', True)
    assert 'did you mean' not in done.stderr


@pytest.mark.parametrize(
    ('words', 'other'),
    [
        (('storage', 'integrity'), 'ricordi storage verify'),
        (('profile', 'configure-broker', 'core.rabbitmq'), 'verdi profile configure-broker'),
        (('archive', 'inspect', 'x.aiida'), 'ricordi archive info'),
        (('code', 'create'), 'verdi code create'),
        (('process', 'kill', '42'), 'verdi process kill'),
        (('data', 'core.bands', 'list'), 'verdi data core.bands'),
        (('devel',), 'verdi devel'),
        (('broker',), 'verdi profile configure-broker'),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_who_looks_for_a_verb_of_verdi_is_sent_where_it_is(run_here: Run, words: tuple, other: str) -> None:
    done = run_here(*words)
    assert done.returncode == 2
    assert done.stderr.endswith(f'is not part of ricordi: use `{other}`\n')
