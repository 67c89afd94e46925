"""One packer at a time: a kernel-held lock among Ricordi processes, `packs/<n>.lock` towards disk-objectstore."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ricordi.errors import PackerBusy, UnreachableStorage
from ricordi.repository.layout import Layout

MARK = b'ricordi'
"""What our own pack locks hold: under the kernel-held lock, one that begins so belongs to nobody any more."""


@contextmanager
def packer_lock(layout: Layout) -> Iterator[None]:
    """Hold the right to change packs. It ends with the process, whatever kills it.

    :raises ricordi.errors.PackerBusy: another process has it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(layout.packer_lock, timeout=0, thread_local=False)
    note = layout.packer_lock.with_suffix('.json')
    try:
        lock.acquire()
    except Timeout:
        raise PackerBusy(
            f'another maintenance packs this container now{_holder(note)}; try again when it is done'
        ) from None
    except OSError as error:
        raise UnreachableStorage(f'cannot lock {layout.packer_lock}: {error.strerror}; check the permissions') from None
    try:
        note.write_text(json.dumps({'pid': os.getpid(), 'host': socket.gethostname(), 'since': time.time()}))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _holder(note: Path) -> str:
    try:
        content = json.loads(note.read_text())
        since = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(content['since']))
        return f' (process {content["pid"]} on {content["host"]}, since {since})'
    except (OSError, ValueError, KeyError, TypeError):
        return ''


def create_pack_lock(layout: Layout, pack_id: int) -> Path:
    """Put the lock file beside a pack that keeps packers of disk-objectstore off it.

    :raises ricordi.errors.PackerBusy: there is one already.
    """
    path = layout.packs / f'{pack_id}.lock'
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        raise PackerBusy(f'another program writes to pack {pack_id} now ({path} appeared); try again later') from None
    os.write(descriptor, MARK + f' {os.getpid()}'.encode())
    os.close(descriptor)
    return path


def is_ours(path: Path) -> bool:
    """Whether a pack lock was left by Ricordi; for a caller who holds `packer_lock`, so nobody alive needs it."""
    try:
        with path.open('rb') as handle:
            return handle.read(len(MARK)) == MARK
    except OSError:
        return False
