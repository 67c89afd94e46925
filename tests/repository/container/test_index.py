"""The index of a container: what it keeps in mind, and what makes it look again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from ricordi.repository.container.container import Container


@pytest.fixture
def filled(container: Container) -> Container:
    """A container with three objects in one pack."""
    container.put_objects_into_pack([b'one', b'two', b'three'])
    return container


def objects(container: Container) -> int:
    return sum(pack.objects for pack in container.index.packs().values())


def test_packs_are_counted_anew_after_a_change_of_ones_own(filled: Container) -> None:
    assert objects(filled) == 3
    with filled.index.transaction():
        filled.index.delete(list(filled.list_objects())[:1])
    assert objects(filled) == 2


def test_packs_are_counted_anew_after_a_change_by_another(filled: Container) -> None:
    assert objects(filled) == 3
    other = Container(filled.layout.folder)
    other.put_objects_into_pack([b'four'])
    other.close()
    assert objects(filled) == 4


def test_nobody_else_begins_to_write_once_a_transaction_has_begun(filled: Container) -> None:
    with closing(sqlite3.connect(filled.layout.index, isolation_level=None, timeout=0)) as other:
        with filled.index.transaction(), pytest.raises(sqlite3.OperationalError, match='locked'):
            other.execute('BEGIN IMMEDIATE')
        other.execute('BEGIN IMMEDIATE')


def test_what_was_rolled_back_does_not_count(filled: Container) -> None:
    keys = list(filled.list_objects())
    assert objects(filled) == 3

    def change_and_fail() -> None:
        with filled.index.transaction():
            filled.index.delete(keys[:1])
            assert objects(filled) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change_and_fail()
    assert objects(filled) == 3


def test_packs_are_counted_anew_after_the_index_was_closed(filled: Container) -> None:
    assert objects(filled) == 3
    filled.index.suspend()
    other = Container(filled.layout.folder)
    other.put_objects_into_pack([b'four'])
    other.close()
    assert objects(filled) == 4
