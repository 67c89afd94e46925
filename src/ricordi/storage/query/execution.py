"""Queries on a SQL storage: rows, number of rows, the SQL, the plan of the database."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from ricordi.errors import QueryError, RicordiError, ValidationError
from ricordi.storage.query import functions as query_functions
from ricordi.storage.query.compiler import Statement, compile_count, compile_query
from ricordi.storage.query.rows import Raw, decode_batches, decode_rows

if TYPE_CHECKING:
    from ricordi.backend.query import Query
    from ricordi.model.attribute_paths import AttributePath
    from ricordi.storage.arrow.batch import TableSource
    from ricordi.storage.query.expressions import Expressions
    from ricordi.storage.query.rows import Value
    from ricordi.storage.session import Session

T = TypeVar('T')

FEW_ROWS = 1000
"""Up to so many rows are read at once; more are streamed, unless the caller wants them all."""

_NO_WAY = 'no query solution'
"""What SQLite says where the index that it is told to search is of no use."""

_PARAMETER = re.compile(r':(p\d+)')


def query_rows(session: Session, query: Query, batch_size: int | None = None) -> Iterator[Raw]:
    """Answer a query.

    :param batch_size: how many rows to fetch at a time; all at once for None.
    """
    statement = compile_query(query, _expressions(session))
    if batch_size is None or (query.limit is not None and query.limit <= FEW_ROWS):
        return _or_guarded(session, statement, query, lambda statement: _all_rows(session, statement))
    return _streamed(session, query, statement, batch_size)


def query_tables(session: Session, query: Query, names: Sequence[str], batch_size: int, struct: bool) -> Iterator[Any]:
    """Answer a query with record batches of Arrow; the first one is there when this returns.

    :param names: what each projection is called.
    :param struct: whether nested JSON shall be structs and lists instead of text.
    """
    from ricordi.storage.arrow.package import check_pyarrow

    check_pyarrow()
    from ricordi.storage.arrow.columns import columns_of
    from ricordi.storage.arrow.tables import table_batches

    statement = compile_query(query, _expressions(session))
    groups = columns_of(query, names, statement.values)
    plain = [column.plain for group in groups for column in group.columns]

    def ask(statement: Statement) -> TableSource:
        _prepare(session, statement)
        with _asking():
            return session.dialect.table_source(session, statement.sql, statement.parameters, plain, batch_size)

    batches = table_batches(groups, _or_guarded(session, statement, query, ask), struct)
    return iter(list(batches)) if session.depth else batches  # what a rollback would take along


def count_rows(session: Session, query: Query) -> int:
    """How many rows a query has."""
    statement = compile_count(query, _expressions(session))
    return _or_guarded(session, statement, query, lambda statement: _one_number(session, statement), compile_count)


def query_sql(session: Session, query: Query, inline: bool = False) -> str:
    """The SQL of a query for a person, or, `inline`, for a shell of the database."""
    statement = compile_query(query, _expressions(session))
    if inline:
        return f'{_inline(session, statement)}\n'
    return f'{statement.sql!r} % {statement.parameters!r}\n'


def explain_query(session: Session, query: Query, execute: bool = False, verbose: bool = False) -> str:
    """The plan of the database, one step a line."""
    statement = compile_query(query, _expressions(session))
    if session.dialect.name == 'postgresql':
        options = [name for name, wanted in (('ANALYZE', execute), ('VERBOSE', verbose)) if wanted]
        explain = f'EXPLAIN ({", ".join(options)})' if options else 'EXPLAIN'
        inlined = f'{explain} {_inline(session, statement)}'
        with session.driver():  # without parameters, so that a percent sign in a text is none
            rows = session.raw.execute(inlined).fetchall()
        return '\n'.join(line for (line,) in rows)
    _prepare(session, statement)
    plan = session.execute(f'EXPLAIN QUERY PLAN {statement.sql}', statement.parameters).fetchall()
    depths = {0: -1}
    lines = []
    for number, parent, _, detail in plan:
        depths[number] = depths.get(parent, -1) + 1
        lines.append('  ' * depths[number] + detail)
    return '\n'.join(lines)


# inside ----------------------------------------------------------------------------------------------------


def _expressions(session: Session) -> Expressions:
    expressions = _fresh_expressions(session)
    # asked once for a statement, however many values of JSON it looks at
    expressions.indexed = cache(lambda: session.dialect.indexed_paths(session))
    expressions.counted = lambda write, most: _counted(session, write, most, expressions.indexed)
    return expressions


def _counted(
    session: Session,
    write: Callable[[Expressions], str],
    most: int,
    indexed: Callable[[], frozenset[AttributePath]],
) -> int:
    sql = _fresh_expressions(session)
    sql.indexed = indexed
    statement = f'SELECT count(*) FROM (SELECT 1 FROM {write(sql)} LIMIT {most})'
    if sql.calls_python:
        query_functions.register(session.raw)
    try:
        with session.driver():
            return int(session.execute(statement, sql.parameters.values).fetchone()[0])
    except RicordiError as error:
        if session.dialect.is_of_a_row(error.__cause__):
            return 0  # the query itself will come to this row, and is asked anew so that it passes it by
        if _NO_WAY in str(error.__cause__):
            return most  # the index cannot answer this test: nothing is known of how many rows there are
        raise


def _fresh_expressions(session: Session) -> Expressions:
    if session.dialect.name == 'postgresql':
        from ricordi.storage.query.psql import PsqlExpressions

        return PsqlExpressions()
    from ricordi.storage.query.sqlite import SqliteExpressions

    return SqliteExpressions(getattr(session.dialect, 'distrusted', False), session.guarded)


def _prepare(session: Session, statement: Statement) -> None:
    if statement.calls_python:
        query_functions.register(session.raw)


def _execute(session: Session, statement: Statement) -> Any:
    _prepare(session, statement)
    with _asking():
        return session.execute(statement.sql, statement.parameters)


@contextmanager
def _asking() -> Iterator[None]:
    """A value that the database refuses is a fault of the query."""
    try:
        yield
    except ValidationError as error:
        if isinstance(error, QueryError):
            raise
        raise QueryError(f'the database cannot answer this query: {error}') from error


def _or_guarded(
    session: Session,
    statement: Statement,
    query: Query,
    ask: Callable[[Statement], T],
    compiled: Callable[[Query, Expressions], Statement] = compile_query,
) -> T:
    """The answer to a statement; if a row ends it that it cannot work with, to the same one guarded against such rows.

    :param compiled: what made the statement of the query.
    """
    try:
        return ask(statement)
    except RicordiError as error:
        if session.guarded or not session.dialect.is_of_a_row(error.__cause__):
            raise
    session.guarded = True
    return ask(compiled(query, _expressions(session)))


def _streamed(session: Session, query: Query, statement: Statement, size: int) -> Iterator[Raw]:
    """The rows as they are asked for. Where a row can end a statement, it does so before the first batch."""
    values, batches = _or_guarded(session, statement, query, lambda statement: _begun(session, statement, size))
    yield from decode_batches(batches, values)


def _begun(session: Session, statement: Statement, size: int) -> tuple[list[Value], Iterator[list[Raw]]]:
    _prepare(session, statement)
    batches = _answers(session.dialect.batches(session, statement.sql, statement.parameters, size))
    first = next(batches, [])
    return statement.values, chain((first,) if first else (), batches)


def _answers(batches: Iterator[list[Raw]]) -> Iterator[list[Raw]]:
    with _asking():
        yield from batches


def _one_number(session: Session, statement: Statement) -> int:
    with session.driver():
        return int(_execute(session, statement).fetchone()[0])


def _all_rows(session: Session, statement: Statement) -> Iterator[Raw]:
    """All rows, read and decoded now, a batch at a time so that the raw ones need not all be kept."""
    rows: list[Raw] = []
    with _asking(), session.driver():
        cursor = _execute(session, statement)
        while batch := cursor.fetchmany(FEW_ROWS):
            rows.extend(decode_rows(batch, statement.values))
    return iter(rows)


def _inline(session: Session, statement: Statement) -> str:
    """The statement with its values as literals."""
    if session.dialect.name == 'postgresql':
        import psycopg

        with _asking(), session.driver(), psycopg.ClientCursor(session.raw) as cursor:
            return cursor.mogrify(statement.sql, statement.parameters)
    return _PARAMETER.sub(lambda match: _literal(statement.parameters[match[1]]), statement.sql)


def _literal(value: Any) -> str:
    if isinstance(value, str):
        # a shell ends a statement at the character NUL
        parts = ["'" + part.replace("'", "''") + "'" for part in value.split('\x00')]
        return parts[0] if len(parts) == 1 else f'({" || char(0) || ".join(parts)})'
    if isinstance(value, float) and math.isinf(value):
        return '9e999' if value > 0 else '-9e999'
    return repr(value)
