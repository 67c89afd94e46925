"""Peak memory of full maintenance at 50,000 and at 1,000,000 small objects: it must not grow with their number.

    python benchmarks/memory.py [--objects 50000 1000000] [--loose] [--scratch FOLDER]

The profile is the reference profile that AiiDA made, with nodes added by plain SQL that name small objects. By default
those lie in a pack of which a fifth is garbage (so that repacking has work); with --loose in files of their own.
Each storage is maintained four times: all there is to do, nothing to do full and live, `--repack all`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import paired
from paired import Row

UNPACK = paired.HERE.parent / 'tests' / 'data' / 'unpack.py'
LIMIT = 50 * paired.MIB
NODE = (
    'INSERT INTO db_dbnode (uuid, node_type, label, description, ctime, mtime, attributes, extras, '
    "repository_metadata, user_id) VALUES (?, 'data.core.singlefile.SinglefileData.', '', '', "
    "'2024-01-01 00:00:00.000000', '2024-01-01 00:00:00.000000', ?, '{}', ?, 1)"
)
OBJECT = 'INSERT INTO db_object (hashkey, compressed, size, "offset", length, pack_id) VALUES (?, 0, ?, ?, ?, ?)'


def contents(count: int) -> Iterator[tuple[str, bytes]]:
    """Small contents, 100 to 400 bytes, with their keys."""
    for number in range(count):
        content = b'content %d\n' % number * (8 + number % 17)
        yield hashlib.sha256(content).hexdigest(), content


def make(home: Path, count: int, loose: bool) -> None:
    """A profile with `count` objects more, each named by a node but every fifth."""
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, UNPACK, home], check=True, stdout=subprocess.DEVNULL)
    storage = home / '.aiida' / 'repository' / 'loose'
    write = write_loose if loose else write_pack
    database = sqlite3.connect(storage / 'database.sqlite')
    with database:
        database.executemany(NODE, named(write(storage / 'container', count)))
    database.close()
    os.sync()


def named(keys: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """Rows of nodes that name four of five keys."""
    attributes = json.dumps({'filename': 'a.txt'})
    for number, key in enumerate(keys):
        if number % 5:
            tree = json.dumps({'o': {'a.txt': {'k': key}}})
            yield str(uuid.UUID(int=number, version=4)), attributes, tree


def write_loose(container: Path, count: int) -> Iterator[str]:
    """Write loose files, without fsync."""
    for key, content in contents(count):
        folder = container / 'loose' / key[:2]
        folder.mkdir(exist_ok=True)
        (folder / key[2:]).write_bytes(content)
        yield key


def write_pack(container: Path, count: int) -> Iterator[str]:
    """Write one pack and its index rows."""
    index = sqlite3.connect(container / 'packs.idx')
    number = max((int(path.name) for path in (container / 'packs').iterdir()), default=-1) + 1
    offset = 0
    with index, (container / 'packs' / str(number)).open('wb') as pack:
        for key, content in contents(count):
            pack.write(content)
            index.execute(OBJECT, (key, len(content), offset, len(content), number))
            offset += len(content)
            yield key
    index.close()


def main() -> None:
    """Measure, print, and fail where memory grows."""
    parser = paired.arguments(__doc__)
    parser.add_argument('--objects', type=int, nargs='+', default=[50_000, 1_000_000])
    parser.add_argument(
        '--loose', action='store_true', help='files of their own: slow to make, a file system block each'
    )
    parser.add_argument('--scratch', type=Path, default=paired.WORK / 'scratch')
    args = parser.parse_args()
    program = args.ours.absolute().parent / 'ricordi'
    live = (program, '-p', 'loose', 'storage', 'maintain', '--force')
    full = (*live, '--full')
    home = args.scratch / 'memory'
    form = 'loose' if args.loose else 'packed'
    rows, peaks = [], []
    for count in args.objects:
        make(home, count, args.loose)
        for name, command in (
            ('all there is to do', full),
            ('nothing to do', full),
            ('live, nothing to do', live),
            ('`--repack all`', (*full, '--repack', 'all')),
        ):
            run = paired.run(command, {'AIIDA_PATH': str(home)})
            work = f'{count:,} objects, {form}: {name}'
            rows.append(Row(work, run.seconds, None, None, 1, ours_peak=run.peak_bytes))
            peaks.append((name, run.peak_bytes))
        shutil.rmtree(home)
    paired.save('memory', rows)
    for name in {name for name, _ in peaks}:
        growth = max(peak for n, peak in peaks if n == name) - min(peak for n, peak in peaks if n == name)
        print(f'{name}: peaks differ by {growth / paired.MIB:.0f} MiB')
        if growth > LIMIT:
            sys.exit(f'that is more than {LIMIT / paired.MIB:.0f} MiB')


if __name__ == '__main__':
    main()
