"""Peak memory of making and importing archives at 60,000 and 600,000 nodes: it must not grow with their number.

    python benchmarks/archive_memory.py [--nodes 60000 600000] [--scratch FOLDER]

The profile is that of memory.py, its objects in a pack, with links: of every ten files nine were made by a calculation.
The import goes into a new, empty profile.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from pathlib import Path

import paired
from memory import LIMIT, make
from paired import Row

FILES = "node_type = 'data.core.singlefile.SinglefileData.' AND label = ''"
CALCULATION = (
    'INSERT INTO db_dbnode (uuid, node_type, label, description, ctime, mtime, attributes, extras, '
    "repository_metadata, user_id) SELECT printf('%08x', id) || substr(uuid, 9), "
    "'process.calculation.calcfunction.CalcFunctionNode.', 'made ' || id, '', ctime, mtime, "
    """'{"process_state": "finished", "exit_status": 0, "sealed": true}', '{}', '{}', user_id """
    f'FROM db_dbnode WHERE {FILES} AND id % 10 = 0'
)
LINKS = (
    'INSERT INTO db_dblink (input_id, output_id, label, type) '
    "SELECT c.id, n.id, 'file_' || n.id, 'create' FROM db_dbnode AS n "
    "JOIN db_dbnode AS c ON c.label = 'made ' || (n.id - n.id % 10) WHERE n.id % 10 <> 0 AND n.label = '' "
    "AND n.node_type = 'data.core.singlefile.SinglefileData.'"
)


def add_links(home: Path) -> None:
    """Calculations that made the files."""
    database = sqlite3.connect(home / '.aiida' / 'repository' / 'loose' / 'database.sqlite')
    with database:
        database.execute(CALCULATION)
        database.execute(LINKS)
    database.close()


def main() -> None:
    """Measure, print, and fail where memory grows."""
    parser = paired.arguments(__doc__)
    parser.add_argument('--nodes', type=int, nargs='+', default=[60_000, 600_000])
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    args = parser.parse_args()
    program = args.ours.absolute().parent / 'ricordi'
    source, target = args.scratch / 'archive-memory', args.scratch / 'archive-memory-target'
    archive = args.scratch / 'memory.aiida'
    rows: list[Row] = []
    peaks: dict[str, list[int]] = {}
    for count in args.nodes:
        make(source, count * 8 // 7, loose=False)
        add_links(source)
        shutil.rmtree(target, ignore_errors=True)
        archive.unlink(missing_ok=True)
        paired.run((program, 'presto'), {'AIIDA_PATH': str(target)})
        for name, home, command in (
            ('`archive create --all`', source, (program, '-p', 'loose', 'archive', 'create', '--all', archive)),
            ('`archive import`', target, (program, 'archive', 'import', archive)),
        ):
            run = paired.run(command, {'AIIDA_PATH': str(home)})
            rows.append(Row(f'{count:,} nodes: {name}', run.seconds, None, None, 1, ours_peak=run.peak_bytes))
            peaks.setdefault(name, []).append(run.peak_bytes)
            print(f'  {rows[-1].work}: {run.seconds:.1f} s, {run.peak_bytes / paired.MIB:.0f} MiB', file=sys.stderr)
        shutil.rmtree(source)
        shutil.rmtree(target)
        archive.unlink()
    paired.save('archive-memory', rows)
    for name, some in peaks.items():
        growth = max(some) - min(some)
        print(f'{name}: peaks differ by {growth / paired.MIB:.0f} MiB')
        if growth > LIMIT:
            sys.exit(f'that is more than {LIMIT / paired.MIB:.0f} MiB')


if __name__ == '__main__':
    main()
