"""Kills a process at every change it makes to files while it writes or imports an archive.

Prints a JSON object: `points`, `runs`. Traps as in `crash_points.py`. Usage: `crash_archives.py import|create FOLDER`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from faults.crash_points import Trap
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.config import Profile
from ricordi.manager import get_config, initialise_storage, maintain_storage
from ricordi.repository import archive_unpacking, pack_writer
from ricordi.services.archive_create import ArchiveRequest, create_archive
from ricordi.services.archive_import import ImportRequest, import_archive
from services.archive_tools import REFERENCE, everything

ALL = ArchiveRequest(everything=True, authinfos=True)
PLAIN = ImportRequest(authinfos=True, import_group=False)
STRIDE = int(os.environ.get('RICORDI_CRASH_STRIDE', '1'))


def new_profile(folder: Path) -> Profile:
    """An empty profile on SQLite."""
    storage = {'backend': 'core.sqlite_dos', 'config': {'filepath': str(folder)}}
    return Profile('crash', {'storage': storage, 'process_control': {'backend': None, 'config': None}})


def killed(work: Any, target: int, after: bool) -> tuple[bool, int]:
    """Do the work in a child that dies at a point: whether it died, and how many points there were if it did not."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        tell = os.write
        trap = Trap(target, after)
        code = 1
        try:
            trap.set()
            work()
            tell(writing, str(trap.count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    told = b''
    while piece := os.read(reading, 100):
        told += piece
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True, 0
    assert os.WEXITSTATUS(status) == 0, f'the work failed before point {target}'
    return False, int(told)


def crash_import(folder: Path) -> dict[str, int]:
    """The profile is as it was, or has all of the archive; the next import and a full maintenance end well."""
    pack_writer.COMMIT_OBJECTS, pack_writer.FLUSH_BYTES, archive_unpacking.BATCH_OBJECTS = 5, 50_000, 4
    template, copy = folder / 'template', folder / 'copy'
    initialise_storage(new_profile(template))
    whole, empty = everything(REFERENCE), everything(new_profile(template))
    runs = 0

    def fresh() -> Profile:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(template, copy)
        return new_profile(copy)

    profile = fresh()
    _, points = killed(lambda: import_archive(profile, REFERENCE, PLAIN), 0, False)
    assert everything(profile) == whole
    for target in range(1, points + 1, STRIDE):
        for after in (False, True):
            profile = fresh()
            killed(lambda p=profile: import_archive(p, REFERENCE, PLAIN), target, after)
            runs += 1
            point = f'{"after" if after else "before"} change {target} of {points}'
            found = everything(profile)
            assert found in (empty, whole), f'{point}: a part of the archive is there'
            import_archive(profile, REFERENCE, PLAIN)
            assert everything(profile) == whole, point
            report = maintain_storage(profile, MaintenanceOptions(full=True))
            assert not report.problems, point
            assert everything(profile) == whole, point
    return {'points': points, 'runs': runs}


def crash_create(folder: Path) -> dict[str, int]:
    """There is no archive, or the old one, or the whole new one; and no other file beside it."""
    profile = new_profile(folder / 'storage')
    initialise_storage(profile)
    import_archive(profile, REFERENCE, PLAIN)
    whole, place = everything(REFERENCE), folder / 'place'
    archive, runs = place / 'x.aiida', 0

    def fresh(old: bool) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        if old:
            archive.write_bytes(b'old')

    fresh(old=False)
    _, points = killed(lambda: create_archive(profile, archive, ALL, overwrite=True), 0, False)
    for target in range(1, points + 1, STRIDE):
        for after in (False, True):
            fresh(old := target % 2 == 0)
            killed(lambda: create_archive(profile, archive, ALL, overwrite=True), target, after)
            runs += 1
            point = f'{"after" if after else "before"} change {target} of {points}'
            names = [path.name for path in place.iterdir() if path != archive]
            assert len(names) <= 1, f'{point}: {names}'  # a name between link and rename
            if archive.exists() and not (old and archive.read_bytes() == b'old'):
                assert everything(archive) == whole, f'{point}: a part of an archive'
            else:
                assert archive.exists() is old, point
    return {'points': points, 'runs': runs}


def main() -> None:
    work, folder = sys.argv[1], Path(sys.argv[2])
    os.environ['AIIDA_PATH'] = str(folder / 'home')
    get_config(create=True)
    print(json.dumps({'import': crash_import, 'create': crash_create}[work](folder)))


if __name__ == '__main__':
    main()
