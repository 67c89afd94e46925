"""Try hostile input for a long time: python tests/hostile/run.py [--for 1h] [--door archives] [--seed 0]

Each door makes cases from seeds; how a run may end is said in `runner.py`. What is found is printed as it is found,
with what is needed to make it again; the exit code is 1 if anything was. The doors take turns of a few minutes.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile.doors import DOORS, ON_POSTGRES
from hostile.runner import Runner

UNITS = {'s': 1, 'm': 60, 'h': 3600}
Turn = tuple[str, str | None]


def main() -> int:
    """Run the doors one after the other, each for its part of the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--for', dest='duration', default='1h', help='how long in all: 90s, 10m, 1h')
    parser.add_argument('--door', choices=sorted(DOORS), action='append', help='only these')
    parser.add_argument('--postgres', metavar='URI', help='postgresql://admin@host:port: also on that server')
    parser.add_argument('--seed', type=int, default=0, help='the first seed')
    chosen = parser.parse_args()
    names = chosen.door or sorted(DOORS)
    turns: list[Turn] = [(name, None) for name in names]
    if chosen.postgres:
        turns += [(name, chosen.postgres) for name in names if name in ON_POSTGRES]
    seconds = float(chosen.duration[:-1]) * UNITS[chosen.duration[-1]] / len(turns)
    return max([try_door(name, server, chosen.seed, seconds) for name, server in turns])


def try_door(name: str, server: str | None, seed: int, seconds: float) -> int:
    """Run one door; returns 1 if something was found."""
    folder = Path(tempfile.mkdtemp(prefix='hostile-'))
    door = DOORS[name](folder, server)
    shown = f'{name} on PostgreSQL' if server else name
    try:
        runner = Runner(door)
        told, end = 0, time.monotonic() + seconds
        for one in itertools.count(seed):
            findings = runner.run(iter((one,)), until=end)
            for fault in findings.faults[told:]:
                print(f'{shown}: {fault}', flush=True)
            told = len(findings.faults)
            if time.monotonic() >= end:
                break
        for interrupted in findings.interrupted:
            print(f'{shown}: slow: {interrupted}', flush=True)
        print(
            f'{shown}: {findings.runs:,} runs, up to seed {one}, {told} faults, '
            f'{len(findings.interrupted)} interrupted; '
            f'at most {findings.most_memory_bytes >> 20} MiB, {findings.most_cpu_seconds:.1f} s of work; '
            f'exit codes {dict(sorted(findings.codes.items()))}',
            flush=True,
        )
    finally:
        door.tear_down()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if told else 0


if __name__ == '__main__':
    sys.exit(main())
