"""One program's container through its steps, each timed by itself; run by container.py, with the Python of either side.

    python benchmarks/container_steps.py ours|peer FOLDER [--objects 100000]

Prints a JSON object of seconds by step. The contents are the same each time: 1 to 10 KB, a quarter of it random.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def contents(count: int) -> Iterator[bytes]:
    """The contents, always the same."""
    source = random.Random(5)
    text = b''.join(b'%12.6f %12.6f %12.6f\n' % tuple(source.random() for _ in range(3)) for _ in range(400))
    for number in range(count):
        size = source.randrange(1_000, 10_000)
        yield b'%012d\n' % number + source.randbytes(size // 4) + text[: size - size // 4 - 13]


def write_loose(folder: Path, count: int) -> list[str]:
    """Write the contents as loose objects, without fsync, and return their keys."""
    keys = []
    for content in contents(count):
        key = hashlib.sha256(content).hexdigest()
        place = folder / 'loose' / key[:2]
        place.mkdir(exist_ok=True)
        (place / key[2:]).write_bytes(content)
        keys.append(key)
    return keys


class Ours:
    """The steps as Ricordi does them."""

    def __init__(self, folder: Path) -> None:
        from ricordi.repository.container.container import Container

        self.container = Container(folder)
        self.keys: list[str] = []

    def initialise(self) -> None:
        self.container.initialise()

    def pack(self) -> None:
        from ricordi.backend.maintenance import MaintenanceOptions

        self.container.maintain(MaintenanceOptions(), lambda: iter(sorted(self.keys)))

    def add(self, some: list[bytes]) -> None:
        self.container.put_objects_into_pack(some)

    def read(self, key: str) -> bytes:
        return self.container.get_object_content(key)

    def read_many(self, keys: list[str]) -> dict[str, bytes]:
        return {key: stream.read() for key, stream in self.container.iter_object_streams(keys)}

    def repack(self) -> None:
        from ricordi.backend.maintenance import MaintenanceOptions

        self.container.maintain(MaintenanceOptions(full=True, repack='all'), lambda: iter(sorted(self.keys)))

    def close(self) -> None:
        self.container.close()


class Peer:
    """The steps as disk-objectstore does them."""

    def __init__(self, folder: Path) -> None:
        from disk_objectstore import Container

        self.container = Container(folder)
        self.keys: list[str] = []

    def initialise(self) -> None:
        self.container.init_container()

    def pack(self) -> None:
        self.container.pack_all_loose(clean_loose_per_pack=True)

    def add(self, some: list[bytes]) -> None:
        self.container.add_objects_to_pack(some)

    def read(self, key: str) -> bytes:
        return self.container.get_object_content(key)

    def read_many(self, keys: list[str]) -> Any:
        return self.container.get_objects_content(keys)

    def repack(self) -> None:
        self.container.repack()

    def close(self) -> None:
        self.container.close()


def timed(action: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    gc.collect()
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def steps(make: Callable[[Path], Ours | Peer], folder: Path, count: int) -> dict[str, float]:
    """Run all steps in fresh containers under `folder`."""
    seconds = {}
    store = make(folder / 'packed')
    store.initialise()
    store.keys = write_loose(folder / 'packed', count)
    os.sync()
    seconds['pack'] = timed(store.pack)
    some = random.Random(3).sample(store.keys, count // 10)
    store.close()
    keys = store.keys
    store = make(folder / 'packed')
    store.keys = keys
    seconds['read one by one'] = timed(lambda: [store.read(key) for key in some])
    read = {}
    seconds['read at once'] = timed(lambda: read.update(store.read_many(some)))
    wrong = [key for key in some if hashlib.sha256(read[key]).hexdigest() != key]
    if wrong:
        raise SystemExit(f'{len(wrong)} objects came back wrong')
    seconds['repack'] = timed(store.repack)
    store.close()
    shutil.rmtree(folder / 'packed')

    store = make(folder / 'added')
    store.initialise()
    new = list(contents(count))
    seconds['bulk add'] = timed(lambda: store.add(new))
    store.close()
    return seconds


def main() -> None:
    """Run the steps of the side named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('side', choices=('ours', 'peer'))
    parser.add_argument('folder', type=Path)
    parser.add_argument('--objects', type=int, default=100_000)
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    try:
        print(json.dumps(steps(Ours if args.side == 'ours' else Peer, args.folder, args.objects)))
    finally:
        shutil.rmtree(args.folder)


if __name__ == '__main__':
    main()
