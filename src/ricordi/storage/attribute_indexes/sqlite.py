"""Indexes of attributes and extras on SQLite: of the type and the value at a path, of the nodes that have it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ricordi.backend.attribute_indexes import AttributeIndex
from ricordi.errors import CorruptStorage, StorageError
from ricordi.model.attribute_paths import AttributePath
from ricordi.storage.attribute_indexes.names import PREFIX, index_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ricordi.storage.session import Session

_TYPE = re.compile(r"json_type\((attributes|extras), '\$((?:\.\"[^\"]*\")+)'\)")
_OWN = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name GLOB '{PREFIX}*'"


def literal_path(keys: Sequence[str]) -> str:
    """A path in JSON as a text of SQL, for keys that hold no quotes. A parameter would find no index."""
    return "'$" + ''.join(f'."{key}"' for key in keys) + "'"


def indexed_paths(session: Session) -> frozenset[AttributePath]:
    """The paths that there are indexes of."""
    found = (_path_in(sql) for _, sql in session.execute(_OWN))
    return frozenset(path for path in found if path is not None)


def list_indexes(session: Session) -> list[AttributeIndex]:
    """The indexes there are, by path."""
    own = [(name, _path_in(sql)) for name, sql in session.execute(_OWN).fetchall()]
    return sorted(AttributeIndex(path, _size(session, name)) for name, path in own if path is not None)


def add_index(session: Session, path: AttributePath) -> None:
    """Make the index of a path. Others go on reading until the moment it is committed.

    :raises ricordi.errors.CorruptStorage: a row holds no JSON where there should be some.
    """
    kind = f'json_type({path.column}, {literal_path(path.keys)})'
    value = f'json_extract({path.column}, {literal_path(path.keys)})'
    name = index_name(path)
    try:
        with _readers_left_in(session), session.transaction():
            session.execute(f'CREATE INDEX {name} ON db_dbnode ({kind}, {value}) WHERE {kind} IS NOT NULL')
            session.execute(f'ANALYZE {name}')
    except StorageError as error:
        if not session.dialect.is_of_a_row(error.__cause__):
            raise
        raise CorruptStorage(
            f'no index can be made of {path}: some node holds what is no JSON in its {path.column}'
        ) from error


def drop_index(session: Session, path: AttributePath) -> None:
    """Remove the index of a path."""
    with session.transaction():
        session.execute(f'DROP INDEX {index_name(path)}')


@contextmanager
def _readers_left_in(session: Session) -> Iterator[None]:
    """Pages that do not fit into the cache stay in memory: written before the end, they would keep readers out."""
    before = session.execute('PRAGMA cache_spill').fetchone()[0]
    session.execute('PRAGMA cache_spill = OFF')
    try:
        yield
    finally:
        session.execute(f'PRAGMA cache_spill = {before}')


def _path_in(sql: str) -> AttributePath | None:
    match = _TYPE.search(sql)
    return AttributePath(match[1], tuple(match[2][2:-1].split('"."'))) if match else None


def _size(session: Session, name: str) -> int | None:
    try:
        return int(session.execute('SELECT sum(pgsize) FROM dbstat WHERE name = ?', (name,)).fetchone()[0])
    except StorageError:  # this SQLite was built without the table of pages
        return None
