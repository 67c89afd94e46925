"""One packer at a time: a kernel-held lock among Ricordi processes, `packs/<n>.lock` towards disk-objectstore."""

from __future__ import annotations

import errno
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ricordi.errors import PackerBusy, UnreachableStorage
from ricordi.files import DISK_IS_FULL, describe_odd, read_regular
from ricordi.folders import OpenFolder, remove_file
from ricordi.remedies import Remedy
from ricordi.repository.container.layout import Layout

LARGEST_NOTE = 1 << 16
_NO_FILE = (errno.EINVAL, errno.ELOOP, errno.ENXIO)
MARK = b'ricordi'
"""What our own pack locks hold: under the kernel-held lock, one that begins so belongs to nobody any more."""


@contextmanager
def packer_lock(layout: Layout) -> Iterator[None]:
    """Hold the right to change packs. It ends with the process, whatever kills it.

    :raises ricordi.errors.PackerBusy: another process has it.
    """
    from ricordi.access.kernel import KernelLock

    lock = KernelLock(layout.packer_lock)
    note = layout.packer_lock.with_suffix('.json')
    try:
        if not lock.acquire('exclusive'):
            raise PackerBusy(f'another maintenance packs this container now{_holder(note)}; try again when it is done')
        _write_note(note)
    except OSError as error:
        if error.errno not in DISK_IS_FULL or lock.mode is None:  # who packs is told as a courtesy, if there is room
            lock.release()
            raise UnreachableStorage(f'cannot lock {layout.packer_lock}: {_reason(layout, error)}') from None
    try:
        yield
    finally:
        with suppress(OSError):
            remove_file(note)
        lock.release()


def _reason(layout: Layout, error: OSError) -> str:
    if odd := describe_odd(layout.packer_lock):
        return odd
    if error.errno in DISK_IS_FULL:
        return f'{error.strerror}; free some space, or remove files where there may be no more of them'
    return f'{error.strerror}; check the permissions'


def _write_note(path: Path) -> None:
    content = json.dumps({'pid': os.getpid(), 'host': socket.gethostname(), 'since': time.time()})
    with OpenFolder(path.parent) as folder, os.fdopen(folder.create_afresh(path.name, 0o666), 'w') as handle:
        handle.write(content)


def _holder(note: Path) -> str:
    try:
        content = json.loads(read_regular(note, LARGEST_NOTE, follow=False))
        since = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(content['since']))
        return f' (process {content["pid"]} on {content["host"]}, since {since})'
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ''


class PackLock:
    """The lock file beside a pack that keeps packers of disk-objectstore off it. For one who holds `packer_lock`.

    A packer of disk-objectstore that fails at this file removes it all the same, and the next one walks in: so ask
    `is_held` before each write.
    """

    def __init__(self, layout: Layout, pack_id: int) -> None:
        """
        :raises ricordi.errors.PackerBusy: another program has put its own there.
        """
        self._opened = layout.opened
        self.pack_id = pack_id
        self.path = layout.packs / f'{pack_id}.lock'
        self._name = self.path.name
        self._mark = MARK + f' {os.getpid()} {uuid.uuid4().hex}'.encode()
        self._create()

    def is_held(self) -> bool:
        """Whether the file is still ours; one that was removed, with nobody in its place, is made again."""
        found = self._read()
        if found is None:
            self._create()
            return True
        return found == self._mark

    def release(self) -> None:
        """Remove the file, unless it is somebody else's by now."""
        if self._read() == self._mark:
            self._opened.packs.unlink(self._name, missing_ok=True)

    def _read(self) -> bytes | None:
        """What the file holds; None where there is none. What is no file is not ours."""
        try:
            return self._opened.packs.read(self._name, LARGEST_NOTE)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            return b''

    def _create(self) -> None:
        """Put the file there with its mark in it, so that after a crash it is never taken for another program's."""
        draft, sandbox, packs = uuid.uuid4().hex, self._opened.sandbox, self._opened.packs
        try:
            with os.fdopen(sandbox.create(draft, 0o666), 'wb') as handle:
                handle.write(self._mark)
            for _ in range(2):
                try:
                    sandbox.name_new(draft, self._name, packs)
                    break
                except FileExistsError:
                    if not is_ours(self.path):
                        raise
                    # left by a crash: whoever made it has lost `packer_lock`
                    packs.unlink(self._name, missing_ok=True)
        except FileExistsError:
            raise PackerBusy(
                f'another program writes to pack {self.pack_id} now: {self.path} is there. Try again later; if it '
                'stays though no other program packs, a crash left it, and full maintenance removes it',
                remedy=Remedy('maintain in full'),
            ) from None
        finally:
            sandbox.unlink(draft, missing_ok=True)


def is_ours(path: Path) -> bool:
    """Whether a pack lock was left by Ricordi; for a caller who holds `packer_lock`, so nobody alive needs it."""
    try:
        return read_regular(path, len(MARK), follow=False) == MARK
    except OSError:
        return False
