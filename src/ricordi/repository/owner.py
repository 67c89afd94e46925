"""Which database a container serves, as a record in its folder has it.

One container serves one database: what no node of that database names is garbage. So before garbage goes, it has to be
certain that there is no other database whose nodes name objects of the same container. AiiDA and disk-objectstore know
nothing of this file, and do not mind it.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from ricordi.backend.repository import Owner
from ricordi.files import file_identity, fsync_folder, is_same_file, read_regular
from ricordi.repository.layout import LARGEST_CONFIG, Layout

VERSION = 1


def read_owner(layout: Layout) -> Owner | None:
    """What the record says; None where there is none, or where it came with a copy of the container.

    The record holds its own identity as a file, which no copy of it has. So a container that was copied with its
    database, to another disk or from a backup, is one of which nothing is known yet.
    """
    try:
        content = json.loads(read_regular(layout.owner, LARGEST_CONFIG))
        if not is_same_file(str(content['record']), file_identity(layout.owner)):
            return None
        return Owner(str(content['database']), str(content['place']), content['confirmed'] is True)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_owner(layout: Layout, owner: Owner | None) -> None:
    """Replace the record, whole and durably; None: remove it."""
    if owner is None:
        layout.owner.unlink(missing_ok=True)
        fsync_folder(layout.folder)
        return
    draft = layout.sandbox / uuid.uuid4().hex  # of a process that is killed, full maintenance removes it from there
    try:
        with draft.open('xb') as handle:
            content = {'version': VERSION, 'record': file_identity(draft), **owner._asdict()}
            handle.write(json.dumps(content).encode())
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(layout.owner)  # it keeps its identity
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    fsync_folder(layout.folder)


def is_debris(layout: Layout) -> bool:
    """Whether a folder holds nothing but what a creation that was cut short has left: no container, and no object."""
    own = {*layout.own_names, f'{layout.index.name}-journal'} - {layout.config.name}
    draft = f'.{layout.config.name}.'
    entries = list(layout.folder.iterdir())
    return all(entry.name in own or entry.name.startswith(draft) for entry in entries) and not has_object_files(layout)


def has_object_files(layout: Layout) -> bool:
    """Whether there is any file in which an object could be."""
    folders = (layout.loose, layout.packs, layout.duplicates)
    return any(files for folder in folders for _, _, files in os.walk(folder))


def remove_debris(layout: Layout, made: list[Path]) -> None:
    """Remove what `is_debris` accepts, and the folders that were made for it."""
    for entry in sorted(layout.folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    for folder in reversed(made):
        with suppress(OSError):
            folder.rmdir()
