"""Memory of verbs that write much: it does not grow with the number of rows."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

NODES = 60_000
DRAWN = 9_500
MOST_BYTES = 60 << 20

PROGRAM = """
import sys
from ricordi.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write(next(line for line in open('/proc/self/status') if line.startswith('VmHWM:')))
sys.exit(code)
"""
"""Tells at the end how much memory it had at most. Not `ru_maxrss`, which counts that of the parent before `exec`."""

pytestmark = pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='needs /proc')


@pytest.fixture(scope='module')
def large_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference profiles; `mixed` with 60,000 more nodes in a group, and 9,500 of them created by node 4."""
    folder = tmp_path_factory.mktemp('large')
    unpack = Path(__file__).parents[1] / 'data' / 'unpack.py'
    subprocess.run([sys.executable, unpack, folder / 'home'], check=True, stdout=subprocess.DEVNULL)
    home = folder / 'home' / '.aiida'
    with sqlite3.connect(home / 'repository' / 'mixed' / 'database.sqlite') as database:
        first = 1000
        database.execute(
            f"""WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {NODES - 1})
            INSERT INTO db_dbnode (id, uuid, node_type, label, description, ctime, mtime, attributes, extras,
                repository_metadata, user_id)
            SELECT {first} + i, printf('00000000-0000-4000-8000-%012d', i), 'data.core.dict.Dict.', 'node ' || i, '',
                '2026-01-01 00:00:00', '2026-01-01 00:00:00', '{{"value": ' || i || '}}', '{{}}', '{{}}', 1 FROM n"""
        )
        database.execute(
            'INSERT INTO db_dbgroup (id, uuid, label, type_string, time, description, extras, user_id) VALUES '
            "(99, '99999999-9999-4999-8999-999999999999', 'large', 'core', '2026-01-01 00:00:00', '', '{}', 1)"
        )
        database.execute(
            'INSERT INTO db_dbgroup_dbnodes (dbnode_id, dbgroup_id) SELECT id, 99 FROM db_dbnode WHERE id >= 1000'
        )
        database.execute(
            "INSERT INTO db_dblink (input_id, output_id, label, type) SELECT 4, id, 'out_' || id, 'create' "
            f'FROM db_dbnode WHERE id >= {first} AND id < {first + DRAWN}'
        )
    database.close()
    return home


def run_and_measure(home: Path, *words: str) -> tuple[int, int]:
    """The number of lines that a command line writes, and the most memory that it had, in bytes."""
    command = [sys.executable, '-c', PROGRAM, '-p', 'mixed', *words]
    environment = {**os.environ, 'AIIDA_PATH': str(home)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = sum(1 for _ in process.stdout)
        told = process.stderr.read().decode()
    assert process.returncode == 0, told
    return lines, int(told.split()[-2]) << 10


@pytest.mark.parametrize(
    'words',
    [
        *(f'node list --format {name}' for name in ('json', 'jsonl', 'csv', 'yaml', 'table')),
        'node list --raw',
        *(f'group show large --format {name}' for name in ('json', 'table')),  # others are written as those above
    ],
)
def test_60000_rows_are_written_in_little_memory(large_home: Path, words: str) -> None:
    lines, peak = run_and_measure(large_home, *words.split())
    assert lines >= NODES
    assert peak <= MOST_BYTES


@pytest.mark.parametrize('name', ['html', 'svg', 'dot'])
def test_a_drawing_of_9500_nodes_is_written_in_little_memory(large_home: Path, name: str) -> None:
    lines, peak = run_and_measure(large_home, *f'node graph generate 4 -f {name} -O -'.split())
    assert lines >= DRAWN
    assert peak <= MOST_BYTES
