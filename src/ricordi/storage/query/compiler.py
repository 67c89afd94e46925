"""From the query description to one SQL statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ricordi.backend.query import Query
from ricordi.errors import QueryError
from ricordi.storage.query.expressions import Expressions
from ricordi.storage.query.joins import Joins
from ricordi.storage.query.numbers import LARGEST_INT
from ricordi.storage.query.projections import Projections
from ricordi.storage.query.rows import Value, single
from ricordi.storage.query.sources import Sources


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters by name, and how its rows are decoded.

    :param calls_python: whether it needs the functions of `query_functions`.
    """

    sql: str
    parameters: dict[str, Any]
    values: list[Value]
    calls_python: bool = False


def compile_query(query: Query, sql: Expressions) -> Statement:
    """The SELECT that answers a query.

    :param sql: fresh expressions of the database.
    :raises ricordi.errors.QueryError: a filter or projection that cannot be meant.
    """
    sources = Sources(query)
    projections = Projections(query, sources, sql)
    joins = Joins(sources, sql)
    text = (
        f'{joins.before}SELECT {projections.select} {joins.from_and_where}'
        f'{projections.group_by}{projections.order_by}{_limits(query, sql)}'
    )
    return _statement(text, sql, projections.values)


def compile_count(query: Query, sql: Expressions) -> Statement:
    """The SELECT of the number of rows of a query."""
    sources = Sources(query)
    projections = Projections(query, sources, sql)
    joins = Joins(sources, sql)
    if not projections.is_grouped and query.limit is None and not query.offset:
        text = f'{joins.before}SELECT count(*) {joins.from_and_where}'
    else:
        # Without a GROUP BY, functions give one row; a constant in their place would give one for each of the tables.
        selected = '1' if projections.group_by or not projections.is_grouped else projections.select
        inner = f'SELECT {selected} {joins.from_and_where}{projections.group_by}{_limits(query, sql)}'
        text = f'{joins.before}SELECT count(*) FROM ({inner}) AS counted'
    return _statement(text, sql, [single()])


def _limits(query: Query, sql: Expressions) -> str:
    text = ''
    if query.limit is not None:
        text += f' LIMIT {sql.bind(min(query.limit, LARGEST_INT))}'
    if query.offset:
        # SQLite knows no OFFSET without a LIMIT.
        text += f'{sql.no_limit if query.limit is None else ""} OFFSET {sql.bind(min(query.offset, LARGEST_INT))}'
    return text


def _statement(text: str, sql: Expressions, values: list[Value]) -> Statement:
    if sql.most_parameters is not None and len(sql.parameters.values) > sql.most_parameters:
        raise QueryError(
            f'the query has {len(sql.parameters.values):,} values, more than {sql.most_parameters:,}: '
            'ask for less at a time, or put values of one field into a list for `in`'
        )
    return Statement(text, sql.parameters.values, values, sql.calls_python)
