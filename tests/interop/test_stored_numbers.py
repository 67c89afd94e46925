"""Large numbers that AiiDA stored are found by the number that was stored, whether it is given as float or integer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi import load_profile, orm
from ricordi.manager import unload_profile

pytestmark = pytest.mark.interop

NUMBERS = [6.02214076e23, 1e14, 1e15, 1.5e16, 1.25e18, -3e20, 1e300, 123456789.5]
STORE = """
import json, sys
from aiida import load_profile, orm
load_profile('main')
for number in json.load(sys.stdin):
    orm.Dict({'n': number, 'many': [1, number]}).store()
"""


@pytest.fixture(params=['core.sqlite_dos', 'core.psql_dos'])
def stored_by_aiida(
    request: pytest.FixtureRequest, empty_home: Path, aiida_python: str, run_cli: Callable[..., Any]
) -> Any:
    """A profile in which AiiDA has stored a node for each number."""
    options = ['--filepath', str(empty_home / 'storage')]
    if request.param == 'core.psql_dos':
        postgres = request.getfixturevalue('postgres')
        config = postgres.storage_config(request.getfixturevalue('new_database')(), empty_home / 'storage')
        del config['database_engine']
        options = [word for name, value in config.items() for word in (f'--{name.replace("_", "-")}', str(value))]
    words = ['profile', 'setup', request.param, '--profile-name', 'main', '--email', 'a@b.c', '-n', *options]
    done = run_cli(*words)
    assert done.returncode == 0, done.stderr
    subprocess.run(
        [aiida_python, '-c', STORE], input=json.dumps(NUMBERS), text=True, check=True, env={**os.environ}, timeout=240
    )
    load_profile('main', allow_switch=True)
    yield
    unload_profile()


def test_a_number_that_aiida_stored_is_found_as_float_and_as_integer(stored_by_aiida: None) -> None:
    for number in NUMBERS:
        asked = [number, int(number)] if number == int(number) else [number]
        for given in asked:
            for key, condition in (
                ('attributes.n', given),
                ('attributes.n', {'in': [given, 7]}),
                ('attributes.n', {'and': [{'>=': given}, {'<=': given}]}),
                ('attributes.many', {'contains': [given]}),
            ):
                query = orm.QueryBuilder().append(orm.Dict, filters={key: condition}, project='attributes.n')
                assert query.all(flat=True) == [number], (given, key, condition)
