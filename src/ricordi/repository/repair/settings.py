"""Writing `config.json` of a container anew, where it is gone or damaged and all else is there."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress

from ricordi.errors import CorruptStorage, UnreachableStorage
from ricordi.files import new_file
from ricordi.repository.container.layout import KEY_LENGTH, LARGEST_CONFIG, ContainerConfig, Layout
from ricordi.repository.container.owner import has_object_files
from ricordi.repository.repair.aside import Aside

_IS_SHARD = re.compile(f'[0-9a-f]{{1,{KEY_LENGTH - 1}}}').fullmatch
_USUAL_PREFIX = 2


def fault_of_settings(layout: Layout) -> str:
    """What is wrong with the settings of a container in which objects lie; empty: nothing, or there is none."""
    try:
        ContainerConfig.read(layout.config)
    except CorruptStorage as error:
        return str(error).partition('; ')[0]
    except UnreachableStorage:
        is_gone = layout.folder.is_dir() and not os.path.lexists(layout.config)
        return f'{layout.config} is not there' if is_gone and has_object_files(layout) else ''
    return ''


def write_settings(layout: Layout, container_id: str, copies: Sequence[bytes]) -> None:
    """Write `config.json`: as in a copy of this container, else as the folder shows it; what was there is kept.

    :param copies: the settings of containers with the same identifier.
    """
    new = ContainerConfig.new(_prefix_length(layout))._replace(container_id=container_id).to_json()
    content = next(filter(None, copies), new)
    if os.path.lexists(layout.config):
        _overwrite(layout, content)
    else:
        with new_file(layout.config, mode=0o644) as handle:
            handle.write(content)
    layout.make_subfolders()


def _overwrite(layout: Layout, content: bytes) -> None:
    """Write the file anew in its place: the lock of the storage is held on this very file, so it is not replaced.

    Killed on the way it is as damaged as before, and nobody can open the container; the next run writes it again.
    """
    top = layout.opened.top
    Aside(layout).keep(layout.config.name, [top.read(layout.config.name, LARGEST_CONFIG)])
    with os.fdopen(top.open_linked(layout.config.name, os.O_RDWR), 'r+b') as handle:
        handle.truncate(0)
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _prefix_length(layout: Layout) -> int:
    """How many digits of a key name the folder of a loose object: as most names among them show."""
    with suppress(OSError):
        names = os.listdir(layout.loose)  # noqa: PTH208
        lengths = [len(name) for name in names if _IS_SHARD(name)]
        if lengths:
            return max(set(lengths), key=lengths.count)
        if any(len(name) == KEY_LENGTH for name in names):
            return 0
    return _USUAL_PREFIX
