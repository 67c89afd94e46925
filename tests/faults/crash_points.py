"""Kills a process at every change it makes to a container, and looks at what is left: `crash_points.py WORK FOLDER`.

The first run of a work counts the points at which it changes files: writes, fsyncs, renames, links, removals,
truncations, new files and folders, and commits. Then each point has a run of its own, on a fresh copy of the same
container, in which the process kills itself by SIGKILL right after the change. Prints a JSON object: `points`, `runs`,
and how many of the containers were `read_by_other` too, by the disk-objectstore of `--other PYTHON`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from faults.other_reader import OtherReader
from faults.trap import TRIES, Trap, real_open
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.repository.container.catalogue import catalogued_packs
from ricordi.repository.container.container import Container
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.repository.limits import Limits
from ricordi.repository.maintenance import maintenance

assert maintenance  # imported here, before the forks

# the container, and what is done to it ---------------------------------------------------------------------


@cache
def content(number: int, size: int = 900) -> bytes:
    source = random.Random(number)
    return source.randbytes(size) if number % 2 else (b'object %d; ' % number * size)[:size]


def key_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


NAMED = [content(number) for number in (*range(14), *range(40, 48))]
GARBAGE = [content(number) for number in (*range(20, 28), *range(60, 63))]
NAMED_KEYS = sorted(map(key_of, NAMED))


def build(folder: Path, wreck: bool) -> None:
    """A small container with one of everything: waste, packs of garbage, named and unnamed loose objects, leftovers."""
    with Container(folder) as container:
        container.initialise(pack_size_target=5000)
        container.put_objects_into_pack([content(number) for number in (0, 20, 1, 21, 2, 22)])
        container.put_objects_into_pack([content(number) for number in range(23, 28)])
        container.put_objects_into_pack([content(number) for number in range(3, 10)], 'yes')
        container.delete_objects(container.put_objects_into_pack([content(number) for number in range(30, 33)]))
        container.put_objects_into_pack([content(number) for number in range(10, 14)])
        with packer_lock(container.layout):
            for number in (*range(40, 48), *range(60, 63)):
                container.put_object_from_bytes(content(number))
            for number in (0, 20):  # loose and packed
                path = Path(container.loose_path(key_of(content(number))))
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content(number))
        for number in (1, 13, 60):
            (container.layout.duplicates / f'{key_of(content(number))}.1').write_bytes(content(number))
        (container.layout.sandbox / 'half-written').write_bytes(b'half')
        if wreck:
            last = max(container.layout.pack_sizes())
            with container.index.transaction():
                container.index.renumber(last, -1)
            container.layout.pack_path(last).rename(container.layout.pack_path(-1))
            (container.layout.packs / '-1.lock').touch()
            (container.layout.packs / '99').write_bytes(b'a pack without rows')


def maintained(**options: Any) -> Callable[[Container, Callable[[str], None]], None]:
    def work(container: Container, told: Callable[[str], None]) -> None:
        container.maintain(MaintenanceOptions(**options), lambda: iter(NAMED_KEYS))

    return work


SMALL = Limits(
    flush_bytes=1000,
    early_sync_bytes=1500,
    commit_bytes=2500,
    commit_objects=3,
    first_commits=1,
    group_objects=2,
    put_objects=2,
    window_bytes=2000,
)


def cut_by(limits: Limits, container: Container) -> Container:
    return Container(container.layout.folder, limits)


def in_small_batches(work: Callable[..., None]) -> Callable[[Container, Callable[[str], None]], None]:
    """The same work with a commit every few objects, and with an fsync begun early in its thread."""

    return lambda container, told: work(cut_by(SMALL, container), told)


def as_large_objects(work: Callable[..., None]) -> Callable[[Container, Callable[[str], None]], None]:
    """The same work with every object taken for a large one, which is streamed."""

    return lambda container, told: work(cut_by(SMALL._replace(large_bytes=500), container), told)


def deleted(container: Container, told: Callable[[str], None]) -> None:
    container.delete_objects(map(key_of, GARBAGE))


def added(container: Container, told: Callable[[str], None]) -> None:
    for number in range(100, 103):
        told(container.put_object_from_bytes(content(number)))
    told(container.put_object_from_filelike(io.BytesIO(content(103, (1 << 20) + 1000))))
    told(container.put_object_from_bytes(content(0)))


def added_at_once(container: Container, told: Callable[[str], None]) -> None:
    for key in container.put_objects([content(number) for number in range(100, 120)]):
        told(key)
    (key,) = container.put_objects([io.BytesIO(content(121, container.limits.large_bytes + 1000))])
    told(key)
    for key in container.put_objects_into_pack([content(number) for number in range(130, 135)], 'yes'):
        told(key)


WORKS: dict[str, Callable[[Container, Callable[[str], None]], None]] = {
    'live': maintained(),
    'live-compressed': maintained(compress='yes'),
    'full': maintained(full=True),
    'full-compressed': maintained(full=True, compress='auto', repack='all'),
    'full-no-repack': maintained(full=True, repack='none'),
    'live-in-batches': in_small_batches(maintained(compress='auto')),
    'live-streamed': as_large_objects(maintained(compress='yes')),
    'full-in-batches': in_small_batches(maintained(full=True, repack='all')),
    'full-streamed': as_large_objects(maintained(full=True, repack='all', compress='auto')),
    'full-after-wreck': maintained(full=True, repack='all', compress='yes'),
    'add': added,
    'add-at-once': added_at_once,
    'add-at-once-streamed': as_large_objects(added_at_once),
    'delete': deleted,
}


# one run ---------------------------------------------------------------------------------------------------


def run(work: str, folder: Path, target: int) -> tuple[int, int, list[str]]:
    """Do the work in a child that dies at a point.

    :returns: how the child ended, the changes it has counted if it came to its end, and the keys that it was given.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        tell = os.write
        trap = Trap(target)
        try:
            trap.set()
            with Container(folder) as container:
                WORKS[work](container, lambda key: tell(writing, key.encode()) and None)
            tell(writing, b'%064d' % trap.count)
        finally:
            os._exit(0 if trap.count else 1)
    os.close(writing)
    with real_open(reading, 'rb') as pipe:
        told = pipe.read().decode()
    status = os.waitpid(child, 0)[1]
    keys = [told[i : i + 64] for i in range(0, len(told), 64)]
    count = int(keys.pop()) if not os.WIFSIGNALED(status) and keys else 0
    return status, count, keys


