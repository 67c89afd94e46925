"""The tables of a storage as SQLAlchemy metadata, for the schema of new databases and for SQL of a user's own.

Names of tables, columns, constraints and indexes are those of the schemas that AiiDA 2 makes (formats/database.md):
AiiDA's own migrations look them up by name. What only reads and writes rows uses `ricordi.storage.columns`, which
costs no import of SQLAlchemy, and new databases are made from `tables_sqlite.sql` and `tables_postgresql.sql`, which
`python -m ricordi.storage.tables` writes; tests hold them all in step.
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

from ricordi.backend.rows import EntityKind
from ricordi.errors import UsageError
from ricordi.storage.columns import column_name, table_name


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


def _uuid() -> Column[str]:
    return Column('uuid', UUID_TYPE, nullable=False, unique=True)


def _text(name: str, length: int = 255, **options: Any) -> Column[str]:
    return Column(name, String(length), **{'nullable': False, **options})


def _json(name: str, nullable: bool = False) -> Column[Any]:
    return Column(name, JSON_TYPE, nullable=nullable)


def _time(name: str, index: bool = False) -> Column[datetime]:
    return Column(name, UtcTime(), nullable=False, index=index)


def _reference(name: str, table: str, ondelete: str | None, nullable: bool = False) -> Column[int]:
    target = ForeignKey(f'{table}.id', ondelete=ondelete, deferrable=True, initially='DEFERRED')
    return Column(name, Integer, target, nullable=nullable, index=True)


def _table(name: str, *columns: Any) -> Table:
    return Table(name, metadata, Column('id', Integer, primary_key=True), *columns)


db_dbuser = _table(
    'db_dbuser',
    _text('email', 254, unique=True),
    _text('first_name', 254),
    _text('last_name', 254),
    _text('institution', 254),
)

db_dbcomputer = _table(
    'db_dbcomputer',
    _uuid(),
    _text('label', unique=True),
    _text('hostname'),
    Column('description', Text, nullable=False),
    _text('scheduler_type'),
    _text('transport_type'),
    _json('metadata'),
)

db_dbauthinfo = _table(
    'db_dbauthinfo',
    _reference('aiidauser_id', 'db_dbuser', 'CASCADE'),
    _reference('dbcomputer_id', 'db_dbcomputer', 'CASCADE'),
    _json('metadata'),
    _json('auth_params'),
    Column('enabled', Boolean, nullable=False),
    UniqueConstraint('aiidauser_id', 'dbcomputer_id'),
)

db_dbnode = _table(
    'db_dbnode',
    _uuid(),
    _text('node_type', index=True),
    _text('process_type', nullable=True, index=True),
    _text('label', index=True),
    Column('description', Text, nullable=False),
    _time('ctime', index=True),
    _time('mtime', index=True),
    _json('attributes', nullable=True),
    _json('extras', nullable=True),
    _json('repository_metadata'),
    _reference('dbcomputer_id', 'db_dbcomputer', 'RESTRICT', nullable=True),
    _reference('user_id', 'db_dbuser', 'RESTRICT'),
)

db_dbgroup = _table(
    'db_dbgroup',
    _uuid(),
    _text('label', index=True),
    _text('type_string', index=True),
    _time('time'),
    Column('description', Text, nullable=False),
    _json('extras'),
    _reference('user_id', 'db_dbuser', 'CASCADE'),
    UniqueConstraint('label', 'type_string'),
)

db_dbgroup_dbnodes = _table(
    'db_dbgroup_dbnodes',
    _reference('dbnode_id', 'db_dbnode', None),
    _reference('dbgroup_id', 'db_dbgroup', None),
    UniqueConstraint('dbgroup_id', 'dbnode_id'),
)

db_dblink = _table(
    'db_dblink',
    _reference('input_id', 'db_dbnode', None),
    _reference('output_id', 'db_dbnode', 'CASCADE'),
    _text('label', index=True),
    _text('type', index=True),
)

db_dbcomment = _table(
    'db_dbcomment',
    _uuid(),
    _reference('dbnode_id', 'db_dbnode', 'CASCADE'),
    _time('ctime'),
    _time('mtime'),
    _reference('user_id', 'db_dbuser', 'CASCADE'),
    Column('content', Text, nullable=False),
)

db_dblog = _table(
    'db_dblog',
    _uuid(),
    _time('time'),
    _text('loggername', index=True),
    _text('levelname', 50, index=True),
    _reference('dbnode_id', 'db_dbnode', 'CASCADE'),
    Column('message', Text, nullable=False),
    _json('metadata'),
)

db_dbsetting = _table(
    'db_dbsetting',
    _text('key', 1024, unique=True),
    _json('val', nullable=True),
    Column('description', Text, nullable=False),
    _time('time'),
)

alembic_version = Table(
    'alembic_version',
    metadata,
    Column('version_num', String(32), nullable=False),
    PrimaryKeyConstraint('version_num', name='alembic_version_pkc'),
)

# PostgreSQL uses an ordinary index for LIKE 'x%' only under the C locale; AiiDA adds one with another operator class.
_PREFIX_SEARCHED = {
    'db_dbuser': ('email',),
    'db_dbcomputer': ('label',),
    'db_dbnode': ('label', 'node_type', 'process_type'),
    'db_dbgroup': ('label', 'type_string'),
    'db_dblink': ('label', 'type'),
    'db_dblog': ('levelname', 'loggername'),
    'db_dbsetting': ('key',),
}
for _table_name, _column_names in _PREFIX_SEARCHED.items():
    for _name in _column_names:
        Index(
            f'ix_pat_{_table_name}_{_name}',
            metadata.tables[_table_name].c[_name],
            postgresql_using='btree',
            postgresql_ops={_name: 'varchar_pattern_ops'},
        ).ddl_if(dialect='postgresql')


def table_of(kind: EntityKind | str) -> Table:
    """The table that holds the rows of one kind.

    :raises ricordi.errors.UsageError: there are no rows of such a kind.
    """
    try:
        return metadata.tables[table_name(EntityKind(kind))]
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
