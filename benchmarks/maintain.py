"""Maintenance against `verdi storage maintain`, and the short commands around it, on the same profile.

    python benchmarks/maintain.py HOME [--peer PYTHON] [--runs 3] [--only TEXT] [--scratch FOLDER]

HOME is what make_profile.py made, untouched: all objects loose. Every destructive run gets a fresh copy of it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import paired
from paired import Action, Row, Run


class Bench:
    """The two programs, and the folders that they work on."""

    def __init__(self, home: Path, ours: Path, peer: Path, scratch: Path, runs: int, side: str) -> None:
        self.home = home
        self.scratch = scratch
        self.runs = runs
        self.side = side
        self.programs = {'ours': ours.parent / 'ricordi', 'peer': peer.parent / 'verdi'}
        self.python = ours

    def command(self, side: str, home: Path, *arguments: str) -> Action:
        """A run of one of the two programs."""
        return lambda: paired.run((self.programs[side], *arguments), {'AIIDA_PATH': str(home)})

    def folder(self, side: str) -> Path:
        """The copy that one side works on."""
        return self.scratch / side

    def fresh(self, home: Path) -> Callable[[str], None]:
        """Lays out a copy of `home` ahead of a run."""

        def lay_out(side: str) -> None:
            paired.clone(home, self.folder(side))

        return lay_out

    def row(
        self,
        work: str,
        ours: tuple[str, ...],
        peer: tuple[str, ...],
        bar: float,
        *,
        home: Path | None = None,
        before: Callable[[str], None] | None = None,
        runs: int | None = None,
    ) -> Row:
        """Measure one row of the table."""
        actions = {
            side: self.command(side, home or self.folder(side), *arguments) if self.side in (side, 'both') else None
            for side, arguments in (('ours', ours), ('peer', peer))
        }
        runs = runs or self.runs
        return paired.pair(work, actions['ours'], actions['peer'], bar=bar, runs=runs, before=before)

    def packed(self) -> Path:
        """A copy of the profile that the peer packed; made once."""
        packed = self.scratch / 'packed'
        if not packed.exists():
            paired.clone(self.home, packed)
            self.command('peer', packed, 'storage', 'maintain', '--full', '--force')()
        return packed


def short_commands(bench: Bench) -> Iterator[Row]:
    """Commands whose time is mostly that of starting."""
    many = max(bench.runs, 9)
    bare = paired.pair('bare interpreter', lambda: paired.run((bench.python, '-c', '')), None, runs=many)
    yield replace(bare, note='`python -c ""`')
    yield bench.row('`--help`', ('--help',), ('--help',), 5, home=bench.home, runs=many)
    for verb in ('info', 'version'):
        yield bench.row(f'`storage {verb}`', ('storage', verb), ('storage', verb), 6, home=bench.home, runs=many)


def from_loose(bench: Bench) -> Iterator[Row]:
    """Maintenance of 60,000 loose objects, and the floor of it."""
    fresh = bench.fresh(bench.home)
    live = ('storage', 'maintain', '--force')
    full = ('storage', 'maintain', '--full', '--force')
    yield bench.row('live, from loose', live, live, 2.5, before=fresh)
    yield bench.row('`--full`, from loose', full, full, 3, before=fresh)
    yield bench.row('`--full --compress`, from loose', (*full, '--compress'), (*full, '--compress'), 3, before=fresh)


def floors(bench: Bench) -> Iterator[Row]:
    """What the disk asks for, whoever packs."""
    yield floor(bench)
    yield floor(bench, '--compress')


def floor(bench: Bench, *options: str) -> Row:
    """The bare loop over the same files."""

    def loop() -> Run:
        container = next(bench.folder('ours').glob('.aiida/repository/*/container'))
        run = paired.run((bench.python, paired.HERE / 'floor.py', container, *options))
        return replace(run, seconds=float(run.output))

    name = ' '.join(('floor: bare loop over the same files', *options))
    return paired.pair(name, loop, None, runs=bench.runs, before=bench.fresh(bench.home), note='not a peer: the least')


def from_packed(bench: Bench) -> Iterator[Row]:
    """Maintenance of a storage that is packed already."""
    packed = bench.packed()
    for side in ('ours', 'peer'):
        paired.clone(packed, bench.folder(side))
    live = ('storage', 'maintain', '--force')
    full = ('storage', 'maintain', '--full', '--force')
    if bench.side != 'peer':  # what the peer left to be done is not part of "nothing to do"
        bench.command('ours', bench.folder('ours'), *full)()
    runs = max(bench.runs, 5)
    yield bench.row('live again, nothing to do', live, live, 7, runs=runs)
    yield bench.row('`--full`, packed and clean', full, full, 12, runs=runs)
    yield bench.row('`--full --repack all`, packed', (*full, '--repack', 'all'), full, 4, runs=runs)


def main() -> None:
    """Measure what the command line asks for."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch', help='3 GB are needed here')
    parser.add_argument('--table', default='maintain', help='name under which the results are kept')
    args = parser.parse_args()
    bench = Bench(args.home, args.ours.absolute(), args.peer.absolute(), args.scratch, args.runs, args.side)
    try:
        for part in (short_commands, from_loose, floors, from_packed):
            if args.only in part.__name__:
                for row in part(bench):
                    paired.save(args.table, [row])
    finally:
        for name in ('ours', 'peer'):
            shutil.rmtree(args.scratch / name, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
