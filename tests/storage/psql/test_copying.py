"""The rows of a COPY are handed over some at a time, all of them, and what goes wrong amid them is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ricordi.storage.psql.copying import copied

NUMBERS = 'COPY (SELECT i, repeat(%(letter)s, i %% 300) FROM generate_series(1, 20000) AS i) TO STDOUT'
LINES = [f'{i}\t{"x" * (i % 300)}' for i in range(1, 20_001)]
FAILING = 'COPY (SELECT 1 / (15000 - i) FROM generate_series(1, 20000) AS i) TO STDOUT'


@pytest.fixture
def raw(psql_storage: Any) -> Iterator[psycopg.Connection[Any]]:
    with psql_storage.dialect.connect() as connection:
        yield connection


@pytest.mark.parametrize(('rows', 'size'), [(1, 1 << 30), (700, 1 << 30), (1 << 30, 5000), (1 << 30, 1 << 30)])
def test_all_rows_come_in_portions_of_whole_rows(raw: psycopg.Connection[Any], rows: int, size: int) -> None:
    with raw.cursor() as cursor:
        portions = list(copied(cursor, NUMBERS, {'letter': 'x'}, rows, size))
    assert b''.join(portions).decode().splitlines() == LINES
    for portion in portions:
        assert portion.endswith(b'\n')
        assert portion.count(b'\n') <= rows
        assert len(portion) < size + 400
    assert raw.execute('SELECT 7').fetchone() == (7,)


def test_of_no_rows_there_is_no_portion(raw: psycopg.Connection[Any]) -> None:
    with raw.cursor() as cursor:
        assert list(copied(cursor, 'COPY (SELECT 1 WHERE false) TO STDOUT', None, 10, 10)) == []
    assert raw.execute('SELECT 7').fetchone() == (7,)


@pytest.mark.parametrize('rows', [1000, 1 << 30])
def test_an_error_amid_the_rows_is_raised(raw: psycopg.Connection[Any], rows: int) -> None:
    with raw.cursor() as cursor, pytest.raises(psycopg.errors.DivisionByZero):
        list(copied(cursor, FAILING, None, rows, 1 << 30))
    raw.rollback()
    assert raw.execute('SELECT 7').fetchone() == (7,)


def test_who_looks_no_further_leaves_a_connection_that_works(raw: psycopg.Connection[Any]) -> None:
    with raw.cursor() as cursor:
        some = copied(cursor, NUMBERS, {'letter': 'x'}, 100, 1 << 30)
        assert next(some).count(b'\n') == 100
        del some
    raw.rollback()
    assert raw.execute('SELECT 7').fetchone() == (7,)
