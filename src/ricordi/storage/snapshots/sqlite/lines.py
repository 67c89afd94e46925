"""The lines of most rows of an SQLite database, made many at a time: SQLite joins the values, bytes are replaced after.

What is not as most rows are (a value of the wrong type, a text too long for PostgreSQL, a uuid or time of another
form, one of the three control characters that stand between values here) is told apart, to be looked at one by one.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Sequence
from typing import NamedTuple, cast

from ricordi.backend.snapshots import TablePart
from ricordi.model.copy_text import escaped
from ricordi.model.fields import ValueKind
from ricordi.storage.snapshots.misfits import LARGEST_INTEGER
from ricordi.storage.snapshots.parts import PartColumn, columns_of

_FIELD, _ROW, _NULL = b'\x1f', b'\x1e', b'\x1d'
_UTF8_AT_ONCE = 1 << 20


class JoinedRow(NamedTuple):
    """A row as `row_sql` gives it.

    :param values: in one, what stands between them included; None where the row is unusual.
    :param nulls: how many of them are no value.
    """

    pk: int
    values: bytes | None
    nulls: int


def row_sql(part: TablePart) -> str:
    """A SELECT of all rows of a part, each as `JoinedRow` has it, by primary key."""
    columns = columns_of(part)
    joined = f" || '{_FIELD.decode()}' || ".join(map(_value, columns))
    usual = ' AND '.join(condition for column in columns[1:] for condition in _usual(column))
    nulls = ' + '.join(f'("{column.name}" IS NULL)' for column in columns if column.nullable)
    return f'SELECT id, CASE WHEN {usual} THEN CAST({joined} AS BLOB) END, {nulls or 0} FROM {part.table} ORDER BY id'


def _value(column: PartColumn) -> str:
    name = f'"{column.name}"'
    if column.kind is ValueKind.BOOL:
        return f"CASE {name} WHEN 1 THEN 't' ELSE 'f' END"
    return f"ifnull({name}, '{_NULL.decode()}')" if column.nullable else name


def _usual(column: PartColumn) -> list[str]:
    name, null = f'"{column.name}"', f'"{column.name}" IS NULL OR ' if column.nullable else ''
    if column.kind is ValueKind.BOOL:
        return [f"typeof({name}) = 'integer'", f'{name} IN (0, 1)']
    if column.kind is ValueKind.INT:
        return [f"({null}typeof({name}) = 'integer' AND {name} BETWEEN 0 AND {LARGEST_INTEGER})"]
    usual = f"typeof({name}) = 'text'"
    if column.kind in _LENGTHS:
        usual += f' AND length({name}) = {_LENGTHS[column.kind]}'
    if column.kind is ValueKind.TIME:
        usual += f" AND {name} BETWEEN '0' AND ':'"  # it begins with a digit
    if column.limit is not None:
        usual += f' AND length({name}) <= {column.limit}'
    return [f'({null}{usual})']


_LENGTHS = {ValueKind.UUID: 36, ValueKind.TIME: 26}


def lines_of(rows: Sequence[bytes | None], nulls: int, columns: int) -> bytes | None:
    """The lines of some rows; None where one of them has to be looked at.

    :param rows: the values of each, as `row_sql` gives them.
    :param nulls: how many there are in all of them.
    :param columns: how many the part has.
    """
    if None in rows:
        return None
    joined = _ROW.join(cast('Sequence[bytes]', rows)) + _ROW
    if (joined.count(_ROW), joined.count(_FIELD)) != (len(rows), len(rows) * (columns - 1)):
        return None
    if joined.count(_NULL) != nulls or not _is_utf8(joined):
        return None
    return escaped(joined).replace(_NULL, b'\\N').replace(_FIELD, b'\t').replace(_ROW, b'\n')


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        if len(text) <= _UTF8_AT_ONCE:
            text.decode()
        else:
            _decode_by_parts(text)
    except UnicodeDecodeError:
        return False
    return True


def _decode_by_parts(text: bytes) -> None:
    """Decode a large text without holding all of it."""
    decoder = getincrementaldecoder('utf-8')()
    for begin in range(0, len(text), _UTF8_AT_ONCE):
        decoder.decode(text[begin : begin + _UTF8_AT_ONCE])
    decoder.decode(b'', final=True)
