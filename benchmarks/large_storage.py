"""A large storage on SQLite, as make_large_profile.py makes it: time and peak memory of what looks at all of it.

    python benchmarks/large_storage.py HOME [--scratch FOLDER]

`storage verify` (structure); `storage backup --dry-run`, which captures and reads the database and puts nothing; and
how long, at the longest, one who writes waits meanwhile. What is written is a number in the head of the file
(`user_version`), which neither AiiDA nor Ricordi reads; it is in the end what it was.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import paired
from paired import Row, Run

BETWEEN_WRITES = 0.005
GIGABYTE = 10**9


class Writer:
    """Writes all the time, by a thread, within a `with` block.

    `longest` is the longest time of one write, in seconds.
    """

    def __init__(self, database: Path) -> None:
        self.longest = 0.0
        self._database = database
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        with closing(sqlite3.connect(self._database, timeout=600, isolation_level=None)) as connection:
            (before,) = connection.execute('PRAGMA user_version').fetchone()
            number = 0
            while not self._ended.wait(BETWEEN_WRITES):
                number += 1
                begin = time.perf_counter()
                connection.execute(f'PRAGMA user_version = {number}')
                self.longest = max(self.longest, time.perf_counter() - begin)
            connection.execute(f'PRAGMA user_version = {before}')

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()


class Bench:
    """The profile, and the program that looks at it."""

    def __init__(self, home: Path, place: Path, ours: Path, runs: int) -> None:
        self.home = home
        self.place = place
        self.ours = ours
        self.runs = runs
        self.database = next(home.glob('.aiida/repository/*/database.sqlite'))

    def ricordi(self, *words: str | Path) -> Run:
        """One of our commands."""
        return paired.run((self.ours.parent / 'ricordi', '-q', 'storage', *words), {'AIIDA_PATH': str(self.home)})

    def held_up(self) -> Row:
        """The longest wait of one who writes while a snapshot is captured, for each gigabyte of the database."""
        waits = []
        for _ in range(self.runs):
            with Writer(self.database) as writer:
                self.ricordi('backup', '--dry-run', self.place)
            waits.append(writer.longest)
        size = self.database.stat().st_size / GIGABYTE
        note = 'at most 0.6 s a GB'
        return Row('a writer waits for a snapshot', max(waits) / size, None, None, self.runs, unit='s a GB', note=note)

    def rows(self) -> Iterator[Row]:
        """All measurements."""
        note = 'at most 90 s and 150 MiB, with 10⁷ nodes and 10⁶ objects'
        yield paired.pair('`verify`, structure', lambda: self.ricordi('verify'), None, runs=self.runs, note=note)
        yield paired.pair(
            '`backup --dry-run`',
            lambda: self.ricordi('backup', '--dry-run', self.place),
            None,
            runs=self.runs,
            note='at most 150 MiB',
        )
        yield self.held_up()


def main() -> None:
    """Measure, and save the table."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--table', default='large-storage', help='name under which the results are kept')
    args = parser.parse_args()
    bench = Bench(args.home, args.scratch / 'large-place', args.ours.absolute(), args.runs)
    for row in bench.rows():
        paired.save(args.table, [row])


if __name__ == '__main__':
    sys.exit(main())
