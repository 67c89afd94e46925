"""Pieces of a database and the lists of them: put as objects, and read back (docs/formats/backups.md)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import BinaryIO

from ricordi.backend.objects import HeldObject, StoredForm
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import Piece, TablePart
from ricordi.backup.records import PartRecord, PieceEntry
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.model.copy_text import StoredText, decode_field
from ricordi.model.file_trees import is_key, keys_in_text
from ricordi.zipfiles.codec import zlib_stream

PIECES_IN_A_LIST = 1024
"""A list covers so many widths of its part."""
LEVEL = 1
FILE_TREES = 'repository_metadata'
"""The column that names objects."""
APART = b'|'
"""Stands between trees that are looked through at once: no key is found across it."""


class NewPiece(HeldObject):
    """A piece, or a list, on its way into the place: compressed in whichever thread asks for it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._key = hashlib.sha256(data).hexdigest()

    @property
    def key(self) -> str:
        return self._key

    @property
    def size(self) -> int:
        return len(self._data)

    def stored(self, largest: int) -> StoredForm:
        stream = zlib_stream(self._data, LEVEL)
        if len(stream) < len(self._data):
            return StoredForm(stream, len(self._data), True)
        return StoredForm(self._data, len(self._data))

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)


def sum_of(entries: Sequence[PieceEntry]) -> tuple[int, int, int]:
    """Rows, bytes and odd rows of some pieces together."""
    columns = [(entry.rows, entry.bytes, entry.odd) for entry in entries]
    rows, size, odd = map(sum, zip(*columns, strict=True))
    return rows, size, odd


# lists -----------------------------------------------------------------------------------------------------


class PieceLists:
    """The lists of the pieces of a part, as the pieces come."""

    def __init__(self, part: TablePart) -> None:
        self.part = part
        self._span = part.width * PIECES_IN_A_LIST
        self._lines: list[PieceEntry] = []
        self._lists: list[PieceEntry] = []

    def close_before(self, first: int) -> NewPiece | None:
        """The list that is whole now that a piece comes which begins with this primary key."""
        if self._lines and first // self._span != self._lines[0].first // self._span:
            return self.close()
        return None

    def add(self, piece: Piece, key: str) -> None:
        """Take the next piece."""
        self._lines.append(PieceEntry(piece.first, piece.rows, len(piece.data), piece.odd, key))

    def close(self) -> NewPiece | None:
        """The list of what was taken since the last one; None if that is nothing."""
        if not self._lines:
            return None
        new = NewPiece(''.join(['\t'.join(map(str, entry)) + '\n' for entry in self._lines]).encode())
        rows, size, odd = sum_of(self._lines)
        self._lists.append(PieceEntry(self._lines[0].first, rows, size, odd, new.key))
        self._lines = []
        return new

    def record(self) -> PartRecord:
        """The part, when all its lists are closed."""
        return PartRecord(self.part, tuple(self._lists))


def pieces_in(store: RepositoryBackend, lists: PieceEntry) -> list[PieceEntry]:
    """The pieces that a list tells of.

    :raises ricordi.errors.MissingObject: the list is not there.
    :raises ricordi.errors.CorruptStorage: it is damaged, or is none.
    """
    content = store.get_object_content(lists.key)
    try:
        entries = [_entry(line) for line in content.decode('ascii').split('\n')[:-1]]
    except ValueError as error:
        raise CorruptStorage(f'object {lists.key} should list pieces of a database, and does not: {error}') from None
    if sum(entry.rows for entry in entries) != lists.rows:
        raise CorruptStorage(f'object {lists.key} lists other rows than its snapshot says')
    return entries


def has_pieces(parts: Iterable[PartRecord], store: RepositoryBackend, damaged: frozenset[str] = frozenset()) -> bool:
    """Whether the pieces and lists of some parts are in the place, as far as is known.

    :param damaged: keys of objects of the place that are not what they should be.
    """
    lists = [entry for part in parts for entry in part.lists]
    try:
        pieces = [entry.key for one in lists for entry in pieces_in(store, one)]
    except (CorruptStorage, NotExistent):
        return False
    return damaged.isdisjoint(pieces) and all(store.has_objects([*pieces, *(one.key for one in lists)]))


def _entry(line: str) -> PieceEntry:
    first, rows, size, odd, key = line.split('\t')
    if not is_key(key):
        raise ValueError(f'{key[:80]!r} is no key')
    return PieceEntry(int(first), int(rows), int(size), int(odd), key)


# pieces ----------------------------------------------------------------------------------------------------


def pieces_ahead(
    store: RepositoryBackend, entries: Sequence[PieceEntry]
) -> Iterator[tuple[PieceEntry, Callable[[], Piece]]]:
    """Pieces in order, each with what gives it, as of `read_piece`; the next ones are read meanwhile where it pays."""
    contents = store.contents_ahead(entry.key for entry in entries)
    with closing(contents):
        for entry, content in zip(entries, contents, strict=True):
            yield entry, partial(read_piece, entry, content)


def read_piece(entry: PieceEntry, content: Callable[[], bytes]) -> Piece:
    """A piece, compared with its key.

    :param content: of the object.
    :raises ricordi.errors.MissingObject: it is not there.
    :raises ricordi.errors.CorruptStorage: it is damaged, or not what its list says.
    """
    data = content()
    if len(data) != entry.bytes or data.count(b'\n') != entry.rows:
        raise CorruptStorage(f'object {entry.key} is not the piece of a database that its list says')
    return Piece(entry.first, entry.rows, entry.odd, data)


def keys_named_in(data: bytes, part: TablePart) -> Iterator[str]:
    """The keys that the nodes of a piece name, in no order; none where the part has no file trees."""
    if FILE_TREES not in part.columns:
        return
    place, width = part.columns.index(FILE_TREES), len(part.columns)
    rows = (line.split(b'\t') for line in data.split(b'\n')[:-1])
    trees = [fields[place] for fields in rows if len(fields) == width]
    together = APART.join(trees)
    if b'\\' in together:
        for tree in trees:
            yield from keys_in_text(_text_of(tree))
    else:  # as nearly always: all at once
        yield from keys_in_text(together)


def _text_of(field: bytes) -> bytes:
    """The JSON text in a field."""
    if b'\\' not in field:
        return field
    value = decode_field(field.decode('utf-8', 'replace'))
    if isinstance(value, str):
        return value.encode('utf-8', 'replace')
    return bytes(value) if isinstance(value, StoredText | bytes) else b''
