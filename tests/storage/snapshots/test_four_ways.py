"""A database that AiiDA made goes into a new one, of either kind, and a snapshot of that is the same."""

from __future__ import annotations

import json
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import psycopg

from given_snapshots import Pieces, all_pieces, lines, without_settings
from ricordi.backend.rows import EntityKind
from ricordi.storage.snapshots.parts import COLUMNS, PARTS, SETTINGS

SCHEMA = {
    'sqlite': 'SELECT type, name, sql FROM sqlite_schema ORDER BY name',
    'postgresql': (
        "SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "UNION SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    ),
}


def parsed(pieces: Pieces) -> list[Any]:
    """Every field of every row, JSON as the value that it tells."""
    rows: list[Any] = []
    for part, given in pieces.items():
        kinds = [COLUMNS[part.table][name].kind for name in part.columns]
        for line in b''.join(piece.data for piece in given).decode().split('\n')[:-1]:
            fields = zip(kinds, line.split('\t'), strict=True)
            rows.append([json.loads(f.replace('\\\\', '\\')) if k == 'json' and f != '\\N' else f for k, f in fields])
    return rows


def test_what_was_filled_gives_the_snapshot_it_was_filled_from(
    reference: Any, storage: Any, of: SimpleNamespace
) -> None:
    schema = set(storage.session.execute(SCHEMA[storage.dialect.name]).fetchall())
    with reference.snapshot() as snapshot:
        before, keys = without_settings(all_pieces(snapshot)), list(snapshot.named_keys())
        storage.fill(snapshot)
    with storage.snapshot() as again:
        after = without_settings(all_pieces(again))
        assert list(again.named_keys()) == keys == list(reference.named_keys())
    if reference.dialect.name == 'sqlite' and storage.dialect.name == 'postgresql':  # where `jsonb` sorts
        assert parsed(after) == parsed(before)
    else:
        assert after == before
    found = set(storage.session.execute(SCHEMA[storage.dialect.name]).fetchall())
    assert schema == {row for row in found if 'sqlite_stat' not in row[1]}


def test_a_filled_storage_opens_with_its_own_repository_and_takes_more(
    reference: Any, storage: Any, of: SimpleNamespace
) -> None:
    with reference.snapshot() as snapshot:
        storage.fill(snapshot)
    assert storage.get_global_variable('repository|uuid') == storage.repository.uuid != reference.repository.uuid
    with closing(of.open(storage.profile)) as opened:
        (highest,) = opened.session.execute('SELECT max(id) FROM db_dbuser').fetchone()
        assert opened.insert(EntityKind.USER, [{'email': 'new@example.org'}]) == [highest + 1]


def test_primary_keys_of_deleted_rows_do_not_come_back(
    reference_psql_profile: Any, psql_storage: Any, of: SimpleNamespace
) -> None:
    with closing(of.open(reference_psql_profile)) as source:
        (gone,) = source.insert(EntityKind.USER, [{'email': 'gone@example.org'}])
        source.delete(EntityKind.USER, [gone])
        with source.snapshot() as snapshot:
            assert snapshot.sequences['db_dbuser'] == gone
            psql_storage.fill(snapshot)
    with psql_storage.snapshot() as again:
        assert again.sequences == snapshot.sequences
    assert psql_storage.insert(EntityKind.USER, [{'email': 'new@example.org'}]) == [gone + 1]


def test_both_databases_give_the_same_bytes_for_the_same_content(
    reference: Any, sqlite_storage: Any, psql_storage: Any
) -> None:
    with reference.snapshot() as snapshot:
        psql_storage.fill(snapshot)
    with psql_storage.snapshot() as sorted_json:
        sqlite_storage.fill(sorted_json)
        of_psql = without_settings(all_pieces(sorted_json))
    with sqlite_storage.snapshot() as snapshot:
        assert without_settings(all_pieces(snapshot)) == of_psql
        assert snapshot.parts == PARTS


def test_postgresql_reads_pieces_as_they_are(reference: Any, postgres: Any, new_database: Any) -> None:
    with reference.snapshot() as snapshot:
        pieces = all_pieces(snapshot)
    with psycopg.connect(postgres.uri(new_database())) as raw:
        for part in pieces:
            name = f'{part.table}_{part.part}'
            raw.execute(f'CREATE TABLE {name} ({", ".join(f"""{column}_ text""" for column in part.columns)})')
            with raw.cursor().copy(f'COPY {name} FROM STDIN') as copy:
                copy.write(lines(pieces, part.table, part.part))
            (count,) = raw.execute(f'SELECT count(*) FROM {name}').fetchone()
            assert count == sum(piece.rows for piece in pieces[part])


def test_settings_come_along(reference: Any, storage: Any) -> None:
    with reference.snapshot() as snapshot:
        before = all_pieces(snapshot)
        storage.fill(snapshot)
    rows = lines(before, SETTINGS).count(b'\n')
    assert storage.session.execute(f'SELECT count(*) FROM {SETTINGS}').fetchone()[0] == rows > 0
