"""An old archive read once from front to back: rows into a database of `main_0000`, files into objects."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ricordi.errors import CorruptStorage, Interrupted
from ricordi.model.values import LARGEST_VALUE
from ricordi.progress import Run
from ricordi.storage import schema
from ricordi.storage.archive.file import (
    ALWAYS_UNPACKED,
    MOST_SHRINKING,
    find_member,
    is_tar,
)
from ricordi.storage.archive.legacy.conversion import Conversion
from ricordi.storage.archive.legacy.json_stream import JsonStream
from ricordi.storage.archive.legacy.layout import DATA, SYMBOLS, place_of
from ricordi.storage.archive.legacy.numpy_texts import LARGEST as LARGEST_SYMBOLS
from ricordi.storage.archive.legacy.scratch import Scratch
from ricordi.storage.archive.legacy.tar_file import TarArchive, reading_tar
from ricordi.storage.archive.migration import failure_of
from ricordi.storage.sqlite.strangers import end_when_asked
from ricordi.zipfiles.deflate import DeflatedPieces, crc32, deflate
from ricordi.zipfiles.directory import RenamingDirectory, ZipDirectory
from ricordi.zipfiles.format import DEFLATED, Member
from ricordi.zipfiles.member import check_readable, is_small, member_chunks, read_member
from ricordi.zipfiles.writer import ZipWriter

if TYPE_CHECKING:
    import tarfile

LEVEL = 1
"""Of deflating what comes from a tar file, until it is where it belongs."""
SPOOL_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class LegacyArchive:
    """What was read.

    :param directory: the zip file that its objects are in: the archive itself, or a temporary one.
    :param members: yields where they are in it, each once, from front to back, under the names they have today.
    :param database: a file of the version `main_0000`.
    :param notes: what was left out, in words.
    """

    directory: ZipDirectory
    members: Callable[[], Iterator[Member]]
    database: Path
    notes: tuple[str, ...]


@contextmanager
def reading_legacy(
    path: Path, version: str, folder: Path, prefix: str, trust: Callable[[ZipDirectory], Iterable[Member]], run: Run
) -> Iterator[LegacyArchive]:
    """Read an archive; what comes of it can be used for the length of a `with` block.

    :param version: of the archive, by its metadata.
    :param folder: where temporary files may be made.
    :param prefix: what stands before the key in the name of an object.
    :param trust: yields the members of a zip file, if their names and sizes can be trusted.
    :raises ricordi.errors.CorruptStorage: it is damaged, or not what an archive of its version is.
    :raises ricordi.errors.Interrupted: `run.stop` was asked to end the work.
    """
    database = folder / 'main_0000.sqlite3'
    with closing(_new_database(database, run)) as raw, _in_words(path, run):
        raw.execute('BEGIN')
        scratch = Scratch(raw)
        reader = _TarReader(path, folder, scratch, run) if is_tar(path) else _ZipReader(path, trust, scratch, run)
        with closing(reader):
            with run.step('read the archive', None, 'objects'):
                reader.read()
            with run.step('convert the rows', None, 'rows'):
                conversion = Conversion(scratch, version)
                conversion.run()
            raw.execute('COMMIT')
            directory = reader.directory(prefix)
            with closing(directory):
                yield LegacyArchive(directory, lambda: reader.members(prefix), database, tuple(conversion.notes))


def _new_database(path: Path, run: Run) -> sqlite3.Connection:
    """A file with the tables of `main_0000`: those of today, where values may be missing."""
    raw = sqlite3.connect(f'{path.absolute().as_uri()}?mode=rwc', uri=True, isolation_level=None)
    raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    end_when_asked(raw, lambda: run.stop.reason)
    for setting in ('journal_mode = OFF', 'synchronous = OFF', 'cache_size = -16384'):
        raw.execute(f'PRAGMA {setting}').fetchall()
    for statement in schema.definitions('sqlite'):
        if statement.lstrip().startswith('CREATE TABLE') and 'alembic_version' not in statement:
            raw.execute(statement.replace(' NOT NULL', ''))
    return raw


@contextmanager
def _in_words(path: Path, run: Run) -> Iterator[None]:
    """What is wrong with the content of an archive becomes an error that names it."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure_of(error, str(path), run.stop) from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise CorruptStorage(f'{path} cannot be brought to the current version: {error}') from error


class _FileReader:
    """What both kinds of file have in common."""

    def __init__(self, path: Path, scratch: Scratch, run: Run) -> None:
        self._path = path
        self._scratch = scratch
        self._run = run

    def _take_data(self, chunks: Iterable[bytes]) -> None:
        self._scratch.take_data(JsonStream(map(self._checked, chunks)))

    def _checked(self, chunk: bytes) -> bytes:
        self._check_stop()
        return chunk

    def _check_stop(self) -> None:
        if self._run.stop.reason:
            raise Interrupted(f'{self._run.stop.reason}: ended early; nothing was changed')

    def _refuse_without_data(self, found: bool) -> None:
        if not found:
            raise CorruptStorage(f'there is no {DATA} in {self._path}; get the archive anew')


