"""The objects of an archive, read straight from the zip file (formats/archive.md)."""

from __future__ import annotations

import io
import os
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from ricordi.backend.maintenance import KeyStream, MaintenanceOptions, MaintenanceReport
from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import CorruptStorage, NotExistent, ReadOnlyStorage, UnreachableStorage
from ricordi.progress import Progress, Stop

PREFIX = 'repo/'


class ZipRepository(RepositoryBackend):
    """The members `repo/<key>` of a zip file; they can only be read. Usable from several threads."""

    def __init__(self, path: str | Path) -> None:
        """
        :param path: the archive; opened at first use.
        """
        self.path = Path(path)
        self._lock = threading.Lock()
        self._opened: tuple[int, zipfile.ZipFile] | None = None

    def __repr__(self) -> str:
        return f'ZipRepository({str(self.path)!r})'

    @property
    def uuid(self) -> str | None:
        return None

    @property
    def is_initialised(self) -> bool:
        return self.path.is_file()

    @property
    def _zip(self) -> zipfile.ZipFile:
        """The open archive; a forked child opens it anew, for the position in a file is shared with the parent."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), open_archive(self.path))
            return self._opened[1]

    def close(self) -> None:
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened[1].close()

    # -- reading ------------------------------------------------------------------------------------------------

    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        members = self._zip.NameToInfo
        return [PREFIX + key in members for key in keys]

    def open(self, key: str) -> BinaryIO:
        archive, info = self._zip, self._member(key)
        with _damage_named(key, self.path):
            return cast(BinaryIO, ObjectStream(archive.open(info), key, self.path))

    def get_object_size(self, key: str) -> int:
        return self._member(key).file_size

    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        members = [(self._member(key).header_offset, key) for key in keys]
        for _, key in sorted(members):
            with self.open(key) as handle:
                yield key, handle

    def list_objects(self) -> Iterator[str]:
        names = self._zip.NameToInfo
        return iter(sorted(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX) and name != PREFIX))

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        members = [info for info in self._zip.infolist() if info.filename.startswith(PREFIX) and not info.is_dir()]
        content, packed = sum(info.file_size for info in members), sum(info.compress_size for info in members)
        return {'packed': {'objects': len(members), 'bytes': packed, 'content_bytes': content}}

    def _member(self, key: str) -> zipfile.ZipInfo:
        try:
            return self._zip.getinfo(PREFIX + key)
        except KeyError:
            raise NotExistent(f'there is no object {key} in {self.path}') from None

    # -- what an archive cannot do ------------------------------------------------------------------------------

    def initialise(self, **kwargs: Any) -> None:
        self._refuse()

    def erase(self) -> None:
        self._refuse()

    def put_object_from_filelike(self, handle: BinaryIO) -> str:
        self._refuse()

    def delete_objects(self, keys: Iterable[str]) -> None:
        self._refuse()

    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> MaintenanceReport:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ReadOnlyStorage(f'{self.path} is an archive and can only be read; import it into a profile to change it')


class ObjectStream(io.BufferedIOBase):
    """The content of one member: readable, seekable (backwards by reading anew), damage told in our words."""

    def __init__(self, member: Any, key: str, path: Path) -> None:
        self._member = member
        self._key = key
        self._path = path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        with _damage_named(self._key, self._path):
            content: bytes = self._member.read(-1 if size is None else size)
            return content

    def read1(self, size: int = -1, /) -> bytes:
        with _damage_named(self._key, self._path):
            content: bytes = self._member.read1(size)
            return content

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with _damage_named(self._key, self._path):
            position: int = self._member.seek(offset, whence)
            return position

    def tell(self) -> int:
        position: int = self._member.tell()
        return position

    def close(self) -> None:
        self._member.close()
        super().close()


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open a zip file for reading.

    :raises ricordi.errors.UnreachableStorage: it is not there, or may not be read.
    :raises ricordi.errors.CorruptStorage: it is no zip file, or truncated.
    """
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UnreachableStorage(f'there is no archive {path}: check the path') from None
    except OSError as error:
        raise UnreachableStorage(f'cannot read the archive {path}: {error.strerror or error}') from error
    except zipfile.BadZipFile as error:
        raise CorruptStorage(f'{path} is not an archive, or only a part of one ({error}); get it anew') from error


@contextmanager
def _damage_named(key: str, path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise CorruptStorage(f'object {key} in {path} is damaged ({error}); get the archive anew') from error
