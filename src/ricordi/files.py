"""Files written so that a crash leaves either the old or the new: fsync, atomic replacement; temporary folders."""

import errno
import fcntl
import os
import shutil
import stat
import struct
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ricordi.folders import OpenFolder, remove_folder

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a system says of a disk, a quota or a file that can take no more."""
_ROOM_LEFT = 4 << 20
"""Bytes: a disk with less is the one that is full; what is written at once is less."""
_UNITS = ('kB', 'MB', 'GB', 'TB', 'PB')


def format_bytes(count: float) -> str:
    """A number of bytes in decimal units with three digits: `0 B`, `812 B`, `1.24 MB`."""
    if abs(count) < 1000:
        return f'{count:.0f} B'
    step = 0
    while abs(count) >= 999.5 and step < len(_UNITS):
        count /= 1000
        step += 1
    digits = 2 if abs(count) < 9.995 else 1 if abs(count) < 99.95 else 0
    return f'{count:.{digits}f} {_UNITS[step - 1]}'


def describe_kind(mode: int) -> str:
    """What an entry of a folder is that is no regular file, in words."""
    kinds = ((stat.S_ISDIR, 'a folder'), (stat.S_ISLNK, 'a symbolic link'), (stat.S_ISFIFO, 'a pipe'))
    return next((words for is_kind, words in kinds if is_kind(mode)), 'a socket or device')


def describe_odd(path: Path) -> str:
    """What stands in the place of a file of ours and is no regular one, and what to do; empty if nothing does."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return ''
    return '' if stat.S_ISREG(mode) else f'{describe_kind(mode)} stands in the place of that file: remove it'


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


def read_regular(path: str | Path, most: int = -1, follow: bool = True) -> bytes:
    """The content of a regular file; nothing is waited for, as opening a pipe of that name would.

    :param most: so many bytes at most; -1: all.
    :param follow: False: a symbolic link is no such file.
    :raises OSError: it is no regular file, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, 'it is no regular file', str(path))
        with os.fdopen(descriptor, 'rb', closefd=False) as handle:
            return handle.read(most)
    finally:
        os.close(descriptor)


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """An error inside that says that a disk is full gets the name of the file, if it has none and that disk is full.

    What a system says of a write names no file.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in DISK_IS_FULL:
            first = error.__context__
            is_named = isinstance(first, OSError) and first.filename == str(path)
            with suppress(OSError):
                if is_named or error.errno != errno.ENOSPC or free_bytes(path.parent) < _ROOM_LEFT:
                    error.filename = str(path)
        raise


