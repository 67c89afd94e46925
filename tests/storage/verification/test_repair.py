"""What a verification finds in a database is mended: without loss, or after what goes was written down."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.storage.verification.conftest import verified

from ricordi.backend.repair import Mending, SetAside

Change = Callable[[Any, list[str]], None]

PSQL_FAULTS = {
    'sequence': ["SELECT setval('db_dbnode_id_seq', 2)", "SELECT setval('db_dblink_id_seq', 1, false)"],
    'unique': ['ALTER TABLE db_dbnode DROP CONSTRAINT uq_db_dbnode_uuid'],
    'foreign key': ['ALTER TABLE db_dblink DROP CONSTRAINT fk_db_dblink_input_id_db_dbnode'],
    'unchecked foreign key': [
        'ALTER TABLE db_dblink DROP CONSTRAINT fk_db_dblink_input_id_db_dbnode',
        'ALTER TABLE db_dblink ADD CONSTRAINT fk_db_dblink_input_id_db_dbnode FOREIGN KEY(input_id) '
        'REFERENCES db_dbnode (id) DEFERRABLE INITIALLY DEFERRED NOT VALID',
    ],
    'not null': ['ALTER TABLE db_dbnode ALTER COLUMN node_type DROP NOT NULL'],
    'primary key': ['ALTER TABLE db_dblink DROP CONSTRAINT db_dblink_pkey'],
}


def repaired(storage: Any, with_loss: bool = False, dry_run: bool = False) -> list[Any]:
    return list(storage.repair_database(verified(storage, thorough=True), with_loss, dry_run))


def deeds(done: list[Any]) -> list[str]:
    return [one.deed for one in done if isinstance(one, Mending)]


def test_missing_indexes_come_back(filled: Any, change: Change) -> None:
    change(filled, ['DROP INDEX ix_db_dblink_db_dblink_input_id', 'DROP INDEX ix_db_dbnode_db_dbnode_mtime'])
    assert deeds(repaired(filled, dry_run=True)) == ['mend the database'] * 2
    assert len(verified(filled)) == 2, 'a dry run has mended it'
    assert deeds(repaired(filled)) == ['mend the database'] * 2
    assert verified(filled) == []


@pytest.mark.parametrize('fault', PSQL_FAULTS)
def test_what_postgresql_lacks_it_is_given(filled_psql: Any, change: Change, fault: str) -> None:
    change(filled_psql, PSQL_FAULTS[fault])
    assert verified(filled_psql)
    assert set(deeds(repaired(filled_psql))) == {'mend the database'}
    assert verified(filled_psql) == []


def test_an_index_of_sqlite_that_does_not_fit_its_table_is_made_anew(filled_sqlite: Any, change: Change) -> None:
    with closing(sqlite3.connect(filled_sqlite.dialect.path, isolation_level=None)) as raw:
        raw.execute('PRAGMA writable_schema = ON')
        (root,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_db_dblink_db_dblink_input_id'"
        ).fetchone()
        raw.execute("DELETE FROM sqlite_master WHERE name = 'ix_db_dblink_db_dblink_input_id'")
        raw.execute('PRAGMA writable_schema = RESET')
        raw.execute("INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (1, 6, 'input_work', 'late')")
        raw.execute('PRAGMA writable_schema = ON')
        raw.execute(
            "INSERT INTO sqlite_master VALUES ('index', 'ix_db_dblink_db_dblink_input_id', 'db_dblink', ?, "
            "'CREATE INDEX ix_db_dblink_db_dblink_input_id ON db_dblink (input_id)')",
            (root,),
        )
    found = verified(filled_sqlite, thorough=True)
    assert {finding.kind for finding in found} == {'damaged index'}
    assert set(deeds(repaired(filled_sqlite))) == {'mend the database'}
    assert verified(filled_sqlite, thorough=True) == []


def test_what_the_rows_do_not_allow_is_told_and_left(filled_psql: Any, change: Change) -> None:
    change(
        filled_psql,
        [
            'ALTER TABLE db_dbcomputer DROP CONSTRAINT uq_db_dbcomputer_label',
            "UPDATE db_dbcomputer SET label = 'a'",
        ],
    )
    left = [one for one in repaired(filled_psql) if one.fault == 'missing constraint']
    assert [one.deed for one in left] == ['']
    assert left[0].detail == 'there is a computer with the same value already'


def test_a_sequence_that_is_gone_cannot_be_set(filled_psql: Any, change: Change) -> None:
    change(filled_psql, ['ALTER TABLE db_dblog ALTER id DROP DEFAULT', 'DROP SEQUENCE db_dblog_id_seq'])
    (left,) = repaired(filled_psql)
    assert (left.fault, left.deed, left.subject) == ('sequence behind', '', 'db_dblog')


def test_a_constraint_comes_back_once_the_rows_are_gone_that_it_would_have_kept_out(
    filled_psql: Any, change: Change
) -> None:
    change(
        filled_psql,
        ['ALTER TABLE db_dblink DROP CONSTRAINT fk_db_dblink_input_id_db_dbnode',
         'UPDATE db_dblink SET input_id = 99 WHERE id = 4'],
    )  # fmt: skip
    repaired(filled_psql, with_loss=True)
    assert verified(filled_psql) == []


def rows_of(storage: Any) -> dict[str, list[Any]]:
    tables = ('db_dblink', 'db_dbgroup_dbnodes', 'db_dbcomment', 'db_dblog', 'db_dbauthinfo')
    return {table: storage.session.execute(f'SELECT * FROM {table} ORDER BY id').fetchall() for table in tables}


def test_rows_that_point_nowhere_go_only_where_that_is_said(filled: Any, change: Change) -> None:
    change(filled, ['DELETE FROM db_dbnode WHERE id = 8', 'DELETE FROM db_dbnode WHERE id = 1'])
    before = rows_of(filled)
    done = repaired(filled)
    assert set(deeds(done)) == {''}
    assert deeds(repaired(filled, with_loss=True, dry_run=True)) == ['take away rows of the database'] * len(done)
    assert rows_of(filled) == before


def test_rows_that_point_nowhere_are_written_down_before_they_go_and_can_be_put_back(
    filled: Any, change: Change
) -> None:
    before = rows_of(filled)
    change(filled, ['DELETE FROM db_dbnode WHERE id IN (1, 8)'])
    done = repaired(filled, with_loss=True)
    assert set(deeds(done)) == {'take away rows of the database'}
    assert 'dangling reference' not in {finding.kind for finding in verified(filled)}
    gone = {table: [row for row in before[table] if row not in rows] for table, rows in rows_of(filled).items()}
    assert sum(map(len, gone.values())) > 2
    folder: Path = filled.repository.layout.folder
    put_back = []
    for place in (one.place for one in done if isinstance(one, SetAside)):
        for line in (folder / place).read_text().splitlines():
            content = json.loads(line)
            columns = ', '.join(f'"{column}"' for column in content['row'])
            values = ', '.join(
                'NULL' if value is None else "'{}'".format(value.replace("'", "''"))
                for value in content['row'].values()
            )
            put_back.append(f'INSERT INTO {content["table"]} ({columns}) VALUES ({values})')
    change(filled, put_back)
    assert rows_of(filled) == before


def test_what_nobody_but_a_person_can_decide_is_left(filled: Any, change: Change) -> None:
    change(filled, ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (4, 3, 'create', 'z')"])
    done = repaired(filled, with_loss=True)
    assert set(deeds(done)) == {''}
