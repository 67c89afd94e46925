"""Ten million nodes: what must not take longer than the clock of a person; against aiida-core on the same profile.

    python benchmarks/large.py HOME [--peer PYTHON] [--runs 3] [--only TEXT] [--side ours] [--table large]

HOME is what make_large_profile.py made. It gets two indexes of attributes and one of extras, which stay; else nothing
is written but the note of maintenance. The peer needs minutes for some of this: `--side ours` leaves it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import paired
import postgres
from clock import SERVER, read_times
from large_steps import EXIT, HASH, STATE
from paired import Row, Run

BARS = {
    'first ten by an indexed attribute': 0.05,
    'count by an indexed attribute': 0.05,
    'active processes': 0.05,
    'lookup of a hash': 0.002,
    'newest ten of a type by ctime': 0.05,
}
"""Seconds as a query."""
VERBS = {
    'storage maintain, nothing to do': (('storage', 'maintain'), 0.5),
    'status': (('status',), 1.0),
    'process list': (('process', 'list'), None),
    'process list -a -l 10': (('process', 'list', '-a', '-l', '10'), None),
}
"""Arguments, and seconds as a whole process."""


class Large:
    """The two packages on one profile."""

    def __init__(self, home: Path, pythons: dict[str, Path], side: str, runs: int) -> None:
        self.pythons, self.side, self.runs = pythons, side, runs
        server = postgres.server_pid(home)
        self.environment = {'AIIDA_PATH': str(home / '.aiida'), **({SERVER: str(server)} if server else {})}

    def query(self, name: str, peer: str | None = None) -> Row:
        """A step of large_steps.py; it says so if the two sides do not find the same number of rows.

        :param peer: the step of the peer, where it is another.
        """
        counts: set[int] = set()

        def action(who: str, step: str) -> Callable[[], Run] | None:
            if self.side not in (who, 'both'):
                return None
            package = 'ricordi' if who == 'ours' else 'aiida'
            command = (self.pythons[who], paired.HERE / 'large_steps.py', package, step)
            return lambda: _inner(paired.run(command, self.environment), counts)

        row = paired.pair(name, action('ours', name), action('peer', peer or name), runs=self.runs)
        found = f'{max(counts):,} rows' if len(counts) < 2 else f'ROW COUNTS DIFFER: {sorted(counts)}'
        return replace(row, note=f'{found}{_told(BARS.get(name))}')

    def verb(self, name: str) -> Row:
        """A verb as a whole process; the first run of all, which may have something to do, is not counted."""
        arguments, bar = VERBS[name]
        command = (self.pythons['ours'].parent / 'ricordi', *arguments)
        run = lambda: paired.run(command, self.environment)  # noqa: E731
        if self.side == 'peer':
            return paired.pair(f'`{name}`', None, None, runs=0)
        run()
        return paired.pair(f'`{name}`', run, None, runs=self.runs, note=_told(bar).lstrip('; '))

    def add_indexes(self) -> None:
        """The indexes that the questions need."""
        program = self.pythons['ours'].parent / 'ricordi'
        known = paired.run((program, 'storage', 'index', 'list', '-q'), self.environment).output.split()
        for path in (STATE, EXIT, HASH):
            if path not in known:
                paired.run((program, 'storage', 'index', 'add', path), self.environment)


def _inner(done: Run, counts: set[int]) -> Run:
    """The run with the times that its process has told."""
    seconds, cpu, rows = read_times(done.output)
    counts.add(rows)
    return replace(done, seconds=seconds, cpu_seconds=cpu)


def _told(bar: float | None) -> str:
    return '' if bar is None else f'; {bar * 1000:g} ms asked for'


def main() -> None:
    """Measure what the command line asks for."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--table', default='large', help='name under which the results are kept')
    args = parser.parse_args()
    large = Large(args.home, {'ours': args.ours.absolute(), 'peer': args.peer.absolute()}, args.side, args.runs)
    large.add_indexes()
    names = [*BARS, 'count by type', 'newest ten of a type by pk', 'iterall']
    rows = [large.query(name) for name in names if args.only in name]
    if args.only in 'arrow' and args.side != 'peer':
        rows.append(large.query('arrow', 'iterall'))
    rows += [large.verb(name) for name in VERBS if args.only in name]
    paired.save(args.table, rows)


if __name__ == '__main__':
    main()
