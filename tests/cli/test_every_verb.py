"""Rules that hold for every verb of the tree: what is quiet, which options there are, what the help has."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from ricordi.cli.main import load_command
from ricordi.cli.tree import leaves
from ricordi.cli.verb import FORMATS
from verb_table import QUERY, VERBS

Run = Callable[..., subprocess.CompletedProcess[str]]
PLACES = {' '.join(path): place for path, _, place in leaves()}
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


def of_kind(*kinds: str) -> list[str]:
    """The verbs of the table that are of one of these kinds."""
    return [verb for verb, case in VERBS.items() if case.kind in kinds]


def options_of(verb: str) -> dict[str, click.Parameter]:
    """The options of a verb by their names."""
    return {name: option for option in load_command(PLACES[verb]).params for name in option.opts}


@pytest.fixture
def run_verb(run_here: Run, reference_home: Path, tmp_path: Path) -> Run:
    """Runs a verb of the table on the profile `mixed`, with more words before and after it."""
    query = tmp_path / 'query.json'
    query.write_text(json.dumps(QUERY))

    def run(verb: str, *more: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        words = [word.format(archive=ARCHIVE, tmp=tmp_path, query=query) for word in VERBS[verb].arguments]
        return run_here(*before, '-p', 'mixed', *verb.split(), *words, *more)

    return run


def test_every_verb_is_in_the_table() -> None:
    assert sorted(VERBS) == sorted(PLACES), 'give a new verb its line in tests/verb_table.py'


@pytest.mark.parametrize('verb', of_kind('shows', 'gives content'))
def test_what_a_verb_was_called_to_show_is_shown_with_quiet_too(run_verb: Run, verb: str) -> None:
    usual, quiet = run_verb(verb), run_verb(verb, before=('-q',))
    assert (usual.returncode, quiet.returncode, quiet.stderr) == (0, 0, '')
    if verb not in ('storage locks', 'tour'):  # who uses it now, how long it took
        assert set(quiet.stdout.splitlines()) <= set(usual.stdout.splitlines())
    assert bool(quiet.stdout) is bool(usual.stdout)


@pytest.mark.parametrize('verb', of_kind('lists names'))
def test_a_quiet_list_has_names_and_nothing_else(run_verb: Run, verb: str) -> None:
    usual, quiet = run_verb(verb), run_verb(verb, before=('-q',))
    assert (usual.returncode, quiet.returncode, quiet.stderr) == (0, 0, '')
    words = set(usual.stdout.split())
    assert quiet.stdout
    assert set(quiet.stdout.split()) <= words
    assert '---' not in quiet.stdout


@pytest.mark.parametrize('verb', of_kind('changes', 'makes'))
def test_a_quiet_change_says_nothing(run_verb: Run, verb: str) -> None:
    quiet = run_verb(verb, before=('-q',))
    assert (quiet.returncode, quiet.stderr) == (0, '')
    assert quiet.stdout == '' if VERBS[verb].kind == 'changes' else quiet.stdout.strip().isdigit()


@pytest.mark.parametrize('verb', of_kind('changes', 'makes'))
def test_a_change_says_what_it_did(run_verb: Run, verb: str) -> None:
    done = run_verb(verb)
    assert done.returncode == 0
    assert done.stdout or done.stderr


@pytest.mark.parametrize('verb', VERBS)
def test_what_shows_has_every_format_and_what_takes_away_can_be_tried_and_answered_beforehand(verb: str) -> None:
    options, case = options_of(verb), VERBS[verb]
    if case.kind in ('shows', 'lists names'):
        assert set(options['--format'].type.choices) >= set(FORMATS)
    if case.destroys:
        assert {'--dry-run', '--yes'} <= set(options)


@pytest.mark.parametrize(
    'verb', [verb for verb in VERBS if '--dry-run' in options_of(verb) and VERBS[verb].kind != 'needs more']
)
def test_a_dry_run_changes_nothing(run_verb: Run, reference_home: Path, verb: str) -> None:
    def content() -> dict[Path, bytes]:
        paths = [path for path in reference_home.rglob('*') if path.is_file() and 'access' not in path.parts]
        return {path: path.read_bytes() for path in paths if not path.name.endswith(('-shm', '-wal'))}

    more = {'node label': ('-L', 'x'), 'node description': ('-D', 'x')}.get(verb, ())
    before = content()
    assert run_verb(verb, '--dry-run', *more).returncode == 0
    assert content() == before


EMPTY = {
    'node list': ('--where', 'pk < 0'),
    'node comment show': ('-u', 'carol@example.org'),
    'group list': ('-s', 'nothing'),
    'group path ls': ('-T', 'nothing'),
}
"""How lists are made empty on the command line."""


@pytest.mark.parametrize('verb', EMPTY)
def test_a_list_without_rows_has_the_heading_of_one_with_rows(run_verb: Run, verb: str) -> None:
    full, empty = run_verb(verb, '--format', 'csv'), run_verb(verb, *EMPTY[verb], '--format', 'csv')
    assert (full.returncode, empty.returncode) == (0, 0)
    assert full.stdout.count('\n') > 1
    assert empty.stdout == full.stdout.splitlines()[0] + '\n'


def test_locks_have_the_same_heading_with_and_without_rows(run_verb: Run, reference_home: Path) -> None:
    empty = run_verb('storage locks', '--format', 'csv')
    folder = reference_home / 'access' / 'mixed'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / '1.pid').write_text('not a list')
    full = run_verb('storage locks', '--format', 'csv')
    assert full.stdout.count('\n') > 1
    assert empty.stdout == full.stdout.splitlines()[0] + '\n'


@pytest.mark.parametrize('verb', of_kind('shows', 'lists names'))
@pytest.mark.parametrize('name', FORMATS)
def test_each_format_can_be_read(run_verb: Run, verb: str, name: str) -> None:
    import csv
    import io

    import yaml

    done = run_verb(verb, '--format', name)
    assert done.returncode == 0
    if name == 'json':
        json.loads(done.stdout)
    elif name == 'jsonl':
        assert all(isinstance(json.loads(line), dict | list) for line in done.stdout.splitlines())
    elif name == 'yaml':
        yaml.safe_load(done.stdout)
    elif name == 'csv':
        assert len({len(row) for row in csv.reader(io.StringIO(done.stdout))}) == 1
