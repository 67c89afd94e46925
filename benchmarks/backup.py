"""`ricordi storage backup` and `restore` against `verdi storage backup`, on the same profile on SQLite.

    python benchmarks/backup.py HOME [--peer PYTHON] [--runs 3] [--scratch FOLDER]

HOME is what make_profile.py made. The peer needs `rsync`, and verifies nothing; it has no restore, so that a restore is
held against a plain copy of the same files, which is synced to disk as a restore is.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import paired
from paired import Row, Run

STORE = """
import io, sys
from ricordi import load_profile, orm
load_profile()
for number in range(1000):
    orm.SinglefileData(io.BytesIO(sys.argv[1].encode() + b' %d' % number * 20)).store()
"""
TOUCH = """
from ricordi import load_profile
from ricordi.manager import get_manager
load_profile()
storage = get_manager().get_profile_storage()
from ricordi.backend.rows import EntityKind, NodeRow
pks = [row.pk for row in storage.find(NodeRow)]
some = pks[:: max(1, len(pks) // 1000)][:1000]
import sys
storage.bulk_update(EntityKind.NODE, [{'pk': pk, 'label': sys.argv[1]} for pk in some])
"""


class Bench:
    """A profile, the places that it is backed up to, and the programs that do it."""

    def __init__(self, home: Path, scratch: Path, ours: Path, peer: Path, runs: int, side: str) -> None:
        self.home = home
        self.places = {'ours': scratch / 'place', 'peer': scratch / 'peer-place'}
        self.copy = scratch / 'plain-copy'
        self.ours = ours
        self.peer = peer
        self.runs = runs
        self.side = side
        self._number = 0

    @property
    def _environment(self) -> dict[str, str]:
        return {'AIIDA_PATH': str(self.home)}

    def ricordi(self, *words: str | Path) -> Run:
        """One of our commands."""
        return paired.run((self.ours.parent / 'ricordi', '-q', *words), self._environment)

    def back_up(self) -> Run:
        """Ours."""
        return self.ricordi('storage', 'backup', self.places['ours'])

    def peer_backs_up(self) -> Run:
        """The peer's, without an end to what it keeps."""
        words = ('storage', 'backup', '--keep', '100', self.places['peer'])
        return paired.run((self.peer.parent / 'verdi', *words), self._environment)

    def without_places(self, side: str) -> None:
        """Take away what a side has made, so that the next backup is a first one."""
        shutil.rmtree(self.places[side], ignore_errors=True)
        subprocess.run(['sync'], check=True)

    def change(self, script: str) -> None:
        """Store or touch a thousand nodes."""
        self._number += 1
        paired.run((self.ours, '-c', script, f'run {self._number}'), self._environment)

    def _pair(self, work: str, bar: float | None, script: str | None = None, first: bool = False) -> Row:
        def before(side: str) -> None:
            if first:
                self.without_places(side)
            if script is not None and side == 'ours':
                self.change(script)  # once for both

        return paired.pair(
            work,
            self.back_up if self.side != 'peer' else None,
            self.peer_backs_up if self.side != 'ours' else None,
            bar=bar,
            runs=self.runs,
            before=before,
        )

    def rows(self) -> Iterator[Row]:
        """All measurements; each builds on those before it."""
        yield self._pair('first backup, from loose', 2, first=True)
        self.ricordi('storage', 'maintain', '--full', '--yes')
        yield self._pair('first backup, packed before', 0.9, first=True)
        yield self._pair('backup, nothing changed', 2.5)
        yield self._pair('backup, 1,000 new nodes with files', None, STORE)
        yield self._pair('backup, 1,000 old nodes touched', None, TOUCH)
        if self.side != 'peer':
            yield self._restore()
            yield paired.pair('rehearsal: restored, checked, removed', self._rehearse, None, runs=self.runs)
            yield paired.pair('`verify --backup`', self._verify, None, runs=self.runs)

    def _restore(self) -> Row:
        def restore() -> Run:
            return self.ricordi('storage', 'restore', self.places['ours'], 'again')

        def copy() -> Run:
            sources = next((self.home / '.aiida' / 'repository').glob('bench*'))
            return paired.run(('sh', '-c', 'cp -r "$0" "$1" && sync -f "$1"', sources, self.copy))

        def before(side: str) -> None:
            if side == 'ours' and self._is_there():
                self.ricordi('profile', 'delete', '--delete-data', '--yes', 'again')
            shutil.rmtree(self.copy, ignore_errors=True)
            subprocess.run(['sync'], check=True)

        work, note = 'restore, every object and row checked', 'peer: a plain copy of the files, synced'
        return paired.pair(work, restore, copy, bar=0.4, runs=self.runs, before=before, note=note)

    def _is_there(self) -> bool:
        return '"again"' in (self.home / '.aiida' / 'config.json').read_text()

    def _rehearse(self) -> Run:
        return self.ricordi('storage', 'restore', self.places['ours'], '--rehearse')

    def _verify(self) -> Run:
        return self.ricordi('storage', 'verify', '--backup', self.places['ours'])


def main() -> None:
    """Measure, and save the table."""
    parser = paired.arguments(__doc__)
    parser.add_argument('home', type=Path)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--table', default='backup', help='name under which the results are kept')
    args = parser.parse_args()
    scratch = (args.scratch / 'backup').absolute()
    shutil.rmtree(scratch, ignore_errors=True)
    home = paired.clone(args.home, scratch / 'home')
    bench = Bench(home, scratch, args.ours.absolute(), args.peer.absolute(), args.runs, args.side)
    for row in bench.rows():
        paired.save(args.table, [row])


if __name__ == '__main__':
    sys.exit(main())
