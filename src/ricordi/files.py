"""Files written so that a crash leaves either the old or the new: fsync of files and folders, atomic replacement."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


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


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write on the disk that holds `path`."""
    return shutil.disk_usage(path).free
