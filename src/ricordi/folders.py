"""A folder held open, in which files are made, replaced and removed by descriptor and not by path.

Root at work in the folder of a user meets links, pipes and names that the user changes in that very moment. What goes
by an open folder stays in it; no link in it is followed, and nothing that was there is taken for something just made.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

_MOST_LINKS = 40
_MOST_ATTEMPTS = 100
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LINK = (errno.ENOTDIR, errno.ELOOP)
"""What a system says of a link where none is followed."""
_MAY_NOT_GIVE = (errno.EPERM, errno.EINVAL)
"""What it says to a root who may not give files away: of a name space, or over a network."""
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What it says where there are no hard links: on FAT and exFAT, on many network and FUSE mounts."""
_OF_OTHERS = 0o022
_COPIED_AT_ONCE = 1 << 20

P = ParamSpec('P')
R = TypeVar('R')


def _tells_path(
    method: Callable[Concatenate[OpenFolder, P], R],
) -> Callable[Concatenate[OpenFolder, P], R]:
    """Have the errors of a method name the whole path: the system was told no more than the name."""

    @wraps(method)
    def translated(self: OpenFolder, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except OSError as error:
            if isinstance(error.filename, str):
                error.filename = os.path.join(self.path, error.filename)  # noqa: PTH118 - one that is whole stays so
            raise

    return translated


class OpenFolder:
    """A folder, held open until `close` or the end of a `with` block. A name is that of an entry, never a path.

    Without either it is let go of with the last reference, so that several threads may share it.
    """

    descriptor = -1

    def __init__(self, path: Path) -> None:
        """
        :raises OSError: there is none; or, for root, a link of a user leads to what is not that user's.
        """
        self.path = path
        try:
            self.descriptor = _open_as_root(path) if os.geteuid() == 0 else os.open(path, _FOLDER)
        except OSError as error:
            error.filename = str(path)
            raise
        self._status = os.fstat(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    __del__ = close

    def is_at(self, path: str) -> bool:
        """Whether this is the folder to which a path leads now."""
        try:
            found = os.stat(path)  # noqa: PTH116 - on the way of every write
        except OSError:
            return False
        return found.st_ino == self._status.st_ino and found.st_dev == self._status.st_dev

    def is_entry(self, above: OpenFolder, name: str) -> bool:
        """Whether this is the folder that has a name in another one."""
        return os.path.samestat(above.status(name), self._status)

    @_tells_path
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

    @_tells_path
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
        if self._may_be_planted(status):
            raise PermissionError(errno.EPERM, 'it may be a file from elsewhere, which root will not write', name)

    def _may_be_planted(self, status: os.stat_result) -> bool:
        """Whether somebody may have given a file a name here that is not theirs."""
        owner = self._status.st_uid
        if not self._status.st_mode & _OF_OTHERS and owner in (0, status.st_uid):
            return False  # of those who can put names here, none but root and the owner of the file
        return status.st_nlink > 1 or status.st_uid not in (0, owner)

    @_tells_path
    def check_names(self, *names: str) -> None:
        """See, as root, that these files have no further names elsewhere, put here by somebody else than their owner.

        For files that another program opens, by their paths. What is not there is none of them.

        :raises PermissionError: one of them has, or is a link.
        """
        for name in names:
            with suppress(FileNotFoundError):
                status = self.status(name)
                linked = stat.S_ISREG(status.st_mode) and status.st_nlink > 1 and self._may_be_planted(status)
                if linked or stat.S_ISLNK(status.st_mode):
                    raise PermissionError(errno.EPERM, 'it may be a file from elsewhere, which root will not use', name)

    def give(self, descriptor: int) -> None:
        """Let something that was just made here belong to whom the folder does: root must not lock a user out."""
        if os.geteuid() == 0 and (self._status.st_uid or self._status.st_gid):
            try:
                os.fchown(descriptor, self._status.st_uid, self._status.st_gid)
            except OSError as error:
                if error.errno not in _MAY_NOT_GIVE:
                    raise

    @_tells_path
    def open_linked(self, name: str, flags: int) -> int:
        """Open a file to write to, as `open` does; a link to a file is followed, by root as `open_place` does."""
        try:
            return self.open(name, flags)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        folder, found = open_place(self.path / name)
        with folder:
            return folder.open(found, flags)

    @_tells_path
    def open_folder(self, name: str) -> int:
        """Open a folder in this one; a link to one is followed, by root as for a folder of its own."""
        try:
            return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.descriptor)
        except OSError as error:
            if error.errno not in _LINK:
                raise
        with OpenFolder(self.path / name) as linked:
            return os.dup(linked.descriptor)

    @_tells_path
    def make_folder(self, name: str, mode: int | None = 0o700) -> None:
        """Make a folder that belongs to whom this one does.

        :param mode: exactly; None: as the umask has it.
        :raises FileExistsError: the name is taken.
        """
        os.mkdir(name, 0o777 if mode is None else 0o700, dir_fd=self.descriptor)
        if mode is None and os.geteuid():
            return
        descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.descriptor)
        try:
            status = os.fstat(descriptor)
            # a user may have put another folder in its place by now: one that is not new is left as it is
            if status.st_uid == os.geteuid() and not os.listdir(descriptor):  # noqa: PTH208
                if mode is not None:
                    os.fchmod(descriptor, mode)
                self.give(descriptor)
        finally:
            os.close(descriptor)

    @_tells_path
    def status(self, name: str) -> os.stat_result:
        """What is known of an entry; of a link, of itself."""
        return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    @_tells_path
    def replace(self, draft: str, name: str, into: OpenFolder | None = None) -> None:
        """Give a file another name, in place of what has it.

        :param into: the folder of that name; None: this one.
        """
        os.replace(draft, name, src_dir_fd=self.descriptor, dst_dir_fd=(into or self).descriptor)

    @_tells_path
    def link(self, draft: str, name: str, into: OpenFolder | None = None) -> None:
        """Give a file a further name.

        :param into: the folder of that name; None: this one.
        :raises FileExistsError: the name is taken.
        """
        target = (into or self).descriptor
        os.link(draft, name, src_dir_fd=self.descriptor, dst_dir_fd=target, follow_symlinks=False)

    @_tells_path
    def name_new(self, draft: str, name: str, into: OpenFolder | None = None) -> None:
        """Give a finished file its name in place of that of a draft, if nobody has the name.

        At once and with all that is in it, if the file system has hard links; else an empty file holds the name for a
        moment.

        :param into: the folder of that name; None: this one.
        :raises FileExistsError: the name is taken.
        """
        self.link_or_move(draft, name, into)
        self.unlink(draft, missing_ok=True)

    def link_or_move(self, name: str, further: str, into: OpenFolder | None = None) -> None:
        """Give a file a further name, or that one in place of its own if the file system has no hard links.

        :param into: the folder of that name; None: this one.
        :raises FileExistsError: the name is taken.
        """
        try:
            self.link(name, further, into)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            target = into or self
            os.close(target.create(further))
            try:
                self.replace(name, further, target)
            except BaseException:
                target.unlink(further)
                raise

    @_tells_path
    def link_or_copy(self, name: str, further: str) -> None:
        """Give a file a further name, or make a durable copy of that name if the file system has no hard links.

        :raises FileExistsError: the name is taken.
        :raises OSError: the disk is full; no copy is left then.
        """
        try:
            self.link(name, further)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            mode = stat.S_IMODE(self.status(name).st_mode)
            with os.fdopen(self.open(name), 'rb') as source, os.fdopen(self.create(further, mode), 'wb') as copy:
                try:
                    shutil.copyfileobj(source, copy, _COPIED_AT_ONCE)
                    copy.flush()
                    os.fsync(copy.fileno())
                except BaseException:
                    self.unlink(further)
                    raise

    @_tells_path
    def unlink(self, name: str, missing_ok: bool = False) -> None:
        """Remove a file, or a link, pipe or socket; no folder."""
        with suppress(*((FileNotFoundError,) if missing_ok else ())):
            os.unlink(name, dir_fd=self.descriptor)

    @_tells_path
    def remove_odd(self, name: str) -> None:
        """Remove an entry of whatever kind with which nothing else is lost: a file, link, pipe, socket, empty folder.

        :raises OSError: a folder is not empty, or it may not be removed.
        """
        if stat.S_ISDIR(self.status(name).st_mode):
            os.rmdir(name, dir_fd=self.descriptor)
        else:
            self.unlink(name)

    @_tells_path
    def remove_folder(self, name: str) -> None:
        """Remove a folder that is empty.

        :raises OSError: it is not, or it is none.
        """
        os.rmdir(name, dir_fd=self.descriptor)

    def remove_tree(self, name: str, ignore_errors: bool = True) -> None:
        """Remove a folder with all that is in it, following no link; what cannot be removed stays."""
        shutil.rmtree(name, ignore_errors=ignore_errors, dir_fd=self.descriptor)

    def names(self) -> list[str]:
        """What is in the folder, in order of the names."""
        # by a descriptor of its own: listing moves one, and several threads may list
        descriptor = os.open('.', _FOLDER, dir_fd=self.descriptor)
        try:
            return sorted(os.listdir(descriptor))  # noqa: PTH208
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Force the entries of the folder to disk."""
        os.fsync(self.descriptor)


class KeptFolder:
    """A folder that is opened when it is first needed and kept so; anew where another has come in its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = str(path)
        self.held: OpenFolder | None = None
        """What is held open; another may be in its place by now."""

    def now(self) -> OpenFolder:
        """The folder that is there now. It is not the caller's to close.

        :raises OSError: as of `OpenFolder`.
        """
        folder = self.held
        if folder is None or not folder.is_at(self.text):
            folder = self.held = OpenFolder(self.path)
        return folder

    def let_go(self) -> None:
        """Keep it no longer, until the next use."""
        folder, self.held = self.held, None
        if folder is not None:
            folder.close()


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
    with suppress(*((FileNotFoundError,) if missing_ok else ())), OpenFolder(path.parent) as folder:
        folder.unlink(path.name)


