"""The folder of a dump, held open: what lies below is reached step by step from it and never through a link.

So nothing outside is touched, whatever a log names, whatever links lie in the folder, and even where somebody puts a
link into its place, or into that of a folder in it, while this works.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ricordi.errors import InvalidOperation
from ricordi.folders import OpenFolder

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST_NAME = 255

NOT_OURS = (errno.ENOTDIR, errno.ELOOP)
"""What a system says of a step that is a link, or no folder: what is behind is not ours."""


def is_inner(path: object) -> bool:
    """Whether something is the path of a thing below a folder: steps that are names, with slashes between them."""
    if not isinstance(path, str) or '\0' in path:
        return False
    try:
        steps = os.fsencode(path).split(b'/')
    except UnicodeEncodeError:
        return False
    return all(step not in (b'', b'.', b'..') and len(step) <= _LONGEST_NAME for step in steps)


def joined(folder: str, name: str) -> str:
    """The path of something in a folder; the folder may be the root itself, whose path is empty."""
    return f'{folder}/{name}' if folder else name


class DumpRoot:
    """The descriptor of a folder, and what is done relative to it; paths have slashes and are checked here again."""

    def __init__(self, path: Path) -> None:
        """
        :param path: without links in it; there may be nothing yet.
        """
        self.path = path
        self._descriptor: int | None = None

    def open(self) -> bool:
        """Open the folder if it is there; says whether it is.

        :raises NotADirectoryError: something else is there.
        """
        if self._descriptor is None:
            try:
                with OpenFolder(self.path.parent) as above:
                    self._descriptor = os.open(self.path.name or '.', _FOLDER, dir_fd=above.descriptor)
            except FileNotFoundError:
                return False
            weakref.finalize(self, os.close, self._descriptor)
        return True

    @property
    def descriptor(self) -> int:
        """Of the folder.

        :raises FileNotFoundError: it is not open.
        """
        if self._descriptor is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))
        return self._descriptor

    @contextmanager
    def folder(self, path: str, make: bool = False) -> Iterator[int]:
        """The descriptor of a folder, for the time of a block.

        :param path: empty: of the root itself.
        :param make: make it, and those above it, where they are not there.
        :raises FileNotFoundError: it is not there.
        :raises OSError: of `NOT_OURS`: a link or a file is on the way.
        """
        if path and not is_inner(path):
            raise InvalidOperation(f'{path!r} is no path inside of {self.path}')
        descriptor = os.dup(self.descriptor)
        try:
            for step in path.split('/') if path else ():
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(step, dir_fd=descriptor)
                above, descriptor = descriptor, os.open(step, _FOLDER, dir_fd=descriptor)
                os.close(above)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def above(self, path: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that something is in, and its name there; errors as of `folder`."""
        if not is_inner(path):
            raise InvalidOperation(f'{path!r} is no path inside of {self.path}')
        folder, _, name = path.rpartition('/')
        with self.folder(folder, make) as descriptor:
            yield descriptor, name

    def status(self, path: str) -> os.stat_result | None:
        """What is known of a file, folder or link; None if it is not there, or not ours."""
        try:
            with self.above(path) as (folder, name):
                return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return None

    def read(self, path: str) -> BinaryIO:
        """A regular file, opened for reading.

        :raises FileNotFoundError: it is not there.
        :raises OSError: it is no regular file of this folder.
        """
        with self.above(path) as (folder, name):
            return os.fdopen(open_regular(name, folder, os.O_RDONLY), 'rb')

    def unlink(self, path: str) -> None:
        """Remove a file or a link; nothing happens where there is none that is ours."""
        try:
            with self.above(path) as (folder, name):
                os.unlink(name, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EISDIR, errno.EPERM, *NOT_OURS):
                raise


def open_regular(name: str, folder: int, flags: int) -> int:
    """Open a regular file of a folder that has no other name elsewhere, and no link; returns the descriptor.

    :raises OSError: it is none, or cannot be opened.
    """
    descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666, dir_fd=folder)
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, 'it is no plain file', name)
