"""A large profile on SQLite, as make_large_profile.py makes it: backups and restores of it, in time and peak memory.

    python benchmarks/large_backup.py HOME [--runs 1] [--scratch FOLDER] [--no-restore]

All of it is done with a copy of HOME. The bars: with ten million nodes a backup of what has not changed takes at most
50 s, and one of 1,000 nodes that were touched writes at most 10 MB; nothing takes more than 150 MiB. With a million
nodes (`make_large_profile.py --nodes 1000000`) a restore takes at most 30 s.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import paired
from paired import Row, Run

TOUCHED = 1000
MEGABYTE = 10**6


class Bench:
    """A copy of the profile, and the place that it is backed up to."""

    def __init__(self, home: Path, scratch: Path, ours: Path, runs: int, restores: bool) -> None:
        self.home = home
        self.place = scratch / 'place'
        self.restored = scratch / 'restored'
        self.ours = ours
        self.runs = runs
        self.restores = restores
        (self.database,) = home.glob('.aiida/repository/*/database.sqlite')
        with closing(sqlite3.connect(self.database)) as connection:
            (self.nodes,) = connection.execute('SELECT count(*) FROM db_dbnode').fetchone()

    def ricordi(self, home: Path, *words: str | Path) -> Run:
        """One of our commands, with the configuration folder `home`."""
        return paired.run((self.ours.parent / 'ricordi', '-q', 'storage', *words), {'AIIDA_PATH': str(home)})

    def back_up(self) -> Run:
        """The profile, into the place."""
        return self.ricordi(self.home, 'backup', self.place)

    def touch(self, side: str) -> None:
        """Give nodes all over the table another label."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            step = max(1, self.nodes // TOUCHED)
            connection.execute("UPDATE db_dbnode SET label = label || 'x' WHERE id % ? = 0", (step,))

    def restore(self) -> Run:
        """The last snapshot, into a configuration folder of its own."""
        return self.ricordi(self.restored, 'restore', self.place, 'again')

    def without_restored(self, side: str) -> None:
        """Take away what was restored before."""
        shutil.rmtree(self.restored, ignore_errors=True)
        self.restored.mkdir()

    def row(
        self, work: str, action: paired.Action, before: Callable[[str], None] | None = None, runs: int | None = None
    ) -> Row:
        """A line of the table, which tells how many nodes there are."""
        return paired.pair(f'{work}, {self.nodes:,} nodes', action, None, runs=runs or self.runs, before=before)

    def rows(self) -> Iterator[Row]:
        """All measurements; each builds on those before it."""
        yield self.row('first backup', self.back_up, runs=1)
        yield self.row('backup, nothing changed', self.back_up)
        before = size_of(self.place)
        yield self.row('backup, 1,000 old nodes touched', self.back_up, self.touch)
        written = (size_of(self.place) - before) / self.runs / MEGABYTE
        yield Row(f'written for 1,000 old nodes, {self.nodes:,} nodes', written, None, None, self.runs, unit='MB')
        yield self.row('`verify --backup`', lambda: self.ricordi(self.home, 'verify', '--backup', self.place))
        if self.restores:
            yield self.row('restore', self.restore, self.without_restored)
            self.without_restored('ours')
            rehearse = ('restore', self.place, '--rehearse')
            yield self.row('rehearsal', lambda: self.ricordi(self.restored, *rehearse))


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())


def main() -> None:
    """Measure, and save the table."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--no-restore', action='store_true', help='leave out what takes long with ten million nodes')
    parser.add_argument('--table', default='large-backup', help='name under which the results are kept')
    args = parser.parse_args()
    scratch = (args.scratch / 'large-backup').absolute()
    shutil.rmtree(scratch, ignore_errors=True)
    home = paired.clone(args.home, scratch / 'home')
    bench = Bench(home, scratch, args.ours.absolute(), args.runs, not args.no_restore)
    for row in bench.rows():
        paired.save(args.table, [row])
    shutil.rmtree(scratch)


if __name__ == '__main__':
    sys.exit(main())
