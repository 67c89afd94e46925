"""The short way of the rows of an archive into a SQL database: values from driver to driver, pks by the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ricordi.backend.imports import Decoders, ImportTarget, StoredLink, StoredValues
from ricordi.backend.rows import NodeRow
from ricordi.model.fields import FIELDS, TABLES, EntityKind, ValueKind
from ricordi.storage.columns import column_name
from ricordi.storage.dialect import quoted
from ricordi.storage.rows import Rows

if TYPE_CHECKING:
    from ricordi.storage.session import Session
    from ricordi.storage.sql_storage import SqlStorage


class SqlTarget(ImportTarget):
    """A storage over a SQL database."""

    def __init__(self, storage: SqlStorage) -> None:
        super().__init__(storage)
        self._dialect = storage.dialect
        self._sql = storage
        self.place = self._dialect.place
        self.limits_texts = self._dialect.limits_texts

    @property
    def _session(self) -> Session:
        return self._sql.session

    def take_turn(self) -> bool:
        return self._dialect.take_turn(self._session)

    def pks_of(self, kind: EntityKind, field: str, values: Sequence[str]) -> dict[str, int]:
        column, table = column_name(kind, field), self._dialect.table_of_values(FIELDS[kind][field].kind)
        statement = f'SELECT {column}, id FROM {TABLES[kind]} WHERE {column} IN {table}'
        return dict(self._session.execute(statement, (self._dialect.pack(values),)).fetchall())

    def labels(self, kind: EntityKind) -> set[str]:
        return {label for (label,) in self._session.execute(f'SELECT label FROM {TABLES[kind]}').fetchall()}

    def links_of(self, field: str, pks: Sequence[int]) -> list[StoredLink]:
        statement = (
            f'SELECT input_id, output_id, type, label FROM {TABLES[EntityKind.LINK]} '
            f'WHERE {column_name(EntityKind.LINK, field)} IN {self._pks}'
        )
        found: list[StoredLink] = self._session.execute(statement, (self._dialect.pack(pks),)).fetchall()
        return found

    def locked_nodes(self, pks: Sequence[int]) -> Iterator[NodeRow]:
        codec = Rows(self._dialect).codec(EntityKind.NODE)
        statement = f'{codec.select} WHERE id IN {self._pks}{self._dialect.lock_row}'
        return map(codec.decode, self._session.execute(statement, (self._dialect.pack(pks),)).fetchall())

    def insert(
        self, kind: EntityKind, fields: Sequence[str], rows: list[StoredValues], decoders: Decoders
    ) -> list[int]:
        names = [column_name(kind, name) for name in fields]
        return self._dialect.insert(self._session, TABLES[kind], names, _in_form(rows, self._forms(kind, fields)))

    def way_back(self, pairs: Iterable[tuple[int, int]], link_types: Sequence[str]) -> tuple[int, int] | None:
        """As of every storage; but first one walk from all targets together finds which sources are reached at all."""
        pairs = list(pairs)
        begun, ends = sorted({target for _, target in pairs}), sorted({source for source, _ in pairs})
        found = self._session.execute(
            f'WITH RECURSIVE below(id) AS (SELECT value FROM {self._pks} AS begun UNION SELECT l.output_id FROM below '
            f'JOIN db_dblink AS l ON l.input_id = below.id WHERE l.type IN ({quoted(link_types)})) '
            f'SELECT id FROM below WHERE id IN {self._pks}',
            (self._dialect.pack(begun), self._dialect.pack(ends)),
        ).fetchall()
        reached = {pk for (pk,) in found}
        return super().way_back((pair for pair in pairs if pair[0] in reached), link_types)

    @property
    def _pks(self) -> str:
        return self._dialect.table_of_values(ValueKind.INT)

    def _forms(self, kind: EntityKind, fields: Sequence[str]) -> list[tuple[int, Callable[[Any], Any]]]:
        """How values as SQLite has them become what the driver of this database takes, by place."""
        if self._dialect.name == 'sqlite':
            return []
        kinds = [FIELDS[kind][name].kind for name in fields]
        return [(place, _FORMS[one]) for place, one in enumerate(kinds) if one in _FORMS]


def _in_form(rows: list[StoredValues], forms: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[StoredValues]:
    if not forms:
        return rows
    taken = []
    for values in rows:
        row = list(values)
        for place, form in forms:
            if row[place] is not None:
                row[place] = form(row[place])
        taken.append(tuple(row))
    return taken


def _with_zone(moment: str) -> str:
    return f'{moment}+00'


_NEEDS_CARE = re.compile(r'\d[eE]|\\u0000|\\u[dD]').search


def _as_jsonb(text: str) -> str:
    """JSON text for PostgreSQL; numbers with an exponent, and texts it refuses, are looked at one by one."""
    if _NEEDS_CARE(text) is None:
        return text
    from ricordi.storage.psql.dialect import encode_jsonb

    return encode_jsonb(json.loads(text), 'a value of the archive')


_FORMS: dict[ValueKind, Callable[[Any], Any]] = {
    ValueKind.TIME: _with_zone,
    ValueKind.JSON: _as_jsonb,
    ValueKind.BOOL: bool,
}
