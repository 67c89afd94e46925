"""`ricordi storage verify` against `Container.validate()` of disk-objectstore, on the same packed profile.

    python benchmarks/verify.py HOME [--peer PYTHON] [--runs 3] [--packed] [--scratch FOLDER]

HOME is what make_profile.py made; a copy of it is packed and compressed first, unless `--packed` says that it is so.
`validate()` reads every byte, too, and looks at nothing else: neither at the database nor at what nodes name. The floor
is a bare loop over the same packs in two processes: pread, inflate, SHA-256, and nothing more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paired
from paired import Row, Run

VALIDATE = (
    'import sys; from disk_objectstore import Container; found = Container(sys.argv[1]).validate(); '
    'assert not any(found.values() if isinstance(found, dict) else vars(found).values()), found'
)
FLOOR = """
import hashlib, multiprocessing, os, sqlite3, sys, time
try:
    from isal import isal_zlib as zlib
except ImportError:
    import zlib
FOLDER = sys.argv[1]
PARTS = 2

def rows():
    statement = 'SELECT pack_id, "offset", length, compressed, hashkey FROM db_object ORDER BY 1, 2'
    return sqlite3.connect(FOLDER + '/packs.idx').execute(statement).fetchall()

def loop(some):
    packs = {}
    for pack, offset, length, compressed, key in some:
        if pack not in packs:
            packs[pack] = os.open(f'{FOLDER}/packs/{pack}', os.O_RDONLY)
        content = os.pread(packs[pack], length, offset)
        if compressed:
            content = zlib.decompress(content)
        assert hashlib.sha256(content).hexdigest() == key

began = time.perf_counter()
found = rows()
middle, total = 0, sum(row[2] for row in found)
half = 0
while half * PARTS < total:
    half += found[middle][2]
    middle += 1
children = [multiprocessing.Process(target=loop, args=(part,)) for part in (found[:middle], found[middle:])]
for child in children:
    child.start()
for child in children:
    child.join()
print(time.perf_counter() - began)
"""


class Bench:
    """The packed profile, and the programs that look at it."""

    def __init__(self, home: Path, ours: Path, peer: Path, runs: int, side: str) -> None:
        self.home = home
        self.ours = ours
        self.peer = peer
        self.runs = runs
        self.side = side
        self.container = next(home.glob('.aiida/repository/*/container'))

    def verify(self, *options: str) -> Run:
        """A verification that remembers nothing of those before."""
        (self.container / 'ricordi-verified.json').unlink(missing_ok=True)
        command = (self.ours.parent / 'ricordi', '-q', 'storage', 'verify', *options)
        return paired.run(command, {'AIIDA_PATH': str(self.home)})

    def validate(self) -> Run:
        """The peer's."""
        return paired.run((self.peer, '-c', VALIDATE, self.container))

    def floor(self) -> Run:
        """The least that reading all can take."""
        run = paired.run((self.ours, '-c', FLOOR, self.container))
        return replace(run, seconds=float(run.output))

    def rows(self) -> Iterator[Row]:
        """All measurements."""
        ours = self.side != 'peer'
        yield paired.pair(
            '`verify --read`, all packed',
            (lambda: self.verify('--read')) if ours else None,
            self.validate if self.side != 'ours' else None,
            bar=2,
            runs=self.runs,
        )
        if ours:
            note = 'not a peer: the least'
            yield paired.pair('floor: bare loop in two processes', self.floor, None, runs=self.runs, note=note)
            yield paired.pair(
                '`verify`, structure', self.verify, None, runs=self.runs, note='at most 1 s, of 60,000 nodes'
            )


def main() -> None:
    """Measure, and save the table."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--packed', action='store_true', help='HOME is packed already, and is not copied')
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--table', default='verify', help='name under which the results are kept')
    args = parser.parse_args()
    home = args.home
    if not args.packed:
        home = paired.clone(args.home, args.scratch / 'verify')
        command = (args.ours.absolute().parent / 'ricordi', 'storage', 'maintain', '--full', '--yes', '--compress')
        paired.run(command, {'AIIDA_PATH': str(home)})
    bench = Bench(home, args.ours.absolute(), args.peer.absolute(), args.runs, args.side)
    for row in bench.rows():
        paired.save(args.table, [row])


if __name__ == '__main__':
    sys.exit(main())
