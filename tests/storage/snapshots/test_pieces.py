"""Pieces begin at multiples of a width, whatever rows lie between, and are closed when they are large."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from given_snapshots import all_pieces, without_settings
from ricordi.backend.rows import EntityKind
from ricordi.backend.snapshots import Piece
from ricordi.model.copy_text import pk_of
from ricordi.storage.snapshots.cutting import RowBatch, SnapshotLimits, batches_of, cut

SMALL = SnapshotLimits(piece_bytes=5000, batch_bytes=2000)


def batch(*pks: int, size: int = 10) -> RowBatch:
    lines = [b'%d\t%s\n' % (pk, b'x' * (size - len(str(pk)) - 2)) for pk in pks]
    return RowBatch(pks[0], len(pks), b''.join(lines))


@pytest.mark.parametrize(
    ('batches', 'pieces'),
    [
        ([], []),
        ([batch(1, 2, 9), batch(10, 11)], [(1, 3), (10, 2)]),
        ([batch(8), batch(9), batch(10)], [(8, 2), (10, 1)]),
        ([batch(15), batch(95)], [(15, 1), (95, 1)]),
        ([batch(-3), batch(0)], [(-3, 1), (0, 1)]),
        ([batch(1, 2, 3, 4)], [(1, 4)]),
        ([batch(1, 2, 3, 4), batch(5)], [(1, 5)]),
        ([batch(1, 2, 3, 4), batch(5, 6)], [(1, 6)]),
        ([batch(1, 2, 3, 4), batch(5, 6, 7)], [(1, 6), (7, 1)]),
        ([batch(1, size=100), batch(2, size=100), batch(3)], [(1, 1), (2, 1), (3, 1)]),
        ([batch(1, 2, size=100), batch(3)], [(1, 1), (2, 1), (3, 1)]),
    ],
)
def test_where_a_piece_ends(batches: list[RowBatch], pieces: list[tuple[int, int]]) -> None:
    found = list(cut(batches, 10, 50))
    assert [(piece.first, piece.rows) for piece in found] == pieces
    assert b''.join(piece.data for piece in found) == b''.join(given.lines for given in batches)


def test_lines_are_parted_at_the_multiples_of_a_width() -> None:
    lines = [b'%d\tx\n' % pk for pk in (-3, 0, 9, 10, 11, 19, 95)]
    found = list(batches_of(lines, 10))
    assert [(one.first, one.rows) for one in found] == [(-3, 1), (0, 2), (10, 3), (95, 1)]
    assert [line for one in found for line in one.lines.splitlines(keepends=True)] == lines
    assert list(batches_of([], 10)) == []


@pytest.fixture
def filled(storage: Any) -> Any:
    """A storage with gaps between its nodes, and with rows small and large."""
    user = storage.insert(EntityKind.USER, [{'email': 'a@example.org'}])[0]
    rows = [{'user_pk': user, 'description': 'x\n' * (number * 37 % 2000)} for number in range(200)]
    pks = storage.insert(EntityKind.NODE, rows)
    storage.delete(EntityKind.NODE, pks[20:60])
    storage.session.execute('UPDATE db_dbnode SET id = id + 1000 WHERE id > 100 AND id < 150')
    storage.session.execute('UPDATE db_dbnode SET id = id + 100000 WHERE id BETWEEN 150 AND 900')
    return storage


def test_rows_come_by_primary_key_and_no_piece_is_much_larger_than_it_may_be(filled: Any) -> None:
    with filled.dialect.capture(None, SMALL) as snapshot:
        for part, pieces in all_pieces(snapshot).items():
            pks = [pk_of(line) for piece in pieces for line in piece.data.split(b'\n')[:-1]]
            assert pks == [pk for (pk,) in filled.session.execute(f'SELECT id FROM {part.table} ORDER BY id')]
            for piece in pieces:
                lines = piece.data.split(b'\n')[:-1]
                assert (piece.first, piece.rows) == (pk_of(lines[0]), len(lines))
                assert piece.first // part.width == pk_of(lines[-1]) // part.width
                assert sum(len(line) + 1 for line in lines[:-1]) <= SMALL.piece_bytes
            for piece, after in itertools.pairwise(pieces):
                assert piece.first // part.width < after.first // part.width or len(piece.data) > SMALL.piece_bytes


def test_pieces_do_not_depend_on_how_much_is_read_at_once(filled: Any) -> None:
    found = []
    for batch_bytes in (1, 700, 1 << 20):
        with filled.dialect.capture(None, SMALL._replace(batch_bytes=batch_bytes)) as snapshot:
            found.append(all_pieces(snapshot))
    assert found[0] == found[1] == found[2]


def test_large_pieces_of_one_part_go_together_with_small_ones_of_the_other(
    filled: Any, make_sqlite_storage: Any
) -> None:
    again = make_sqlite_storage()
    with filled.dialect.capture(None, SMALL) as snapshot:
        again.fill(snapshot)
        before: dict[Any, list[Piece]] = without_settings(all_pieces(snapshot))
    with again.dialect.capture(None, SMALL) as snapshot:
        assert without_settings(all_pieces(snapshot)) == before
