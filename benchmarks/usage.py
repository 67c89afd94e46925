"""Time and peak memory of `ricordi storage usage` at 60,000 and 1,000,000 objects: memory must not grow with them.

    python benchmarks/usage.py [--objects 60000 1000000] [--archive] [--scratch FOLDER]

The profile is that of memory.py, its objects in a pack, four of five of them named by a node each. With --archive the
nodes are also put into an archive, which is looked into in the same ways.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import paired
from memory import LIMIT, make
from paired import Row

WAYS = ('type', 'process', 'file', 'node')


def main() -> None:
    """Measure, print, and fail where memory grows or is over 150 MiB."""
    parser = paired.arguments(__doc__)
    parser.add_argument('--objects', type=int, nargs='+', default=[60_000, 1_000_000])
    parser.add_argument('--archive', action='store_true', help='also of an archive')
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    args = parser.parse_args()
    program = args.ours.absolute().parent / 'ricordi'
    home, archive = args.scratch / 'usage', args.scratch / 'usage.aiida'
    rows: list[Row] = []
    peaks: dict[str, list[int]] = {}
    for count in args.objects:
        make(home, count, loose=False)
        places: dict[str, tuple[str, str | Path]] = {'profile': ('-p', 'loose')}
        if args.archive:
            archive.unlink(missing_ok=True)
            command = (program, '-p', 'loose', 'archive', 'create', '--all', archive)
            paired.run(command, {'AIIDA_PATH': str(home)})
            places['archive'] = ('--archive', archive)
        for place, words in places.items():
            for way in WAYS:
                run = paired.run((program, *words, 'storage', 'usage', '--by', way), {'AIIDA_PATH': str(home)})
                rows.append(
                    Row(
                        f'{count:,} objects, {place}: by {way}',
                        run.seconds,
                        None,
                        None,
                        1,
                        ours_peak=run.peak_bytes,
                        ours_cpu=run.cpu_seconds,
                    )
                )
                peaks.setdefault(f'{place}, by {way}', []).append(run.peak_bytes)
                took = f'{run.seconds:.1f} s ({run.cpu_seconds:.1f} s of computing)'
                print(f'  {rows[-1].work}: {took}, {run.peak_bytes / paired.MIB:.0f} MiB', file=sys.stderr)
        shutil.rmtree(home)
    paired.save('usage', rows)
    for name, some in peaks.items():
        growth = max(some) - min(some)
        print(f'{name}: peaks differ by {growth / paired.MIB:.0f} MiB, at most {max(some) / paired.MIB:.0f} MiB')
        if growth > LIMIT or max(some) > 150 * paired.MIB:
            sys.exit('that is too much')


if __name__ == '__main__':
    main()
