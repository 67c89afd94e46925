"""Make a profile of ten million nodes and a million objects by plain SQL, the same one each time, in minutes.

    python benchmarks/make_large_profile.py HOME [--nodes 10000000] [--postgres URI]

HOME becomes a configuration folder (use it as AIIDA_PATH) with one profile, `large`. Of every twenty nodes one is a
workflow that calls four calculations, each with an input, a dictionary of results and a folder; three are numbers and
texts. Two of twenty have a file of their own, packed. Of 2,000 calculations one has failed, of 100,000 one is running.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

BLOCK = 20
GROUPS, GROUP_SIZE = 100, 1_000
NODES = (
    'id, uuid, node_type, process_type, label, description, ctime, mtime, attributes, extras, repository_metadata, '
    'dbcomputer_id, user_id'
)
CALCJOB = "'process.calculation.calcjob.CalcJobNode.'"
WORKCHAIN = "'process.workflow.workchain.WorkChainNode.'"
STATE = (
    """CASE WHEN i % 2000002 = 2 THEN '"process_state": "waiting"' """
    """WHEN i % 40002 = 2 THEN '"process_state": "finished", "exit_status": 410' """
    """ELSE '"process_state": "finished", "exit_status": 0' END"""
)
TYPES = f"""CASE WHEN p = 1 THEN {WORKCHAIN} WHEN p <= 5 THEN {CALCJOB} WHEN p <= 13 THEN 'data.core.dict.Dict.'
WHEN p <= 17 THEN 'data.core.folder.FolderData.' WHEN p = 18 THEN 'data.core.int.Int.'
WHEN p = 19 THEN 'data.core.float.Float.' ELSE 'data.core.str.Str.' END"""
ATTRIBUTES = f"""CASE WHEN p <= 5 THEN '{{"process_label": "pw", ' || {STATE} || ', "sealed": true}}'
WHEN p <= 13 THEN '{{"energy": ' || i || '.25, "unit": "eV", "steps": [1, 2, 3]}}' WHEN p <= 17 THEN '{{}}'
WHEN p = 18 THEN '{{"value": ' || i || '}}' WHEN p = 19 THEN '{{"value": ' || i || '.5}}'
ELSE '{{"value": "text ' || i || '"}}' END"""
LINKS = (
    ('call_calc', 'call_', 1, 2),
    ('input_calc', 'parameters', 6, 2),
    ('create', 'results', 2, 10),
    ('create', 'retrieved', 2, 14),
)
"""Type, label, and the places in a block of the first source and the first target; four of each."""


class Sqlite:
    """SQL as SQLite has it, and a connection that waits for no disk."""

    def __init__(self, home: Path) -> None:
        (database,) = home.glob('repository/*/database.sqlite')
        self.connection = sqlite3.connect(database, isolation_level=None)
        for pragma in ('journal_mode = OFF', 'synchronous = OFF', 'cache_size = -1000000', 'temp_store = MEMORY'):
            self.connection.execute(f'PRAGMA {pragma}')

    json = ''

    def execute(self, sql: str) -> list[Any]:
        """Run a statement."""
        return self.connection.execute(sql).fetchall()

    def numbers(self, first: int, last: int) -> str:
        """What stands in FROM for the column `i` of whole numbers."""
        return (
            f'(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n)'
        )

    def hexadecimal(self, number: str, width: int) -> str:
        """The last digits of a number in base 16."""
        return f"printf('%0{width}x', ({number}) % {16**width})"

    def moment(self, seconds: str) -> str:
        """The time so many seconds after the first of January 2020."""
        return f"strftime('%Y-%m-%d %H:%M:%S', 1577836800 + {seconds}, 'unixepoch') || '.000000'"

    def keep_keys(self, keys: Iterator[tuple[int, str]]) -> None:
        """Make the table of object keys."""
        self.execute('CREATE TABLE large_keys (number INTEGER PRIMARY KEY, key TEXT)')
        self.connection.execute('BEGIN')
        self.connection.executemany('INSERT INTO large_keys VALUES (?, ?)', keys)
        self.connection.execute('COMMIT')

    def indexes(self) -> list[tuple[str, str]]:
        """Name and definition of the indexes that are no constraints."""
        return self.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")

    def close(self) -> None:
        """Let the planner know nothing, as AiiDA does, and close."""
        self.connection.close()


class Postgres:
    """SQL as PostgreSQL has it."""

    def __init__(self, uri: str) -> None:
        import psycopg

        self.connection = psycopg.connect(uri, autocommit=True)
        for setting in ('synchronous_commit TO off', "maintenance_work_mem TO '1GB'"):
            self.connection.execute(f'SET {setting}')

    json = '::jsonb'

    def execute(self, sql: str) -> list[Any]:
        """Run a statement."""
        cursor = self.connection.execute(sql)
        return cursor.fetchall() if cursor.description else []

    def numbers(self, first: int, last: int) -> str:
        """What stands in FROM for the column `i` of whole numbers."""
        return f'(SELECT i::bigint FROM generate_series({first}, {last}) AS n(i)) AS numbers'

    def hexadecimal(self, number: str, width: int) -> str:
        """The last digits of a number in base 16."""
        return f"lpad(to_hex(({number}) % {16**width}), {width}, '0')"

    def moment(self, seconds: str) -> str:
        """The time so many seconds after the first of January 2020."""
        return f'to_timestamp(1577836800 + {seconds})'

    def keep_keys(self, keys: Iterator[tuple[int, str]]) -> None:
        """Make the table of object keys."""
        self.execute('CREATE TABLE large_keys (number bigint PRIMARY KEY, key text)')
        with self.connection.cursor().copy('COPY large_keys FROM STDIN') as copy:
            for row in keys:
                copy.write_row(row)

    def indexes(self) -> list[tuple[str, str]]:
        """Name and definition of the indexes that are no constraints."""
        return self.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN "
            '(SELECT conname FROM pg_constraint)'
        )

    def close(self) -> None:
        """Tell the planner of the tables, and close."""
        for table in ('db_dbnode', 'db_dblink', 'db_dbgroup', 'db_dbgroup_dbnodes', 'db_dbuser'):
            self.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        self.execute('VACUUM ANALYZE')
        self.connection.close()


Database = Sqlite | Postgres


def pack(container: Path, count: int) -> Iterator[tuple[int, str]]:
    """Write as many objects into the container's first pack, and yield number and key of each."""
    index = sqlite3.connect(container / 'packs.idx')
    rows = []
    with (container / 'packs' / '0').open('wb') as handle, closing(index), index:
        for number in range(count):
            content = f'energies of calculation {number}\n'.encode() * (1 + number % 5)
            key = hashlib.sha256(content).hexdigest()
            rows.append((key, False, len(content), handle.tell(), len(content), 0))
            handle.write(content)
            yield number, key
        index.executemany(
            'INSERT INTO db_object (hashkey, compressed, size, offset, length, pack_id) VALUES (?, ?, ?, ?, ?, ?)',
            sorted(rows),
        )


