"""What lies in a container and is no damage: what crashes and other programs have left, and what nobody knows."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ricordi.backend.verification import Cure, Finding
from ricordi.repository.container.layout import REPACK_ID, Layout
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.verification.copies import second_copies

_IS_IN_PACKS = re.compile(r'(-1|\d+)(\.lock)?').fullmatch


def leftovers(store: ObjectStore) -> Iterator[Finding]:
    """Notices of what is left over, with what would take it away. What is young may be of a process at work."""
    layout, seconds = store.layout, store.limits.leftover_seconds
    yield from _counted(_old(layout.sandbox, seconds), 'half-written file', 'sandbox', 'full maintenance')
    copies = [path for paths in second_copies(layout).values() for path in paths]
    yield from _counted(copies, 'second copy', 'duplicates', 'maintenance', 'second copies')
    others = [Path(entry.path) for entry in layout.leftovers(layout.duplicates)]
    yield from (_odd(layout, path) for path in others if path not in copies)
    locks = [path for path in layout.pack_locks() if _is_old(path, seconds)]
    yield from _counted(locks, 'stale pack lock', 'packs', 'full maintenance')
    if _is_old(layout.pack_path(REPACK_ID), seconds):
        detail = 'a repack of disk-objectstore was killed: AiiDA cannot repack, or read what the index has in this pack'
        yield Finding('aborted repack', detail, f'packs/{REPACK_ID}', remedy='full maintenance', notice=True)
    yield from _odd_files(layout, seconds)


def _odd_files(layout: Layout, seconds: float) -> Iterator[Finding]:
    own = layout.own_names | {layout.packer_lock.with_suffix('.json').name}
    drafts = f'.{layout.config.name}.'
    for path in _old(layout.folder, seconds, files=False):
        if path.name.startswith(drafts):
            yield Finding('half-written file', 'of the creation of this container', path.name, notice=True)
        elif path.name not in own:
            yield _odd(layout, path)
    for path in _old(layout.packs, seconds, files=False):
        if not _IS_IN_PACKS(path.name) or not path.is_file():
            yield _odd(layout, path)


def _odd(layout: Layout, path: Path) -> Finding:
    place = path.relative_to(layout.folder).as_posix()
    return Finding('odd file', 'nothing of a container has such a name', place, notice=True)


def _counted(paths: list[Path], kind: str, place: str, remedy: Cure, several: str | None = None) -> Iterator[Finding]:
    """One notice of several files, with the first of them."""
    if paths:
        words = kind if len(paths) == 1 else several or f'{kind}s'
        size = sum(map(_size, paths))
        detail = f'{len(paths):,} {words}, {size:,} bytes'
        yield Finding(kind, detail, f'{place}/{min(paths).name}', remedy=remedy, notice=True)


def _old(folder: Path, seconds: float, files: bool = True) -> list[Path]:
    """What has lain in a folder for so long.

    :param files: files alone.
    """
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if not files or entry.is_file(follow_symlinks=False)]
        return sorted(path for path in found if _is_old(path, seconds))
    return []


def _is_old(path: Path, seconds: float) -> bool:
    try:
        return time.time() - path.lstat().st_mtime >= seconds
    except OSError:
        return False


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0
