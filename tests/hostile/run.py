"""Try hostile input for a long time: python tests/hostile/run.py [--for 1h] [--door archives] [--seed 0]

Each door makes cases from seeds; how a run may end is said in `runner.py`. What is found is printed as it is found,
with what is needed to make it again; the exit code is 1 if anything was.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile.archives import Archives, ArchivesOnPostgres
from hostile.configurations import AccessRecords, Configurations
from hostile.damaged_rows import DamagedRows
from hostile.runner import Door, Runner

DOORS: dict[str, Callable[[Path], Door]] = {
    'access records': AccessRecords,
    'archives': Archives,
    'config': Configurations,
    'damaged rows': DamagedRows,
}
"""All doors by name; each module of this folder that makes cases adds its own."""
UNITS = {'s': 1, 'm': 60, 'h': 3600}


def main() -> int:
    """Run the doors one after the other, each for its part of the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--for', dest='duration', default='1h', help='how long in all: 90s, 10m, 1h')
    parser.add_argument('--door', choices=sorted(DOORS), action='append', help='only these')
    parser.add_argument('--postgres', metavar='URI', help='postgresql://admin@host:port: also on that server')
    parser.add_argument('--seed', type=int, default=0, help='the first seed')
    chosen = parser.parse_args()
    if chosen.postgres:
        DOORS[ArchivesOnPostgres.name] = lambda folder: ArchivesOnPostgres(folder, chosen.postgres)
    names = chosen.door or sorted(DOORS)
    seconds = float(chosen.duration[:-1]) * UNITS[chosen.duration[-1]] / len(names)
    return max(try_door(name, chosen.seed, seconds) for name in names)


def try_door(name: str, seed: int, seconds: float) -> int:
    """Run one door; returns 1 if something was found."""
    folder = Path(tempfile.mkdtemp(prefix='hostile-'))
    door = DOORS[name](folder)
    try:
        runner = Runner(door)
        told, end = 0, time.monotonic() + seconds
        for one in itertools.count(seed):
            findings = runner.run(iter((one,)), until=end)
            for fault in findings.faults[told:]:
                print(fault, flush=True)
            told = len(findings.faults)
            if time.monotonic() >= end:
                break
        print(
            f'{name}: {findings.runs:,} runs, up to seed {one}, {told} faults; exit codes {findings.codes}', flush=True
        )
    finally:
        door.tear_down()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if told else 0


if __name__ == '__main__':
    sys.exit(main())
