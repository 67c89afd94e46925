"""One process of a race over a bucket: `bucket_race.py write|maintain|maintain-full SETTINGS SEED TALLY`.

Writes a byte into the file TALLY for each node, or each maintenance. It ends when it is killed; anything that may not
happen ends it with a traceback.
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

import psycopg
from psycopg import errors

from ricordi.backend.bucket import BucketLocation
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.errors import AccessError, NotExistent, UnreachableStorage
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.limits import BucketLimits

UNIVERSE = 60
"""So few contents that all meet: what one removes another puts."""
LARGE = 7
"""Each so many-th content is large, so that it is streamed."""
LIMITS = BucketLimits(
    inline_bytes=3000,
    pack_bytes=60_000,
    large_bytes=40_000,
    read_bytes=30_000,
    rows=20,
    listed=30,
    pause_seconds=0.02,
    tries=8,
    retries=4,
    retry_seconds=20,
    grace_seconds=0,
    leftover_seconds=0.5,
)
KEPT = 4
"""So few nodes always stay, so that there is something to look for in the end."""
NODE = """
INSERT INTO public.db_dbnode
(uuid, node_type, label, description, ctime, mtime, attributes, extras, repository_metadata, user_id)
SELECT gen_random_uuid(), 'data.core.folder.FolderData.', 'raw', '', now(), now(), '{}', '{}', %s, min(id)
FROM public.db_dbuser RETURNING id
"""
"""As a program puts one that knows nothing of the bucket."""
PAUSE = 0.02
"""Seconds between files and node, in which maintenance may strike; and after a server was lost."""


def content_of(number: int) -> bytes:
    """One of the contents: some small enough for the database, some for packs, some large."""
    seed = hashlib.sha256(b'%d' % number).digest()
    return seed * (1500 if number % LARGE == 0 else 10 + number * 7)


CONTENTS = {hashlib.sha256(content_of(number)).hexdigest(): content_of(number) for number in range(UNIVERSE)}


def store_at(settings: dict[str, Any]) -> BucketRepository:
    """The store, as each host opens it by itself."""
    return BucketRepository(BucketLocation(**settings), LIMITS)


class Writer:
    """Puts objects, commits nodes that name them, reads them, deletes nodes."""

    def __init__(self, settings: dict[str, Any], chance: random.Random) -> None:
        self.store = store_at(settings)
        self.chance = chance
        self.address = settings['database']
        self.link: psycopg.Connection[Any] | None = None

    def work(self) -> bool:
        """Store a node, read one of its files, delete some node; whether it was stored, and no server was lost."""
        keys = self.chance.sample(sorted(CONTENTS), self.chance.randint(1, 6))
        try:
            self.store_node(keys)
            self.read_back(self.chance.choice(keys))
            return True
        except (UnreachableStorage, AccessError, psycopg.OperationalError, psycopg.InterfaceError):
            self.link = None
            time.sleep(PAUSE)
            return False

    def store_node(self, keys: list[str]) -> None:
        """Files first, then the node; anew where one went in between."""
        tree = json.dumps({'o': {key[:9]: {'k': key} for key in keys}})
        while True:
            self.put(keys)
            time.sleep(self.chance.random() * PAUSE)
            try:
                self.node = self.execute(NODE, tree)
                return
            except (errors.ForeignKeyViolation, errors.DeadlockDetected):
                continue

    def put(self, keys: list[str]) -> None:
        contents = [CONTENTS[key] for key in keys]
        if self.chance.random() < 0.4:
            put = [self.store.put_object_from_filelike(io.BytesIO(content)) for content in contents]
        else:
            put = self.store.put_objects(contents)
        assert put == keys

    def read_back(self, key: str) -> None:
        """What our node names is there; then a node goes, perhaps ours."""
        try:
            assert self.store.get_object_content(key) == CONTENTS[key]
        except NotExistent:  # somebody has deleted our node meanwhile
            assert not self.execute('SELECT count(*) FROM db_dbnode WHERE id = %s', self.node)
        try:
            one = f"SELECT id FROM db_dbnode WHERE label = 'raw' ORDER BY random() OFFSET {KEPT} LIMIT 1"
            self.execute(
                f'WITH gone AS (DELETE FROM db_dbnode WHERE id IN ({one}) RETURNING 1) SELECT count(*) FROM gone'
            )
        except errors.DeadlockDetected:
            pass

    def execute(self, statement: str, *parameters: Any) -> int:
        self.link = self.link or psycopg.connect(**self.address, autocommit=True)
        row = self.link.execute(statement.encode(), parameters).fetchone()
        assert row is not None
        return int(row[0])


def write(settings: dict[str, Any], chance: random.Random, tally: Path) -> None:
    writer = Writer(settings, chance)
    while True:
        if writer.work():
            count(tally)


def maintain(settings: dict[str, Any], chance: random.Random, tally: Path, full: bool) -> None:
    """Maintain in a loop, with no grace."""
    store = store_at(settings)
    while True:
        options = MaintenanceOptions(full=full, grace_seconds=0, repack=chance.choice(['auto', 'all']))
        try:
            report = store.maintain(options, lambda: iter(()))
        except (UnreachableStorage, AccessError):
            time.sleep(PAUSE)
            continue
        assert not report.problems, report.problems
        count(tally)


def count(tally: Path) -> None:
    with tally.open('ab') as file:
        file.write(b'.')


def main() -> None:
    deed, settings, seed, tally = sys.argv[1:]
    told, chance = json.loads(settings), random.Random(int(seed))
    if deed == 'write':
        write(told, chance, Path(tally))
    maintain(told, chance, Path(tally), full=deed == 'maintain-full')


if __name__ == '__main__':
    main()
