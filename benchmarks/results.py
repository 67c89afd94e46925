"""Write RESULTS.md from what the scripts have kept under local/results/: python benchmarks/results.py

A table that was not measured here stays as RESULTS.md has it, with its date.
"""

from __future__ import annotations

import json

import paired
from paired import Row

TABLES = {
    'maintain': 'Maintenance and short commands, SQLite',
    'maintain-postgres': 'Maintenance and short commands, PostgreSQL',
    'container': 'The container against disk-objectstore (in memory: /dev/shm)',
    'bucket': 'Objects in a bucket against the bare client',
    'verify': 'Verification, SQLite',
    'backup': 'Backups, SQLite',
    'memory': 'Memory of full maintenance',
    'orm': 'Frontend and QueryBuilder, SQLite',
    'orm-postgres': 'Frontend and QueryBuilder, PostgreSQL',
    'queries': 'Twelve queries, SQLite',
    'queries-postgres': 'Twelve queries, PostgreSQL',
    'iterall-memory': 'Memory of `iterall`, SQLite',
    'iterall-memory-postgres': 'Memory of `iterall`, PostgreSQL',
    'cli': 'Verbs of the command line, SQLite',
    'cli-reading': 'Reading processes, codes, data, SQLite',
    'cli-postgres': 'Verbs of the command line, PostgreSQL',
    'archive': 'Archives, SQLite',
    'archive-postgres': 'Archives, PostgreSQL',
    'archive-memory': 'Memory of archives',
    'large': 'Ten million nodes: queries and verbs, SQLite',
    'large-postgres': 'Ten million nodes: queries and verbs, PostgreSQL',
    'large-storage': 'Ten million nodes: checks and backups, SQLite',
    'large-backup': 'Large profiles: backups and restores, SQLite',
    'aiida': "AiiDA on Ricordi's storage, SQLite",
    'aiida-postgres': "AiiDA on Ricordi's storage, PostgreSQL",
}

HEAD = """# Results

Written by `results.py` from measurements; see [README.md](README.md) for how they are made. Each line gives the
medians of paired runs, peer and ours in turn, in one session; the ratio is what counts, for the machine was shared
while it was measured. The ratio of CPU seconds (of whole processes; of the step and the PostgreSQL server where a step
is timed) stands beside it: it feels what else the machine was doing less. A bar that is missed is said to be. Peaks are
the largest of all runs.

Peer: aiida-core 2.9.4, disk-objectstore 1.5.0. Profile: 60,000 nodes, 60,000 objects of 0.92 GB, unless said otherwise.
"""


def main() -> None:
    """Put all tables that have been measured into one page."""
    results = paired.HERE / 'RESULTS.md'
    before = dict(section.split('\n', 1) for section in results.read_text().split('\n## ')[1:])
    parts = [HEAD]
    for name, title in TABLES.items():
        path = paired.RESULTS / f'{name}.json'
        if path.exists():
            kept = json.loads(path.read_text())
            rows = [Row(**row) for row in kept['rows']]
            parts.append(f'## {title}\n\n{kept["date"]}; {kept["machine"]}.\n\n{paired.markdown(rows)}\n')
        elif title in before:
            parts.append(f'## {title}\n{before[title].rstrip()}\n')
    results.write_text('\n'.join(parts))


if __name__ == '__main__':
    main()
