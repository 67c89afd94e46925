"""Files are durable before a row names them; whatever fails on the way, a node is stored whole or not at all."""

from __future__ import annotations

import io
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.orm.nodes.repository_tree import FileTree


class Broken(Exception):
    """The fault."""


def make() -> orm.SinglefileData:
    return orm.SinglefileData(io.BytesIO(b'precious'))


def key_of(node: Any) -> str:
    key = node.base.repository.get_object('file.txt').key
    assert isinstance(key, str)
    return key


def test_objects_are_there_before_the_row_is_written(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    insert = storage.insert

    def watched(kind: EntityKind, rows: Any) -> Any:
        for row in rows:
            for _, key in FileTree(row['repository_metadata']).files():
                seen.append(storage.repository.has_object(key))
        return insert(kind, rows)

    monkeypatch.setattr(storage, 'insert', watched)
    orm.store_nodes([make(), orm.SinglefileData(io.BytesIO(b'other'))])
    assert seen == [True, True]


def test_a_full_disk_leaves_no_row(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    node = make()

    def broken(*args: Any) -> Any:
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(storage.repository, 'put_object_from_filelike', broken)
        with pytest.raises(Broken):
            node.store()
    assert not node.is_stored
    assert list(storage.find(NodeRow)) == []
    assert orm.load_node(node.store().pk).content == b'precious'


@pytest.mark.parametrize('kind', [EntityKind.NODE, EntityKind.LINK])
def test_a_database_that_fails_leaves_no_row_and_the_node_can_be_stored_again(
    storage: Any, monkeypatch: pytest.MonkeyPatch, kind: EntityKind
) -> None:
    node, calculation = make(), orm.CalculationNode()
    calculation.base.links.add_incoming(node, orm.LinkType.INPUT_CALC, 'x')
    insert = storage.insert

    def broken(which: EntityKind, rows: Any) -> Any:
        pks = insert(which, rows)
        if which is kind:
            raise Broken
        return pks

    with monkeypatch.context() as patch:
        patch.setattr(storage, 'insert', broken)
        with pytest.raises(Broken):
            calculation.store_all()
    assert not node.is_stored
    assert not calculation.is_stored
    assert list(storage.find(NodeRow)) == []
    assert node.content == b'precious'
    calculation.store_all()
    assert orm.load_node(calculation.pk).inputs.x.content == b'precious'


def test_equal_contents_are_one_object(storage: Any) -> None:
    one, two = make().store(), make().store()
    assert key_of(one) == key_of(two)
    many = [orm.SinglefileData(io.BytesIO(b'same'), f'{number}') for number in range(20)]
    orm.store_nodes(many)
    assert {node.content for node in many} == {b'same'}
    assert len(list(storage.repository.list_objects())) == 2


def test_a_node_can_be_read_at_once_after_storing(storage: Any) -> None:
    node = make().store()
    assert node.content == b'precious'
    assert node.base.repository.metadata == {'o': {'file.txt': {'k': key_of(node)}}}
