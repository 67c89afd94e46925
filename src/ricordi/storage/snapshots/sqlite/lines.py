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
_UUID_LENGTH, _TIME_LENGTH = 36, 26


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
    """Conditions that hold of most values. SQLite orders numbers before texts and these before BLOBs, which is the
    cheapest way to tell their types."""
    name, null = f'"{column.name}"', f'"{column.name}" IS NULL OR ' if column.nullable else ''
    if column.kind is ValueKind.BOOL:
        return [f"typeof({name}) = 'integer'", f'{name} IN (0, 1)']
    if column.kind is ValueKind.INT:
        return [f"({null}typeof({name}) = 'integer' AND {name} BETWEEN 0 AND {LARGEST_INTEGER})"]
    if column.kind is ValueKind.TIME:
        return [f"({null}{name} BETWEEN '0' AND ':' AND length({name}) = {_TIME_LENGTH})"]  # it begins with a digit
    usual = f"{name} < x'' AND {name} >= ''"
    if column.kind is ValueKind.UUID:
        usual += f' AND length({name}) = {_UUID_LENGTH}'
    if column.limit is not None:
        usual += f' AND length({name}) <= {column.limit}'
    return [f'({null}{usual})']


def joined(rows: Sequence[bytes | None], nulls: int, columns: int) -> bytes | None:
    """Some rows in one; None where one of them has to be looked at.

    :param rows: the values of each, as `row_sql` gives them.
    :param nulls: how many there are in all of them.
    :param columns: how many the part has.
    """
    if None in rows:
        return None
    text = _ROW.join([*cast('Sequence[bytes]', rows), b''])
    if (_count(text, _ROW), _count(text, _FIELD)) != (len(rows), len(rows) * (columns - 1)):
        return None
    return text if _count(text, _NULL) == nulls and _is_utf8(text) else None


def lines_of(text: bytes) -> bytes:
    """The lines of joined rows."""
    return escaped(text).replace(_NULL, b'\\N').replace(_FIELD, b'\t').replace(_ROW, b'\n')


def _count(text: bytes, byte: bytes) -> int:
    """How often a byte is in a text in which it is rare: many times faster than `count`, which looks at every byte."""
    return len(text) - len(text.replace(byte, b''))


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
