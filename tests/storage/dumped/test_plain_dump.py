"""A plain dump of pg_dump is read without a server; what is none is refused."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.errors import CorruptStorage, UnreachableStorage
from ricordi.storage.dumped.snapshot import DumpedDatabase

DATA = Path(__file__).parents[2] / 'data'


@pytest.fixture(scope='module')
def text() -> str:
    """What pg_dump of PostgreSQL 18 wrote of the reference database, for `verdi storage backup`."""
    with tarfile.open(DATA / 'verdi_backup_psql.tar.gz') as archive:
        (member,) = (name for name in archive.getnames() if name.endswith('db.psql'))
        handle = archive.extractfile(member)
        assert handle is not None
        return handle.read().decode()


@pytest.fixture
def dumped(tmp_path: Path) -> Callable[[str], DumpedDatabase]:
    """Opens a text as a dump."""

    def opened(text: str) -> DumpedDatabase:
        path = tmp_path / f'{len(list(tmp_path.iterdir()))}.psql'
        path.write_text(text, newline='')
        return DumpedDatabase(path)

    return opened


def rows_of(snapshot: DumpedDatabase, table: str) -> list[list[str]]:
    """All rows of a table, as fields."""
    (part,) = (part for part in snapshot.parts if part.table == table)
    lines = b''.join(piece.data for piece in snapshot.pieces(part)).decode().split('\n')
    assert lines.pop() == ''
    return [line.split('\t') for line in lines]


def block_of(text: str, table: str) -> str:
    """The rows of a table as they stand in a dump."""
    found = re.search(rf'^COPY public\.{table} .*\n((?:.*\n)*?)\\\.\n', text, re.MULTILINE)
    assert found is not None
    return found[1]


def test_all_tables_come_in_an_order_in_which_rows_can_be_put(text: str, dumped) -> None:
    with dumped(text) as snapshot:
        tables = [part.table for part in snapshot.parts]
        counts = {table: len(rows_of(snapshot, table)) for table in tables}
        assert (snapshot.schema, snapshot.source) == ('main_0002', 'postgresql')
    assert tables.index('db_dbuser') < tables.index('db_dbnode') < tables.index('db_dblink')
    assert counts['db_dbnode'] == 74
    assert counts['db_dblink'] == 88
    assert counts['db_dbsetting'] == 1
    assert all(part.columns[0] == 'id' for part in snapshot.parts)


def test_rows_come_by_primary_key_whatever_their_order_in_the_dump(text: str, dumped) -> None:
    rows = block_of(text, 'db_dbnode')
    turned = ''.join(reversed(rows.splitlines(keepends=True)))
    with dumped(text) as straight, dumped(text.replace(rows, turned)) as reversed_:
        expected = rows_of(straight, 'db_dbnode')
        assert rows_of(reversed_, 'db_dbnode') == expected
    assert [int(row[0]) for row in expected] == sorted(int(row[0]) for row in expected)


def test_columns_come_in_one_order_whatever_that_of_the_table(text: str, dumped) -> None:
    rows = block_of(text, 'db_dbuser')
    turned = ''.join('\t'.join(reversed(line.split('\t'))) + '\n' for line in rows.splitlines())
    other = text.replace(
        'COPY public.db_dbuser (id, email, first_name, last_name, institution)',
        'COPY public.db_dbuser (institution, last_name, first_name, email, id)',
    ).replace(rows, turned)
    assert other != text
    with dumped(text) as one, dumped(other) as another:
        assert rows_of(another, 'db_dbuser') == rows_of(one, 'db_dbuser')


@pytest.mark.parametrize(
    ('written', 'read'),
    [
        ('2026-11-22 07:14:41+00', '2026-11-22 07:14:41.000000'),
        ('2026-11-22 07:14:41.5+00', '2026-11-22 07:14:41.500000'),
        ('2026-11-22 01:14:41.000001+02', '2026-11-21 23:14:41.000001'),
        ('2026-11-22 07:14:41.25-03:30', '2026-11-22 10:44:41.250000'),
    ],
)
def test_times_are_in_utc_with_six_digits(text: str, dumped, written: str, read: str) -> None:
    with dumped(text.replace('2026-11-22 07:14:41.994754+00', written)) as snapshot:
        assert rows_of(snapshot, 'db_dbcomment')[0][3] == read


def test_sequences_tell_the_highest_key_that_was_given_out(text: str, dumped) -> None:
    called = "setval('public.db_dbnode_id_seq', 74, true)"
    assert called in text
    for state, highest in (('90, true', 90), ('91, false', 90), ('1, false', None)):
        with dumped(text.replace(called, f"setval('public.db_dbnode_id_seq', {state})")) as snapshot:
            assert snapshot.sequences.get('db_dbnode') == highest


def test_the_keys_that_nodes_name_come_sorted_and_once(text: str, dumped) -> None:
    with dumped(text) as snapshot:
        keys = list(snapshot.named_keys())
        trees = [json.loads(row[10].replace('\\\\', '\\')) for row in rows_of(snapshot, 'db_dbnode')]
    assert keys == sorted({*re.findall('"k": "([0-9a-f]{64})"', json.dumps(trees))})
    assert len(keys) == 23


def test_pieces_end_where_the_width_says(text: str, dumped) -> None:
    with dumped(text) as snapshot:
        (part,) = (part for part in snapshot.parts if part.table == 'db_dblink')
        pieces = list(snapshot.pieces(part._replace(width=10)))
        assert [piece.first for piece in pieces] == [1, *range(10, 90, 10)]
        assert sum(piece.rows for piece in pieces) == 88
        assert b''.join(piece.data for piece in pieces) == b''.join(piece.data for piece in snapshot.pieces(part))


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (lambda text: text[: text.index('-- PostgreSQL database dump complete')], 'cut short'),
        (lambda text: text[: text.index('COPY public.db_dblink') + 200], 'cut short in the rows of db_dblink'),
        (lambda text: 'PGDMP' + text, 'custom form'),
        (lambda text: 'hello\n', 'no plain dump'),
        (lambda text: text.replace("client_encoding = 'UTF8'", "client_encoding = 'LATIN1'"), 'LATIN1'),
        (lambda text: text.replace('COPY public.db_dblog ', 'COPY public.others '), 'no rows of a table db_dblog'),
        (lambda text: text.replace(', email, first_name', ', mail, first_name'), 'columns of db_dbuser .*email, mail'),
        (lambda text: text.replace('\nmain_0002\n', '\n'), 'one schema revision, but 0'),
        (lambda text: text.replace('\n1\talice@example.org', '\none\talice@example.org'), 'without a primary key'),
    ],
)
def test_what_is_no_whole_dump_of_a_storage_is_refused(
    text: str, dumped, change: Callable[[str], str], told: str
) -> None:
    with pytest.raises(CorruptStorage, match=told):
        dumped(change(text))


def test_two_rows_of_one_key_are_refused(text: str, dumped) -> None:
    rows = block_of(text, 'db_dbuser')
    with dumped(text.replace(rows, rows + rows)) as snapshot, pytest.raises(CorruptStorage, match='one primary key'):
        rows_of(snapshot, 'db_dbuser')


def test_a_dump_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreachableStorage, match='cannot read'):
        DumpedDatabase(tmp_path / 'nothing.psql')
