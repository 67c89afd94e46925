"""Ricordi on SQLite, Ricordi on PostgreSQL, and AiiDA answer generated queries alike, or a table says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from query_data import add_tricky_nodes, copy_rows  # noqa: E402
from query_differences import DIFFERENCES  # noqa: E402
from query_grammar import generate  # noqa: E402

from storage.query.model import matches  # noqa: E402

DATA = HERE.parent / 'data'
QUERIES = generate()
Answers = dict[str, list[Any]]

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory, postgres: Any, new_database_of_module: Callable[[], str]) -> Path:
    """A configuration folder with the profiles `loose` (SQLite) and `pg`, which hold the same rows."""
    base = tmp_path_factory.mktemp('queries')
    subprocess.run([sys.executable, DATA / 'unpack.py', base], check=True, stdout=subprocess.DEVNULL)
    home = base / '.aiida'
    database = home / 'repository' / 'loose' / 'database.sqlite'
    add_tricky_nodes(database)
    name = new_database_of_module()
    with psycopg.connect(postgres.uri(name), autocommit=True) as connection:
        connection.execute((DATA / 'psql_dos.sql').read_bytes())
    copy_rows(database, postgres.uri(name))
    with tarfile.open(DATA / 'psql_dos.tar.gz') as archive:
        archive.extractall(base / 'psql', filter='data')
    repository = next((base / 'psql').rglob('container')).parent
    config = json.loads((home / 'config.json').read_text())
    storage = {'backend': 'core.psql_dos', 'config': postgres.storage_config(name, repository)}
    config['profiles']['pg'] = {**config['profiles']['loose'], 'PROFILE_UUID': '9' * 32, 'storage': storage}
    (home / 'config.json').write_text(json.dumps(config))
    return home


@pytest.fixture(scope='module')
def answers(home: Path, aiida_python: str) -> Answers:
    """The answers of both programs on both databases: `aiida loose`, `aiida pg`, `ricordi loose`, `ricordi pg`."""
    ask = _asker(home)
    found = {f'aiida {profile}': ask(aiida_python, 'aiida', profile) for profile in ('loose', 'pg')}
    return found | {f'ricordi {profile}': ask(sys.executable, 'ricordi', profile) for profile in ('loose', 'pg')}


@pytest.fixture(scope='module')
def rows(home: Path) -> list[dict[str, Any]]:
    """All nodes, as the model of filters takes them."""
    every = [{'path': [{'cls': 'Node', 'tag': 'n', 'project': '**'}], 'method': 'dict'}]
    (found,) = _asker(home)(sys.executable, 'ricordi', 'loose', every)
    return [_with_dates(row['n']) for row in found]


def _asker(home: Path) -> Callable[..., list[Any]]:
    def ask(python: str, program: str, profile: str, queries: list[Any] = QUERIES) -> list[Any]:
        done = subprocess.run(
            [python, HERE / 'answer_queries.py', program, profile],
            input=json.dumps(queries),
            env={**os.environ, 'AIIDA_PATH': str(home)},
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def test_there_are_enough_queries() -> None:
    assert len(QUERIES) >= 300
    assert generate() == QUERIES


@pytest.mark.parametrize('query', QUERIES, ids=lambda query: f'{query["number"]}-{query["kind"].replace(" ", "-")}')
def test_programs_and_databases_agree(query: dict[str, Any], answers: Answers, rows: list[dict[str, Any]]) -> None:
    given = {name: canonical(query, found[query['number']]) for name, found in answers.items()}
    assert given['ricordi loose'] == given['ricordi pg'], 'the two databases differ'
    if given['ricordi loose'] in (given['aiida loose'], given['aiida pg']):
        return
    rules = [rule for rule in DIFFERENCES if rule.applies(query)]
    assert rules, f'AiiDA differs, and no row of the table says why:\n{json.dumps(query, ensure_ascii=False)}\n{given}'
    if rules[0].is_filter:
        filters = _with_dates(query['path'][0]['filters'])
        expected = [row['id'] for row in rows if matches(filters, row)]
        answer = answers['ricordi loose'][query['number']]
        if query.get('method') == 'count':
            assert answer == min(len(expected), query.get('limit') or len(expected))
        else:
            assert sorted(pk for (pk,) in answer) == expected


def test_the_dictionary_of_a_query_has_the_layout_of_aiida(home: Path, aiida_python: str) -> None:
    queries = [{**query, 'method': 'as_dict'} for query in QUERIES]
    ask = _asker(home)
    theirs, ours = ask(aiida_python, 'aiida', 'loose', queries), ask(sys.executable, 'ricordi', 'loose', queries)
    for query, their, our in zip(queries, theirs, ours, strict=True):
        if 'AbstractCode' not in str(query):
            assert our == their, query


def test_a_dictionary_that_aiida_made_gives_the_same_query(home: Path, aiida_python: str, answers: Answers) -> None:
    plain = [query for query in QUERIES if '$date' not in str(query) and 'AbstractCode' not in str(query)]
    asked = [{**query, 'method': 'as_dict'} for query in plain]
    ask = _asker(home)
    again = [
        {**query, 'from': made} for query, made in zip(plain, ask(aiida_python, 'aiida', 'loose', asked), strict=True)
    ]
    for query, answer in zip(plain, ask(sys.executable, 'ricordi', 'loose', again), strict=True):
        assert canonical(query, answer) == canonical(query, answers['ricordi loose'][query['number']]), query


def test_every_row_of_the_table_is_needed(answers: Answers) -> None:
    used: Counter[str] = Counter()
    for query in QUERIES:
        given = {name: canonical(query, found[query['number']]) for name, found in answers.items()}
        if given['ricordi loose'] not in (given['aiida loose'], given['aiida pg']):
            used.update(rule.name for rule in DIFFERENCES if rule.applies(query))
    assert [rule.name for rule in DIFFERENCES if not used[rule.name]] == []


def test_most_answers_are_those_of_aiida(answers: Answers) -> None:
    same = sum(
        canonical(query, answers['ricordi loose'][query['number']])
        in [canonical(query, answers[f'aiida {profile}'][query['number']]) for profile in ('loose', 'pg')]
        for query in QUERIES
    )
    assert same >= 300


def canonical(query: dict[str, Any], answer: Any) -> Any:
    """An answer in a form that can be compared: rows sorted where the query leaves their order open."""
    if isinstance(answer, dict) and 'error' in answer:
        return f'error {query["number"]}'
    answer = _without_negative_zero(answer)
    if isinstance(answer, list) and not query.get('order_by'):
        return sorted(json.dumps(row, sort_keys=True) for row in answer)
    return json.dumps(answer, sort_keys=True)


def _without_negative_zero(value: Any) -> Any:
    """PostgreSQL keeps numbers as decimals, which have no negative zero."""
    if isinstance(value, dict):
        return {key: _without_negative_zero(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_negative_zero(item) for item in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


def _with_dates(value: Any) -> Any:
    from datetime import datetime

    if isinstance(value, dict):
        if set(value) == {'$date'}:
            return datetime.fromisoformat(value['$date'])
        return {key: _with_dates(item) for key, item in value.items()}
    return [_with_dates(item) for item in value] if isinstance(value, list) else value
