"""What PostgreSQL would refuse of what SQLite holds, found while a snapshot is read, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from ricordi.backend.snapshots import Misfit
from ricordi.model.copy_text import decode_field, fields_of, value_text
from ricordi.model.fields import ValueKind
from ricordi.storage.snapshots.parts import PartColumn
from ricordi.storage.values import texts

LARGEST_INTEGER = (1 << 31) - 1


class Misfits:
    """Collects them while the rows of one snapshot go by."""

    def __init__(self, most: int) -> None:
        """
        :param most: how many are remembered.
        """
        self.found: list[Misfit] = []
        self._most = most

    def look_at(self, table: str, columns: Sequence[PartColumn], lines: bytes) -> None:
        """Look closely at those of some lines that `may_misfit`; none of them is odd."""
        for line in filter(may_misfit, lines.splitlines(keepends=True)):
            self.look_closely(table, columns, line)

    def look_closely(self, table: str, columns: Sequence[PartColumn], line: bytes) -> None:
        """Look at each value of a row."""
        if len(self.found) < self._most:
            found = misfits_of(table, columns, line)
            self.found.extend(found[: self._most - len(self.found)])


def may_misfit(text: bytes) -> bool:
    """Whether PostgreSQL might refuse a text or JSON of some rows: a search of the bytes tells, most often."""
    if b'\x00' in text or b'Infinity' in text or _NAN.search(text):
        return True
    return b'\\' in text and any(sign in text for sign in (b'\\u0000', b'\\ud', b'\\uD'))


_NAN = re.compile(rb'N(?:aN)')  # found faster than the bytes `NaN` are


def misfits_of(table: str, columns: Sequence[PartColumn], line: bytes) -> list[Misfit]:
    """What PostgreSQL would refuse of a row, by its line."""
    fields = fields_of(line)
    values = list(zip(columns, map(decode_field, fields), strict=True))
    reasons = [(column.name, reason_against(column, value)) for column, value in values]
    return [Misfit(table, int(fields[0]), name, reason) for name, reason in reasons if reason]


def reason_against(column: PartColumn, value: Any) -> str:
    """Why PostgreSQL refuses a value, in words; empty where it does not.

    :param value: as `decode_field` gives it.
    """
    if value is None:
        return '' if column.nullable else 'it has no value'
    if not isinstance(value, str):
        return f'it is {value_text(value)}'
    if column.kind is ValueKind.INT and abs(int(value)) > LARGEST_INTEGER:
        return 'the number is larger than 2147483647'
    if '\x00' in value:
        return 'it holds the character NUL'
    if column.limit is not None and len(value) > column.limit:
        return f'it is longer than {column.limit} characters'
    if column.kind is ValueKind.UUID and not _is_uuid(value):
        return 'it is no uuid'
    if column.kind is ValueKind.TIME and not _is_time(value):
        return 'it is no time'
    return _reason_against_json(value) if column.kind is ValueKind.JSON else ''


def _reason_against_json(text: str) -> str:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        return ''  # deeper than Python reads; PostgreSQL may
    except ValueError as error:
        return f'it is no JSON: {error}'
    for _, string in texts(value, ''):
        if '\x00' in string:
            return 'a string of it holds the character \\u0000'
        if not _is_unicode(string):
            return 'a string of it holds half a surrogate pair, such as \\ud800'
    return ''


def _refuse_constant(name: str) -> Any:
    raise ValueError(f'it holds {name}')


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
