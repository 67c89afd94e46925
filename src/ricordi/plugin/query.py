"""AiiDA's queries, answered by the storage.

`iterall` and `iterdict` are one transaction, as in AiiDA: where the loop over them is left by `break` or by an error,
what was changed inside is rolled back. Here it begins with the first change, so that a loop that only reads holds up
nobody, and what is rolled back is told in a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiida.orm.implementation import BackendQueryBuilder
from aiida.orm.implementation.querybuilder import QUERYBUILD_LOGGER

from ricordi.backend.query import Comparison, Condition, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, LinkRow
from ricordi.orm.querybuilder.description import Description, describe
from ricordi.orm.querybuilder.results import rows_as_dicts, rows_as_lists
from ricordi.plugin.entities import CLASSES
from ricordi.plugin.errors import translated

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage

Maker = Callable[[Any], Any]
Data = Any
"""AiiDA's dictionary of a query (`QueryDictType`)."""


class RicordiQueryBuilder(BackendQueryBuilder):
    """What `QueryBuilder` asks of a storage: one dictionary of a query, in several forms of answer."""

    _backend: RicordiStorage

    def count(self, data: Data) -> int:
        with translated():
            return self._backend.ricordi.count_rows(self._described(data).query)

    def first(self, data: Data) -> list[Any] | None:
        limit = 1 if data['limit'] is None else min(data['limit'], 1)
        return next(self._rows(self._described({**data, 'limit': limit}).query, None), None)

    def iterall(self, data: Data, batch_size: int | None) -> Iterator[list[Any]]:
        return self._iterate(self._rows(self._described(data).query, batch_size))

    def iterdict(self, data: Data, batch_size: int | None) -> Iterator[dict[str, dict[str, Any]]]:
        description = self._described(data)
        return self._iterate(rows_as_dicts(self._rows(description.query, batch_size), description.keys))

    def as_sql(self, data: Data, inline: bool = False) -> str:
        with translated():
            return self._backend.ricordi.query_sql(self._described(data).query, inline)

    def analyze_query(self, data: Data, execute: bool = True, verbose: bool = False) -> str:
        with translated():
            return self._backend.ricordi.explain_query(self._described(data).query, execute, verbose)

    def get_creation_statistics(self, user_pk: int | None = None) -> dict[str, Any]:
        with translated():
            types = dict(self._backend.ricordi.query_rows(_count_by_type(user_pk)))
            days = self._backend.ricordi.nodes_by_day(user_pk)
        return {'total': sum(types.values()), 'types': types, 'ctime_by_day': days}

    def _described(self, data: Data) -> Description:
        return describe(data, filters_rows=True, unknown=self._backend.undeniable)

    # -- rows -----------------------------------------------------------------------------------------------

    def _rows(self, query: Query, batch_size: int | None) -> Iterator[list[Any]]:
        """The rows with AiiDA's entities in them."""
        token = self._backend.token()  # before the query: what is changed while rows come, is newer than they are
        with translated():
            rows = self._backend.ricordi.query_rows(query, batch_size)
            yield from rows_as_lists(rows, _makers(query, self._backend, token))

    def _iterate(self, rows: Iterator[Any]) -> Iterator[Any]:
        # The first row is there before the transaction begins: on SQLite all of them are, so reading needs no lock.
        for first in rows:
            part_of_another = self._backend.in_transaction
            with self._transaction():
                try:
                    yield first
                    yield from rows
                except GeneratorExit:
                    if self._backend.in_transaction and not part_of_another:
                        QUERYBUILD_LOGGER.warning(_LEFT)
                    raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._backend.rolling_back(), self._backend.ricordi.deferred_transaction():
            yield


_LEFT = (
    'the loop over the rows of a query was left before its end, by `break` or by an error: as always in AiiDA, what '
    'was changed inside of it is rolled back. Read the rows with `all()` to keep it.'
)


def _makers(query: Query, backend: RicordiStorage, token: object) -> list[tuple[int, Maker]]:
    """For each projection of a whole entity, its place in the row and what makes the entity of a row class."""
    kinds = {vertex.tag: vertex.kind for vertex in query.vertices}
    return [
        (place, _maker(kinds.get(projection.tag), backend, token))
        for place, projection in enumerate(query.projections)
        if projection.field is None and projection.function is None
    ]


def _maker(kind: EntityKind | None, backend: RicordiStorage, token: object) -> Maker:
    if kind is None or kind not in CLASSES:
        return _make_link
    from_row = CLASSES[kind].from_row

    def make(row: Any) -> Any:
        return None if row is None else from_row(row, backend, token)

    return make


def _make_link(row: Any) -> Any:
    if not isinstance(row, LinkRow):
        return row
    from aiida.orm.utils.links import LinkQuadruple

    return LinkQuadruple(row.input_pk, row.output_pk, row.type, row.label)


def _count_by_type(user_pk: int | None) -> Query:
    filters: tuple[tuple[str, Condition], ...] = ()
    if user_pk is not None:
        filters = (('node', Comparison(Field('user_pk'), '==', user_pk)),)
    counted = (Projection('node', Field('node_type')), Projection('node', Field('pk'), function='count'))
    return Query((Vertex('node', EntityKind.NODE),), (), filters, counted)
