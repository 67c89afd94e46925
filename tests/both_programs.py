"""verdi and this program on the same profile, for tests that compare what they answer."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiida_process import run_in_aiida
from prepared import make_home, unpack_psql_repository

if TYPE_CHECKING:
    from conftest import PostgresServer

TESTS = Path(__file__).parent
PROFILE = 'mixed'
Command = Sequence[Any]
__all__ = ['PROFILE', 'TESTS', 'Command', 'add_psql_profile', 'make_home', 'run_verdi']


def add_psql_profile(home: Path, postgres: PostgresServer, database: str) -> str:
    """The name of a profile that is put over a database with the reference data that AiiDA made.

    :param database: a copy of `prepared.reference_database`, or an empty one, which is filled.
    """
    import psycopg

    with psycopg.connect(postgres.uri(database), autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('db_dbnode')").fetchone() == (None,):
            connection.execute((TESTS / 'data' / 'psql_dos.sql').read_bytes())
    unpack_psql_repository(home / 'repository')
    path = home / 'config.json'
    config = json.loads(path.read_text())
    config['profiles']['psql'] = {
        'PROFILE_UUID': 'f' * 32,
        'default_user_email': 'alice@example.org',
        'storage': {
            'backend': 'core.psql_dos',
            'config': postgres.storage_config(database, home / 'repository' / 'psql_dos'),
        },
        'process_control': {'backend': None, 'config': None},
        'options': {},
        'test_profile': False,
    }
    path.write_text(json.dumps(config))
    return 'psql'


def run_verdi(python: str, home: Path, commands: Sequence[Command], profile: str = PROFILE) -> list[Any]:
    """What verdi answers to each command, all in one process."""
    environment = {**os.environ, 'AIIDA_PATH': str(home)}
    given = json.dumps(commands, default=str)
    done = run_in_aiida(python, [TESTS / 'interop' / 'run_verdi.py', profile], environment, given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
