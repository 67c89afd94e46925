"""Files written so that a crash leaves either the old or the new: fsync of files and folders, atomic replacement."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


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
    """
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


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write on the disk that holds `path`."""
    return shutil.disk_usage(path).free
