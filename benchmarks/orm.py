"""The frontend and the QueryBuilder against aiida-core, on the same profile; each step in a process of its own.

    python benchmarks/orm.py HOME [--peer PYTHON] [--runs 5] [--only TEXT] [--table orm]

HOME is what make_profile.py made; all work on copies of it (of the database, too: nobody else may be connected to
it on PostgreSQL while it is copied). The same script runs on both sides; it also says how many rows came, and they
must agree.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import paired
import postgres
from clock import SERVER, read_times
from paired import Action, Row, Run

FIRST_QUERY = (
    'from {0} import load_profile, orm; load_profile(); '
    'print(orm.QueryBuilder().append(orm.Node, project="uuid").limit(1).first())'
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of orm_steps.py, what it is called in the table, and its bar.

    :param floor: no work of either side, but the least that SQLite takes for it.
    """

    name: str
    work: str
    bar: float | None
    floor: bool = False


STEPS = (
    Step('columns', 'all nodes, 5 plain columns, `iterall`', 4),
    Step('attributes', 'id and attributes of all nodes, `iterall`', 2.5),
    Step('objects', 'all nodes as ORM objects, `iterall`', 4),
    Step('load_node', '`load_node(pk)` and its attributes, each', 8),
    Step('join', 'two-hop join Data → CalcJob → Dict, ids', 3),
    Step('finished', "`process_state == 'finished'`, 5 columns", 3),
    Step('ancestors', 'ancestors of a node', 2),
    Step('descendants', 'descendants of a node', 2),
    Step('store_dict', '`Dict(…).store()`, each', 6),
    Step('bare_dict', 'floor: a row by bare SQLite, durable, each (not a peer: the least)', None, floor=True),
    Step('store_file', '`SinglefileData` of 5 KB, `.store()`, each', 5),
    Step('bulk', 'bulk insert of 20,000 Dict nodes', 4),
)


class Bench:
    """The two interpreters and the two folders."""

    def __init__(self, pythons: dict[str, Path], homes: dict[str, Path], side: str, runs: int) -> None:
        self.pythons = pythons
        self.homes = homes
        self.side = side
        self.runs = runs
        self.server = postgres.server_pid(homes['ours'])
        self.counts: dict[str, set[int]] = {}

    def environment(self, side: str) -> dict[str, str]:
        """The variables that a step is given."""
        return {'AIIDA_PATH': str(self.homes[side]), **({SERVER: str(self.server)} if self.server else {})}

    def sides(self, make: Callable[[str], Action]) -> tuple[Action | None, Action | None]:
        """Actions of both sides, None for one that is left out."""
        ours, peer = (make(side) if self.side in (side, 'both') else None for side in ('ours', 'peer'))
        return ours, peer

    def step(self, step: Step) -> Row:
        """Measure one step."""

        def make(side: str) -> Action:
            package = 'ricordi' if side == 'ours' else 'aiida'
            command = (self.pythons[side], paired.HERE / 'orm_steps.py', package, step.name)

            def action() -> Run:
                run = paired.run(command, self.environment(side))
                seconds, cpu, rows = read_times(run.output)
                self.counts.setdefault(step.name, set()).add(rows)
                return replace(run, seconds=seconds, cpu_seconds=cpu)

            return action

        ours, peer = (make('ours'), None) if step.floor else self.sides(make)
        row = paired.pair(step.work, ours, peer, bar=step.bar, runs=self.runs)
        if len(counts := self.counts[step.name]) > 1:
            return replace(row, note=f'ROW COUNTS DIFFER: {sorted(counts)}')
        count = counts.pop()
        return replace(row, note=f'{count:,} rows') if count else row

    def first_query(self) -> Row:
        """A whole process: import, load, one query."""

        def make(side: str) -> Action:
            script = FIRST_QUERY.format('ricordi' if side == 'ours' else 'aiida')
            return lambda: paired.run((self.pythons[side], '-c', script), self.environment(side))

        work = 'import, load profile, first query, whole process'
        return paired.pair(work, *self.sides(make), bar=3, runs=self.runs)


def main() -> None:
    """Measure what the command line asks for."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--table', default='orm', help='name under which the results are kept')
    args = parser.parse_args()
    homes = {side: args.scratch / f'orm-{side}' for side in ('ours', 'peer')}
    for side, home in homes.items():
        paired.clone(args.home, home, objects=False)
        postgres.copy_database(home, side)
    bench = Bench({'ours': args.ours, 'peer': args.peer}, homes, args.side, args.runs)
    try:
        on_postgres = postgres.settings(args.home) is not None
        steps = [step for step in STEPS if args.only in step.name and not (step.floor and on_postgres)]
        rows = [bench.step(step) for step in steps]
        if args.only in 'first_query':
            rows.append(bench.first_query())
        paired.save(args.table, rows)
    finally:
        for side, home in homes.items():
            postgres.drop_copy(home, side)
            shutil.rmtree(home)


if __name__ == '__main__':
    main()
