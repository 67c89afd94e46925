"""What was read of an old archive, kept on disk until all of it is there: its parts come in any order."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from ricordi.model.file_trees import is_file, new_children, new_file
from ricordi.storage.archive.legacy.json_stream import JsonStream
from ricordi.storage.archive.legacy.layout import KINDS, entity
from ricordi.zipfiles.format import Member

SECTIONS = ('node_attributes', 'node_extras', 'node_attributes_conversion', 'node_extras_conversion')
"""Of `data.json`: values by the pk of a node."""
MOST_DIGITS = 19
"""So many may be too many for a pk."""

_TABLES = (
    'CREATE TABLE record (kind TEXT, pk INTEGER, fields TEXT, PRIMARY KEY (kind, pk)) WITHOUT ROWID',
    *(f'CREATE TABLE {section} (pk INTEGER PRIMARY KEY, value TEXT)' for section in SECTIONS),
    'CREATE TABLE link (id INTEGER PRIMARY KEY, source TEXT, target TEXT, label TEXT, type TEXT)',
    'CREATE TABLE member (id INTEGER PRIMARY KEY, "group" TEXT, node TEXT)',
    'CREATE TABLE before (pk INTEGER PRIMARY KEY, node_type TEXT)',
    'CREATE TABLE node (uuid TEXT PRIMARY KEY, pk INTEGER, before TEXT, after TEXT) WITHOUT ROWID',
    'CREATE TABLE file (uuid TEXT, path TEXT, key TEXT, PRIMARY KEY (uuid, path)) WITHOUT ROWID',
    'CREATE TABLE symbols (uuid TEXT PRIMARY KEY, content BLOB)',
    'CREATE TABLE object (key TEXT PRIMARY KEY, method INTEGER, crc INTEGER, packed INTEGER, size INTEGER, '
    '"offset" INTEGER, flags INTEGER) WITHOUT ROWID',
    'CREATE TABLE extent ("offset" INTEGER PRIMARY KEY, packed INTEGER)',
)


class Scratch:
    """The tables, in the temporary database of a connection."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        """
        :param raw: a connection to another database, whose temporary one is empty.
        """
        self.raw = raw
        self.other: dict[str, int] = {}
        """Entities that are no rows today, and how many of each there were."""
        self._has_symbols = False
        for setting in ('temp_store = FILE', 'temp.journal_mode = OFF', 'temp.cache_size = -16384'):
            raw.execute(f'PRAGMA {setting}').fetchall()
        for statement in _TABLES:
            raw.execute(statement.replace('CREATE TABLE', 'CREATE TEMP TABLE'))

    # -- data.json ----------------------------------------------------------------------------------------------

    def take_data(self, stream: JsonStream) -> None:
        """Take in the content of `data.json`.

        :raises ValueError: it is not what an archive has.
        """
        for section in stream.members():
            if section == 'export_data':
                self._take_entities(stream)
            elif section in SECTIONS:
                self.raw.executemany(f'INSERT OR REPLACE INTO temp.{section} VALUES (?, ?)', _by_pk(stream))
            elif section == 'links_uuid':
                statement = 'INSERT INTO temp.link (source, target, label, type) VALUES (?, ?, ?, ?)'
                self.raw.executemany(statement, _links(stream))
            elif section == 'groups_uuid':
                self.raw.executemany('INSERT INTO temp.member ("group", node) VALUES (?, ?)', _members(stream))
            else:
                stream.value()
        stream.end()

    def _take_entities(self, stream: JsonStream) -> None:
        for name in map(entity, stream.members()):
            if name in KINDS:
                rows = ((name, pk, text) for pk, text in _by_pk(stream))
                self.raw.executemany('INSERT OR REPLACE INTO temp.record VALUES (?, ?, ?)', rows)
            else:
                self.other[name] = sum(1 for _ in _by_pk(stream))

    def records(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Pk and fields of all rows of an entity, by pk.

        :raises ValueError: one has no fields.
        """
        for pk, text in self.raw.execute('SELECT pk, fields FROM temp.record WHERE kind = ? ORDER BY pk', (name,)):
            yield pk, _fields(name, pk, text)

    def nodes(self) -> Iterator[tuple[int, dict[str, Any], list[str | None]]]:
        """Pk, fields, and the texts of `SECTIONS` of all nodes, by pk.

        :raises ValueError: one has no fields.
        """
        values = ', '.join(f'{section}.value' for section in SECTIONS)
        joins = ' '.join(f'LEFT JOIN temp.{section} ON {section}.pk = r.pk' for section in SECTIONS)
        for pk, text, *texts in self.raw.execute(
            f"SELECT r.pk, r.fields, {values} FROM temp.record AS r {joins} WHERE r.kind = 'Node' ORDER BY r.pk"
        ):
            yield pk, _fields('Node', pk, text), texts

    # -- files --------------------------------------------------------------------------------------------------

    def take_folder(self, uuid: str, path: str) -> None:
        """Note a folder of a node."""
        self.raw.execute('INSERT OR IGNORE INTO temp.file VALUES (?, ?, NULL)', (uuid, path))

    def take_file(self, uuid: str, path: str, key: str) -> None:
        """Note a file of a node."""
        self.raw.execute('INSERT OR REPLACE INTO temp.file VALUES (?, ?, ?)', (uuid, path, key))

    def take_object(self, key: str, member: Member | None = None) -> bool:
        """Note an object, and where it lies; returns whether it is new."""
        values = (None,) * 6 if member is None else member[1:]
        done = self.raw.execute('INSERT OR IGNORE INTO temp.object VALUES (?, ?, ?, ?, ?, ?, ?)', (key, *values))
        return done.rowcount == 1

    def key_of(self, uuid: str, path: str) -> str | None:
        """The key of a file that was taken before."""
        found = self.raw.execute('SELECT key FROM temp.file WHERE uuid = ? AND path = ?', (uuid, path)).fetchone()
        return None if found is None else found[0]

    def take_symbols(self, uuid: str, content: bytes) -> None:
        """Keep the content of a small file that a step may take over into attributes."""
        self._has_symbols = True
        self.raw.execute('INSERT OR REPLACE INTO temp.symbols VALUES (?, ?)', (uuid, content))

    def symbols_of(self, uuid: str) -> bytes | None:
        """What `take_symbols` has kept of a node."""
        if not self._has_symbols:
            return None
        found = self.raw.execute('SELECT content FROM temp.symbols WHERE uuid = ?', (uuid,)).fetchone()
        return None if found is None else bytes(found[0])

    def tree(self, uuid: str, without: list[str]) -> str:
        """The file tree of a node, as JSON.

        :param without: paths of files that are left out.
        :raises ValueError: a file lies where a folder is.
        """
        root: dict[str, Any] = {}
        for path, key in self.raw.execute('SELECT path, key FROM temp.file WHERE uuid = ? ORDER BY path', (uuid,)):
            if path in without:
                continue
            *folders, name = path.split('/')
            place = root
            for folder in folders:
                place = new_children(place).setdefault(folder, {})
                if is_file(place):
                    raise ValueError(f'{path[:200]!r} of node {uuid} lies in what is a file')
            new_children(place).setdefault(name, {} if key is None else new_file(key))
        return json.dumps(root)

    def members(self, prefix: str) -> Iterator[Member]:
        """Where the objects lie in the zip file, each once, from front to back.

        :param prefix: what stands before the key in their names.
        """
        statement = 'SELECT key, method, crc, packed, size, "offset", flags FROM temp.object ORDER BY "offset"'
        for key, *rest in self.raw.execute(statement):
            yield Member(prefix + key, *rest)


def _fields(name: str, pk: int, text: str) -> dict[str, Any]:
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError(f'the {name} with pk {pk} has no fields')
    return fields


def _by_pk(stream: JsonStream) -> Iterator[tuple[int, str]]:
    for name in stream.members():
        if not (name.isascii() and name.isdecimal() and len(name) < MOST_DIGITS):
            raise ValueError(f'{name[:50]!r} is no pk')
        yield int(name), json.dumps(stream.value())


def _links(stream: JsonStream) -> Iterator[tuple[str | None, ...]]:
    for _ in stream.elements():
        link = stream.value()
        if not isinstance(link, dict):
            raise ValueError(f'{str(link)[:50]!r} is no link')
        values = tuple(map(link.get, ('input', 'output', 'label', 'type')))
        if not all(isinstance(value, str | None) for value in values):
            raise ValueError(f'{str(link)[:200]} is no link')
        yield values


def _members(stream: JsonStream) -> Iterator[tuple[str, str]]:
    for group in stream.members():
        for _ in stream.elements():
            yield group, str(stream.value())
