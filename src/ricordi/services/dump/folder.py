"""The folder of a dump on disk: only a dump is written to or cleaned, and nothing outside of it is ever touched."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ricordi.backend.repository import CHUNK_BYTES
from ricordi.errors import AccessError, InvalidOperation
from ricordi.folders import target_of
from ricordi.remedies import Remedy
from ricordi.services.dump.names import DRAFT, LOG, METADATA, SAFEGUARD
from ricordi.services.dump.root import NOT_OURS, DumpRoot, joined
from ricordi.services.output_files import make_output_folder


class DumpFolder:
    """Makes folders, files and links below `root`; paths are relative to it, with slashes."""

    def __init__(self, root: Path) -> None:
        """
        :raises ricordi.errors.InvalidOperation: what is at `root` is no folder, or is one with something in it that no
            dump has made.
        """
        self.root = target_of(root)
        self.opened = DumpRoot(self.root)
        self._open()

    def _open(self) -> None:
        try:
            self.opened.open()
        except OSError as error:
            if error.errno not in NOT_OURS:
                raise
            raise InvalidOperation(
                f'{self.root} is a file, not a folder', remedy=Remedy('choose another folder')
            ) from None
        if not self.is_new and not self.is_dump:
            raise InvalidOperation(
                f'{self.root} has something in it and was not made by a dump ({SAFEGUARD} is missing)',
                remedy=Remedy('choose another folder'),
            )

    @property
    def is_new(self) -> bool:
        """Whether there is nothing yet."""
        if not self.opened.open():
            return True
        with os.scandir(self.opened.descriptor) as entries:
            return not any(entries)

    @property
    def is_dump(self) -> bool:
        """Whether a dump made this folder."""
        status = self.opened.status(SAFEGUARD)
        return status is not None and stat.S_ISREG(status.st_mode)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if need be, and keep other dumps out of it as long as this process lives.

        :raises ricordi.errors.AccessError: another process dumps into it.
        """
        make_output_folder(self.root)
        self._open()
        self.make('', marked=True)
        try:
            fcntl.flock(self.opened.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AccessError(f'another dump into {self.root} runs now: try again when it is done') from None
        except OSError:  # a disk without such locks
            pass
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self.opened.descriptor, fcntl.LOCK_UN)

    # -- looking --------------------------------------------------------------------------------------------

    def place(self, path: str) -> Path:
        """Where a path is on disk, for messages."""
        return self.root / path if path else self.root

    def has(self, path: str) -> bool:
        """Whether something is there, be it a link that leads nowhere."""
        return self.opened.status(path) is not None

    def has_folder(self, path: str) -> bool:
        """Whether the folder of a node is there, and no link in its place."""
        return self.has(joined(path, METADATA))

    def links_to(self, path: str) -> str | None:
        """The target of a link as it is written in it; None where there is no link, as at the root itself."""
        if not path:
            return None
        try:
            with self.opened.above(path) as (folder, name):
                return os.readlink(name, dir_fd=folder)
        except OSError:
            return None

    def is_inner_link(self, path: str) -> bool:
        """Whether there is a link as a dump makes them: relative, and to something in the dump."""
        target = self.links_to(path)
        if target is None or Path(target).is_absolute():
            return False
        above, _, _ = path.rpartition('/')
        return Path(os.path.normpath(self.place(above) / target)).is_relative_to(self.root)

    # -- making ---------------------------------------------------------------------------------------------

    @contextmanager
    def _folder(self, path: str) -> Iterator[int]:
        """The descriptor of a folder, which is made, with those above it.

        :raises ricordi.errors.InvalidOperation: a link or a file is in the way.
        """
        with self._unobstructed(path), self.opened.folder(path, make=True) as descriptor:
            yield descriptor

    @contextmanager
    def _unobstructed(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in NOT_OURS:
                way = f'{self.place(self._obstacle(path))} is in the way of the dump'
                raise InvalidOperation(f'{way}: move it elsewhere and run it again') from None
            self._name(error, path)
            raise

    def _name(self, error: OSError, path: str) -> None:
        """Have an error tell the whole path, where it tells none, or the step at which it came."""
        if error.filename is None or not os.fsdecode(error.filename).startswith('/'):
            error.filename, error.filename2 = str(self.place(path)), None

    def _obstacle(self, path: str) -> str:
        """The first step of a path that is no folder."""
        steps = path.split('/')
        for number in range(1, len(steps)):
            status = self.opened.status(above := '/'.join(steps[:number]))
            if status is None or not stat.S_ISDIR(status.st_mode):
                return above
        return path

    def make(self, path: str, marked: bool = False) -> None:
        """Make a folder and those above it.

        :param marked: with the mark of a dump in it.
        :raises ricordi.errors.InvalidOperation: a link or a file is in the way.
        """
        with self._folder(path) as folder:
            if marked:
                _mark(folder)

    def make_own(self, path: str) -> None:
        """Make the folder of a process, with the mark of a dump in it.

        :raises ricordi.errors.InvalidOperation: something of somebody else is there.
        """
        with self._folder(path) as folder:
            names = os.listdir(folder)  # noqa: PTH208 - of a descriptor
            if names and SAFEGUARD not in names:
                place = self.place(path)
                raise InvalidOperation(f'{place} was not made by a dump: move it elsewhere and run it again')
            _mark(folder)

    def write(self, path: str, content: bytes) -> int:
        """Write a file, whole or not at all; returns its bytes."""
        with self._draft(path) as draft:
            draft.write(content)
        return len(content)

    def write_stream(self, path: str, source: BinaryIO) -> int:
        """Write the content of an object chunk by chunk; the file appears when it is whole and right.

        :raises ricordi.errors.CorruptStorage: it is damaged; no file is written then.
        """
        size = 0
        with self._draft(path) as draft:
            while chunk := source.read(CHUNK_BYTES):
                draft.write(chunk)
                size += len(chunk)
        return size

    def copy(self, path: str, other: str) -> int:
        """Write a file with the content of another one of the dump."""
        with self.opened.read(other) as source, self._draft(path) as draft:
            shutil.copyfileobj(source, draft, CHUNK_BYTES)
            return draft.tell()

    @contextmanager
    def _draft(self, path: str) -> Iterator[BinaryIO]:
        above, _, name = path.rpartition('/')
        with self._folder(above) as folder:
            _unlink(DRAFT, folder)
            try:
                descriptor = os.open(DRAFT, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)
                with os.fdopen(descriptor, 'wb') as handle:
                    yield handle
                os.replace(DRAFT, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException as error:
                if isinstance(error, OSError):  # as that of a write to a full disk
                    self._name(error, path)
                with suppress(OSError):
                    os.unlink(DRAFT, dir_fd=folder)
                raise

    def link(self, path: str, target: str) -> None:
        """Make a relative link to a folder of the dump; a link that is there gives way."""
        above, _, name = path.rpartition('/')
        with self._folder(above) as folder:
            _unlink(DRAFT, folder)
            os.symlink(self.relative(path, target), DRAFT, target_is_directory=True, dir_fd=folder)
            os.replace(DRAFT, name, src_dir_fd=folder, dst_dir_fd=folder)

    def relative(self, path: str, target: str) -> str:
        """What a link at `path` has to say to lead to `target`."""
        above, _, _ = path.rpartition('/')
        return os.path.relpath(self.place(target), self.place(above))

    # -- removing -------------------------------------------------------------------------------------------

    def move(self, old: str, new: str) -> None:
        """Rename a folder.

        :raises ricordi.errors.InvalidOperation: a link or a file is in the way.
        """
        above, _, new_name = new.rpartition('/')
        with self._unobstructed(old), self._folder(above) as into, self.opened.above(old) as (folder, old_name):
            os.rename(old_name, new_name, src_dir_fd=folder, dst_dir_fd=into)
        self.prune(old.rpartition('/')[0])

    def remove(self, path: str, files: Iterable[str]) -> None:
        """Remove the files that a dump made in a folder, then the folders that are empty by that.

        What else is in them stays, and so do its folders, with the mark of a dump. A link is removed as such.
        """
        if not path:  # the root itself, which stays, with its mark
            self.remove_files('', [METADATA, DRAFT, *files])
            return
        status = self.opened.status(path)
        if status is None:
            return
        if stat.S_ISLNK(status.st_mode):
            self.opened.unlink(path)
            self.prune(path.rpartition('/')[0])
            return
        # The metadata first: without it, the folder counts as not there if this is killed half way.
        self.remove_files(path, [METADATA, SAFEGUARD, DRAFT, *files])
        self.prune(path)
        try:
            with self.opened.folder(path) as folder:
                _mark(folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, *NOT_OURS):
                raise

    def remove_files(self, path: str, files: Iterable[str]) -> None:
        """Remove single files of a folder that stays."""
        below = set()
        for name in files:
            if not name.endswith('/'):
                self.opened.unlink(joined(path, name))
            below.add(name.rpartition('/')[0])
        for name in sorted(below - {''}, key=len, reverse=True):
            self.prune(joined(path, name), path)

    def unmark(self, path: str) -> None:
        """Take back the mark of a group's folder, and the folder if nothing is left in it."""
        if path:
            self.opened.unlink(f'{path}/{SAFEGUARD}')
            self.prune(path)

    def prune(self, path: str, upto: str = '') -> None:
        """Remove a folder and those above it as far as they are empty, but not `upto`."""
        while path and path != upto:
            try:
                with self.opened.above(path) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
            except FileNotFoundError:
                pass
            except OSError:  # not empty, or no folder
                return
            path = path.rpartition('/')[0]

    def clear(self) -> None:
        """Remove all that is in the folder of a dump of another program, which leaves no list of what it made."""
        if not self.is_dump:
            raise InvalidOperation(f'{self.root} was not made by a dump: it is left alone')
        with self.opened.folder('') as folder:
            for name in os.listdir(folder):  # noqa: PTH208 - of a descriptor
                if name == SAFEGUARD:
                    continue
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    shutil.rmtree(name, dir_fd=folder)
                else:
                    os.unlink(name, dir_fd=folder)

    @property
    def has_log(self) -> bool:
        """Whether there is a log of this program."""
        return self.has(LOG)

    def remove_log(self) -> None:
        """Remove the log of this program."""
        self.opened.unlink(LOG)


def _mark(folder: int) -> None:
    """Put the mark of a dump into a folder that is open."""
    with suppress(FileExistsError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(SAFEGUARD, flags, 0o666, dir_fd=folder))


def _unlink(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
