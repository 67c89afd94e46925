"""The tables of a storage as SQLAlchemy metadata, for the schema of new databases and for SQL of a user's own.

Names of tables, columns, constraints and indexes are those of the schemas that AiiDA 2 makes (formats/database.md):
AiiDA's own migrations look them up by name. They follow from `ricordi.model.fields`, which is all that reading and
writing rows needs, without an import of SQLAlchemy. New databases are made from `tables_sqlite.sql` and
`tables_postgresql.sql`, which `python -m ricordi.storage.tables` writes; tests hold them all in step.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    create_mock_engine,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from ricordi.errors import UsageError
from ricordi.model.fields import FIELDS, TABLES, UNIQUE_TOGETHER, EntityKind, RowField, ValueKind
from ricordi.storage.columns import column_name
from ricordi.storage.settings import LONGEST_KEY


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime; `timestamp with time zone` on PostgreSQL, naive UTC text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment if dialect.name == 'postgresql' else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


JSON_TYPE = JSON().with_variant(JSONB(), 'postgresql')
UUID_TYPE = String(32).with_variant(UUID(as_uuid=False), 'postgresql')

metadata = MetaData(
    naming_convention={
        'pk': '%(table_name)s_pkey',
        'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
        'ix': 'ix_%(table_name)s_%(column_0_label)s',
        'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s',
    }
)


_TYPES: dict[ValueKind, Any] = {
    ValueKind.INT: Integer(),
    ValueKind.BOOL: Boolean(),
    ValueKind.TIME: UtcTime(),
    ValueKind.UUID: UUID_TYPE,
    ValueKind.JSON: JSON_TYPE,
}


def _column(field: RowField) -> Column[Any]:
    references: list[ForeignKey] = []
    if field.references is not None:
        target = f'{TABLES[field.references]}.id'
        references = [ForeignKey(target, ondelete=field.on_delete, deferrable=True, initially='DEFERRED')]
    return Column(
        field.column,
        _TYPES.get(field.kind) or (Text() if field.limit is None else String(field.limit)),
        *references,
        primary_key=field.name == 'pk',
        nullable=field.nullable,
        unique=field.unique,
        index=field.indexed,
    )


for _kind, _fields in FIELDS.items():
    _together = [_fields[name].column for name in UNIQUE_TOGETHER.get(_kind, ())]
    _constraints = [UniqueConstraint(*_together)] if _together else []
    Table(TABLES[_kind], metadata, *map(_column, _fields.values()), *_constraints)

Table(
    'db_dbsetting',
    metadata,
    Column('id', Integer, primary_key=True),
    Column('key', String(LONGEST_KEY), nullable=False, unique=True),
    Column('val', JSON_TYPE),
    Column('description', Text, nullable=False),
    Column('time', UtcTime(), nullable=False),
)

Table(
    'alembic_version',
    metadata,
    Column('version_num', String(32), nullable=False),
    PrimaryKeyConstraint('version_num', name='alembic_version_pkc'),
)

# PostgreSQL uses an ordinary index for LIKE 'x%' only under the C locale; for each text that it can find by an index
# AiiDA adds one with another operator class.
for _table in metadata.tables.values():
    for _text in _table.columns:
        if isinstance(_text.type, String) and _text.type is not UUID_TYPE and (_text.index or _text.unique):
            Index(
                f'ix_pat_{_table.name}_{_text.name}',
                _text,
                postgresql_using='btree',
                postgresql_ops={_text.name: 'varchar_pattern_ops'},
            ).ddl_if(dialect='postgresql')


def table_of(kind: EntityKind | str) -> Table:
    """The table that holds the rows of one kind.

    :raises ricordi.errors.UsageError: there are no rows of such a kind.
    """
    try:
        return metadata.tables[TABLES[EntityKind(kind)]]
    except ValueError:
        raise UsageError(f'there are no rows of the kind {kind!r}; there are {", ".join(EntityKind)}') from None


def column_of(kind: EntityKind, field: str) -> Column[Any]:
    """The column that holds a field of the row class (`computer_pk` of a node → `db_dbnode.dbcomputer_id`)."""
    return table_of(kind).c[column_name(kind, field)]


def compiled(dialect_name: str) -> str:
    """The CREATE statements of the tables, then of the indexes, for a dialect; each ended by a semicolon.

    :param dialect_name: `sqlite` or `postgresql`.
    """
    statements: list[str] = []

    def collect(element: Any, *args: object, **kwargs: object) -> None:
        lines = str(element.compile(dialect=engine.dialect)).strip().expandtabs(4).splitlines()
        statements.append('\n'.join(line.rstrip() for line in lines))

    engine = create_mock_engine({'sqlite': 'sqlite://', 'postgresql': 'postgresql+psycopg://'}[dialect_name], collect)
    metadata.create_all(engine, checkfirst=False)
    tables = [statement for statement in statements if statement.startswith('CREATE TABLE')]
    indexes = sorted(statement for statement in statements if statement not in tables)
    return ''.join(f'{statement};\n' for statement in tables + indexes)


if __name__ == '__main__':
    for name in ('sqlite', 'postgresql'):
        Path(__file__).with_name(f'tables_{name}.sql').write_text(compiled(name), encoding='utf-8')
