"""What the schema has and the database lacks is found, by what it does; and what got in where it was missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from tests.storage.verification.conftest import places, verified

from ricordi.storage.verification.declared import declared

Change = Callable[[Any, list[str]], None]


def rebuild(storage: Any, table: str, old: str, new: str) -> None:
    """Make a table of SQLite anew, with its rows and indexes, with a part of its definition replaced."""
    with closing(sqlite3.connect(storage.dialect.path, isolation_level=None)) as raw:
        raw.execute('PRAGMA legacy_alter_table = ON')  # what names the table still does
        statements = raw.execute(
            'SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC', (table,)
        ).fetchall()
        made = statements[0][0]
        assert old in made
        raw.execute(f'ALTER TABLE {table} RENAME TO old_one')
        raw.execute(made.replace(old, new))
        raw.execute(f'INSERT INTO {table} SELECT * FROM old_one')
        raw.execute('DROP TABLE old_one')
        for (statement,) in statements[1:]:
            raw.execute(statement)


@pytest.mark.parametrize('thorough', [False, True])
def test_a_missing_index_is_found(filled: Any, change: Change, thorough: bool) -> None:
    change(filled, ['DROP INDEX ix_db_dblink_db_dblink_input_id', 'DROP INDEX ix_db_dbnode_db_dbnode_mtime'])
    findings = verified(filled, thorough)
    assert places(findings) == {
        ('missing index', 'db_dblink ix_db_dblink_db_dblink_input_id'),
        ('missing index', 'db_dbnode ix_db_dbnode_db_dbnode_mtime'),
    }
    assert {finding.remedy for finding in findings} == {'database'}


def test_an_index_under_another_name_is_none_that_is_missing(filled: Any, change: Change) -> None:
    change(filled, ['DROP INDEX ix_db_dblink_db_dblink_input_id', 'CREATE INDEX mine ON db_dblink (input_id)'])
    assert verified(filled) == []


def test_links_without_their_indexes_are_looked_at_all_the_same(filled: Any, change: Change) -> None:
    change(
        filled,
        [
            'DROP INDEX ix_db_dblink_db_dblink_input_id',
            'DROP INDEX ix_db_dblink_db_dblink_output_id',
            "INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (4, 3, 'create', 'z')",
        ],
    )
    kinds = {finding.kind for finding in verified(filled)}
    assert kinds == {'missing index', 'too many links', 'link cycle'}


def without_unique_uuid(storage: Any, change: Change) -> None:
    if storage.dialect.name == 'sqlite':
        rebuild(storage, 'db_dbnode', 'CONSTRAINT uq_db_dbnode_uuid UNIQUE (uuid)', 'CHECK (TRUE)')
    else:
        change(storage, ['ALTER TABLE db_dbnode DROP CONSTRAINT uq_db_dbnode_uuid'])


def test_where_uuids_need_not_be_unique_those_of_two_nodes_are_found(filled: Any, change: Change) -> None:
    without_unique_uuid(filled, change)
    assert places(verified(filled)) == {('missing constraint', 'db_dbnode uq_db_dbnode_uuid')}
    change(filled, ['UPDATE db_dbnode SET uuid = (SELECT uuid FROM db_dbnode WHERE id = 3) WHERE id = 7'])
    duplicate = next(finding for finding in verified(filled) if finding.kind == 'duplicate uuid')
    assert duplicate.where == 'db_dbnode 3, 7'
    assert [pk for pk, _, _ in duplicate.nodes] == [3, 7]
    assert duplicate.remedy == 'database with loss'
    change(filled, ['UPDATE db_dbnode SET uuid = (SELECT uuid FROM db_dbnode WHERE id = 3) WHERE id = 5'])
    assert ('duplicate uuid', 'db_dbnode 3, …, 7') in places(verified(filled))


@pytest.mark.parametrize(
    ('table', 'constraint', 'unique', 'change_of_rows', 'expected'),
    [
        ('db_dbcomputer', 'uq_db_dbcomputer_uuid', 'uuid', 'uuid = (SELECT uuid FROM db_dbcomputer WHERE id = 1)',
         ('duplicate uuid', 'db_dbcomputer 1, 2')),
        ('db_dbgroup', 'uq_db_dbgroup_uuid', 'uuid', 'uuid = (SELECT uuid FROM db_dbgroup WHERE id = 1)',
         ('duplicate uuid', 'db_dbgroup 1, 2')),
        ('db_dbcomment', 'uq_db_dbcomment_uuid', 'uuid', 'uuid = (SELECT uuid FROM db_dbcomment WHERE id = 1)',
         ('duplicate uuid', 'db_dbcomment 1, 2')),
        ('db_dblog', 'uq_db_dblog_uuid', 'uuid', 'uuid = (SELECT uuid FROM db_dblog WHERE id = 1)',
         ('duplicate uuid', 'db_dblog 1, 2')),
        ('db_dbgroup', 'uq_db_dbgroup_label_type_string', 'label, type_string', "label = 'g'",
         ('duplicate value', 'db_dbgroup 1, 2')),
        ('db_dbuser', 'uq_db_dbuser_email', 'email', "email = 'ada@example.org'",
         ('duplicate value', 'db_dbuser 1, 2')),
        ('db_dbgroup_dbnodes', 'uq_db_dbgroup_dbnodes_dbgroup_id_dbnode_id', 'dbgroup_id, dbnode_id', 'dbnode_id = 1',
         ('duplicate value', 'db_dbgroup_dbnodes 1, 2')),
        ('db_dbauthinfo', 'uq_db_dbauthinfo_aiidauser_id_dbcomputer_id', 'aiidauser_id, dbcomputer_id',
         'aiidauser_id = 1', ('duplicate value', 'db_dbauthinfo 1, 2')),
    ],
)  # fmt: skip
def test_a_missing_unique_constraint_and_what_came_of_it_are_found(
    filled: Any,
    change: Change,
    table: str,
    constraint: str,
    unique: str,
    change_of_rows: str,
    expected: tuple[str, str],
) -> None:
    if filled.dialect.name == 'sqlite':
        rebuild(filled, table, f'CONSTRAINT {constraint} UNIQUE ({unique})', 'CHECK (TRUE)')
    else:
        change(filled, [f'ALTER TABLE {table} DROP CONSTRAINT {constraint}'])
    change(filled, [f'UPDATE {table} SET {change_of_rows} WHERE id = 2'])
    assert places(verified(filled)) == {('missing constraint', f'{table} {constraint}'), expected}


def test_a_missing_foreign_key_is_found_and_what_it_would_have_kept_out(filled: Any, change: Change) -> None:
    name = 'fk_db_dblink_input_id_db_dbnode'
    if filled.dialect.name == 'sqlite':
        reference = 'FOREIGN KEY(input_id) REFERENCES db_dbnode (id) DEFERRABLE INITIALLY DEFERRED'
        rebuild(filled, 'db_dblink', f'CONSTRAINT {name} {reference}', 'CHECK (TRUE)')
    else:
        change(filled, [f'ALTER TABLE db_dblink DROP CONSTRAINT {name}'])
    change(filled, ['UPDATE db_dblink SET input_id = 99 WHERE id = 4'])
    assert places(verified(filled)) == {
        ('missing constraint', f'db_dblink {name}'),
        ('dangling reference', 'db_dblink 4'),
    }


def test_a_missing_not_null_is_found_and_what_is_missing_for_it(filled: Any, change: Change) -> None:
    if filled.dialect.name == 'sqlite':
        rebuild(filled, 'db_dbnode', 'ctime DATETIME NOT NULL', 'ctime DATETIME')
    else:
        change(filled, ['ALTER TABLE db_dbnode ALTER ctime DROP NOT NULL'])
    change(filled, ['UPDATE db_dbnode SET ctime = NULL WHERE id = 2'])
    assert places(verified(filled)) == {
        ('missing constraint', 'db_dbnode ctime'),
        ('missing value', 'db_dbnode 2'),
    }


def test_a_missing_table_is_one_finding_and_the_rest_is_looked_at(filled: Any, change: Change) -> None:
    change(filled, ['DROP TABLE db_dblog', 'UPDATE db_dbcomment SET user_id = 99 WHERE id = 2'])
    assert places(verified(filled, thorough=True)) == {
        ('missing table', 'db_dblog'),
        ('dangling reference', 'db_dbcomment 2'),
    }


def test_a_missing_column_is_one_finding_and_the_rest_is_looked_at(filled: Any, change: Change) -> None:
    change(filled, ['ALTER TABLE db_dbnode DROP COLUMN description', 'UPDATE db_dbnode SET user_id = 99 WHERE id = 2'])
    assert places(verified(filled, thorough=True)) == {
        ('missing column', 'db_dbnode description'),
        ('dangling reference', 'db_dbnode 2'),
    }


def test_an_index_of_sqlite_that_does_not_fit_its_table_is_found_thoroughly(filled_sqlite: Any, change: Change) -> None:
    with closing(sqlite3.connect(filled_sqlite.dialect.path, isolation_level=None)) as raw:
        raw.execute('PRAGMA writable_schema = ON')
        raw.execute("DELETE FROM sqlite_master WHERE name = 'ix_db_dbnode_db_dbnode_label'")
    change(filled_sqlite, ["UPDATE db_dbnode SET label = 'changed' WHERE id = 2"])
    with closing(sqlite3.connect(filled_sqlite.dialect.path, isolation_level=None)) as raw:
        raw.execute('CREATE INDEX other ON db_dbnode (label)')
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'other'").fetchone()[0]
        size = raw.execute('PRAGMA page_size').fetchone()[0]
        raw.execute("UPDATE db_dbnode SET label = 'again' WHERE id = 3")
    with filled_sqlite.dialect.path.open('r+b') as file:  # one letter of an entry of the index
        file.seek((root - 1) * size)
        page = file.read(size)
        file.seek((root - 1) * size + page.index(b'again'))
        file.write(b'x')
    assert 'damaged index' not in {finding.kind for finding in verified(filled_sqlite)}
    damaged = [finding for finding in verified(filled_sqlite, thorough=True) if finding.kind == 'damaged index']
    assert {(finding.where, finding.remedy) for finding in damaged} == {('other', 'database')}


@pytest.mark.parametrize(
    ('statements', 'expected'),
    [
        (
            ["UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_pat_db_dbnode_label'::regclass"],
            ('missing index', 'db_dbnode ix_pat_db_dbnode_label'),
        ),
        (
            [
                'ALTER TABLE db_dblog DROP CONSTRAINT fk_db_dblog_dbnode_id_db_dbnode',
                'ALTER TABLE db_dblog ADD CONSTRAINT fk_db_dblog_dbnode_id_db_dbnode FOREIGN KEY (dbnode_id) '
                'REFERENCES db_dbnode (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID',
            ],
            ('missing constraint', 'db_dblog fk_db_dblog_dbnode_id_db_dbnode'),
        ),
        (
            ['ALTER TABLE db_dblog DROP CONSTRAINT db_dblog_pkey'],
            ('missing constraint', 'db_dblog db_dblog_pkey'),
        ),
        (
            ['ALTER TABLE db_dblog ALTER id DROP DEFAULT', 'DROP SEQUENCE db_dblog_id_seq'],
            ('sequence behind', 'db_dblog'),
        ),
    ],
)
def test_what_postgresql_has_only_by_half_counts_as_missing(
    filled_psql: Any, change: Change, statements: list[str], expected: tuple[str, str]
) -> None:
    change(filled_psql, statements)
    assert places(verified(filled_psql)) == {expected}


AMCHECK = [
    'DROP EXTENSION IF EXISTS amcheck',
    'CREATE SCHEMA checks',
    'CREATE FUNCTION checks.bt_index_check(index regclass, heapallindexed boolean) RETURNS void LANGUAGE plpgsql AS '
    "$$ BEGIN IF index = 'uq_db_dbnode_uuid'::regclass AND heapallindexed THEN "
    "RAISE EXCEPTION 'heap tuple lacks matching index tuple' USING ERRCODE = 'XX002', HINT = 'Retry.'; END IF; END $$",
    'INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) '
    "SELECT 999999, 'amcheck', 10, 'checks'::regnamespace, false, '1'",
]
"""An extension that finds an index of the nodes damaged; the server of the tests brings no real one."""


def test_what_amcheck_finds_of_an_index_is_found_thoroughly(filled_psql: Any, change: Change) -> None:
    change(filled_psql, AMCHECK)
    assert verified(filled_psql) == []
    (finding,) = verified(filled_psql, thorough=True)
    assert (finding.kind, finding.where, finding.remedy) == ('damaged index', 'uq_db_dbnode_uuid', 'database')
    assert finding.detail == 'heap tuple lacks matching index tuple'


def test_an_amcheck_that_may_not_be_used_is_a_check_that_failed(filled_psql: Any, change: Change) -> None:
    refused = [statement.replace('XX002', '42501') for statement in AMCHECK]
    change(filled_psql, [*refused, 'UPDATE db_dbcomment SET user_id = 99 WHERE id = 2'])
    findings = verified(filled_psql, thorough=True)
    assert places(findings) == {('failed check', ''), ('dangling reference', 'db_dbcomment 2')}
    (failed,) = [one for one in findings if one.kind == 'failed check']
    assert failed.detail.startswith('the integrity of the database could not be looked at: ')


@pytest.mark.parametrize('dialect', ['sqlite', 'postgresql'])
def test_the_whole_schema_is_understood(dialect: str) -> None:
    schema = declared(dialect)
    counted: dict[str, int] = {}
    for part in schema.parts:
        counted[part.sort] = counted.get(part.sort, 0) + 1
    assert counted == {
        'column': 69,
        'not null': 64,
        'primary key': 11,
        'unique': 11,
        'foreign key': 12,
        'index': 23 if dialect == 'sqlite' else 35,
    }
    assert sum(len(unique) for unique in schema.unique.values()) == 11
    assert sum(len(references) for references in schema.references.values()) == 12