class _ZipReader(_FileReader):
    """A zip file: its objects stay where they are, and are called otherwise."""

    def __init__(
        self, path: Path, trust: Callable[[ZipDirectory], Iterable[Member]], scratch: Scratch, run: Run
    ) -> None:
        super().__init__(path, scratch, run)
        self._trust = trust
        self._directory = RenamingDirectory(path)

    def close(self) -> None:
        """Close the file."""
        self._directory.close()

    def directory(self, prefix: str) -> ZipDirectory:
        """The file that holds the objects."""
        self._directory.renamed = True  # all names have been compared by now
        return self._directory

    def members(self, prefix: str) -> Iterator[Member]:
        """The objects in it."""
        return self._scratch.members(prefix)

    def read(self) -> None:
        """Take in all that is in it."""
        self._refuse_overlap()
        data = find_member(self._directory, DATA)
        self._refuse_without_data(data is not None)
        if data is not None:
            if data.size > max(ALWAYS_UNPACKED, MOST_SHRINKING * data.packed):
                raise ValueError(f'{DATA} would unpack {data.packed:,} bytes to {data.size:,}, as no real one does')
            self._take_data(member_chunks(self._directory, data))
        for member in self._directory.members():
            self._check_stop()
            if (place := place_of(member.name)) is not None:
                self._take(member, *place)
            else:
                self._directory.data_offset(member)  # sees that it is called so in both places

    def _take(self, member: Member, uuid: str, path: str) -> None:
        if member.name.endswith('/'):
            self._directory.data_offset(member)
            self._scratch.take_folder(uuid, path)
            return
        check_readable(self._directory, member)
        digest, content = hashlib.sha256(), b''
        if is_small(member):
            content = read_member(self._directory, member)
            digest.update(content)
        else:
            for chunk in member_chunks(self._directory, member):
                digest.update(self._checked(chunk))
        if path == SYMBOLS and content:
            self._scratch.take_symbols(uuid, content)
        self._scratch.take_object(digest.hexdigest(), member)
        self._scratch.take_file(uuid, path, digest.hexdigest())
        self._run.progress.advance(1)

    def _refuse_overlap(self) -> None:
        """Members that share bytes: how a small file takes for ever to read."""
        raw = self._scratch.raw
        try:
            raw.executemany(
                'INSERT INTO temp.extent VALUES (?, ?)', ((m.offset, m.packed) for m in self._trust(self._directory))
            )
        except sqlite3.IntegrityError:
            raise ValueError('two files in it lie in the same place') from None
        shared = raw.execute(
            'SELECT 1 FROM (SELECT "offset", lag("offset" + packed, 1, 0) OVER (ORDER BY "offset") AS before '
            'FROM temp.extent) WHERE "offset" < before LIMIT 1'
        ).fetchone()
        if shared is not None:
            raise ValueError('files in it share bytes')


class _TarReader(_FileReader):
    """A tar file: as nothing in it can be found again, its objects go into a temporary zip file, each once."""

    def __init__(self, path: Path, folder: Path, scratch: Scratch, run: Run) -> None:
        super().__init__(path, scratch, run)
        self._objects = folder / 'objects.zip'

    def close(self) -> None:
        """Nothing stays open."""

    def directory(self, prefix: str) -> ZipDirectory:
        """The file that holds the objects, whose names have no prefix there."""
        directory = RenamingDirectory(self._objects)
        directory.renamed = True
        return directory

    def members(self, prefix: str) -> Iterator[Member]:
        """The objects in it."""
        with closing(ZipDirectory(self._objects)) as directory:
            for member in directory.members():
                yield member._replace(name=prefix + member.name)

    def read(self) -> None:
        """Take in all that is in it."""
        found = False
        with (
            self._objects.open('w+b') as file,
            closing(ZipWriter(file)) as writer,
            ThreadPoolExecutor(1, thread_name_prefix='deflate') as executor,
            reading_tar(self._path) as archive,
        ):
            for name, header in archive:
                self._check_stop()
                if name == DATA and not found:
                    self._take_data(archive.chunks(header))
                    found = True
                elif (place := place_of(name)) is not None:
                    self._take(archive, header, *place, writer, executor)
            writer.finish()
        self._refuse_without_data(found)

    def _take(
        self,
        archive: TarArchive,
        header: tarfile.TarInfo,
        uuid: str,
        path: str,
        writer: ZipWriter,
        executor: Executor,
    ) -> None:
        if header.isdir():
            self._scratch.take_folder(uuid, path)
        elif header.isreg():
            with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spooled:
                key = self._spool(archive, header, spooled)
                if path == SYMBOLS and header.size <= LARGEST_SYMBOLS:
                    spooled.seek(0)
                    self._scratch.take_symbols(uuid, spooled.read())
                if self._scratch.take_object(key):
                    _add(spooled, header.size, key, writer, executor)
            self._scratch.take_file(uuid, path, key)
            self._run.progress.advance(1)
        elif header.islnk() and (linked := place_of(header.linkname)) is not None:
            known = self._scratch.key_of(*linked)
            if known is None:
                raise ValueError(f'{path[:200]!r} of node {uuid} is a link to what is not there')
            self._scratch.take_file(uuid, path, known)
        else:
            raise ValueError(f'{path[:200]!r} of node {uuid} is neither a file nor a folder')

    def _spool(self, archive: TarArchive, header: tarfile.TarInfo, spooled: IO[bytes]) -> str:
        digest = hashlib.sha256()
        for chunk in archive.chunks(header):
            digest.update(self._checked(chunk))
            spooled.write(chunk)
        return digest.hexdigest()


def _add(content: IO[bytes], size: int, key: str, writer: ZipWriter, executor: Executor) -> None:
    """Add an object to the temporary file."""
    content.seek(0)
    if size > SPOOL_BYTES:
        chunks = iter(lambda: content.read(1 << 20), b'')
        writer.add_pieces(key, DeflatedPieces(chunks, LEVEL, executor), size)
        return
    whole = content.read()
    writer.add(key, DEFLATED, crc32(whole), len(whole), deflate(whole, LEVEL))
