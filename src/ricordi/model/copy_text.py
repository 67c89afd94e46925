r"""The grammar of rows in backups: one row a line, in the text form of PostgreSQL's `COPY`.

A line is the fields of a row in the order of the columns, a TAB between them and a LF at its end, in UTF-8. The first
field is the primary key.

- No value: `\N`.
- Integers in decimal digits; booleans `t` and `f`; times `YYYY-MM-DD HH:MM:SS.ffffff` in UTC; uuids in 36 characters,
  lower case; JSON and texts as they are stored, verbatim. (A uuid that SQLite holds in another form stands as it is; so
  does a time that begins with a digit.)
- In each of them, backslash, backspace, form feed, LF, CR, TAB and vertical tab are written `\\ \b \f \n \r \t \v`; no
  other character is escaped, and no other escape is used.
- An *odd* value is one that a column of its kind cannot hold by right, and that SQLite holds nevertheless. Its field is
  `\.`, a letter, and hexadecimal digits in lower case: `\.t` and the bytes of a text that is not UTF-8, or stands where
  an integer, a boolean or a time belongs; `\.b` and the bytes of a BLOB; `\.r` and the eight bytes of a floating point
  number, big-endian (IEEE 754); after `\.i` stands an integer in decimal digits. A row with such a field is an odd row.

  Since every other backslash that follows a TAB is doubled, or followed by `N` or a letter of the list above, TAB,
  backslash, full stop are found in odd rows alone. `COPY` refuses such a line instead of misreading it.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from ricordi.model.fields import ValueKind

NULL = '\\N'
ODD = '\\.'
_ODD_FIELD = b'\t\\.'

ESCAPES = (('\b', '\\b'), ('\t', '\\t'), ('\n', '\\n'), ('\v', '\\v'), ('\f', '\\f'), ('\r', '\\r'))
"""Characters that are written otherwise, besides the backslash, and how."""


class StoredText(bytes):
    """The bytes of a text as a database holds it, whether they are UTF-8 or not; plain `bytes` are those of a BLOB."""


Stored = int | float | bytes | StoredText | None
"""A value as SQLite holds it."""


# -- written -------------------------------------------------------------------------------------------------


def encode_row(values: list[Stored], kinds: list[ValueKind]) -> bytes:
    """The line of a row, LF included, whatever its values are.

    :param kinds: of its columns, as many as there are values.
    """
    return b'\t'.join(map(encode_field, values, kinds)) + b'\n'


def encode_field(value: Stored, kind: ValueKind) -> bytes:
    """The field of a value in a column of some kind; an odd one where it does not belong there."""
    if value is None:
        return b'\\N'
    if isinstance(value, StoredText):
        return escaped(value) if _is_of_kind(value, kind) else _odd(value)
    if isinstance(value, int):
        if kind is ValueKind.BOOL and value in (0, 1):
            return b't' if value else b'f'
        if kind in (ValueKind.INT, ValueKind.JSON):
            return b'%d' % value
    if isinstance(value, float) and kind is ValueKind.JSON and _has_few_digits(value):
        return repr(value).encode()
    return _odd(value)


def escaped(text: bytes) -> bytes:
    """A text with what has a meaning in a line written otherwise."""
    text = text.replace(b'\\', b'\\\\')
    for character, escape in _ESCAPED_BYTES:
        text = text.replace(character, escape)
    return text


_ESCAPED_BYTES = tuple((character.encode(), escape.encode()) for character, escape in ESCAPES)


def _is_of_kind(text: StoredText, kind: ValueKind) -> bool:
    if kind in (ValueKind.INT, ValueKind.BOOL):
        return False
    if kind is ValueKind.TIME and not text[:1].isdigit():  # PostgreSQL takes `yesterday` for one, among others
        return False
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_few_digits(number: float) -> bool:
    """Whether SQLite, which reads fifteen digits of a number, reads this one as it is."""
    return math.isfinite(number) and float(f'{number:.15g}') == number


def _odd(value: int | float | bytes) -> bytes:
    if isinstance(value, StoredText):
        return b'\\.t' + value.hex().encode()
    if isinstance(value, bytes):
        return b'\\.b' + value.hex().encode()
    if isinstance(value, float):
        return b'\\.r' + struct.pack('>d', value).hex().encode()
    return b'\\.i%d' % value


# -- read ----------------------------------------------------------------------------------------------------


def unescaped(field: str) -> str:
    """The text of a field that is neither `\\N` nor odd.

    :raises ValueError: there is a backslash in it that begins none of the escapes.
    """
    if '\\' not in field:
        return field
    # A run of backslashes begins where an escape begins, so that pairs from its left are the doubled ones.
    return '\\'.join([part if '\\' not in part else _without_escapes(part) for part in field.split('\\\\')])


def _without_escapes(part: str) -> str:
    for character, escape in ESCAPES:
        part = part.replace(escape, character)
    if '\\' in part:
        raise ValueError('a backslash begins no known escape')
    return part


def decode_field(field: str) -> str | int | float | bytes | StoredText | None:
    """The value of a field: a text for what is plain, whatever the kind of its column.

    :raises ValueError: it breaks the grammar.
    """
    if field == NULL:
        return None
    return _decode_odd(field) if field.startswith(ODD) else unescaped(field)


def _decode_odd(field: str) -> Stored:
    letter, rest = field[2:3], field[3:]
    if letter == 't':
        return StoredText(bytes.fromhex(rest))
    if letter == 'b':
        return bytes.fromhex(rest)
    if letter == 'i':
        return int(rest)
    if letter == 'r' and len(rest) == 16:
        return float(struct.unpack('>d', bytes.fromhex(rest))[0])
    raise ValueError(f'there is no odd value of the form {field[:3]}')


def is_odd(line: bytes) -> bool:
    """Whether a line holds a value that a column of its kind cannot hold."""
    return _ODD_FIELD in line


def count_odd(lines: bytes) -> int:
    """How many of some lines are odd."""
    return sum(map(is_odd, lines.split(b'\n'))) if _ODD_FIELD in lines else 0


def pk_of(line: bytes) -> int:
    """The primary key of a row.

    :raises ValueError: its first field is no integer.
    """
    return int(line[: line.find(b'\t')])


def fields_of(line: bytes) -> list[str]:
    """The fields of a line, with or without its LF, as they are written.

    :raises ValueError: it is no UTF-8.
    """
    return line.removesuffix(b'\n').decode().split('\t')


def value_text(value: Any) -> str:
    """What to call an odd value in a message."""
    if isinstance(value, StoredText):
        return 'a text that is not UTF-8, or none of its kind'
    if isinstance(value, bytes):
        return 'bytes in place of a text'
    return f'the number {value!r}'
