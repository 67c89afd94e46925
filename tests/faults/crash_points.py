"""Kills a process at every change it makes to a container, and looks at what is left: `crash_points.py WORK FOLDER`.

The first run of a work counts the points at which it changes files: writes, fsyncs, renames, links, removals,
truncations, new files and folders, and commits. Then each point has two runs of its own, on a fresh copy of the same
container: in one the process kills itself by SIGKILL just before, in the other just after. Prints a JSON object:
`points`, `runs`, and `kept`, copies of what the crashes left, one of each kind, with the keys that must be in them.
"""

from __future__ import annotations

import argparse
import builtins
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.progress import Progress, Stop
from ricordi.repository import bulk, maintenance, pack_writer, packing, repacking
from ricordi.repository.container import Container
from ricordi.repository.packer_lock import packer_lock

assert maintenance  # imported here, before the forks

# counting and killing --------------------------------------------------------------------------------------

real_open = io.open


class Trap:
    """Counts the changes of this process, and kills it at one of them."""

    def __init__(self, target: int, after: bool) -> None:
        self.target = target
        self.after = after
        self.count = 0
        self._guard = threading.Lock()

    def passes(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._guard:
            self.count += 1
            here = self.count == self.target
        if here and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return function(*args, **kwargs)
        finally:
            if here:
                os.kill(os.getpid(), signal.SIGKILL)

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: self.passes(function, *args, **kwargs)

    def set(self) -> None:
        """Put this trap under all functions that change files."""
        trap = self

        class CountedFile(io.FileIO):
            def write(self, content: Any) -> int:
                return trap.passes(super().write, content)  # type: ignore[no-any-return]

        def counted_open(file: Any, mode: str = 'r', buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
            if isinstance(file, int) or not set('wxa+') & set(mode):
                return real_open(file, mode, buffering, *args, **kwargs)
            raw = trap.passes(CountedFile, file, mode.replace('b', '').replace('t', ''))
            if buffering == 0:
                return raw
            return io.BufferedWriter(raw) if 'b' in mode else io.TextIOWrapper(io.BufferedWriter(raw))

        class CountedConnection(sqlite3.Connection):
            def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
                if statement.startswith(('COMMIT', 'VACUUM', 'PRAGMA wal_checkpoint')):
                    return trap.passes(super().execute, statement, *args)  # type: ignore[no-any-return]
                return super().execute(statement, *args)

        real_os_open = os.open

        def counted_os_open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if flags & os.O_CREAT:
                return trap.passes(real_os_open, path, flags, *args, **kwargs)  # type: ignore[no-any-return]
            return real_os_open(path, flags, *args, **kwargs)

        names = 'write pwrite fsync fdatasync replace rename link unlink remove truncate ftruncate mkdir rmdir'
        for name in names.split():
            setattr(os, name, self.wrap(getattr(os, name)))
        os.open = counted_os_open
        builtins.open = io.open = counted_open
        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=CountedConnection, **kwargs)  # type: ignore[assignment]


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
        container.maintain(MaintenanceOptions(**options), lambda: iter(NAMED_KEYS), Progress(), Stop())

    return work


def in_small_batches(work: Callable[..., None]) -> Callable[[Container, Callable[[str], None]], None]:
    """The same work with a commit every few objects, and with an fsync begun early in its thread."""

    def small(container: Container, told: Callable[[str], None]) -> None:
        pack_writer.FLUSH_BYTES, pack_writer.EARLY_SYNC_BYTES, pack_writer.COMMIT_BYTES = 1000, 1500, 2500
        pack_writer.COMMIT_OBJECTS, packing.GROUP_OBJECTS = 3, 2
        repacking.WINDOW_BYTES = 2000
        work(container, told)

    return small


def as_large_objects(work: Callable[..., None]) -> Callable[[Container, Callable[[str], None]], None]:
    """The same work with every object taken for a large one, which is streamed."""

    def large(container: Container, told: Callable[[str], None]) -> None:
        bulk.LARGE_BYTES = packing.LARGE_BYTES = repacking.LARGE_BYTES = 500
        in_small_batches(work)(container, told)

    return large


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
    (key,) = container.put_objects([io.BytesIO(content(121, bulk.LARGE_BYTES + 1000))])
    told(key)
    for key in container.put_objects_into_pack([content(number) for number in range(130, 135)], 'yes'):
        told(key)


TRIES = 20
"""An fsync that was begun early may take so long that the next is left out: then a run has a point less."""

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


def run(work: str, folder: Path, target: int, after: bool) -> tuple[int, int, list[str]]:
    """Do the work in a child that dies at a point.

    :returns: how the child ended, the changes it has counted if it came to its end, and the keys that it was given.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        tell = os.write
        trap = Trap(target, after)
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
    assert min(packs) >= 0
    assert {path.name for path in layout.folder.iterdir()} <= {
        *('config.json', 'loose', 'packs', 'sandbox', 'duplicates', 'packer.lock'),
        *('packs.idx', 'packs.idx-wal', 'packs.idx-shm'),
    }


def crash_everywhere(work: str, folder: Path, keep: Path | None) -> dict[str, Any]:
    template = folder / 'template'
    build(template, wreck='wreck' in work)

    def fresh_copy() -> Path:
        shutil.rmtree(folder / 'copy', ignore_errors=True)
        return Path(shutil.copytree(template, folder / 'copy'))

    status, points, keys = run(work, fresh_copy(), 0, False)
    assert status == 0
    assert points, f'{work} changed nothing'
    check(folder / 'copy', keys, False)
    kept: dict[str, dict[str, Any]] = {}
    for target, after in ((target, after) for target in range(1, points + 1) for after in (False, True)):
        point = f'{work}, {"after" if after else "before"} change {target} of {points}'
        for _ in range(TRIES):
            copy = fresh_copy()
            status, _, keys = run(work, copy, target, after)
            if os.WIFSIGNALED(status):
                break
        assert os.WIFSIGNALED(status), f'{point}: the process was not killed'
        assert os.WTERMSIG(status) == signal.SIGKILL
        if keep is not None and (kind := kind_of_state(copy)) not in kept:
            name = f'{work}-{target}-{"after" if after else "before"}'
            shutil.copytree(copy, keep / name)
            kept[kind] = {'name': name, 'keys': sorted({*NAMED_KEYS, *keys})}
        try:
            check(copy, keys, target % 2 == 0)
        except BaseException as error:
            error.add_note(point)
            raise
    return {'points': points, 'runs': 2 * points, 'kept': list(kept.values())}


def kind_of_state(folder: Path) -> str:
    """Names and sizes of all files, those of one run being like those of the next."""
    files = sorted((str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob('*') if path.is_file())
    return re.sub(r"sandbox/[0-9a-f]{32}'", "sandbox/*'", repr([f for f in files if not f[0].endswith('-shm')]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work', choices=WORKS)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--keep', type=Path)
    arguments = parser.parse_args()
    print(json.dumps(crash_everywhere(arguments.work, arguments.folder, arguments.keep)))


if __name__ == '__main__':
    main()
