"""The container against disk-objectstore: 100,000 objects of 1 to 10 KB, each side in a process of its own.

python benchmarks/container.py [--peer PYTHON] [--runs 3] [--objects 100000] [--scratch FOLDER]
"""

from __future__ import annotations

import json
from pathlib import Path

import paired
from paired import Row

BARS = {'pack': 2.0, 'bulk add': 2.5, 'read one by one': 8.0, 'read at once': 2.0, 'repack': 4.0}
NAMES = {
    'pack': 'pack {0:,} loose objects',
    'bulk add': 'add {0:,} straight into packs',
    'read one by one': 'read {1:,}, one by one',
    'read at once': 'read {1:,} at once',
    'repack': 'repack {0:,}',
}


def main() -> None:
    """Measure all steps and save the table."""
    parser = paired.arguments(__doc__)
    parser.add_argument('--objects', type=int, default=100_000)
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    parser.add_argument('--table', default='container', help='name under which the results are kept')
    args = parser.parse_args()

    def steps(side: str, python: Path) -> dict[str, float]:
        script = paired.HERE / 'container_steps.py'
        folder = args.scratch / f'container-{side}'
        run = paired.run((python, script, side, folder, '--objects', str(args.objects)))
        return json.loads(run.output.splitlines()[-1])

    ours, peer = paired.in_turn(
        (lambda: steps('ours', args.ours)) if args.side != 'peer' else None,
        (lambda: steps('peer', args.peer)) if args.side != 'ours' else None,
        args.runs,
    )
    rows = [
        Row(name.format(args.objects, args.objects // 10), ours.get(step), peer.get(step), BARS[step], args.runs)
        for step, name in NAMES.items()
    ]
    paired.save(args.table, rows)


if __name__ == '__main__':
    main()
