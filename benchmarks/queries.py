"""Twelve queries that people ask, against aiida-core on the same profile; each in a process of its own.

    python benchmarks/queries.py HOME [--peer PYTHON] [--runs 5] [--only TEXT] [--table queries]

HOME is what make_profile.py made; nothing is written to it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import paired
import postgres
from clock import SERVER, read_times
from paired import Action, Row, Run
from query_steps import Twelve

BARS = {'columns': 4.0, 'attributes': 2.5, 'by state': 3.0, 'two hops': 3.0, 'ancestors': 2.0, 'descendants': 2.0}


def measure(name: str, environment: dict[str, str], pythons: dict[str, Path], side: str, runs: int) -> Row:
    """One query on both sides; says so if they do not give the same number of rows."""
    counts: set[int] = set()

    def action(who: str) -> Action | None:
        if side not in (who, 'both'):
            return None
        package = 'ricordi' if who == 'ours' else 'aiida'
        command = (pythons[who], paired.HERE / 'query_steps.py', package, name)

        def run() -> Run:
            done = paired.run(command, environment)
            seconds, cpu, rows = read_times(done.output)
            counts.add(rows)
            return replace(done, seconds=seconds, cpu_seconds=cpu)

        return run

    row = paired.pair(name, action('ours'), action('peer'), bar=BARS.get(name), runs=runs)
    if len(counts) > 1:
        return replace(row, note=f'ROW COUNTS DIFFER: {sorted(counts)}')
    return replace(row, note=f'{counts.pop():,} rows')


def main() -> None:
    """Measure what the command line asks for."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--table', default='queries', help='name under which the results are kept')
    args = parser.parse_args()
    server = postgres.server_pid(args.home)
    environment = {'AIIDA_PATH': str(args.home / '.aiida'), **({SERVER: str(server)} if server else {})}
    pythons = {'ours': args.ours, 'peer': args.peer}
    names = [name for name in Twelve(None, {}).makers if args.only in name]
    paired.save(args.table, [measure(name, environment, pythons, args.side, args.runs) for name in names])


if __name__ == '__main__':
    main()