def target_of(path: Path) -> Path:
    """Where a file or folder is, or would be, that is about to be written: a symbolic link there is followed.

    :raises OSError: links go round in a circle; or, for root, a link of a user leads to what is not that user's.
    """
    if os.geteuid():
        return path.resolve()
    with suppress(FileNotFoundError):
        folder, name = open_place(path.absolute())
        with folder:
            return folder.path / name
    return path.absolute()


def without_links(folder: Path) -> Path:
    """The path of a folder without links; as it is where there is none, or where root may not follow one."""
    if os.geteuid() or not Path('/proc/self/fd').is_dir():
        return Path(os.path.realpath(folder))
    try:
        with OpenFolder(folder) as found:
            # that of the folder which was found right: at the next look another may be there
            return Path(f'/proc/self/fd/{found.descriptor}').readlink()
    except OSError:
        return folder.absolute()


def remove_folder(path: Path, only: OpenFolder | None = None) -> None:
    """Remove the folder at `path`, which is empty.

    :param only: nothing is removed but this one.
    :raises OSError: it is not, or it is none.
    """
    with OpenFolder(path.parent) as above:
        if only is None or only.is_entry(above, path.name):
            above.remove_folder(path.name)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, following no link; what cannot be removed stays."""
    with suppress(OSError), OpenFolder(path.parent) as folder:
        folder.remove_tree(path.name)


def make_folder(path: Path, mode: int | None = 0o700, durable: bool = True) -> None:
    """Make a folder, and those above it, as far as they are missing; each belongs to whom the one above does.

    :param mode: exactly; None: as the umask has it.
    """
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent, mode, durable)
    with OpenFolder(path.parent) as above:
        try:
            above.make_folder(path.name, mode)
        except FileExistsError:
            if not path.is_dir():
                raise
        if durable:
            above.sync()


def check_place(path: Path, *endings: str) -> None:
    """See, as root, that a file which another program is to open by its path is no link or file from elsewhere.

    SQLite opens what it is given by path, and itself follows a link in it. Between this look and that a user may still
    put another folder in place of one on the way; what is left to such a user is that the file there is opened, which
    SQLite changes only if it is a database, or empty. It follows no link to what it puts beside a database.

    :param endings: of the names of files beside it that the program opens as well.
    :raises PermissionError: it is.
    """
    if os.geteuid():
        return
    with suppress(FileNotFoundError, NotADirectoryError):
        folder, name = open_place(path)
        with folder:
            folder.check_names(name, *(name + ending for ending in endings))


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
                if error.errno not in _LINK:
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
