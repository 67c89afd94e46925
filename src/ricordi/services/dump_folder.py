"""The folder of a dump on disk: only a dump is written to or cleaned, and nothing outside of it is ever touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ricordi.backend.repository import CHUNK_BYTES
from ricordi.errors import AccessError, InvalidOperation
from ricordi.services.dump_log import NAME as LOG_NAME
from ricordi.services.dump_names import METADATA, SAFEGUARD

_DRAFT = '.ricordi-part'
_MOST_KNOWN = 10_000


class DumpFolder:
    """Makes folders, files and links below `root`; paths are relative to it, with slashes."""

    def __init__(self, root: Path) -> None:
        """
        :raises ricordi.errors.InvalidOperation: what is at `root` is no folder, or is one with something in it that no
            dump has made.
        """
        self.root = root.resolve()
        self._known: set[str] = set()
        if self.root.exists() and not self.root.is_dir():
            raise InvalidOperation(f'{root} is a file: give the --path of a folder')
        if not self.is_new and not self.is_dump:
            raise InvalidOperation(
                f'{root} has something in it and was not made by a dump ({SAFEGUARD} is missing): give another --path'
            )

    @property
    def is_new(self) -> bool:
        """Whether there is nothing yet."""
        return not self.root.is_dir() or not any(self.root.iterdir())

    @property
    def is_dump(self) -> bool:
        """Whether a dump made this folder."""
        return (self.root / SAFEGUARD).is_file()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if need be, and keep other dumps out of it as long as this process lives.

        :raises ricordi.errors.AccessError: another process dumps into it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.make('', marked=True)
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            try:
                import fcntl

                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AccessError(f'another dump into {self.root} runs now: try again when it is done') from None
            except (ImportError, OSError):  # a system or a disk without such locks
                pass
            yield
        finally:
            os.close(descriptor)

    # -- looking --------------------------------------------------------------------------------------------

    def place(self, path: str) -> Path:
        """Where a path is on disk."""
        return self.root / path if path else self.root

    def has(self, path: str) -> bool:
        """Whether something is there, be it a link that leads nowhere."""
        return os.path.lexists(self.place(path))

    def has_folder(self, path: str) -> bool:
        """Whether the folder of a node is there, and no link in its place."""
        place = self.place(path)
        return not place.is_symlink() and os.path.lexists(place / METADATA)

    def links_to(self, path: str) -> str | None:
        """The target of a link as it is written in it; None where there is no link."""
        try:
            return str(self.place(path).readlink())
        except OSError:
            return None

    def is_inner_link(self, path: str) -> bool:
        """Whether there is a link as a dump makes them: relative, and to something in the dump."""
        target = self.links_to(path)
        if target is None or Path(target).is_absolute():
            return False
        above, _, _ = path.rpartition('/')
        return Path(os.path.normpath(self.place(above) / target)).is_relative_to(self.root)

    def is_own(self, path: str) -> bool:
        """Whether no step of a path is a link: what is behind one is not ours to change."""
        place = self.root
        for step in path.split('/')[:-1]:
            place = place / step
            if place.is_symlink():
                return False
        return True

    # -- making ---------------------------------------------------------------------------------------------

    def make(self, path: str, marked: bool = False) -> Path:
        """Make a folder and those above it.

        :param marked: with the mark of a dump in it.
        :raises ricordi.errors.InvalidOperation: a link or a file is in the way.
        """
        place = self.place(path)
        if path and path not in self._known:
            above, _, _ = path.rpartition('/')
            self.make(above)
            with suppress(FileExistsError):
                place.mkdir()
            if place.is_symlink() or not place.is_dir():
                raise InvalidOperation(f'{place} is in the way of the dump: move it elsewhere and run it again')
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known.add(path)
        if marked and not os.path.lexists(place / SAFEGUARD):
            (place / SAFEGUARD).touch()
        return place

    def make_own(self, path: str) -> None:
        """Make the folder of a process, with the mark of a dump in it.

        :raises ricordi.errors.InvalidOperation: something of somebody else is there.
        """
        place = self.place(path)
        is_here = path not in self._known and place.is_dir() and not place.is_symlink()
        if is_here and any(place.iterdir()) and not (place / SAFEGUARD).exists():
            raise InvalidOperation(f'{place} was not made by a dump: move it elsewhere and run it again')
        self.make(path, marked=True)

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
        with self.place(other).open('rb') as source, self._draft(path) as draft:
            shutil.copyfileobj(source, draft, CHUNK_BYTES)
        return self.place(path).stat().st_size

    @contextmanager
    def _draft(self, path: str) -> Iterator[BinaryIO]:
        above, _, _ = path.rpartition('/')
        draft = self.make(above) / _DRAFT
        draft.unlink(missing_ok=True)
        try:
            with draft.open('xb') as handle:
                yield handle
            os.replace(draft, self.place(path))  # noqa: PTH105
        except BaseException as error:
            if isinstance(error, OSError) and error.filename is None:  # as that of a write to a full disk
                error.filename = str(self.place(path))
            with suppress(OSError):
                draft.unlink()
            raise

    def link(self, path: str, target: str) -> None:
        """Make a relative link to a folder of the dump; a link that is there gives way."""
        above, _, _ = path.rpartition('/')
        place = self.make(above) / _DRAFT
        place.unlink(missing_ok=True)
        place.symlink_to(self.relative(path, target), target_is_directory=True)
        os.replace(place, self.place(path))  # noqa: PTH105

    def relative(self, path: str, target: str) -> str:
        """What a link at `path` has to say to lead to `target`."""
        above, _, _ = path.rpartition('/')
        return os.path.relpath(self.place(target), self.place(above))

    # -- removing -------------------------------------------------------------------------------------------

    def move(self, old: str, new: str) -> None:
        """Rename a folder."""
        above, _, _ = new.rpartition('/')
        self.make(above)
        self._known.clear()
        os.rename(self.place(old), self.place(new))  # noqa: PTH104
        self.prune(old.rpartition('/')[0])

    def remove(self, path: str, files: Iterable[str]) -> None:
        """Remove the files that a dump made in a folder, then the folders that are empty by that.

        What else is in them stays, and so do its folders, with the mark of a dump. A link is removed as such.
        """
        if not self.is_own(path):
            return
        self._known.clear()
        if self.place(path).is_symlink():
            self.place(path).unlink()
            self.prune(path.rpartition('/')[0])
            return
        # The metadata first: without it, the folder counts as not there if this is killed half way.
        listed = [METADATA, SAFEGUARD, _DRAFT, *files]
        for name in listed:
            if not name.endswith('/') and self.is_own(f'{path}/{name}'):
                with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
                    self.place(f'{path}/{name}').unlink()
        below = {name.rpartition('/')[0] for name in listed if '/' in name}
        for name in sorted(below, key=len, reverse=True):
            self.prune(f'{path}/{name}', path)
        self.prune(path)
        if self.place(path).is_dir():
            (self.place(path) / SAFEGUARD).touch()

    def remove_files(self, path: str, files: Iterable[str]) -> None:
        """Remove single files of a folder that stays."""
        for name in files:
            if not name.endswith('/') and self.is_own(f'{path}/{name}'):
                with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                    self.place(f'{path}/{name}').unlink()
        self._known.clear()
        for name in sorted({name.rpartition('/')[0] for name in files if '/' in name}, key=len, reverse=True):
            self.prune(f'{path}/{name}', path)

    def unmark(self, path: str) -> None:
        """Take back the mark of a group's folder, and the folder if nothing is left in it."""
        if path and self.is_own(f'{path}/{SAFEGUARD}'):
            (self.place(path) / SAFEGUARD).unlink(missing_ok=True)
            self.prune(path)

    def prune(self, path: str, upto: str = '') -> None:
        """Remove a folder and those above it as far as they are empty, but not `upto`."""
        self._known.clear()
        while path and path != upto:
            try:
                self.place(path).rmdir()
            except FileNotFoundError:
                pass
            except OSError:  # not empty, or no folder
                return
            path = path.rpartition('/')[0]

    def clear(self) -> None:
        """Remove all that is in the folder of a dump of another program, which leaves no list of what it made."""
        if not self.is_dump:
            raise InvalidOperation(f'{self.root} was not made by a dump: it is left alone')
        for one in self.root.iterdir():
            if one.name == SAFEGUARD:
                continue
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            else:
                one.unlink()
        self._known.clear()

    @property
    def log(self) -> Path:
        """Where the log of this program is."""
        return self.root / LOG_NAME
