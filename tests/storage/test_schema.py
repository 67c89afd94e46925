"""New databases have the schema that AiiDA makes, name by name; revisions are told apart; main_0001 is migrated."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from ricordi.backend.rows import NodeRow
from ricordi.config.profile import Profile
from ricordi.errors import (
    CorruptStorage,
    ForeignRepository,
    IncompatibleStorageSchema,
    InvalidOperation,
    StorageMigrationError,
    UnreachableStorage,
)
from ricordi.model.fields import FIELDS, TABLES, UNIQUE_TOGETHER, EntityKind, RowField, ValueKind
from ricordi.storage.schema import definitions
from ricordi.storage.tables import column_of, compiled, table_of

PSQL_SCHEMA = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'sequence', sequencename, data_type::text, increment_by::text, start_value::text, ''
FROM pg_sequences WHERE schemaname = 'public'
"""


def sqlite_schema(path: Path) -> dict[str, object]:
    """Each table as its set of column and constraint definitions, each index as its statement."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
    schema: dict[str, object] = {}
    for kind, name, sql in rows:
        text = re.sub(r'\s+', ' ', sql).replace('"key"', 'key')
        if kind == 'table':
            body = text[text.index('(') + 1 : text.rindex(')')]
            schema[name] = sorted(part.strip() for part in re.split(r',(?![^(]*\))', body))
        else:
            schema[name] = text
    return schema


def psql_schema(uri: str) -> set[tuple[str, ...]]:
    with psycopg.connect(uri) as connection:
        return set(connection.execute(PSQL_SCHEMA).fetchall())


def test_a_new_sqlite_database_has_the_schema_that_aiida_makes(
    sqlite_storage: Any, reference_sqlite_profile: Profile, of: SimpleNamespace
) -> None:
    expected = sqlite_schema(of.kind(reference_sqlite_profile).dialect_of(reference_sqlite_profile).path)
    assert sqlite_schema(sqlite_storage.dialect.path) == expected


def test_a_new_postgresql_database_has_the_schema_that_aiida_makes(
    psql_storage: Any, reference_psql_profile: Profile, postgres: Any
) -> None:
    own, aiidas = (p.storage_config['database_name'] for p in (psql_storage.profile, reference_psql_profile))
    assert psql_schema(postgres.uri(own)) == psql_schema(postgres.uri(aiidas))


@pytest.mark.parametrize('dialect', ['sqlite', 'postgresql'])
def test_the_kept_definitions_are_those_of_the_tables(dialect: str) -> None:
    kept = ''.join(f'{statement};\n' for statement in definitions(dialect))
    assert kept == compiled(dialect), 'write them anew: python -m ricordi.storage.tables'


@pytest.mark.parametrize('kind', EntityKind)
def test_the_tables_for_sql_of_ones_own_are_found_by_kind_and_field(kind: EntityKind) -> None:
    assert table_of(kind).name == TABLES[kind]
    assert [column_of(kind, name).name for name in FIELDS[kind]] == [field.column for field in FIELDS[kind].values()]


# -- what is on disk is what the table of fields tells -------------------------------------------------------

SQLITE_TYPES = {
    'int': 'INTEGER',
    'bool': 'BOOLEAN',
    'time': 'DATETIME',
    'uuid': 'VARCHAR(32)',
    'json': 'JSON',
    'text': 'TEXT',
    'limited': 'VARCHAR',
}
PSQL_TYPES = {
    'int': 'integer',
    'bool': 'boolean',
    'time': 'timestamp with time zone',
    'uuid': 'uuid',
    'json': 'jsonb',
    'text': 'text',
    'limited': 'character varying',
}
PSQL_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
PSQL_CONSTRAINTS = """
SELECT contype::text, ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (number, place)
                            JOIN pg_attribute ON attrelid = conrelid AND attnum = k.number ORDER BY k.place),
       confrelid::regclass::text, confdeltype::text
FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'f')
"""
PSQL_INDEXES = """
SELECT ARRAY(SELECT attname::text FROM unnest(indkey::int2[]) AS k (number)
             JOIN pg_attribute ON attrelid = indrelid AND attnum = k.number)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = %s::regclass AND NOT indisunique AND relname NOT LIKE 'ix_pat_%%'
"""
ON_DELETE = {'a': 'NO ACTION', 'r': 'RESTRICT', 'c': 'CASCADE'}


@dataclass(frozen=True)
class Told:
    """What a database tells of a table.

    :param columns: name, declared type, and whether it may be NULL.
    :param references: column, the table it refers to, and what is done when that row is deleted.
    :param unique: sets of columns, each in its order; the primary key first.
    :param indexed: columns found by an index of their own.
    """

    columns: list[tuple[str, str, bool]]
    references: set[tuple[str, str, str]]
    unique: set[tuple[str, ...]]
    indexed: set[str]


def expected(kind: EntityKind, types: Mapping[str, str]) -> Told:
    """What a database has to tell of the table of a kind of row.

    :param types: how each kind of value is declared; of a text with a limit, which stands in brackets, as `limited`.
    """

    def declared(field: RowField) -> str:
        if field.kind is not ValueKind.TEXT:
            return types[field.kind]
        return types['text'] if field.limit is None else f'{types["limited"]}({field.limit})'

    fields = FIELDS[kind]
    together = tuple(fields[name].column for name in UNIQUE_TOGETHER.get(kind, ()))
    return Told(
        [(field.column, declared(field), field.nullable) for field in fields.values()],
        {
            (field.column, TABLES[field.references], field.on_delete or 'NO ACTION')
            for field in fields.values()
            if field.references
        },
        {('id',), *((field.column,) for field in fields.values() if field.unique), *({together} if together else ())},
        {field.column for field in fields.values() if field.indexed},
    )


def told_by_sqlite(raw: sqlite3.Connection, table: str) -> Told:
    """What SQLite tells of a table. The primary key needs no index of its own: it is the number of the row."""
    columns = raw.execute(f'PRAGMA table_info({table})').fetchall()
    indexes = {
        tuple(name for _, _, name in raw.execute(f'PRAGMA index_info({name})')): bool(unique)
        for _, name, unique, *_ in raw.execute(f'PRAGMA index_list({table})').fetchall()
    }
    return Told(
        [(name, kind, not required) for _, name, kind, required, _, _ in columns],
        {(row[3], row[2], row[6]) for row in raw.execute(f'PRAGMA foreign_key_list({table})')},
        {tuple(row[1] for row in columns if row[5]), *(names for names, unique in indexes.items() if unique)},
        {name for names, unique in indexes.items() if not unique for name in names},
    )


def told_by_psql(raw: psycopg.Connection[Any], table: str) -> Told:
    """What PostgreSQL tells of a table."""
    constraints = raw.execute(PSQL_CONSTRAINTS, (table,)).fetchall()
    return Told(
        raw.execute(PSQL_COLUMNS, (table,)).fetchall(),
        {(names[0], other, ON_DELETE[action]) for kind, names, other, action in constraints if kind == 'f'},
        {tuple(names) for kind, names, _, _ in constraints if kind in 'pu'},
        {name for (names,) in raw.execute(PSQL_INDEXES, (table,)).fetchall() for name in names},
    )


def test_a_new_sqlite_database_has_the_columns_references_and_limits_of_the_table_of_fields(
    sqlite_storage: Any,
) -> None:
    with closing(sqlite3.connect(sqlite_storage.dialect.path)) as raw:
        assert {kind: told_by_sqlite(raw, TABLES[kind]) for kind in EntityKind} == {
            kind: expected(kind, SQLITE_TYPES) for kind in EntityKind
        }


def test_a_new_postgresql_database_has_the_columns_references_and_limits_of_the_table_of_fields(
    psql_storage: Any, postgres: Any
) -> None:
    with psycopg.connect(postgres.uri(psql_storage.profile.storage_config['database_name'])) as raw:
        assert {kind: told_by_psql(raw, TABLES[kind]) for kind in EntityKind} == {
            kind: expected(kind, PSQL_TYPES) for kind in EntityKind
        }


@pytest.mark.parametrize(
    ('made', 'changed'),
    [
        ('process_type VARCHAR(255),', 'process_type VARCHAR(255) NOT NULL,'),
        ('process_type VARCHAR(255),', 'process_type VARCHAR(254),'),
        ('    description TEXT NOT NULL,\n', ''),
        ('    CONSTRAINT uq_db_dbnode_uuid UNIQUE (uuid),\n', ''),
        ('REFERENCES db_dbuser (id) ON DELETE RESTRICT', 'REFERENCES db_dbcomputer (id) ON DELETE RESTRICT'),
        ('REFERENCES db_dbuser (id) ON DELETE RESTRICT', 'REFERENCES db_dbuser (id) ON DELETE CASCADE'),
        ('CREATE INDEX ix_db_dbnode_db_dbnode_ctime', '--'),
    ],
)
def test_what_differs_from_the_table_of_fields_is_seen(made: str, changed: str) -> None:
    text = ';\n'.join(
        each for each in definitions('sqlite') if re.match('CREATE TABLE db_dbnode |.* ON db_dbnode ', each)
    )
    assert made in text
    with closing(sqlite3.connect(':memory:')) as raw:
        raw.executescript(text.replace(made, changed))
        assert told_by_sqlite(raw, 'db_dbnode') != expected(EntityKind.NODE, SQLITE_TYPES)


def test_a_storage_is_initialised_once(storage: Any, of: SimpleNamespace) -> None:
    with pytest.raises(InvalidOperation, match='already'):
        of.initialise(storage.profile)


def test_a_failed_initialisation_leaves_nothing(
    profile: Profile, of: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError('the disk is gone')

    repository = of.repository(profile)
    with monkeypatch.context() as patch:
        patch.setattr('ricordi.storage.schema.set_global_variable', fail)
        with pytest.raises(OSError, match='gone'):
            of.kind(profile).initialise(profile, repository)
    assert not repository.layout.folder.exists()
    if profile.storage_backend == 'core.sqlite_dos':
        assert not repository.layout.folder.parent.exists()
    of.initialise(profile)
    assert of.open(profile).version() == 'main_0002'


def test_a_container_that_holds_objects_is_taken_over_only_where_a_person_says_so(
    sqlite_profile: Profile, of: SimpleNamespace
) -> None:
    with of.repository(sqlite_profile) as repository:
        repository.initialise()
        key = repository.put_object_from_bytes(b'was there before')
    with pytest.raises(ForeignRepository, match='holds objects already'):
        of.initialise(sqlite_profile)
    with of.repository(sqlite_profile) as repository:
        assert repository.get_object_content(key) == b'was there before'
        repository.given_over = True
        of.kind(sqlite_profile).initialise(sqlite_profile, repository)
    assert of.open(sqlite_profile).repository.get_object_content(key) == b'was there before'


def test_an_empty_container_that_is_half_made_is_completed(profile: Profile, of: SimpleNamespace) -> None:
    with of.repository(profile) as repository:
        repository.initialise()
        repository.layout.index.unlink()
        repository.layout.packs.rmdir()
    of.initialise(profile)
    storage = of.open(profile)
    key = storage.repository.put_objects([b'content'])[0]
    assert storage.repository.get_object_content(key) == b'content'


# -- revisions -----------------------------------------------------------------------------------------------


def set_version(storage: Any, version: str) -> None:
    with storage.transaction():
        storage.session.execute(f"UPDATE alembic_version SET version_num = '{version}'")


def test_the_version_is_read_without_opening(reference: Any) -> None:
    kind = type(reference)
    assert kind.version_profile(reference.profile) == kind.version_head() == reference.version() == 'main_0002'


@pytest.mark.parametrize(
    ('version', 'way_out'),
    [
        ('main_0001', 'main_0002 is needed'),
        ('main_0003', 'update Ricordi'),
        ('1de112340b16', 'verdi storage migrate'),
        ('main_0000a', 'verdi storage migrate'),
    ],
)
def test_another_schema_is_refused_with_the_way_out(
    storage: Any, of: SimpleNamespace, version: str, way_out: str
) -> None:
    set_version(storage, version)
    assert of.kind(storage.profile).version_profile(storage.profile) == version
    with pytest.raises(IncompatibleStorageSchema, match=way_out) as caught:
        of.open(storage.profile)
    assert caught.value.exit_code == 4
    assert (caught.value.remedy is not None) == (version == 'main_0001')
    if version != 'main_0001':
        with pytest.raises(StorageMigrationError, match=way_out):
            of.kind(storage.profile).migrate(storage.profile)


def test_a_database_of_aiida_1_with_django_is_told_by_its_tables(psql_profile: Profile, of: SimpleNamespace) -> None:
    dialect = of.kind(psql_profile).dialect_of(psql_profile)
    with closing(dialect.connect()) as raw:
        raw.execute('CREATE TABLE django_migrations (id serial); CREATE TABLE db_dbnode (id serial)')
    with pytest.raises(IncompatibleStorageSchema, match='verdi storage migrate'):
        of.kind(psql_profile).version_profile(psql_profile)


def test_a_database_without_revision_is_corrupt(storage: Any, of: SimpleNamespace) -> None:
    storage.session.execute('DROP TABLE alembic_version')
    with pytest.raises(CorruptStorage, match='alembic_version'):
        of.open(storage.profile)


def test_an_empty_database_holds_no_storage(psql_profile: Profile, of: SimpleNamespace) -> None:
    with pytest.raises(UnreachableStorage, match='holds no storage'):
        of.open(psql_profile)


def test_migration_forgets_the_hashes_of_calcjobs_and_nothing_else(storage: Any, of: SimpleNamespace) -> None:
    user = storage.insert(EntityKind.USER, [{'email': 'a@example.org'}])[0]
    extras = {'_aiida_hash': 'abc', 'big': 2**60, 'tiny': 1e-300, 'odd': 'ü"\\'}
    rows = [
        {'user_pk': user, 'node_type': 'process.calculation.calcjob.CalcJobNode.', 'extras': extras},
        {'user_pk': user, 'node_type': 'process.calculation.calcjob.CalcJobNode.', 'extras': {}},
        {'user_pk': user, 'node_type': 'data.core.int.Int.', 'extras': extras},
    ]
    pks = storage.insert(EntityKind.NODE, rows)
    before = [storage.get(NodeRow, pk) for pk in pks]
    set_version(storage, 'main_0001')
    of.kind(storage.profile).migrate(storage.profile)
    of.kind(storage.profile).migrate(storage.profile)
    assert of.open(storage.profile).version() == 'main_0002'
    after = [storage.get(NodeRow, pk) for pk in pks]
    del before[0].extras['_aiida_hash']
    assert after == before


# -- the repository ---------------------------------------------------------------------------------------------


def test_a_container_of_another_storage_is_refused(reference: Any, of: SimpleNamespace, tmp_path: Path) -> None:
    other = of.repository(reference.profile).layout.config
    other.write_text(other.read_text().replace(reference.repository.uuid, 'f' * 32))
    with pytest.raises(CorruptStorage, match=f'{reference.repository.uuid}.*{"f" * 32}'):
        of.open(reference.profile)


def test_a_missing_container_is_named(reference: Any, of: SimpleNamespace) -> None:
    folder = of.repository(reference.profile).layout.folder
    folder.rename(folder.with_name('elsewhere'))
    with pytest.raises(UnreachableStorage, match=str(folder)):
        of.open(reference.profile)
