"""Every verb that reads, on a PostgreSQL profile: it answers as on the same data in SQLite, plain and in JSON.

The same data have other pks there, so that what is compared is how much is told, and of what.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from both_programs import add_psql_profile, make_home
from ricordi.backend.rows import NodeRow
from ricordi.config import load_config
from ricordi.manager import use_storage
from verb_table import QUERY, VERBS

if TYPE_CHECKING:
    from conftest import PostgresServer

Run = Callable[..., subprocess.CompletedProcess[str]]
DATA = Path(__file__).parents[1] / 'data'
READING = [verb for verb, case in VERBS.items() if case.kind in ('shows', 'lists names', 'gives content')]
OF_EXTRAS = {'storage index suggest'}
"""What tells of extras is not compared: an import, by which the data came into PostgreSQL, drops some."""
LISTS = [verb for verb in READING if VERBS[verb].kind == 'lists names']


@pytest.fixture(scope='module')
def home(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, new_database_of_module: Callable[[], str]
) -> Path:
    """A configuration folder with the reference data in SQLite, `loose`, and in PostgreSQL, `psql`; both only read."""
    folder = tmp_path_factory.mktemp('psql')
    home = make_home(folder)
    add_psql_profile(home, postgres, new_database_of_module())
    (folder / 'query.json').write_text(json.dumps(QUERY))
    return home


@pytest.fixture
def answers(home: Path, run_here: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a verb of the table prints on a profile: `answers('psql', 'node show')`."""
    monkeypatch.setenv('AIIDA_PATH', str(home))
    places = {'archive': DATA / 'reference.aiida', 'tmp': home, 'query': home.parent / 'query.json'}

    with use_storage(load_config().get_profile('loose')) as storage:
        uuids = {str(row.pk): row.uuid for row in storage.find(NodeRow)}

    def run(profile: str, verb: str, *more: str) -> str:
        words = [uuids.get(word, word).format(**places) for word in VERBS[verb].arguments]
        done = run_here('-p', profile, *verb.split(), *words, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize('verb', READING)
def test_a_verb_that_reads_tells_as_much_as_on_sqlite(answers: Callable[..., str], verb: str) -> None:
    ours, theirs = answers('psql', verb), answers('loose', verb)
    assert bool(ours) is bool(theirs)
    if verb in LISTS or verb == 'node repo cat':
        assert ours.count('\n') == theirs.count('\n')


@pytest.mark.parametrize(
    'verb', [verb for verb in READING if VERBS[verb].kind != 'gives content' and verb not in OF_EXTRAS]
)
def test_a_verb_that_reads_gives_json_as_on_sqlite(answers: Callable[..., str], verb: str) -> None:
    ours, theirs = (json.loads(answers(profile, verb, '--format', 'json')) for profile in ('psql', 'loose'))
    assert shape(ours) == shape(theirs)


def shape(value: Any) -> Any:
    """How many rows there are, and which keys each has."""
    if isinstance(value, list):
        return [sorted(row) if isinstance(row, dict) else type(row) for row in value]
    return sorted(value) if isinstance(value, dict) else type(value)
