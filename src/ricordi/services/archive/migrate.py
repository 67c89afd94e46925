"""`archive migrate`: an older archive into one of the current version; objects are taken over as they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ricordi.errors import Interrupted, StorageMigrationError, UsageError
from ricordi.files import TemporaryFolder, new_file
from ricordi.progress import Run
from ricordi.remedies import Remedy
from ricordi.repository.archive.unpacking import checked_members
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.limits import USUAL, Limits
from ricordi.services.output_files import check_output_file
from ricordi.storage.archive.file import (
    DATABASE,
    HEAD,
    LEGACY,
    METADATA,
    open_archive,
    unpack_database,
    version_error,
)
from ricordi.storage.archive.legacy.metadata import as_today, metadata_of
from ricordi.storage.archive.migration import can_migrate, migrate_database
from ricordi.version import __version__
from ricordi.zipfiles.deflate import DeflatedPieces, crc32
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import STORED, Member
from ricordi.zipfiles.member import check_readable, member_chunks, unpack
from ricordi.zipfiles.writer import ZipWriter

COPY_BYTES = 1 << 20
DATABASE_LEVEL = 6


@dataclass(frozen=True, slots=True)
class MigratedArchive:
    """A migration that is done.

    :param changed: whether anything had to be changed.
    :param copied: if not, whether it was copied to `path`.
    :param notes: what had to be left out, in words.
    """

    path: Path
    before: str
    after: str
    changed: bool
    copied: bool = False
    notes: tuple[str, ...] = ()


def migrate_archive(
    source: Path,
    target: Path,
    *,
    version: str | None = None,
    overwrite: bool = False,
    run: Run | None = None,
    limits: Limits = USUAL,
) -> MigratedArchive:
    """Write an archive of the current version; the file gets its name when it is whole and durable.

    :param target: may be the source itself, with `overwrite`.
    :param version: the version to write; only the current one can be.
    :param limits: by which is told what is streamed.
    :raises ricordi.errors.UsageError: there is a file already, or another version was asked for.
    :raises ricordi.errors.StorageMigrationError: there is no way from the version of the archive; the message says what
        to do.
    """
    if version not in (None, HEAD):
        raise UsageError(f'archives are migrated to version {HEAD} only, not to {version}')
    check_output_file(target)
    if os.path.lexists(target) and not overwrite:
        raise UsageError(f'there is a file {target} already', remedy=Remedy('overwrite'))
    metadata, run = metadata_of(source), run or Run()
    before = metadata['export_version']
    if before == HEAD:
        copied = not (target.exists() and target.samefile(source))
        if copied:
            _copy(source, target, overwrite)
        return MigratedArchive(target, before, HEAD, changed=False, copied=copied)
    notes: tuple[str, ...] = ()
    with TemporaryFolder('archive') as folder:
        if before in LEGACY:
            from ricordi.services.archive.legacy import opened_legacy

            with opened_legacy(source, before, folder, run) as found:
                notes = found.notes
                writing = _Writing(found.directory, found.members(), found.database, hashed=True)
                writing.write(target, overwrite, _converted(as_today(metadata), notes), limits, run)
        elif can_migrate(before):
            with closing(open_archive(source)) as directory:
                database = _migrated_database(directory, folder, run)
                writing = _Writing(directory, checked_members(directory), database)
                writing.write(target, overwrite, _converted(metadata), limits, run)
        else:
            raise version_error(StorageMigrationError, before, source)
    return MigratedArchive(target, before, HEAD, changed=True, notes=notes)


def _migrated_database(directory: ZipDirectory, folder: Path, run: Run) -> Path:
    old, new = folder / 'old.sqlite3', folder / DATABASE
    unpack_database(directory, old, run.stop)
    migrate_database(old, new, str(directory.path), run.stop)
    old.unlink()
    return new


@dataclass(frozen=True, slots=True)
class _Writing:
    """A new archive of objects that lie in another, and of a database.

    :param members: where the objects are in `directory`, among others.
    :param hashed: whether the objects have just been read, so that their checksums need not be compared again.
    """

    directory: ZipDirectory
    members: Iterable[Member]
    database: Path
    hashed: bool = False

    def write(self, target: Path, overwrite: bool, metadata: dict[str, Any], limits: Limits, run: Run) -> None:
        """Write the file."""
        from concurrent.futures import ThreadPoolExecutor

        with (
            new_file(target, overwrite) as file,
            closing(ZipWriter(file, (METADATA, DATABASE))) as writer,
            ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix='deflate') as executor,
        ):
            self._write_objects(writer, limits, run)
            with self.database.open('rb') as database:
                chunks = iter(lambda: database.read(COPY_BYTES), b'')
                size = self.database.stat().st_size
                writer.add_pieces(DATABASE, DeflatedPieces(chunks, DATABASE_LEVEL, executor), size)
            content = json.dumps(metadata).encode()
            writer.add(METADATA, STORED, crc32(content), len(content), content)
            writer.finish()

    def _write_objects(self, writer: ZipWriter, limits: Limits, run: Run) -> None:
        with run.step('copy objects', None, 'objects'):
            for member in self.members:
                if member.name.startswith(PREFIX) and member.name != PREFIX:
                    _copy_member(self.directory, member, writer, limits.large_bytes, self.hashed)
                    run.progress.advance(1)
                if run.stop.reason:
                    raise Interrupted(f'{run.stop.reason}: ended early, no archive was written')


def _copy_member(directory: ZipDirectory, member: Member, writer: ZipWriter, large_bytes: int, is_right: bool) -> None:
    """Take a member over as it is, after its checksum was found to be right."""
    check_readable(directory, member)
    if member.size > large_bytes or member.packed > large_bytes:
        if not is_right:
            for _ in member_chunks(directory, member):
                pass
        writer.add_pieces(member.name, _PackedBytes(directory, member), member.packed)
        return
    packed = directory.packed_bytes(member)
    if not is_right:
        unpack(packed, member, directory)
    writer.add(member.name, member.method, member.crc, member.size, packed)


class _PackedBytes:
    """The bytes of a member as they lie in its file."""

    def __init__(self, directory: ZipDirectory, member: Member) -> None:
        self._directory = directory
        self._member = member
        self.method, self.crc, self.size = member.method, member.crc, member.size

    def __iter__(self) -> Iterator[bytes]:
        begin, length = self._directory.data_offset(self._member), self._member.packed
        for position in range(0, length, COPY_BYTES):
            yield self._directory.read(begin + position, min(COPY_BYTES, length - position))


def _converted(metadata: dict[str, Any], notes: Iterable[str] = ()) -> dict[str, Any]:
    """The metadata of the new archive: the version, and in `conversion_info` how it came about."""
    told = metadata.get('conversion_info')
    note = f'Converted from version {metadata["export_version"]} to {HEAD} with Ricordi {__version__}'
    return {
        **metadata,
        'export_version': HEAD,
        'aiida_version': f'Ricordi {__version__}',
        'mtime': datetime.now().isoformat(),
        'conversion_info': [*(told if isinstance(told, list) else []), note, *notes],
    }


def _copy(source: Path, target: Path, overwrite: bool) -> None:
    with new_file(target, overwrite) as file, source.open('rb') as content:
        shutil.copyfileobj(content, file, COPY_BYTES)
