"""Files written so that a crash leaves either the old or the new: fsync, atomic replacement; temporary folders."""

import errno
import fcntl
import os
import shutil
import stat
import tempfile
import time
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a system says of a disk, a quota or a file that can take no more."""


def fsync_file(path: str | Path) -> None:
    """Force the content of the file at `path` to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(path: str | Path) -> None:
    """Force the entries of a folder (created, renamed, removed names) to disk; nothing where folders have no fsync."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, 'O_DIRECTORY', 0))
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_regular(path: str | Path) -> bytes:
    """The content of a regular file; nothing is waited for, as opening a pipe of that name would.

    :raises OSError: it is no regular file, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, 'rb') as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, 'it is no regular file', str(path))
        return handle.read()


def write_atomic(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file at `path` by `content`, whole or not at all, durable on return.

    :param mode: permission bits of the new file.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(descriptor, 'wb') as handle:
            handle.write(content)
            handle.flush()
            os.fchmod(handle.fileno(), mode)
            os.fsync(handle.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - the one call whose atomicity this function is about
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    fsync_folder(path.parent)


@contextmanager
def new_file(path: Path, overwrite: bool = False, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to be filled inside the block, which gets its name at the end: whole and durable, or not at all.

    Where the system can, it has no name before, so that not even a process that is killed leaves a part of it behind.

    :param overwrite: replace what is at `path`; else that is an error.
    :param mode: permission bits, less the umask.
    :raises FileExistsError: something of that name is there.
    :raises FileNotFoundError: there is no folder to put it into.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(2, 'there is no such folder', str(path.parent))
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(17, os.strerror(17), str(path))
    draft = path.parent / f'.{path.name}.{uuid.uuid4().hex[:12]}'
    descriptor, named = _open_draft(draft, mode)
    try:
        with os.fdopen(descriptor, 'w+b', buffering=1 << 20) as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
            if not named:
                _give_name(handle.fileno(), draft)
                named = True
        if overwrite:
            os.replace(draft, path)  # noqa: PTH105
        else:
            os.link(draft, path)  # unlike a rename, fails where the name is taken by now
            draft.unlink()
    except BaseException:
        if named:
            with suppress(OSError):
                draft.unlink()
        raise
    fsync_folder(path.parent)


@contextmanager
def draft_of(path: Path) -> Iterator[BinaryIO]:
    """A file to be filled inside the block, which gets its name at the end and only if all went well; not fsynced.

    What has that name is replaced then. The folder must be there.
    """
    draft = path.parent / f'.ricordi-{uuid.uuid4().hex[:12]}'  # short, for `path` may be as long as a name can be
    try:
        with draft.open('xb') as handle:
            yield handle
        os.replace(draft, path)  # noqa: PTH105
    except BaseException as error:
        if isinstance(error, OSError) and error.filename in (None, str(draft)):
            error.filename = str(path)
        with suppress(OSError):
            draft.unlink()
        raise


def _open_draft(draft: Path, mode: int) -> tuple[int, bool]:
    """Open a file without a name in the folder of `draft`, else one of that name; tells whether it has one."""
    without_name = getattr(os, 'O_TMPFILE', 0)
    if without_name and Path('/proc/self/fd').is_dir():
        with suppress(OSError):
            return os.open(draft.parent, without_name | os.O_RDWR, mode), False
    return os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, 'O_BINARY', 0), mode), True


def _give_name(descriptor: int, path: Path) -> None:
    """Give a file that has none its name."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # only with a folder given does Python follow the link in /proc, as this needs
        os.link(f'/proc/self/fd/{descriptor}', path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


# temporary folders -----------------------------------------------------------------------------------------

_TOO_YOUNG_SECONDS = 60.0
"""A folder that was made so lately may be about to be locked by who made it."""

_tidied: set[str] = set()


class TemporaryFolder:
    """A folder that goes with this object, a `with` block, or the process.

    Where the process is killed, the next one that makes a folder of the same kind removes it: who uses a folder holds a
    lock on it, which the kernel drops, so that what can be locked by somebody else has no user.
    """

    def __init__(self, kind: str) -> None:
        """
        :param kind: a word for the name of the folder; folders of the same kind are looked after.
        """
        parent, prefix = Path(tempfile.gettempdir()), f'ricordi-{kind}-'
        if prefix not in _tidied:
            _tidied.add(prefix)
            _remove_stale_folders(parent, prefix)
        self.path, descriptor = _locked_folder(prefix)
        self._finalizer = weakref.finalize(self, _remove_folder, self.path, descriptor, os.getpid())

    def remove(self) -> None:
        """Remove it with all that is in it; a second call does nothing."""
        self._finalizer()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *error: object) -> None:
        self.remove()


def _locked_folder(prefix: str) -> tuple[Path, int | None]:
    """A new folder and the descriptor that holds its lock; None where the file system knows no locks."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix))
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if path.exists():
                return path, descriptor
        except BlockingIOError:
            pass  # taken for stale, if this process was asleep for so long in the middle of this
        except OSError:
            os.close(descriptor)
            return path, None
        os.close(descriptor)


def _remove_folder(path: Path, descriptor: int | None, process: int) -> None:
    if os.getpid() == process:  # a forked child leaves the parent's folder alone
        shutil.rmtree(path, ignore_errors=True)
    if descriptor is not None:
        with suppress(OSError):
            os.close(descriptor)


def _remove_stale_folders(parent: Path, prefix: str) -> None:
    """Remove the folders of this user whose processes have ended without doing so."""
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if not entry.name.startswith(prefix):
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if status.st_uid == os.geteuid() and time.time() - status.st_ctime > _TOO_YOUNG_SECONDS:
                    _remove_unlocked_folder(Path(entry.path))


def _remove_unlocked_folder(path: Path) -> None:
    """
    :raises OSError: it is no folder, or somebody has locked it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write on the disk that holds `path`."""
    return shutil.disk_usage(path).free
