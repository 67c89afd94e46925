"""Many rows at once, as AiiDA names them: by the columns of its tables, each row with those that it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import TYPE_CHECKING, Any

from aiida.common.exceptions import IntegrityError

from ricordi.backend.rows import EntityKind
from ricordi.model.fields import FIELDS, ValueKind
from ricordi.plugin.errors import translated

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

Row = Mapping[str, Any]


def insert(storage: StorageBackend, kind: EntityKind, rows: Sequence[Row], allow_defaults: bool) -> list[int]:
    """Insert rows, all or none; returns their pks in order.

    :param allow_defaults: whether a row may lack columns.
    :raises aiida.common.exceptions.IntegrityError: a row has other columns than the table.
    """
    names = _fields(kind)
    known = names.keys() - {'id'}
    for row in rows:
        if not known >= row.keys() or (not allow_defaults and known != row.keys()):
            raise IntegrityError(f'Incorrect fields given for {kind.value}: {sorted(row)} of {sorted(known)}')
    runs = list(_alike(_as_fields(kind, names, rows)))
    pks: list[int] = []
    with translated(), storage.transaction() if len(runs) > 1 else nullcontext():
        for run in runs:
            pks += storage.insert(kind, run)
    return pks


def update(storage: StorageBackend, kind: EntityKind, rows: Sequence[Row]) -> None:
    """Change rows, all or none; each has its `id`.

    :raises aiida.common.exceptions.IntegrityError: a row has none, or columns that are not there.
    """
    names = _fields(kind)
    for row in rows:
        if 'id' not in row:
            raise IntegrityError(f"'id' field not given for {kind.value}: {sorted(row)}")
        if not names.keys() >= row.keys():
            raise IntegrityError(f'Incorrect fields given for {kind.value}: {sorted(row)} of {sorted(names)}')
    if rows:
        with translated():
            storage.bulk_update(kind, list(_as_fields(kind, names, rows)))


def _fields(kind: EntityKind) -> dict[str, str]:
    return {field.column: name for name, field in FIELDS[kind].items()}


def _as_fields(kind: EntityKind, names: Mapping[str, str], rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """The rows by our names; JSON that is None is an empty dictionary."""
    json = {field.column for field in FIELDS[kind].values() if field.kind is ValueKind.JSON}
    for row in rows:
        yield {names[key]: {} if value is None and key in json else value for key, value in row.items()}


def _alike(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Neighbours that have the same fields, together."""
    for _, run in groupby(rows, key=dict.keys):
        yield list(run)