def fill(database: Database, container: Path, nodes: int) -> None:
    """All rows, without indexes, and the indexes after them."""
    indexes = database.indexes()
    for name, _ in indexes:
        database.execute(f'DROP INDEX {name}')
    database.keep_keys(pack(container, nodes // 10))
    step(database, 'nodes', insert_nodes(database, nodes))
    step(database, 'links', *(insert_links(database, nodes, *link) for link in LINKS))
    step(database, 'groups', *insert_groups(database, nodes))
    step(database, 'indexes', 'DROP TABLE large_keys', *(definition for _, definition in indexes))


def step(database: Database, name: str, *statements: str) -> None:
    """Run some statements, and tell how long that took."""
    began = time.perf_counter()
    for statement in statements:
        database.execute(statement)
    print(f'{name}: {time.perf_counter() - began:.0f} s', file=sys.stderr, flush=True)


def insert_nodes(database: Database, nodes: int) -> str:
    """The statement that makes all nodes."""
    scattered = [database.hexadecimal(f'i * {factor}', width) for factor, width in ((2654435761, 8), (40503, 4))]
    uuid = " || '-' || ".join((*scattered, "'4000-8000'", database.hexadecimal('i', 12)))
    moment = database.moment('i * 10')
    extras = f"""CASE WHEN p <= 5 THEN '{{"_aiida_hash": "' || {hash_of(database)} || '"}}' ELSE '{{}}' END"""
    tree = """CASE WHEN key IS NULL THEN '{}' ELSE '{"o": {"aiida.out": {"k": "' || key || '"}}}' END"""
    numbered = f'(SELECT i, (i - 1) % {BLOCK} + 1 AS p FROM {database.numbers(1, nodes)}) AS numbered'
    of_block = f'(i - 1) / {BLOCK} * 2 + p - 14'
    return (
        f'INSERT INTO db_dbnode ({NODES}) SELECT i, {uuid_of(database, uuid)}, {TYPES}, '
        f"CASE WHEN p <= 5 THEN 'aiida.calculations:pw' END, '', '', {moment}, {moment}, "
        f'({ATTRIBUTES}){database.json}, '
        f'({extras}){database.json}, ({tree}){database.json}, NULL, 1 FROM {numbered} '
        f'LEFT JOIN large_keys ON p IN (14, 15) AND number = {of_block} ORDER BY i'
    )


def uuid_of(database: Database, text: str) -> str:
    """A uuid in the type of its column."""
    return f'({text})::uuid' if isinstance(database, Postgres) else text


def hash_of(database: Database) -> str:
    """A text as long as a SHA-256, another one for each node."""
    return ' || '.join(database.hexadecimal(f'i * {factor}', 8) for factor in (2654435761, 40503, 48271, 69621) * 2)


def insert_links(database: Database, nodes: int, link_type: str, label: str, source: int, target: int) -> str:
    """The statement that makes four links in each block; a workflow calls, all others go side by side."""
    begin = f'b + {source}' if source == 1 else f'b + {source} + j'
    name = f"'{label}' || j" if label.endswith('_') else f"'{label}'"
    blocks = f'(SELECT (i - 1) * {BLOCK} AS b FROM {database.numbers(1, nodes // BLOCK)}) AS blocks'
    four = '(SELECT 0 AS j UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS four'
    return (
        f'INSERT INTO db_dblink (input_id, output_id, label, type) SELECT {begin}, b + {target} + j, {name}, '
        f"'{link_type}' FROM {blocks} CROSS JOIN {four}"
    )


def insert_groups(database: Database, nodes: int) -> tuple[str, str]:
    """The statements that make the groups and their members."""
    size = min(GROUP_SIZE, nodes // GROUPS)
    uuid = uuid_of(database, "'00000000-0000-4000-8000-' || " + database.hexadecimal('i', 12))
    groups = (
        'INSERT INTO db_dbgroup (id, uuid, label, type_string, time, description, extras, user_id) SELECT i, '
        f"{uuid}, 'group ' || i, 'core', {database.moment('i')}, '', '{{}}', 1 FROM {database.numbers(1, GROUPS)}"
    )
    members = (
        f'INSERT INTO db_dbgroup_dbnodes (dbnode_id, dbgroup_id) SELECT i, (i - 1) / {size} + 1 '
        f'FROM {database.numbers(1, size * GROUPS)}'
    )
    return groups, members


def set_up(home: Path, postgres: str | None) -> None:
    """An empty profile."""
    options = ['core.sqlite_dos', '--filepath', str(home / 'repository' / 'large')]
    if postgres is not None:
        uri = urllib.parse.urlsplit(postgres)
        options = ['core.psql_dos', '--database-hostname', str(uri.hostname), '--database-port', str(uri.port or 5432)]
        options += ['--database-username', str(uri.username), '--database-password', uri.password or 'none']
        options += [
            '--database-name',
            uri.path.lstrip('/'),
            '--repository-uri',
            (home / 'repository' / 'large').as_uri(),
        ]
    command = [str(Path(sys.executable).parent / 'ricordi'), 'profile', 'setup', *options]
    command += ['-p', 'large', '--email', 'large@example.org', '-n']
    subprocess.run(command, check=True, env={**os.environ, 'AIIDA_PATH': str(home)})


def main() -> None:
    """Make the profile that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('home', type=Path, help='configuration folder to make; must not exist')
    parser.add_argument('--nodes', type=int, default=10_000_000)
    parser.add_argument('--postgres', metavar='URI', help='postgresql://user@host:port/database, an empty database')
    args = parser.parse_args()
    if args.home.exists():
        parser.error(f'{args.home} exists already')
    home = args.home.resolve() / '.aiida'
    home.mkdir(parents=True)
    set_up(home, args.postgres)
    (container,) = home.glob('repository/*/container')
    database: Database = Sqlite(home) if args.postgres is None else Postgres(args.postgres)
    nodes = args.nodes // BLOCK * BLOCK
    fill(database, container, nodes)
    database.close()
    os.sync()


if __name__ == '__main__':
    main()
