"""SELECT, GROUP BY and ORDER BY: what a row of the result is made of, and how rows are told apart and sorted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ricordi.backend.query import Field, Ordering, Projection, Query
from ricordi.errors import QueryError
from ricordi.model.fields import FIELDS, ValueKind
from ricordi.storage.query.expressions import Expressions, Place
from ricordi.storage.query.first_rows import walked_order
from ricordi.storage.query.rows import (
    CASTS,
    Value,
    as_float,
    as_int,
    entity,
    natural_number,
    single,
    with_cast,
)
from ricordi.storage.query.sources import PK, Source, Sources


@dataclass(frozen=True, slots=True)
class Selected:
    """A projection as SQL.

    :param sql: the columns, comma-separated.
    :param key: what rows must agree in to agree in this; empty of a function.
    """

    sql: str
    value: Value
    key: str


class Projections:
    """The projections of a query, and what depends on them."""

    def __init__(self, query: Query, sources: Sources, sql: Expressions) -> None:
        self._query = query
        self._sources = sources
        self._sql = sql
        self._selected = [self._select(projection) for projection in query.projections]
        self._has_functions = any(projection.function for projection in query.projections)

    @property
    def values(self) -> list[Value]:
        """How the values of a row are made of the columns."""
        return [selected.value for selected in self._selected]

    @property
    def select(self) -> str:
        """The list after SELECT."""
        return ', '.join(selected.sql for selected in self._selected)

    @property
    def is_grouped(self) -> bool:
        """Whether a row of the result stands for several rows of the tables."""
        return self._query.distinct or self._has_functions

    @property
    def group_by(self) -> str:
        """`GROUP BY …` with a blank before it, or nothing."""
        keys = list(dict.fromkeys(selected.key for selected in self._selected if selected.key))
        return f' GROUP BY {", ".join(keys)}' if keys and self.is_grouped else ''

    @property
    def order_by(self) -> str:
        """`ORDER BY …` with a blank before it, or nothing."""
        terms = [term for ordering in self._query.order_by for term in self._order(ordering)]
        terms += self._tie()
        return f' ORDER BY {", ".join(terms)}' if terms else ''

    # -- select ---------------------------------------------------------------------------------------------

    def _select(self, projection: Projection) -> Selected:
        source = self._sources[projection.tag]
        if projection.field is None:
            if projection.function:
                return Selected(f'count({source.pk})', single(), '')
            return self._select_entity(source)
        place = source.place(projection.field)
        if projection.function:
            text, value = self._function(place, projection.function, projection.cast)
            return Selected(text, value, '')
        is_json = place.kind is ValueKind.JSON
        if is_json and projection.cast == 'd':
            text = self._sql.json_time(place)
            return Selected(text, single(self._sql.decode_time), text)
        text, decode = self._sql.select(place)
        if is_json and projection.cast is not None:
            decode = with_cast(decode, CASTS[projection.cast])
        return Selected(text, single(decode), self._sql.group_key(place))

    def _select_entity(self, source: Source) -> Selected:
        if source.kind is None:
            raise QueryError(f'the edge {source.tag!r} is not an entity: project its fields')
        columns = [self._sql.select(source.place(Field(name))) for name in FIELDS[source.kind]]
        texts, decoders = zip(*columns, strict=True)
        return Selected(', '.join(texts), entity(source.kind, decoders, source.optional), source.pk)

    def _function(self, place: Place, function: str, cast: str | None) -> tuple[str, Value]:
        sql, kind = self._sql, place.kind
        if function == 'count':
            return f'count({sql.json_text(place) if kind is ValueKind.JSON else place.sql})', single()
        if kind is ValueKind.JSON:
            return self._function_of_json(place, function, cast)
        if kind is ValueKind.INT:
            return f'{function}({place.sql})', single(as_float if function == 'avg' else None)
        if function == 'avg' or kind is ValueKind.BOOL:
            raise QueryError(f'there is no {function} of {place.name!r}, which holds no numbers')
        if kind is ValueKind.TIME:
            return f'{function}({place.sql})', single(sql.decode_time)
        return sql.aggregate_text(function, place.sql), single()

    def _function_of_json(self, place: Place, function: str, cast: str | None) -> tuple[str, Value]:
        """A function over values inside JSON: over the numbers among them, unless a cast says otherwise."""
        sql = self._sql
        if cast in ('t', 'd') and function != 'avg':
            if cast == 't':
                return sql.aggregate_text(function, sql.json_text(place)), single()
            return f'{function}({sql.json_time(place)})', single(sql.decode_time)
        if cast not in (None, 'f', 'i'):
            raise QueryError(f'there is no {function} of {place.name!r} cast to {cast!r}; cast to a number: f or i')
        number = sql.json_whole(place) if cast == 'i' else sql.json_number(place)
        make: Any = natural_number if cast is None else as_int if cast == 'i' else as_float
        return f'{function}({number})', single(as_float if function == 'avg' else make)

    # -- order ----------------------------------------------------------------------------------------------

    def _order(self, ordering: Ordering) -> list[str]:
        source = self._sources[ordering.tag]
        place = source.place(ordering.field)
        fixed = not self.is_grouped or self._is_fixed(ordering, source)
        terms: list[str] = []
        for text, is_text in self._order_keys(place, ordering.cast):
            if not fixed:
                function = 'max' if ordering.descending else 'min'
                text = self._sql.aggregate_text(function, text) if is_text else f'{function}({text})'
            elif source.sorted_apart and not is_text:
                text = self._sql.unsearched(text)
            nullable = place.nullable or place.kind is ValueKind.JSON
            terms.append(self._sql.order_term(text, is_text, ordering.descending, nullable))
        return terms

    def _tie(self) -> list[str]:
        """What tells apart rows that agree, where one page of them may be found by another way than the next."""
        first = walked_order(self._query) if self._sql.sorts_blindly else None
        if first is None or any(ordering.field == PK for ordering in self._query.order_by):
            return []
        sql = self._sources[first.tag].place(PK).sql
        return [self._sql.order_term(sql, False, first.descending, False)]  # as an index of the order has them

    def _is_fixed(self, ordering: Ordering, source: Source) -> bool:
        """Whether all rows that come together as one agree in what is ordered by."""
        for projection in self._query.projections:
            if projection.tag == ordering.tag and not projection.function:
                known = projection.field
                if known in (ordering.field, None) or (known == PK and source.kind is not None):
                    return projection.cast != 'd'
        return False

    def _order_keys(self, place: Place, cast: str | None) -> list[tuple[str, bool]]:
        """What to sort by: SQL, and whether it is text."""
        sql, kind = self._sql, place.kind
        if kind is not ValueKind.JSON:
            if kind is ValueKind.BOOL:
                return [(f'CAST({place.sql} AS INTEGER)', False)]
            if kind is ValueKind.UUID and self.is_grouped:
                return [(sql.column_text(place), True)]
            return [(place.sql, kind is ValueKind.TEXT)]
        if cast == 't':
            return [(sql.json_text(place), True)]
        if cast == 'b':
            return [(sql.json_truth(place), False)]
        if cast == 'd':
            return [(sql.json_time(place), False)]
        if cast in ('f', 'i'):
            return [(sql.json_whole(place) if cast == 'i' else sql.json_number(place), False)]
        number, text = sql.json_number(place), sql.json_text(place)
        return [(sql.json_rank(place), False), (number, False), (text, True)]
