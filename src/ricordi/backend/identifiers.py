"""Finds what an identifier names in a storage: the one way for the library and for every verb."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import ComputerRow, EntityKind, Row, RowT
from ricordi.errors import MultipleObjectsError
from ricordi.model.identifiers import LARGEST_PK, Reading, Way, full_label_parts, read_identifier
from ricordi.model.people import normalized_email
from ricordi.model.values import has_half_characters

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

Fits = Callable[[Any], bool]
MOST_TOLD = 3
"""So many are looked for: enough to know that there are several, and to name them."""

_MORE = 64
_LABELS = dict.fromkeys((EntityKind.NODE, EntityKind.GROUP, EntityKind.COMPUTER), 'label') | {EntityKind.USER: 'email'}
"""The field that a person knows entities by."""
_HAVE_UUIDS = (EntityKind.NODE, EntityKind.GROUP, EntityKind.COMPUTER, EntityKind.COMMENT, EntityKind.LOG)


def find_named(
    storage: StorageBackend,
    row_type: type[RowT],
    identifier: int | str,
    fits: Fits | None = None,
    ways: Iterable[Way] = tuple(Way),
) -> list[RowT]:
    """The rows that an identifier names: those of the first meaning that any answers to, at most `MOST_TOLD`.

    :param identifier: a number is a pk; a text what `ricordi.model.identifiers.read_identifier` says.
    :param fits: whether a row is one of those that may be meant.
    :param ways: by what they may be named.
    :raises ricordi.errors.WrongValue: the identifier is empty.
    """
    readings = [Reading(Way.PK, identifier)] if isinstance(identifier, int) else read_identifier(identifier)
    for reading in readings:
        if reading.way in ways and (found := find_by(storage, row_type, reading, fits)):
            return found
    return []


def find_by(storage: StorageBackend, row_type: type[RowT], reading: Reading, fits: Fits | None = None) -> list[RowT]:
    """The rows that answer to one meaning of an identifier, at most `MOST_TOLD`."""
    value: Any = reading.value
    if reading.way is Way.PK:
        row = storage.get(row_type, value) if 0 < value <= LARGEST_PK else None
        return [] if row is None else _first([row], fits)
    if reading.way is Way.UUID:
        return _by_uuid(storage, row_type, value, fits) if row_type.kind in _HAVE_UUIDS else []
    return _by_label(storage, row_type, value, fits)


def one_of(rows: list[RowT], named: str) -> RowT | None:
    """The only one of the rows that were found; None if there is none.

    :param named: what was looked for, and by what: `group 'a'`.
    :raises ricordi.errors.MultipleObjectsError: there are several; the message names them.
    """
    if len(rows) < 2:
        return rows[0] if rows else None
    shown = ', '.join(map(_as_candidate, rows[: MOST_TOLD - 1])) + (' …' if len(rows) >= MOST_TOLD else '')
    raise MultipleObjectsError(f'more than one {named}: {shown}; give its pk or whole uuid')


def _as_candidate(row: Row) -> str:
    of_type = f' of type {row.type_string}' if hasattr(row, 'type_string') else ''
    uuid = getattr(row, 'uuid', None)
    return f'pk {row.pk}{of_type}' + (f' ({uuid})' if uuid else '')


def _by_uuid(storage: StorageBackend, row_type: type[RowT], start: str, fits: Fits | None) -> list[RowT]:
    """Of a short start there may be many, and few that fit: more and more of them are looked at."""
    limit = MOST_TOLD if fits is None else _MORE
    while True:
        rows = storage.find_uuid_prefix(row_type, start, limit)
        found = _first(rows, fits)
        if len(found) == MOST_TOLD or len(rows) < limit:
            return found
        limit *= _MORE


def _by_label(storage: StorageBackend, row_type: type[RowT], label: str, fits: Fits | None) -> list[RowT]:
    kind = row_type.kind
    if kind not in _LABELS or (not label.isascii() and has_half_characters(label)):
        return []  # no database keeps what is no Unicode
    limit = MOST_TOLD if fits is None else None
    found = _first(storage.find(row_type, {_LABELS[kind]: label}, limit=limit), fits)
    if kind is EntityKind.USER and not found:
        return _first(storage.find(row_type, {'email': normalized_email(label)}), fits)
    parts = full_label_parts(label) if kind is EntityKind.NODE and not found else None
    if parts is None:
        return found
    return _first(_of_computer(storage, row_type, *parts), fits)


def _of_computer(storage: StorageBackend, row_type: type[RowT], label: str, computer: str) -> Iterator[RowT]:
    for row in storage.find(ComputerRow, {'label': computer}, limit=1):
        yield from storage.find(row_type, {'label': label, 'computer_pk': row.pk})


def _first(rows: Iterable[RowT], fits: Fits | None) -> list[RowT]:
    found = []
    for row in rows:
        if fits is None or fits(row):
            found.append(row)
            if len(found) == MOST_TOLD:
                break
    return found