def check(folder: Path, keys: list[str], work_goes_on: bool) -> None:
    """All objects can be read; the next full maintenance ends well and leaves nothing of a crash behind.

    :param work_goes_on: before it others add objects and maintain the container live.
    """
    wanted = sorted({*NAMED_KEYS, *keys})
    with Container(folder) as container:
        read_all(container, wanted)
        if work_goes_on:
            wanted = sorted({*wanted, *container.put_objects_into_pack([b'after the crash'])})
            assert not container.maintain(MaintenanceOptions(), lambda: iter(wanted)).problems
            read_all(container, wanted)
    with Container(folder) as container:
        report = container.maintain(MaintenanceOptions(full=True), lambda: iter(wanted))
        assert not report.problems, report.problems
        assert report.interrupted is None
        read_all(container, wanted)
        assert list(container.list_objects()) == wanted, 'what is there is not what is named'
        check_clean(container)
        again = container.maintain(MaintenanceOptions(full=True), lambda: iter(wanted))
        assert again.nothing_to_do, again.steps


def read_all(container: Container, keys: list[str]) -> None:
    for key in keys:
        assert key_of(container.get_object_content(key)) == key, f'{key} has other content'
    read = {key: key_of(handle.read()) for key, handle in container.iter_object_streams(keys)}
    assert read == {key: key for key in keys}


def check_clean(container: Container) -> None:
    layout = container.layout
    assert not layout.pack_locks()
    assert not list(layout.sandbox.iterdir())
    assert not list(layout.duplicates.iterdir())
    assert not list(layout.loose_objects(container.config.loose_prefix_len))
    packs = container.index.packs()
    assert {path.name for path in layout.packs.iterdir()} == {str(pack_id) for pack_id in packs}
    assert {pack_id: pack.end for pack_id, pack in packs.items()} == layout.pack_sizes()
    assert min(packs, default=0) >= 0
    assert catalogued_packs(layout) == sorted(packs)
    assert {path.name for path in layout.folder.iterdir()} <= {
        *('config.json', 'loose', 'packs', 'sandbox', 'duplicates', 'packer.lock', 'ricordi-database.json'),
        *('packs.idx', 'packs.idx-wal', 'packs.idx-shm', 'ricordi.access', 'ricordi.gate', 'catalogue'),
    }


def crash_everywhere(work: str, folder: Path, other: OtherReader) -> dict[str, int]:
    template = folder / 'template'
    build(template, wreck='wreck' in work)

    def fresh_copy() -> Path:
        shutil.rmtree(folder / 'copy', ignore_errors=True)
        return Path(shutil.copytree(template, folder / 'copy'))

    status, points, keys = run(work, fresh_copy(), 0)
    assert status == 0
    assert points, f'{work} changed nothing'
    check(folder / 'copy', keys, False)
    for target in range(1, points + 1):
        point = f'{work}, after change {target} of {points}'
        for _ in range(TRIES):
            copy = fresh_copy()
            status, _, keys = run(work, copy, target)
            if os.WIFSIGNALED(status):
                break
        assert os.WIFSIGNALED(status), f'{point}: the process was not killed'
        assert os.WTERMSIG(status) == signal.SIGKILL
        try:
            if 'wreck' not in work:  # which disk-objectstore made, and cannot read
                other.check(copy, {*NAMED_KEYS, *keys})
            check(copy, keys, target % 2 == 0)
        except BaseException as error:
            error.add_note(point)
            raise
    return {'points': points, 'runs': points, 'read_by_other': other.read}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work', choices=WORKS)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--other', metavar='PYTHON')
    arguments = parser.parse_args()
    with OtherReader(arguments.other) as other:
        print(json.dumps(crash_everywhere(arguments.work, arguments.folder, other)))


if __name__ == '__main__':
    main()
