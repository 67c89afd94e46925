"""Objects in a bucket against the bare client with one put for each object, run by run in turn.

python benchmarks/bucket.py --database URL --endpoint URL --bucket NAME [--objects 2000] [--stream-mib 256] [--runs 3]

The keys of the store are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the database has to be there, and is used up.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import paired
from paired import Row

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend

SIZE = 5000
"""Bytes of an object."""
SINGLE = 200
"""Objects that are put or read one by one."""
MIB = 1 << 20

PACK = 'bench/pack'

Step = Callable[[], None]
Measured = tuple[str, float | None, Step, Step]
"""In words, the bar, ours, the peer's."""


class Bench:
    """A store of ours, the bare client, and a connection to the database."""

    def __init__(self, args: argparse.Namespace) -> None:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        from ricordi.backend.bucket import BucketLocation
        from ricordi.repository.bucket.bucket import BucketRepository
        from ricordi.repository.bucket.limits import USUAL
        from ricordi.repository.bucket.objects import open_client

        location = BucketLocation(
            conninfo_to_dict(args.database),
            args.bucket,
            endpoint=args.endpoint,
            access_key_id=os.environ['AWS_ACCESS_KEY_ID'],
            secret_access_key=os.environ['AWS_SECRET_ACCESS_KEY'],
        )
        self.args = args
        self.store = BucketRepository(location)
        self.client: Any = open_client(location, USUAL)
        self.link = psycopg.connect(args.database, autocommit=True)
        self.chance = random.Random(1)
        self.keys: list[str] = []

    @contextmanager
    def ready(self) -> Iterator[None]:
        """The store, and beside it what the bare client reads; both are removed at the end."""
        self.store.initialise()
        self.link.execute('CREATE TABLE bench (content bytea)')
        try:
            yield
        finally:
            self.store.erase()
            self.link.execute('DROP TABLE bench')

    def contents(self, count: int) -> list[bytes]:
        return [self.chance.randbytes(SIZE) for _ in range(count)]

    def bare_put(self, contents: list[bytes]) -> list[str]:
        """One put for each object, as aiida-s3 does it."""
        import obstore

        names = [f'bench/{uuid4()}' for _ in contents]
        for name, content in zip(names, contents, strict=True):
            obstore.put(self.client, name, content, use_multipart=False)
        return names

    def bare_read(self, names: list[str]) -> None:
        import obstore

        for name in names:
            obstore.get_range(self.client, name, start=0, length=SIZE)

    def bare_pack(self, contents: list[bytes]) -> None:
        """One object that holds many, as a pack does."""
        import obstore

        obstore.put(self.client, PACK, b''.join(contents), use_multipart=False)

    def bare_ranges(self, numbers: Iterable[int]) -> None:
        """Read some of those one by one."""
        import obstore

        for number in numbers:
            obstore.get_range(self.client, PACK, start=number * SIZE, length=SIZE)

    def read_many(self, keys: list[str], store: RepositoryBackend | None = None) -> None:
        streams = (store or self.store).iter_object_streams(keys)
        assert sum(len(stream.read()) for _, stream in streams) == SIZE * len(keys)

    def read_each(self, keys: list[str], store: RepositoryBackend | None = None) -> None:
        for key in keys:
            assert len((store or self.store).get_object_content(key)) == SIZE


