"""FROM and WHERE: how the tables of a query are joined, and where its filters stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ricordi.backend.query import Comparison, Condition, Edge, EdgeKind
from ricordi.model.fields import TABLES, EntityKind, ValueKind
from ricordi.storage.columns import column_name
from ricordi.storage.query.conditions import condition_sql
from ricordi.storage.query.expressions import Expressions
from ricordi.storage.query.first_rows import FirstRows
from ricordi.storage.query.first_vertex import first_vertex
from ricordi.storage.query.sources import PK, Source, Sources, edge_table, far_column, near_column
from ricordi.storage.query.time_ranges import FAR, NEAR, narrowest_time
from ricordi.storage.query.walks import Walks

FEW_FOUND = 5000
"""Up to so many rows that an index of an attribute finds are looked at one by one, whatever other index there is."""


class Joins:
    """Puts together FROM, WHERE and the common table expressions before the SELECT."""

    def __init__(self, sources: Sources, sql: Expressions) -> None:
        self._sources = sources
        self._sql = sql
        self._walks = Walks(sources, sql)
        self._begin = first_vertex(sources, sql) if sql.sorts_blindly else None
        self._where: list[str] = []
        self._from: list[str] = []
        self._build()

    @property
    def before(self) -> str:
        """`WITH RECURSIVE …`, or nothing."""
        return self._walks.sql

    @property
    def from_and_where(self) -> str:
        """From `FROM` to the end of `WHERE`."""
        where = f' WHERE {" AND ".join(self._where)}' if self._where else ''
        return f'FROM {" ".join(self._from)}{where}'

    def _build(self) -> None:
        for vertex in self._sources.query.vertices:
            edge = self._sources.edges.get(vertex.tag)
            source = self._sources[vertex.tag]
            if edge is None:
                self._from.append(f'{TABLES[vertex.kind]} AS {source.alias}')
                self._where += self._conditions(source)
            elif edge.outer:
                self._join_outer(edge, source)
            else:
                self._join_all(edge, source, 'JOIN')

    # -- inner ----------------------------------------------------------------------------------------------

    def _join_all(self, edge: Edge, end: Source, join: str) -> None:
        """Join all that is linked; filters stand in WHERE.

        :param join: `JOIN` or `LEFT JOIN`.
        """
        if edge.kind is EdgeKind.REFERENCE:
            self._from.append(f'{join} {self._table(end)} ON {self._reference(edge, end.alias)}')
            self._where += self._conditions(end)
            return
        between = self._sources[edge.tag]
        self._from.append(f'{join} {self._edge_table(edge, between)} ON {self._near(edge, between)}')
        if end.joined:
            self._from.append(f'{join} {self._table(end)} ON {end.alias}.id = {between.alias}.{far_column(edge)}')
        self._where += self._conditions(between)
        self._where += self._conditions(end)

    # -- outer ----------------------------------------------------------------------------------------------

    def _join_outer(self, edge: Edge, end: Source) -> None:
        """Filters say what counts as a partner: they stand in ON. But `pk == None` asks for rows that have none."""
        if self._sources.query.filters_rows:
            self._join_all(edge, end, 'LEFT JOIN')
            return
        conditions = self._sources.filters.get(end.tag, [])
        without_partner = Comparison(PK, '==', None)
        if without_partner in conditions:
            conditions = [condition for condition in conditions if condition != without_partner]
            self._where.append(f'{end.pk} IS NULL')
        if edge.kind is EdgeKind.REFERENCE:
            tests = [self._reference(edge, end.alias), *self._render(end, conditions, end.alias)]
            self._from.append(f'LEFT JOIN {self._table(end)} ON {" AND ".join(tests)}')
            return
        between = self._sources[edge.tag]
        tests = [self._near(edge, between), *self._conditions(between)]
        if conditions:
            # A link to a node that the filters refuse is no partner: it must not give a row of its own.
            copy = f'{end.alias}_partner'
            asked = [f'{copy}.id = {between.alias}.{far_column(edge)}', *self._render(end, conditions, copy)]
            table = TABLES[end.kind] if end.kind else ''
            tests.append(f'EXISTS (SELECT 1 FROM {table} AS {copy} WHERE {" AND ".join(asked)})')
        self._from.append(f'LEFT JOIN {self._edge_table(edge, between)} ON {" AND ".join(tests)}')
        if end.joined:
            self._from.append(f'LEFT JOIN {self._table(end)} ON {end.alias}.id = {between.alias}.{far_column(edge)}')

    # -- parts ----------------------------------------------------------------------------------------------

    def _table(self, source: Source) -> str:
        return f'{TABLES[source.kind] if source.kind else ""} AS {source.alias}'

    def _edge_table(self, edge: Edge, between: Source) -> str:
        if edge.kind is EdgeKind.WALK:
            return f'{self._walks.add(edge, between.alias)} AS {between.alias}'
        return f'{edge_table(edge)} AS {between.alias}'

    def _near(self, edge: Edge, between: Source) -> str:
        return f'{between.alias}.{near_column(edge)} = {self._sources[edge.start].pk}'

    def _reference(self, edge: Edge, alias: str) -> str:
        start, end = self._sources[edge.start], self._sources[edge.end]
        of_start, of_end = edge.columns
        left = start.pk if of_start == 'pk' else f'{start.alias}.{column_name(start.kind or end.kind, of_start)}'  # type: ignore[arg-type]
        return f'{alias}.{column_name(end.kind, of_end)} = {left}'  # type: ignore[arg-type]

    def _conditions(self, source: Source) -> list[str]:
        conditions = self._sources.filters.get(source.tag, ())
        return self._render(self._steered(source, conditions), conditions, None)

    def _steered(self, source: Source, conditions: Sequence[Condition]) -> Source:
        """The source of a vertex, whose indexes are not searched where another way is known to be short.

        That is to begin with another vertex, to walk along the order until the first rows are found, or the index of an
        attribute that finds few, or that of a time.
        """
        if source.kind is not EntityKind.NODE or not source.joined:
            return source
        if self._begin not in (None, source.tag):
            return replace(source, searched=False)
        if self._sql.sorts_blindly and FirstRows(self._sources.query, source, self._sql).lie_near(conditions):
            return replace(source, searched=False)
        for condition in conditions if len(conditions) > 1 else ():
            if isinstance(condition, Comparison) and self._finds_few(source, condition):
                source.sorted_apart = True
                self._where.append(self._among_few(source, condition))
                return replace(source, searched=False)
        return self._by_time(source, conditions) if self._sql.sorts_blindly else source

    def _by_time(self, source: Source, conditions: Sequence[Condition]) -> Source:
        """The source of the vertex that comes first, whose other indexes are not searched where a time finds less."""
        query, order = self._sources.query, self._sources.query.order_by
        if source.tag in self._sources.edges:  # it is found from another
            return source
        soon = query.limit is not None and not order
        column = narrowest_time(conditions, source, self._sql, NEAR if soon else FAR)
        if column is None:
            return source
        source.sorted_apart = bool(order) and order[0].field.column != column
        return replace(source, searched=frozenset((column,)))

    def _finds_few(self, source: Source, test: Comparison) -> bool:
        place = source.place(test.field)
        if place.kind is not ValueKind.JSON or not self._sql.guesses_at(place, test.operator, test.value):
            return False
        asked = f'{self._table(source)}{self._sql.by_index(place)} WHERE '
        found = self._sql.counted(lambda sql: asked + condition_sql(test, source.place, sql), FEW_FOUND + 1)
        return found <= FEW_FOUND

    def _among_few(self, source: Source, test: Comparison) -> str:
        """That a node is one of those that an index finds few of."""
        few = f'{source.alias}_few'
        table = f'{TABLES[EntityKind.NODE]} AS {few}{self._sql.by_index(source.place(test.field))}'
        found = condition_sql(test, lambda field: source.place(field, few), self._sql)
        return f'{source.pk} IN (SELECT {few}.id FROM {table} WHERE {found})'

    def _render(self, source: Source, conditions: Iterable[Condition], alias: str | None) -> list[str]:
        rendered = [
            condition_sql(condition, lambda field: source.place(field, alias), self._sql) for condition in conditions
        ]
        return [text for text in rendered if text != self._sql.true]
