"""A folder held open, in which files are made, replaced and removed by descriptor and not by path.

Root at work in the folder of a user meets links, pipes and names that the user changes in that very moment. What goes
by an open folder stays in it; no link in it is followed, and nothing that was there is taken for something just made.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_MOST_LINKS = 40
_MOST_ATTEMPTS = 100
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OpenFolder:
    """A folder, held open until `close` or the end of a `with` block. A name is that of an entry, never a path."""

    def __init__(self, path: Path) -> None:
        """
        :raises OSError: there is none; or, for root, a link of a user leads to what is not that user's.
        """
        self.path = path
        self.descriptor = _open_as_root(path) if os.geteuid() == 0 else os.open(path, _FOLDER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self.descriptor)

    def create(self, name: str, mode: int = 0o600, flags: int = os.O_RDWR) -> int:
        """Make a new file and open it; it belongs to whom the folder does.

        :raises FileExistsError: the name is taken, be it by a link that leads nowhere.
        """
        descriptor = os.open(name, flags | os.O_CREAT | os.O_EXCL | _FILE, mode, dir_fd=self.descriptor)
        try:
            self.give(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def create_afresh(self, name: str, mode: int = 0o600) -> int:
        """Make a new file of a name that is ours alone to use; what a killed process has left there goes.

        :raises OSError: it cannot be made, or a folder with something in it has that name.
        """
        for _ in range(_MOST_ATTEMPTS):
            with suppress(FileExistsError):
                return self.create(name, mode)
            with suppress(FileNotFoundError):
                self.remove_odd(name)
        return self.create(name, mode)

    def read(self, name: str, most: int) -> bytes:
        """The content of a regular file, at most so many bytes of it."""
        with os.fdopen(self.open(name), 'rb') as handle:
            return handle.read(most)

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Open a file that is there, following no link and waiting for nobody.

        :raises OSError: it is no regular file; or, to be written by root, it has further names, or another owner than
            the folder has.
        """
        descriptor = os.open(name, flags | _FILE, dir_fd=self.descriptor)
        try:
            self._check(os.fstat(descriptor), name, flags)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check(self, status: os.stat_result, name: str, flags: int) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, 'it is no regular file', str(self.path / name))
        if os.geteuid() or not flags & (os.O_RDWR | os.O_WRONLY):
            return
        if status.st_nlink > 1 or status.st_uid not in (0, os.fstat(self.descriptor).st_uid):
            raise PermissionError(errno.EPERM, 'it may be a file from elsewhere, which root will not write', name)

    def give(self, descriptor: int) -> None:
        """Let something that was just made here belong to whom the folder does: root must not lock a user out."""
        if os.geteuid() == 0:
            owner = os.fstat(self.descriptor)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)

    def make_folder(self, name: str, mode: int = 0o700) -> None:
        """Make a folder, of exactly this mode, that belongs to whom this one does.

        :raises FileExistsError: the name is taken.
        """
        os.mkdir(name, 0o700, dir_fd=self.descriptor)
        descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.descriptor)
        try:
            status = os.fstat(descriptor)
            # a user may have put another folder in its place by now: one that is not new is left as it is
            if status.st_uid == os.geteuid() and not os.listdir(descriptor):  # noqa: PTH208
                os.fchmod(descriptor, mode)
                self.give(descriptor)
        finally:
            os.close(descriptor)

    def status(self, name: str) -> os.stat_result:
        """What is known of an entry; of a link, of itself."""
        return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    def replace(self, draft: str, name: str) -> None:
        """Give a file another name, in place of what has it."""
        os.replace(draft, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def link(self, draft: str, name: str) -> None:
        """Give a file a further name.

        :raises FileExistsError: the name is taken.
        """
        os.link(draft, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor, follow_symlinks=False)

    def unlink(self, name: str, missing_ok: bool = False) -> None:
        """Remove a file, or a link, pipe or socket; no folder."""
        with suppress(*((FileNotFoundError,) if missing_ok else ())):
            os.unlink(name, dir_fd=self.descriptor)

    def remove_odd(self, name: str) -> None:
        """Remove an entry of whatever kind with which nothing else is lost: a file, link, pipe, socket, empty folder.

        :raises OSError: a folder is not empty, or it may not be removed.
        """
        if stat.S_ISDIR(self.status(name).st_mode):
            os.rmdir(name, dir_fd=self.descriptor)
        else:
            self.unlink(name)

    def remove_tree(self, name: str) -> None:
        """Remove a folder with all that is in it, following no link; what cannot be removed stays."""
        shutil.rmtree(name, ignore_errors=True, dir_fd=self.descriptor)

    def sync(self) -> None:
        """Force the entries of the folder to disk."""
        os.fsync(self.descriptor)


def open_place(path: Path) -> tuple[OpenFolder, str]:
    """The folder in which a file is, or would be, and its name there: a symbolic link is followed.

    :raises OSError: links go round in a circle; or, for root, a link of a user leads to what is not that user's.
    """
    users: set[int] = set()
    for _ in range(_MOST_LINKS):
        folder = OpenFolder(path.parent)
        try:
            with suppress(FileNotFoundError):
                status = folder.status(path.name)
                if stat.S_ISLNK(status.st_mode):
                    users.add(status.st_uid)
                    path = folder.path / os.readlink(path.name, dir_fd=folder.descriptor)
                    folder.close()
                    continue
            if os.geteuid() == 0:
                _check_users(users, folder.descriptor, path)
            return folder, path.name
        except BaseException:
            folder.close()
            raise
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def remove_file(path: Path, missing_ok: bool = True) -> None:
    """Remove the file at `path`, in the folder that is there now."""
    with OpenFolder(path.parent) as folder:
        folder.unlink(path.name, missing_ok)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, following no link; what cannot be removed stays."""
    with suppress(OSError), OpenFolder(path.parent) as folder:
        folder.remove_tree(path.name)


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder, and those above it, as far as they are missing; each belongs to whom the one above does."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent, mode)
    with OpenFolder(path.parent) as above:
        try:
            above.make_folder(path.name, mode)
        except FileExistsError:
            if not path.is_dir():
                raise
        above.sync()


def _check_users(users: set[int], folder: int, path: Path) -> None:
    """
    :param users: whose links have led to this folder.
    """
    if users - {0, os.fstat(folder).st_uid}:
        raise PermissionError(errno.EPERM, 'a link of a user leads to what is not theirs: root stays out', str(path))


def _open_as_root(path: Path) -> int:
    """Open a folder as root, part by part: a link of a user is followed to what belongs to the same user only."""
    users: set[int] = set()
    parts, links = list(reversed(path.absolute().parts[1:])), 0
    here = os.open('/', _FOLDER)
    try:
        while parts:
            part = parts.pop()
            try:
                below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
                status = os.stat(part, dir_fd=here, follow_symlinks=False)
                links += 1
                if not stat.S_ISLNK(status.st_mode) or links > _MOST_LINKS:
                    raise
                users.add(status.st_uid)
                target = Path(os.readlink(part, dir_fd=here))
                if target.is_absolute():
                    os.close(here)
                    here = os.open('/', _FOLDER)
                parts += reversed(target.parts[1:] if target.is_absolute() else target.parts)
                continue
            os.close(here)
            here = below
        _check_users(users, here, path)
    except BaseException:
        os.close(here)
        raise
    return here