def steps(bench: Bench) -> Iterator[Measured]:
    """What is measured."""
    count = bench.args.objects
    many, single = bench.contents(count * bench.args.runs), bench.contents(SINGLE * bench.args.runs)
    ours, bare = iter(many), iter(many)
    keys: list[str] = []
    names: list[str] = []
    yield (
        f'put {count:,} objects of 5 KB at once; one put each',
        5.0,
        lambda: keys.extend(bench.store.put_objects([next(ours) for _ in range(count)])),
        lambda: names.extend(bench.bare_put([next(bare) for _ in range(count)])),
    )
    one, row = iter(single), iter(single)
    yield (
        f'put {SINGLE} of 5 KB one by one, durable; a commit of PostgreSQL each',
        1 / 1.5,
        lambda: [bench.store.put_object_from_bytes(next(one)) for _ in range(SINGLE)] and None,
        lambda: [bench.link.execute('INSERT INTO bench VALUES (%b)', (next(row),)) for _ in range(SINGLE)] and None,
    )
    yield (
        f'read {count:,} of 5 KB at once; one get each',
        1.0,
        lambda: bench.read_many(keys[:count]),
        lambda: bench.bare_read(names[:count]),
    )
    bench.bare_pack(many[:count])
    yield (
        f'read {SINGLE} of 5 KB one after the other; a ranged get each',
        0.8,
        lambda: bench.read_each(keys[:SINGLE]),
        lambda: bench.bare_ranges(range(SINGLE)),
    )
    order = bench.chance.sample(range(count), min(SINGLE, count))
    yield (
        f'read {len(order)} of 5 KB here and there; a ranged get each',
        None,
        lambda: bench.read_each([keys[number] for number in order]),
        lambda: bench.bare_ranges(order),
    )
    yield from warm(bench, keys[:count])
    yield from streams(bench)


def warm(bench: Bench, keys: list[str]) -> Iterator[Measured]:
    """What was read before, from the cache, against a container that holds the same in a pack."""
    from ricordi.repository.bucket.bucket import BucketRepository
    from ricordi.repository.container.container import Container

    with tempfile.TemporaryDirectory(prefix='ricordi-bench-') as scratch:
        folder = Path(scratch)
        location = replace(bench.store.location, cache_folder=folder / 'cache')
        with BucketRepository(location) as cached, Container(folder / 'container') as container:
            container.initialise()
            container.put_objects_into_pack([cached.get_object_content(key) for key in keys])
            for name, read in (('at once', bench.read_many), ('one by one', bench.read_each)):
                yield (
                    f'read {len(keys):,} of 5 KB {name}, cache warm; from a container',
                    0.5,
                    partial(read, keys, cached),
                    partial(read, keys, container),
                )


def streams(bench: Bench) -> Iterator[Measured]:
    """One large object up and down."""
    import obstore

    size = bench.args.stream_mib * MIB
    keys: list[str] = []

    def up() -> None:
        keys.append(bench.store.put_object_from_filelike(io.BytesIO(bench.chance.randbytes(MIB) * (size // MIB))))

    def bare_up() -> None:
        content = io.BytesIO(bench.chance.randbytes(MIB) * (size // MIB))
        obstore.put(bench.client, 'bench/stream', content, chunk_size=8 * MIB, max_concurrency=3)

    def down() -> None:
        with bench.store.open(keys[-1]) as handle:
            while handle.read(MIB):
                pass

    def bare_down() -> None:
        for _ in obstore.get(bench.client, 'bench/stream').stream(min_chunk_size=MIB):
            pass

    yield f'a stream of {bench.args.stream_mib} MiB up; bare client', 0.9, up, bare_up
    yield f'a stream of {bench.args.stream_mib} MiB down; bare client', 0.9, down, bare_down


def seconds(step: Step) -> tuple[float, float]:
    """Of the clock, and of the processors for this process: what the servers take is in the first alone."""
    begin, busy = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - begin, time.process_time() - busy


def main() -> None:
    """Measure all steps and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--database', required=True, help='address of an empty database of PostgreSQL')
    parser.add_argument('--endpoint', required=True, help='address of the object store')
    parser.add_argument('--bucket', required=True, help='a bucket that is there')
    parser.add_argument('--objects', type=int, default=2000)
    parser.add_argument('--stream-mib', type=int, default=256)
    parser.add_argument('--runs', type=int, default=3, help='runs of each side')
    parser.add_argument('--table', default='bucket', help='name under which the results are kept')
    args = parser.parse_args()
    bench, rows = Bench(args), []
    with bench.ready():
        for work, bar, ours, peer in steps(bench):
            times = [(*seconds(ours), *seconds(peer)) for _ in range(args.runs)]
            wall, busy, peer_wall, peer_busy = (statistics.median(column) for column in zip(*times, strict=True))
            rows.append(Row(work, wall, peer_wall, bar, args.runs, ours_cpu=busy, peer_cpu=peer_busy))
    paired.save(args.table, rows)


if __name__ == '__main__':
    main()
