"""Which database a container serves, as a record in its folder has it.

One container serves one database: what no node of that database names is garbage. So before garbage goes, it has to be
certain that there is no other database whose nodes name objects of the same container. AiiDA and disk-objectstore know
nothing of this file, and do not mind it.
"""

from __future__ import annotations

import json
import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

from ricordi.backend.repository import Owner
from ricordi.files import file_identity, is_same_file, read_regular
from ricordi.folders import remove_folder
from ricordi.repository.container.layout import LARGEST_CONFIG, Layout

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
        layout.opened.top.unlink(layout.owner.name, missing_ok=True)
        layout.opened.top.sync()
        return
    draft = uuid.uuid4().hex  # of a process that is killed, full maintenance removes it from the sandbox
    sandbox, top = layout.opened.sandbox, layout.opened.top
    try:
        with os.fdopen(sandbox.create(draft, 0o666), 'wb') as handle:
            content = {'version': VERSION, 'record': file_identity(handle.fileno()), **owner._asdict()}
            handle.write(json.dumps(content).encode())
            handle.flush()
            os.fsync(handle.fileno())
        sandbox.replace(draft, layout.owner.name, top)  # it keeps its identity
    except BaseException:
        with suppress(OSError):
            sandbox.unlink(draft)
        raise
    top.sync()


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
    top = layout.opened.top
    for name in top.names():
        if stat.S_ISDIR(top.status(name).st_mode):
            top.remove_tree(name, ignore_errors=False)
        else:
            top.unlink(name, missing_ok=True)
    for folder in reversed(made):
        with suppress(OSError):
            remove_folder(folder)
