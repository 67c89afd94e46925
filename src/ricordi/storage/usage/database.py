"""What the database itself takes: tables, their indexes, the JSON of the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.backend.usage import DatabaseUsage, TableSize
from ricordi.storage.usage.sql import JSON_COLUMNS

if TYPE_CHECKING:
    from ricordi.storage.session import Session
    from ricordi.storage.usage.sql import UsageSql

_SQLITE_SIZES = (
    "SELECT s.tbl_name, sum(d.pgsize) FILTER (WHERE s.type = 'table'), "
    "coalesce(sum(d.pgsize) FILTER (WHERE s.type = 'index'), 0) "
    'FROM dbstat AS d JOIN sqlite_schema AS s ON d.name = s.name WHERE d.aggregate = TRUE GROUP BY s.tbl_name'
)
_PSQL_SIZES = (
    'SELECT relname::text, pg_table_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables '
    'WHERE schemaname = current_schema()'
)


def database_usage(session: Session, sql: UsageSql) -> DatabaseUsage:
    """Sizes of the database, the largest table first."""
    tables = sorted(_tables(session), key=lambda one: (-(one.bytes or 0) - (one.index_bytes or 0), one.name))
    sums = session.execute(sql.database_columns).fetchone()
    columns = {name: int(size) for name, size in zip(JSON_COLUMNS, sums, strict=True)}
    return DatabaseUsage(session.dialect.size(session), tuple(tables), columns)


def _tables(session: Session) -> list[TableSize]:
    names = session.dialect.table_names(session)
    statement = _PSQL_SIZES if session.dialect.name == 'postgresql' else _SQLITE_SIZES
    try:
        found = [TableSize(*row) for row in session.execute(statement).fetchall()]
    except session.dialect.unclear_errors:  # SQLite may be built without dbstat
        if session.dialect.name == 'postgresql':
            raise
        return [TableSize(name, None, None) for name in names]
    return [table for table in found if table.name in names]
