"""Kills a process at every change it makes to files while it writes or imports an archive.

Prints a JSON object: `points`, `runs`; see `trap.py` for what counts. Usage: `crash_archives.py WORK FOLDER`; the work
`create-by-workers` has the members packed by processes of their own, as those of a large archive are.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import psutil

from deadlines import wait_until
from faults.trap import kill_at, killed
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.config import Profile
from ricordi.manager import get_config, initialise_storage, maintain_storage
from ricordi.repository import worker_process
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.limits import Limits
from ricordi.services.archive.create import ArchiveRequest, create_archive
from ricordi.services.archive.importing import ImportRequest, import_archive
from services.archive.tools import REFERENCE, everything

ALL = ArchiveRequest(everything=True, authinfos=True)
PLAIN = ImportRequest(authinfos=True, import_group=False)


def new_profile(folder: Path) -> Profile:
    """An empty profile on SQLite."""
    storage = {'backend': 'core.sqlite_dos', 'config': {'filepath': str(folder)}}
    return Profile('crash', {'storage': storage, 'process_control': {'backend': None, 'config': None}})


def hand_in(limits: Limits) -> None:
    """To every container that is opened from now on."""
    ObjectStore.__init__.__defaults__ = (limits,)


def crash_import(folder: Path) -> dict[str, int]:
    """The profile is as it was, or has all of the archive; the next import and a full maintenance end well."""
    hand_in(Limits(commit_objects=5, flush_bytes=50_000, batch_objects=4))
    template, copy = folder / 'template', folder / 'copy'
    initialise_storage(new_profile(template))
    whole, empty = everything(REFERENCE), everything(new_profile(template))
    runs = 0

    def fresh() -> Profile:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(template, copy)
        return new_profile(copy)

    profile = fresh()
    _, points = killed(lambda: import_archive(profile, REFERENCE, PLAIN), 0)
    assert everything(profile) == whole
    for target in range(1, points + 1):
        kill_at(fresh, lambda: import_archive(profile, REFERENCE, PLAIN), target)
        runs += 1
        point = f'after change {target} of {points}'
        found = everything(profile)
        assert found in (empty, whole), f'{point}: a part of the archive is there'
        import_archive(profile, REFERENCE, PLAIN)
        assert everything(profile) == whole, point
        report = maintain_storage(profile, MaintenanceOptions(full=True))
        assert not report.problems, point
        assert everything(profile) == whole, point
    return {'points': points, 'runs': runs}


def crash_create_by_workers(folder: Path) -> dict[str, int]:
    """The same, and the workers end with who asked them."""
    hand_in(Limits(few_questions=2, processors=2, batch_objects=5))
    found = crash_create(folder, either=True)
    wait_for_end_of_workers(folder)
    started: list[object] = []
    start = worker_process.WorkerProcess
    worker_process.WorkerProcess = lambda *words, **limits: started.append(words) or start(*words, **limits)  # type: ignore[misc,assignment]
    create_archive(new_profile(folder / 'storage'), folder / 'y.aiida', ALL)
    assert len(started) == 2, 'the archive is too small for workers'
    return found


def wait_for_end_of_workers(folder: Path) -> None:
    """They hear of the end of who asked them by their pipes; that takes a moment."""
    container = str(folder / 'storage' / 'container')

    def they_are_gone() -> bool:
        return not any(container in (one.info['cmdline'] or ()) for one in psutil.process_iter(['cmdline']))

    wait_until(they_are_gone, 'the workers end')


def crash_create(folder: Path, either: bool = False) -> dict[str, int]:
    """There is no archive, or the old one, or the whole new one; and no other file beside it.

    :param either: killed once after each change, where there was an old archive or where there was none, in turn.
    """
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

    def create() -> None:
        create_archive(profile, archive, ALL, overwrite=True)

    fresh(old=False)
    _, points = killed(create, 0)
    for target in range(1, points + 1):
        for old in (target % 2 == 0,) if either else (False, True):
            kill_at(lambda old=old: fresh(old), create, target)
            runs += 1
            point = f'after change {target} of {points}, {"an old archive" if old else "none"} there'
            names = [path.name for path in place.iterdir() if path != archive]
            assert len(names) <= 1, f'{point}: {names}'  # a name between link and rename
            if archive.exists() and not (old and archive.read_bytes() == b'old'):
                assert everything(archive) == whole, f'{point}: a part of an archive'
            else:
                assert archive.exists() is old, point
    return {'points': points, 'runs': runs}


WORKS = {'import': crash_import, 'create': crash_create, 'create-by-workers': crash_create_by_workers}


def main() -> None:
    work, folder = sys.argv[1], Path(sys.argv[2])
    os.environ['AIIDA_PATH'] = str(folder / 'home')
    get_config(create=True)
    print(json.dumps(WORKS[work](folder)))


if __name__ == '__main__':
    main()
