"""What an archive says of itself, and its database as a file of its own (formats/archive.md)."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from ricordi.errors import CorruptStorage, Interrupted, NotEnoughSpace, RicordiError, StorageMigrationError
from ricordi.files import format_bytes, free_bytes
from ricordi.progress import Stop
from ricordi.remedies import Remedy
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import Member
from ricordi.zipfiles.member import member_chunks, read_member

HEAD = 'main_0001'
"""The version of archives that are written, and the one that can be opened."""
MIGRATABLE = ('main_0000', 'main_0000a', 'main_0000b')
"""Versions that differ from the head in rows and constraints of the database only."""
LEGACY = tuple(f'0.{number}' for number in range(1, 14))
"""Versions of AiiDA 0 and 1: rows as JSON, files in a folder for each node, in a zip or a tar file."""
METADATA = 'metadata.json'
DATABASE = 'db.sqlite3'
LARGEST_METADATA = 32 << 20
"""Bytes. Real ones have some 600, and 40 more for each node that was named by itself when the archive was made."""
MOST_ELEMENTS = 1_000_000
"""Of lists and dictionaries in the metadata: each takes some hundred bytes once it is read."""
ALWAYS_UNPACKED = 256 << 20
MOST_SHRINKING = 250
"""A database over the bytes above shrinks no further than so: each node has a uuid. Real ones shrink to a tenth."""


def read_metadata(directory: ZipDirectory) -> dict[str, Any]:
    """The content of `metadata.json`; its `export_version` is a text.

    :raises ricordi.errors.CorruptStorage: it is not there, or not what an archive has.
    """
    member = find_member(directory, METADATA)
    if member is None:
        raise CorruptStorage(f'{directory.path} does not tell its version (no {METADATA}); it is no archive of AiiDA')
    if max(member.size, member.packed) > LARGEST_METADATA:
        raise CorruptStorage(f'{METADATA} in {directory.path} claims {member.size:,} bytes; it is no archive of AiiDA')
    return parse_metadata(read_member(directory, member), directory.path)


def parse_metadata(content: bytes, path: Path) -> dict[str, Any]:
    """The content of `metadata.json`; errors as of `read_metadata`."""
    if sum(map(content.count, (b',', b'[', b'{'))) > MOST_ELEMENTS:
        raise CorruptStorage(f'{METADATA} in {path} has too many elements; it is no archive of AiiDA')
    try:
        metadata: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CorruptStorage(f'{METADATA} in {path} cannot be read ({error}); get the archive anew') from None
    if not isinstance(metadata, dict) or not isinstance(metadata.get('export_version'), str):
        raise CorruptStorage(f'{path} does not tell its version (in {METADATA}); it is no archive of AiiDA')
    return metadata


def read_version(path: Path) -> str:
    """The version of the archive at `path`.

    :raises ricordi.errors.StorageError: it is not there, or no archive in a zip file.
    """
    with closing(open_archive(path)) as directory:
        return str(read_metadata(directory)['export_version'])


def open_archive(path: Path) -> ZipDirectory:
    """Open the zip file of an archive.

    :raises ricordi.errors.UnreachableStorage: it is not there, or may not be read.
    :raises ricordi.errors.CorruptStorage: it is no zip file, or truncated.
    :raises ricordi.errors.StorageMigrationError: it is a tar file, as early versions of AiiDA wrote.
    """
    try:
        return ZipDirectory(path)
    except CorruptStorage:
        if is_tar(path):
            raise StorageMigrationError(
                f'{path} is a tar file, as AiiDA wrote archives before 2.0, and {HEAD} is needed',
                remedy=Remedy('migrate archive', (str(path),)),
            ) from None
        raise


Error = TypeVar('Error', bound=RicordiError)

HEAD_BYTES = 1 << 20
"""Enough for the first block of a file that is compressed with bzip2."""
MOST_MEMORY = 64 << 20


def is_tar(path: Path) -> bool:
    """Whether a file is a tar file, compressed or not: only its first block is looked at."""
    import tarfile

    try:
        tarfile.TarInfo.frombuf(_first_block(path, tarfile.BLOCKSIZE), tarfile.ENCODING, 'surrogateescape')
    except (tarfile.TarError, OSError, EOFError, ValueError):
        return False
    return True


def _first_block(path: Path, size: int) -> bytes:
    """The first bytes of what a file holds, unpacked where it is compressed.

    :raises OSError: it cannot be read.
    :raises ValueError: it is damaged.
    """
    with path.open('rb') as file:  # `ZipDirectory` has seen that it is a regular file
        head = file.read(HEAD_BYTES)
    if head.startswith(b'\x1f\x8b'):
        import zlib

        try:
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, size)
        except zlib.error as error:
            raise ValueError(str(error)) from None
    if head.startswith(b'BZh'):
        import bz2

        return bz2.BZ2Decompressor().decompress(head, size)
    if head.startswith(b'\xfd7zXZ'):
        import lzma

        try:
            return lzma.LZMADecompressor(memlimit=MOST_MEMORY).decompress(head, size)
        except lzma.LZMAError as error:
            raise ValueError(str(error)) from None
    return head[:size]


def version_error(kind: type[Error], version: str, path: Path) -> Error:
    """That an archive has not the current version, and what to do about it."""
    has_version = f'the archive {path} has version {version}'
    if version in (*MIGRATABLE, *LEGACY):
        return kind(f'{has_version}, and {HEAD} is needed', remedy=Remedy('migrate archive', (str(path),)))
    return kind(f'{has_version}, and {HEAD} is the newest known here: update Ricordi')


def database_member(directory: ZipDirectory) -> Member:
    """Where the database lies in an archive.

    :raises ricordi.errors.CorruptStorage: there is none.
    """
    member = find_member(directory, DATABASE)
    if member is None:
        raise CorruptStorage(f'there is no database ({DATABASE}) in {directory.path}; get the archive anew')
    return member


def unpack_database(
    directory: ZipDirectory, target: Path, stop: Stop | None = None, always_unpacked: int = ALWAYS_UNPACKED
) -> None:
    """Write the database of an archive to a file, checked by its CRC-32.

    :param always_unpacked: bytes; one that is no larger is unpacked, however much it has been shrunk.
    :raises ricordi.errors.Interrupted: `stop` was asked to end the work.
    :raises ricordi.errors.NotEnoughSpace: before anything is written.
    :raises ricordi.errors.CorruptStorage: it is not there, or damaged.
    """
    member = database_member(directory)
    if member.size > max(always_unpacked, MOST_SHRINKING * member.packed):
        raise CorruptStorage(
            f'the database in {directory.path} would unpack {member.packed:,} bytes to {member.size:,}, as no real one '
            'does; do not trust it'
        )
    if free_bytes(target.parent) < member.size:
        raise NotEnoughSpace(
            f'the database of {directory.path} takes {format_bytes(member.size)} when unpacked, more than is free '
            f'under {target.parent}: make room, or set TMPDIR to a folder on a larger disk'
        )
    with target.open('xb') as file:
        for chunk in member_chunks(directory, member):
            file.write(chunk)
            if stop is not None and stop.reason:
                raise Interrupted(f'{stop.reason}: ended early; nothing was changed')


def find_member(directory: ZipDirectory, name: str) -> Member | None:
    """A member of an archive by its name, mostly at the beginning of the directory."""
    return next((member for member in directory.members() if member.name == name), None)
