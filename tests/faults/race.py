"""One racer over a container: `race.py ROLE FOLDER SECONDS SEED`. Prints a JSON object: what it has done.

ROLE `use` adds objects in every way, and reads what it and others have added; `maintain` maintains live, over and over,
however long it takes to have done so some times and to have packed something. Each says `begun` when it is at work.
Any object that cannot be read ends it with a traceback.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.errors import PackerBusy
from ricordi.repository.container.container import Container

LEAST_RUNS = 4


def check(key: str, content: bytes) -> None:
    assert hashlib.sha256(content).hexdigest() == key, f'{key} has other content'


class User:
    """Adds and reads objects; some contents are the same for all users."""

    def __init__(self, container: Container, seed: int) -> None:
        self._container = container
        self._random = random.Random(seed)
        self.keys: list[str] = []
        self.reads = 0

    def content(self) -> bytes:
        if self._random.random() < 0.3:
            return b'common to all: %d' % self._random.randrange(200)
        size = self._random.choice([0, 10, 1000, 20_000])
        return self._random.randbytes(size) + b'%d' % self._random.randrange(10**12)

    def add(self) -> None:
        content = self.content()
        self.keys.append(self._container.put_object_from_bytes(content))
        check(self.keys[-1], content)

    def add_large(self) -> None:
        self.keys.append(self._container.put_object_from_filelike(io.BytesIO(self.content() * 200)))

    def add_many(self) -> None:
        try:
            self.keys += self._container.put_objects([self.content() for _ in range(30)])
        except PackerBusy:
            pass  # a pack was begun by another process between two of ours: told, and nothing lost

    def read(self) -> None:
        for key in self._random.sample(self.keys, min(20, len(self.keys))):
            check(key, self._container.get_object_content(key))
            with self._container.open(key) as stream:
                check(key, stream.read())
            self.reads += 2

    def read_many(self) -> None:
        wanted = set(self._random.sample(self.keys, min(100, len(self.keys))))
        read = set()
        for key, stream in self._container.iter_object_streams(wanted):
            check(key, stream.read())
            read.add(key)
        assert read == wanted
        self.reads += len(read)

    def ask(self) -> None:
        assert all(self._container.has_objects(self.keys))
        assert set(self.keys) <= set(self._container.list_objects())
        assert self._container.get_object_size(self.keys[0]) >= 0

    def go(self, deadline: float) -> dict[str, Any]:
        self.add()
        print('begun', flush=True)
        actions = [self.add] * 10 + [self.add_many, self.add_large] + [self.read] * 6 + [self.read_many, self.ask]
        while time.time() < deadline:
            self._random.choice(actions)()
        return {'keys': self.keys, 'reads': self.reads}


def maintain(container: Container, deadline: float) -> dict[str, Any]:
    runs = packed = busy = 0
    print('begun', flush=True)
    while time.time() < deadline or runs < LEAST_RUNS or not packed:
        try:
            report = container.maintain(MaintenanceOptions(compress='auto'), lambda: iter(()))
        except PackerBusy:
            busy += 1
            time.sleep(0.005)
            continue
        assert not report.problems, report.problems
        runs += 1
        packed += sum(step.objects for step in report.steps if step.name == 'pack')
    return {'runs': runs, 'packed': packed, 'busy': busy}


def main() -> None:
    role, folder, seconds, seed = sys.argv[1:]
    deadline = time.time() + float(seconds)
    with Container(Path(folder)) as container:
        done = maintain(container, deadline) if role == 'maintain' else User(container, int(seed)).go(deadline)
    print(json.dumps(done))


if __name__ == '__main__':
    main()
