"""Rows that no import takes, found before an archive is written: it would be found worthless when it is needed.

One quick look in SQL at all rows; only where that finds what may be wrong, rows are looked at one by one.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ricordi.errors import CorruptStorage, ValidationError
from ricordi.model.fields import FIELDS, TABLES, EntityKind, RowField, ValueKind
from ricordi.model.file_trees import fault_of_text
from ricordi.model.values import (
    LARGEST_VALUE,
    MOST_ELEMENTS,
    NO_TEXT,
    is_time_text,
    is_uuid_text,
    json_fault,
    size_fault,
)
from ricordi.storage.columns import columns, json_columns, place_of, row_words
from ricordi.storage.sqlite.dialect import SqliteDialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ricordi.storage.dialect import Dialect

_WAY_OUT = 'restore this row from a backup, delete it, or choose what shall go into the archive without it'


def refuse_damage(raw: sqlite3.Connection, place: str) -> None:
    """See that all values of a database that came from SQLite can be read, and none is too large once it is read.

    :param place: where the rows come from, in words.
    :raises ricordi.errors.CorruptStorage: a value is damaged; the message names it.
    :raises ricordi.errors.ValidationError: one has too many elements.
    """
    for kind in EntityKind:
        fields = [field for field in FIELDS[kind].values() if field.kind not in (ValueKind.INT, ValueKind.BOOL)]
        if fields and not _is_plainly_sound(raw, TABLES[kind], fields):
            _look_closely(raw, place, TABLES[kind], fields)
    for pk, _, text in raw.execute(SqliteDialect.suspect_trees):
        if fault := fault_of_text(text):
            raise _damaged(place, TABLES[EntityKind.NODE], pk, 'repository_metadata', fault)


def refuse_many_elements(raw: sqlite3.Connection, place: str) -> None:
    """Of a database that came from PostgreSQL, where no value can be damaged: see that none has too many elements.

    :raises ricordi.errors.ValidationError: one has.
    """
    for table, column in json_columns():
        for pk, text in raw.execute(f'SELECT id, {column} FROM {table} WHERE length({column}) > {MOST_ELEMENTS}'):
            _refuse_elements(place, table, pk, column, text)


def too_large(dialect: Dialect) -> ValidationError:
    """The error for a row that is larger than one of an archive may be; it names the row, if it can be found."""
    length = 'length(CAST({} AS BLOB))' if dialect.name == 'sqlite' else 'octet_length(({})::text)'
    raw = dialect.connect()
    try:
        for kind in EntityKind:
            total = ' + '.join(f'coalesce({length.format(column)}, 0)' for column in columns(kind).values())
            found = raw.execute(
                f'SELECT id FROM {TABLES[kind]} WHERE {total} > {LARGEST_VALUE - 4096} LIMIT 1'
            ).fetchone()
            if found is not None:
                return _too_large(f'the {row_words(TABLES[kind])} with pk {found[0]} in the {dialect.place}')
    finally:
        dialect.disconnect(raw)
    return _too_large(f'a row of the {dialect.place}')


def _too_large(what: str) -> ValidationError:
    return ValidationError(
        f'{what} is larger than {LARGEST_VALUE >> 20} MiB, the most that a row of an archive may take: choose what '
        'shall go into the archive without it, or keep large values in files'
    )


# the quick look --------------------------------------------------------------------------------------------


def _is_plainly_sound(raw: sqlite3.Connection, table: str, fields: Sequence[RowField]) -> bool:
    """Whether all values of a table are texts that can be read, JSON where they should be, and not very long."""
    sound = ' AND '.join(map(_sound, fields))
    text = ' || '.join(f"coalesce({field.column}, '')" if field.nullable else field.column for field in fields)
    try:
        rows = raw.execute(f'SELECT CASE WHEN {sound} THEN {text} END FROM {table}')
        return max(map(len, map(itemgetter(0), rows)), default=0) <= MOST_ELEMENTS
    except TypeError:  # the length of None
        return False
    except sqlite3.OperationalError as error:
        if 'Could not decode' in str(error):
            return False
        raise


def _sound(field: RowField) -> str:
    """What a value that is sound is; and so are some that are not, which the look at the text finds."""
    column = field.column
    is_text = f"{column} >= '' AND {column} < x''"  # in the order of SQLite numbers come before texts, bytes after them
    if field.kind is ValueKind.JSON:
        is_text += f' AND json_valid({column})'
    elif field.kind is ValueKind.UUID:
        is_text += f' AND length({column}) = 36'
    elif field.kind is ValueKind.TIME:
        is_text += f' AND length({column}) > 18'
    return f'({column} IS NULL OR {is_text})' if field.nullable else f'({is_text})'


# the close look --------------------------------------------------------------------------------------------


def _look_closely(raw: sqlite3.Connection, place: str, table: str, fields: Sequence[RowField]) -> None:
    chosen = ', '.join(f'typeof({field.column}), CAST({field.column} AS BLOB)' for field in fields)
    with _texts_as_bytes(raw):
        for pk, *values in raw.execute(f'SELECT id, {chosen} FROM {table}'):
            for field, found, content in zip(fields, values[::2], values[1::2], strict=True):
                fault = _fault(field, found, content)
                if fault is not None:
                    raise _damaged(place, table, pk, field.column, fault)
                if field.kind is ValueKind.JSON and content is not None:
                    _refuse_elements(place, table, pk, field.column, content.decode())


@contextmanager
def _texts_as_bytes(raw: sqlite3.Connection) -> Iterator[None]:
    raw.text_factory = bytes
    try:
        yield
    finally:
        raw.text_factory = str


def _fault(field: RowField, found: bytes, content: bytes | None) -> str | None:
    """What is wrong with a value, in words; None where it is sound.

    :param found: its type.
    """
    if content is None:
        return None if field.nullable else 'it is missing'
    if found != b'text':
        return f'it is of type {found.decode()} and no text'
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return NO_TEXT
    if field.kind is ValueKind.JSON:
        return None if size_fault(text) else json_fault(text)
    if field.kind is ValueKind.UUID:
        return None if is_uuid_text(text) else 'it is no uuid'
    return 'it is no time' if field.kind is ValueKind.TIME and not is_time_text(text) else None


def _refuse_elements(place: str, table: str, pk: Any, column: str, text: str) -> None:
    if fault := size_fault(text):
        raise ValidationError(
            f'in the {place} {place_of(table, pk, column)} cannot go into an archive: {fault}; choose what shall go '
            'into it without this one'
        )


def _damaged(place: str, table: str, pk: Any, column: str, fault: str) -> CorruptStorage:
    return CorruptStorage(
        f'in the {place} {place_of(table, pk, column)} is damaged: {fault}. No archive was written; {_WAY_OUT}'
    )