def write_atomic(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file at `path` by `content`, whole or not at all, durable on return.

    What root writes belongs to whom the folder does, and no link in it is followed.

    :param mode: permission bits of the new file.
    """
    draft = f'.{path.name}.{uuid.uuid4().hex[:12]}'
    with OpenFolder(path.parent) as folder:
        try:
            with naming_full_disk(path), os.fdopen(folder.create(draft), 'wb') as handle:
                handle.write(content)
                handle.flush()
                os.fchmod(handle.fileno(), mode)
                os.fsync(handle.fileno())
            folder.replace(draft, path.name)
        except BaseException:
            with suppress(OSError):
                folder.unlink(draft)
            raise
        folder.sync()


def try_new_file(path: Path) -> None:
    """Make a file in the folder where one of this name shall come, and take it away again, or raise as that does."""
    draft = f'.{path.name}.{uuid.uuid4().hex[:12]}'
    with OpenFolder(path.parent) as folder:
        descriptor, named = _open_draft(folder, draft, 0o600)
        os.close(descriptor)
        if named:
            folder.unlink(draft)


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
    draft = f'.{path.name}.{uuid.uuid4().hex[:12]}'
    with OpenFolder(path.parent) as folder:
        descriptor, named = _open_draft(folder, draft, mode)
        try:
            # Inside, before the file is closed and gives its room back; and again for what closing it raises in turn.
            with (
                naming_full_disk(path),
                os.fdopen(descriptor, 'w+b', buffering=1 << 20) as handle,
                naming_full_disk(path),
            ):
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
                if not named:
                    # only with a folder given does Python follow the link in /proc, as this needs
                    place = f'/proc/self/fd/{handle.fileno()}'
                    os.link(place, draft, dst_dir_fd=folder.descriptor, follow_symlinks=True)
                    named = True
            if overwrite:
                folder.replace(draft, path.name)
            else:
                _name_new(folder, draft, path)
        except BaseException:
            if named:
                with suppress(OSError):
                    folder.unlink(draft)
            raise
        folder.sync()


def _name_new(folder: OpenFolder, draft: str, path: Path) -> None:
    try:
        folder.name_new(draft, path.name)
    except FileExistsError:
        raise FileExistsError(17, os.strerror(17), str(path)) from None


@contextmanager
def draft_of(path: Path) -> Iterator[BinaryIO]:
    """A file to be filled inside the block, which gets its name at the end and only if all went well; not fsynced.

    What has that name is replaced then. The folder must be there.
    """
    draft = f'.ricordi-{uuid.uuid4().hex[:12]}'  # short, for `path` may be as long as a name can be
    try:
        with OpenFolder(path.parent) as folder:
            try:
                with os.fdopen(folder.create(draft, 0o666), 'wb') as handle:
                    yield handle
                folder.replace(draft, path.name)
            except BaseException:
                with suppress(OSError):
                    folder.unlink(draft)
                raise
    except OSError as error:
        if error.filename in (None, str(path.parent), str(path.parent / draft)):
            error.filename = str(path)
        raise


def _open_draft(folder: OpenFolder, name: str, mode: int) -> tuple[int, bool]:
    """Open a file without a name in a folder, else one of that name; tells whether it has one."""
    without_name = getattr(os, 'O_TMPFILE', 0)
    if without_name and Path('/proc/self/fd').is_dir():
        with suppress(OSError):
            descriptor = os.open('.', without_name | os.O_RDWR | os.O_CLOEXEC, mode, dir_fd=folder.descriptor)
            folder.give(descriptor)
            return descriptor, False
    return folder.create(name, mode), True


# what tells a file from its copies ---------------------------------------------------------------------------

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_STATX_BTIME = 0x800
_STATX_BYTES = 256


def file_identity(path: str | Path | int) -> str:
    """What a file keeps while it is written to, renamed or moved on its disk, and what no copy of it has.

    That is the number of the file on its disk and, where the system tells it, the moment it was made: `<inode>:<ns>`,
    or `<inode>:`. Nothing is opened: closing a database would end locks of this process.

    :param path: of the file, or a descriptor of it.
    """
    status = os.stat(path)  # noqa: PTH116
    made = _time_of_birth(path)
    return f'{status.st_ino}:{made or ""}'


def is_same_file(one: str, other: str) -> bool:
    """Whether two identities are of one file; when it was made counts where both tell it."""
    (number, _, made), (other_number, _, other_made) = one.partition(':'), other.partition(':')
    return number == other_number and (made == other_made or not made or not other_made)


def _time_of_birth(path: str | Path | int) -> int | None:
    """When a file was made, in nanoseconds of the system's clock; None where the system or the disk does not tell."""
    import ctypes

    found = ctypes.create_string_buffer(_STATX_BYTES)
    place = (path, b'', _AT_EMPTY_PATH) if isinstance(path, int) else (_AT_FDCWD, os.fsencode(path), 0)
    try:
        done = ctypes.CDLL(None).statx(*place, _STATX_BTIME, found)
    except (AttributeError, OSError):  # a system that has no such call
        return None
    mask, seconds, nanoseconds = (
        struct.unpack_from(kind, found, at)[0] for kind, at in (('I', 0), ('q', 80), ('I', 88))
    )
    return seconds * 1_000_000_000 + nanoseconds if done == 0 and mask & _STATX_BTIME else None


# folders ---------------------------------------------------------------------------------------------------


def make_folders(path: Path) -> list[Path]:
    """Make a folder and those above it, as far as they are missing, durably; returns those that this call has made.

    If it fails, those go again.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            with OpenFolder(folder.parent) as above:
                try:
                    above.make_folder(folder.name, None)
                except FileExistsError:
                    if not folder.is_dir():
                        raise
                    continue  # somebody else has made it just now, and it is theirs
                made.append(folder)
                above.sync()
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    except BaseException:
        remove_folders(made)
        raise
    return made


def remove_folders(made: list[Path]) -> None:
    """Remove folders that `make_folders` has made, the last first, as far as nothing is in them."""
    for folder in reversed(made):
        with suppress(OSError):
            remove_folder(folder)


_held: dict[tuple[int, int], int] = {}
"""The folders that this process has locked, by device and inode, and how many times over."""
_held_mutex = threading.RLock()


@contextmanager
def own_folder(path: Path, seconds: float) -> Iterator[None]:
    """A folder, made if it is missing, in which nobody else who asks for it by this function works meanwhile.

    The lock is the kernel's, on the folder itself: it leaves no file, and ends with the process. A process may enter
    several times. If the block fails, the folders that were made here go again, unless something is in them. On a file
    system without locks nobody is kept out.

    :param seconds: how long to wait for the process that is at work there.
    :raises TimeoutError: it did not end.
    """
    with _held_mutex:
        made, folder = _lock_new_folder(path, time.monotonic() + seconds)
        status = os.fstat(folder.descriptor)
        name = (status.st_dev, status.st_ino)
        _held[name] = _held.get(name, 0) + 1
        try:
            yield
        except BaseException:
            remove_folders(made)  # under the lock: who waits for it finds that the folder is gone, and makes it anew
            raise
        finally:
            _held[name] -= 1
            if not _held[name]:
                del _held[name]
            folder.close()


def _lock_new_folder(path: Path, deadline: float) -> tuple[list[Path], OpenFolder]:
    made: list[Path] = []
    while True:
        made += make_folders(path)
        folder = None
        try:
            folder = OpenFolder(path)
            if (_is_held(folder.descriptor) or _lock(folder.descriptor, deadline)) and folder.is_at(str(path)):
                return made, folder
            folder.close()  # removed by who had it
        except FileNotFoundError:
            continue
        except BaseException:
            if folder is not None:
                folder.close()
            remove_folders(made)
            raise


def _is_held(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    return (status.st_dev, status.st_ino) in _held


def _lock(descriptor: int, deadline: float) -> bool:
    """Lock a folder; True also where the file system knows no such locks."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, 'another process is at work there') from None
            time.sleep(0.02)
        except OSError:
            return True


# temporary folders -----------------------------------------------------------------------------------------

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


_TEMPORARY_MARK = '.ricordi-temporary'
"""A file that lies in every temporary folder of ours: what has none was made by somebody else, whatever its name."""


def _locked_folder(prefix: str) -> tuple[Path, int | None]:
    """A new folder and the descriptor that holds its lock; None where the file system knows no locks."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix))
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if path.exists():
                _mark(descriptor)  # after the lock: what is marked and not locked has lost its process
                return path, descriptor
        except BlockingIOError:
            pass  # taken for stale, if this process was asleep for so long in the middle of this
        except OSError:
            os.close(descriptor)
            return path, None
        os.close(descriptor)


def _mark(folder: int) -> None:
    """Mark a new folder; where that fails, as on a full disk, it is not tidied away after a kill."""
    with suppress(OSError):
        os.close(os.open(_TEMPORARY_MARK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder))


def _is_marked(folder: int) -> bool:
    """Whether a folder holds our mark, made by this user."""
    try:
        status = os.stat(_TEMPORARY_MARK, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


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
                if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                    _remove_unlocked_folder(Path(entry.path))


def _remove_unlocked_folder(path: Path) -> None:
    """
    :raises OSError: it is no folder, or somebody has locked it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if not _is_marked(descriptor):
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in os.listdir(descriptor):  # noqa: PTH208
            if name == _TEMPORARY_MARK:
                continue  # last: if this is killed too, the next one goes on
            try:
                os.unlink(name, dir_fd=descriptor)
            except IsADirectoryError:
                shutil.rmtree(name, ignore_errors=True, dir_fd=descriptor)
        os.unlink(_TEMPORARY_MARK, dir_fd=descriptor)
        path.rmdir()
    finally:
        os.close(descriptor)


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write on the disk that holds `path`."""
    return shutil.disk_usage(path).free
