"""AiiDA on its own storage against AiiDA on that of Ricordi, in turn: python benchmarks/aiida_storage.py [--runs 3]

    python benchmarks/aiida_storage.py --python PYTHON [--only TEXT] [--table aiida] [--postgres URL]

PYTHON has aiida-core and ricordi. Each run makes a profile of 6,000 nodes and does all steps of aiida_steps.py on it,
in one process. With `--postgres`, the URL names a server on which the user may create databases.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import paired
from paired import Row

WORK = {
    'store_dict': ('`Dict(…).store()`, each', 2.2),
    'store_file': ('`SinglefileData` of 5 KB, `.store()`, each', 2.8),
    'load_node': ('`load_node` and all attributes, each', 6.0),
    'attributes_get': ('100 × `attributes.get`', 10.0),
    'iterall_objects': ('`iterall` of 6,000 objects', 3.0),
    'iterall_read': ('`iterall`, label and uuid read', 2.2),
    'iterall_columns': ('`iterall` of three columns', 2.0),
    'iterall_attributes': ('`iterall` of whole attributes', 0.95),
    'one_transaction': ('200 stores in one transaction', 4.0),
    'calcfunction': ('a calcfunction', 4.0),
    'calcjob': ('an `ArithmeticAddCalculation`, `engine.run`', 1.6),
    'writers': ('3 processes × 150 stores', 1.6),
    'maintain_live': ('live maintenance, 5,000 loose, in process', 1.5),
    'archive_create': ('archive create, in process', 1.5),
    'archive_import': ('archive import of half of it, in process', 1.3),
}
POSTGRES_BARS = {'store_dict': 2.5, 'store_file': 2.5}


class Bench:
    """One interpreter, and a folder for each run."""

    def __init__(self, python: Path, scratch: Path, only: str, postgres: str | None) -> None:
        self.python = python
        self.scratch = scratch
        self.only = only
        self.postgres = postgres

    def run(self, family: str) -> dict[str, float]:
        """The times of one run on a new profile."""
        folder = self.scratch / family
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        kind = 'psql_dos' if self.postgres else 'sqlite_dos'
        command: list[str | Path] = [self.python, paired.HERE / 'aiida_steps.py', f'{family}.{kind}', self.only]
        if self.postgres:
            command += ['--postgres', self._new_database(f'bench_{family}')]
        done = paired.run(command, {'AIIDA_PATH': str(folder)})
        shutil.rmtree(folder, ignore_errors=True)
        times: dict[str, float] = json.loads(done.output.split('TIMES ')[-1])
        return times

    def _new_database(self, name: str) -> str:
        server = (self.postgres or '').rsplit('/', 1)[0]
        make = (
            'import psycopg, sys\n'
            'with psycopg.connect(sys.argv[1], autocommit=True) as raw:\n'
            '    raw.execute(f"DROP DATABASE IF EXISTS {sys.argv[2]} WITH (FORCE)")\n'
            '    raw.execute(f"CREATE DATABASE {sys.argv[2]}")\n'
        )
        subprocess.run([self.python, '-c', make, f'{server}/postgres', name], check=True)
        return f'{server}/{name}'


def main() -> None:
    """Measure, keep, print."""
    parser = paired.arguments(__doc__)
    parser.add_argument('--python', type=Path, default=paired.WORK / 'aiida' / 'bin' / 'python')
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--table', default='aiida')
    parser.add_argument('--postgres', default=None)
    chosen = parser.parse_args()
    bench = Bench(chosen.python, chosen.scratch, chosen.only, chosen.postgres)
    ours, peer = paired.in_turn(lambda: bench.run('ricordi'), lambda: bench.run('core'), chosen.runs)
    rows = []
    for name, (work, bar) in WORK.items():
        if name in ours:
            wanted = POSTGRES_BARS.get(name, bar) if chosen.postgres else bar
            row = Row(work, ours[name], peer[name], wanted, chosen.runs)
            rows.append(replace(row, ours_cpu=ours[f'{name} cpu'], peer_cpu=peer[f'{name} cpu']))
    paired.save(chosen.table, rows)


if __name__ == '__main__':
    main()
