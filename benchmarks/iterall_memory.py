"""Peak memory of `iterall` over all nodes of a profile, and of one with many times as many: it must not grow.

    python benchmarks/iterall_memory.py HOME [--nodes 1000000] [--side ours] [--table iterall-memory]

HOME is what make_profile.py made. Its nodes are multiplied by SQL, on a copy (of the database, too, on PostgreSQL),
until there are as many as asked for; links, comments and groups are not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import paired
import postgres
from clock import read_times
from paired import Action, Run

LIMIT = 70 * paired.MIB
GROWTH = 15 * paired.MIB
"""What peaks may differ by for other reasons than the number of rows: allocators, the cache of SQLite."""
WORKS = {'objects': 'nodes as ORM objects', 'attributes': 'id and attributes', 'columns': '5 plain columns'}
COLUMNS = (
    'node_type, process_type, label, description, ctime, mtime, attributes, extras, repository_metadata, '
    'dbcomputer_id, user_id'
)
SQLITE_UUID = (
    "lower(printf('%s-%s-4%s-a%s-%s', hex(randomblob(4)), hex(randomblob(2)), substr(hex(randomblob(2)), 2), "
    'substr(hex(randomblob(2)), 2), hex(randomblob(6))))'
)


def multiplied(shift: int, first: int, uuid: str) -> str:
    """The INSERT of copies of the first nodes, their ids shifted."""
    return (
        f'INSERT INTO db_dbnode (id, uuid, {COLUMNS}) '
        f'SELECT id + {shift}, {uuid}, {COLUMNS} FROM db_dbnode WHERE id <= {first} ORDER BY id'
    )


def shifts(there: int, wanted: int) -> list[tuple[int, int]]:
    """By how much to shift, and how many of the first rows, until there are as many as wanted."""
    return [(start, min(there, wanted - start)) for start in range(there, wanted, there)]


def multiply(home: Path, wanted: int) -> None:
    """Make the nodes of a profile as many as wanted. Their ids are 1, 2, 3 … as make_profile.py makes them."""
    most = 'SELECT max(id) FROM db_dbnode'
    if postgres.settings(home) is not None:
        with postgres.connection(home) as database:
            (there,) = database.execute(most).fetchone()
            for shift, first in shifts(there, wanted):
                database.execute(multiplied(shift, first, 'gen_random_uuid()'))
            database.execute(f"SELECT setval(pg_get_serial_sequence('db_dbnode', 'id'), {wanted})")
            database.execute('VACUUM ANALYZE db_dbnode')
        return
    database = sqlite3.connect(home / '.aiida' / 'repository' / 'bench' / 'database.sqlite', isolation_level=None)
    database.execute('PRAGMA synchronous = OFF')
    database.execute('PRAGMA cache_size = -1000000')
    database.execute('BEGIN')
    (there,) = database.execute(most).fetchone()
    for shift, first in shifts(there, wanted):
        database.execute(multiplied(shift, first, SQLITE_UUID))
    database.execute('COMMIT')
    database.close()


def apart(work: Callable[[Path, int], None], *arguments: Path | int) -> None:
    """Do something in a process of its own: the peaks of processes include what their parent has had in memory."""
    process = multiprocessing.get_context('spawn').Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError('the nodes could not be multiplied')


def measure(home: Path, step: str, nodes: int, args: argparse.Namespace) -> paired.Row:
    """One way to iterate, on both sides."""

    def make(side: str) -> Action | None:
        if args.side not in (side, 'both'):
            return None
        package = 'ricordi' if side == 'ours' else 'aiida'
        command = (getattr(args, side), paired.HERE / 'orm_steps.py', package, step)

        def action() -> Run:
            run = paired.run(command, {'AIIDA_PATH': str(home)})
            seconds, cpu, rows = read_times(run.output)
            if rows != nodes:
                raise RuntimeError(f'{side}: {rows} rows in place of {nodes}')
            return replace(run, seconds=seconds, cpu_seconds=cpu)

        return action

    return paired.pair(f'{nodes:,} {WORKS[step]}, `iterall`', make('ours'), make('peer'), runs=args.runs)


def main() -> None:
    """Measure, print, and fail where memory is too much or grows."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--nodes', type=int, default=1_000_000)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--table', default='iterall-memory', help='name under which the results are kept')
    parser.set_defaults(runs=1)
    args = parser.parse_args()
    home = args.scratch / 'iterall'
    paired.clone(args.home, home, objects=False)
    postgres.copy_database(home, 'iterall')
    rows, faults = [], []
    try:
        few = count(home)
        steps = [step for step in WORKS if args.only in step]
        peaks = {}
        for nodes in (few, args.nodes):
            apart(multiply, home, nodes)
            for step in steps:
                rows.append(measure(home, step, nodes, args))
                peaks[step, nodes] = rows[-1].ours_peak or 0
        for step in steps:
            if peaks[step, args.nodes] > LIMIT:
                faults.append(f'{WORKS[step]}: more than {LIMIT // paired.MIB} MiB')
            if peaks[step, args.nodes] - peaks[step, few] > GROWTH:
                faults.append(f'{WORKS[step]}: grows by more than {GROWTH // paired.MIB} MiB')
        paired.save(args.table, rows)
    finally:
        postgres.drop_copy(home, 'iterall')
        shutil.rmtree(home)
    if faults:
        sys.exit('\n'.join(faults))


def count(home: Path) -> int:
    """How many nodes there are."""
    query = 'SELECT count(*) FROM db_dbnode'
    if postgres.settings(home) is not None:
        with postgres.connection(home) as database:
            return int(database.execute(query).fetchone()[0])
    database = sqlite3.connect(home / '.aiida' / 'repository' / 'bench' / 'database.sqlite')
    found = int(database.execute(query).fetchone()[0])
    database.close()
    return found


if __name__ == '__main__':
    main()
