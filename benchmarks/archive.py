"""Archives against `verdi archive`: create all, create a group, import into an empty profile, info.

    python benchmarks/archive.py HOME EMPTY [--peer PYTHON] [--runs 3] [--only TEXT] [--table archive]

HOME is what make_profile.py made, EMPTY the same with `--nodes 0`. Both sides import the archive that the peer made,
and one of AiiDA 1 that make_old_archive.py made (`--only old` needs no HOME).
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import paired
from paired import Action, Row


class Bench:
    """The two programs and the folders that they work on."""

    def __init__(self, home: Path, empty: Path, programs: dict[str, Path], scratch: Path, side: str, runs: int) -> None:
        self.home = home
        self.empty = empty
        self.programs = programs
        self.scratch = scratch / 'archive'
        self.side = side
        self.runs = runs
        self.old_nodes = 60_000
        self.old_shrink = 1

    def command(self, side: str, home: Path, *arguments: str | Path) -> Action:
        """A run of one of the two programs."""
        return lambda: paired.run((self.programs[side], *arguments), {'AIIDA_PATH': str(home)})

    def row(
        self, work: str, bar: float | None, make: Callable[[str], Action], before: Callable[[str], None] | None = None
    ) -> Row:
        """Measure one row of the table."""
        ours, peer = (make(side) if self.side in (side, 'both') else None for side in ('ours', 'peer'))
        return paired.pair(work, ours, peer, bar=bar, runs=self.runs, before=before)

    def file(self, side: str) -> Path:
        """The archive that one side writes."""
        return self.scratch / f'{side}.aiida'

    def create_all(self) -> Row:
        """Everything."""
        return self.row('`archive create --all`', 6, lambda side: self.create(side, '--all'), self.tidy)

    def create_group(self) -> Row:
        """A group of 3,000 nodes and what belongs to them."""
        work = '`archive create -G`, a group of 3,000'
        return self.row(work, 8, lambda side: self.create(side, '-G', 'group-000', '--'), self.tidy)

    def create(self, side: str, *what: str) -> Action:
        """Write an archive."""
        return self.command(side, self.home, 'archive', 'create', *what, self.file(side))

    def tidy(self, side: str) -> None:
        """Remove the archive of the run before."""
        self.file(side).unlink(missing_ok=True)

    def load(self) -> Row:
        """Import into an empty profile."""
        archive = self.made()

        def lay_out(side: str) -> None:
            paired.clone(self.empty, self.scratch / side)

        work = '`archive import` of it into an empty profile'
        return self.row(
            work, 6, lambda side: self.command(side, self.scratch / side, 'archive', 'import', archive), lay_out
        )

    def old(self) -> Row:
        """Import an archive of AiiDA 1, which the peer has to migrate first."""
        archive = self.scratch / 'old.aiida'
        # In a process of its own: as its peak memory, the kernel gives a new process the one of that which began it.
        script = [sys.executable, paired.HERE / 'make_old_archive.py', archive]
        options = ['--nodes', str(self.old_nodes), '--shrink', str(self.old_shrink)]
        subprocess.run([*script, *options], check=True)

        def lay_out(side: str) -> None:
            paired.clone(self.empty, self.scratch / side)
            (self.scratch / 'migrated.aiida').unlink(missing_ok=True)

        def load(side: str) -> Action:
            if side == 'ours':
                return self.command(side, self.scratch / side, 'archive', 'import', archive)
            words = shlex.join(map(str, (self.programs[side], 'archive')))
            old, new = (shlex.quote(str(self.scratch / name)) for name in ('old.aiida', 'migrated.aiida'))
            script = f'{words} migrate {old} {new} && {words} import {new}'
            return lambda: paired.run(('sh', '-c', script), {'AIIDA_PATH': str(self.scratch / side)})

        work = f'`archive import` of one of AiiDA 1, {self.old_nodes:,} nodes; the peer: `migrate` and `import`'
        return self.row(work, 6, load, lay_out)

    def info(self) -> Row:
        """What an archive says of itself."""
        archive = self.made()
        return self.row(
            '`archive info`: below 0.6 s asked for',
            None,
            lambda side: self.command(side, self.home, 'archive', 'info', archive),
        )

    def show(self) -> Row:
        """One node, straight from the archive; the peer has no such thing."""
        archive = self.made()
        show = paired.run((self.programs['ours'], '--archive', archive, 'node', 'list', '-q', '--limit', '1'))
        node = show.output.split()[-1]
        command = self.command('ours', self.home, '--archive', archive, 'node', 'show', node)
        work = '`--archive FILE node show`: below 0.6 s asked for'
        return paired.pair(work, command if self.side != 'peer' else None, None, runs=self.runs)

    def made(self) -> Path:
        """The archive of everything that the peer wrote; made once."""
        archive = self.scratch / 'all.aiida'
        if not archive.exists():
            self.command('peer', self.home, 'archive', 'create', '--all', archive)()
        return archive


def main() -> None:
    """Measure what the command line asks for."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('empty', type=Path)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--old-nodes', type=int, default=60_000, help='of the archive of AiiDA 1')
    parser.add_argument('--old-shrink', type=int, default=1, help='its files are so many times smaller')
    parser.add_argument('--table', default='archive', help='name under which the results are kept')
    args = parser.parse_args()
    programs = {'ours': args.ours.absolute().parent / 'ricordi', 'peer': args.peer.absolute().parent / 'verdi'}
    bench = Bench(args.home, args.empty, programs, args.scratch, args.side, args.runs)
    bench.old_nodes, bench.old_shrink = args.old_nodes, args.old_shrink
    bench.scratch.mkdir(parents=True, exist_ok=True)
    try:
        for part in (bench.create_all, bench.create_group, bench.load, bench.old, bench.info, bench.show):
            if args.only in part.__name__:
                paired.save(args.table, [part()])
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)


if __name__ == '__main__':
    main()
