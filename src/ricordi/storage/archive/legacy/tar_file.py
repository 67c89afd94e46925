"""Old archives in tar files, which are read once from front to back: what is in them is found in any order."""

from __future__ import annotations

import bz2
import gzip
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from ricordi.errors import CorruptStorage
from ricordi.storage.archive.file import LARGEST_METADATA, METADATA, parse_metadata

LONGEST_NAME = 1 << 20
"""Bytes of a header that tells of the one after it: a name, or what else has no room there."""
CHUNK_BYTES = 1 << 20
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Header(tarfile.TarInfo):
    """A header that takes no memory for what no archive has."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf and not any(buf):  # as a tar file ends
                raise
            raise _Untrusted(str(error)) from None  # `tarfile` would take it for the end, in silence
        if header.type in _EXTENDED and header.size > LONGEST_NAME:
            raise _Untrusted('the name of a file in it is longer than any')
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise _Untrusted('a file in it has holes')
        return header


class _Untrusted(Exception):
    """What `tarfile` shall not take for the end of the file."""


class TarArchive:
    """An open tar file."""

    def __init__(self, file: tarfile.TarFile) -> None:
        self._file = file

    def __iter__(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        """Name and header of each member; it can be read until the next is asked for."""
        while (header := self._file.next()) is not None:
            yield header.name.removeprefix('./').lstrip('/'), header
            self._file.members = []  # type: ignore[attr-defined]  # it keeps all that it has seen

    def chunks(self, header: tarfile.TarInfo) -> Iterator[bytes]:
        """The content of a member."""
        stream = self._file.extractfile(header)
        while stream is not None and (chunk := stream.read(CHUNK_BYTES)):
            yield chunk


@contextmanager
def reading_tar(path: Path, to_the_end: bool = True) -> Iterator[TarArchive]:
    """A tar file for the length of a `with` block, at whose end the rest of the file is checked.

    :param to_the_end: False: it is not, for not all of it is wanted.
    :raises ricordi.errors.CorruptStorage: it is damaged, also if that shows in the block.
    """
    try:
        with closing(_unpacked(path)) as stream:
            with tarfile.open(fileobj=stream, mode='r|', tarinfo=_Header) as file:
                yield TarArchive(file)
            while to_the_end and stream.read(CHUNK_BYTES):  # to where a checksum stands
                pass
    except (tarfile.TarError, zlib.error, EOFError, _Untrusted, RecursionError) as error:
        raise _damaged(path, error) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(path, error) from None  # gzip and bz2 say so


def _damaged(path: Path, error: Exception) -> CorruptStorage:
    return CorruptStorage(f'the tar file {path} is damaged ({error}); get the archive anew')


def _unpacked(path: Path) -> BinaryIO:
    """What a file holds, unpacked where it is compressed."""
    with path.open('rb') as file:
        head = file.read(6)
    if head.startswith(b'\x1f\x8b'):
        return cast(BinaryIO, gzip.open(path))
    if head.startswith(b'BZh'):
        return cast(BinaryIO, bz2.open(path))
    if head.startswith(b'\xfd7zXZ'):
        raise CorruptStorage(f'{path} is packed by xz, as AiiDA packed no archive: unpack it first (`xz -d`)')
    return path.open('rb')


def metadata_of_tar(path: Path) -> dict[str, Any]:
    """The content of `metadata.json`, for which the file is read up to where it stands.

    :raises ricordi.errors.CorruptStorage: there is none, or the file is damaged.
    """
    with reading_tar(path, to_the_end=False) as file:
        for name, header in file:
            if name == METADATA:
                return parse_metadata(b''.join(_at_most(LARGEST_METADATA, file.chunks(header), path)), path)
    raise CorruptStorage(f'{path} does not tell its version (no {METADATA}); it is no archive of AiiDA')


def _at_most(limit: int, chunks: Iterable[bytes], path: Path) -> Iterator[bytes]:
    for chunk in chunks:
        limit -= len(chunk)
        if limit < 0:
            raise CorruptStorage(f'{METADATA} in {path} is larger than any; it is no archive of AiiDA')
        yield chunk
