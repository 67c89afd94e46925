"""Collections: the entities of a class in a storage."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import MultipleObjectsError, NotExistent, ValidationError


@pytest.fixture
def nodes(storage: Any) -> list[Any]:
    made = [orm.Int(1, label='a'), orm.Int(2, label='b'), orm.Float(1.5, label='a'), orm.CalcJobNode()]
    orm.store_nodes(made)
    return made


def test_all_of_a_class_and_its_subclasses(nodes: list[Any]) -> None:
    assert orm.Node.collection.all() == nodes
    assert {node.uuid for node in orm.Data.collection.all()} == {node.uuid for node in nodes[:3]}
    assert [node.uuid for node in orm.ProcessNode.collection.all()] == [nodes[3].uuid]
    assert len(orm.Int.objects.all()) == 2


def test_one_by_its_fields(nodes: list[Any]) -> None:
    assert orm.Node.collection.get(pk=nodes[0].pk) == nodes[0]
    assert orm.Node.collection.get(id=nodes[0].pk) == nodes[0]
    assert orm.Int.collection.get(label='a') == nodes[0]
    assert orm.Data.collection.get(uuid=nodes[2].uuid) == nodes[2]
    assert orm.Int.collection.get(**{'attributes.value': 2}) == nodes[1]
    with pytest.raises(MultipleObjectsError, match="more than one Data with label 'a'"):
        orm.Data.collection.get(label='a')
    with pytest.raises(NotExistent, match="no Float with label 'b'"):
        orm.Float.collection.get(label='b')
    with pytest.raises(NotExistent):
        orm.Int.collection.get(label={'like': 'c%'})


def test_some_by_filters(nodes: list[Any]) -> None:
    assert orm.Int.collection.find({'attributes.value': {'>': 1}}) == [nodes[1]]
    assert [node.label for node in orm.Data.collection.find(order_by=[{'label': 'desc'}], limit=1)] == ['b']
    assert orm.Data.collection.count() == 3
    assert orm.Data.collection.count({'label': 'a'}) == 2
    assert orm.Int.collection.query(project=['label'], order_by='label').all(flat=True) == ['a', 'b']


def test_some_are_deleted_by_filters(storage: Any) -> None:
    node = orm.Int(1).store()
    kept, gone = (node.base.comments.add(text) for text in ('kept', 'gone'))
    assert orm.Comment.collection.delete_many({'content': 'gone'}) == [gone.pk]
    assert orm.Comment.collection.all() == [kept]
    with pytest.raises(ValidationError, match='everything'):
        orm.Comment.collection.delete_many({})
    orm.Comment.collection.delete_all()
    assert orm.Comment.collection.all() == []


def test_another_storage(nodes: list[Any], new_storage: Any) -> None:
    other = new_storage()
    assert orm.Node.get_collection(other).all() == []
    collection = orm.Node.collection(other)
    assert collection.backend is other
    assert collection.entity_type is orm.Node
    assert collection.count() == 0


def test_keys_of_all_files(storage: Any) -> None:
    one, two = orm.SinglefileData.from_string('x').store(), orm.FolderData()
    two.put_object_from_bytes(b'x', 'a/b')
    two.put_object_from_bytes(b'y', 'c')
    two.store()
    keys = list(orm.Node.collection.iter_repo_keys())
    assert len(keys) == 3
    assert len(set(keys)) == 2
    assert list(orm.SinglefileData.collection.iter_repo_keys()) == [one.base.repository.get_object('file.txt').key]


def test_fields_make_filters(nodes: list[Any]) -> None:
    assert orm.QueryBuilder().append(orm.Int, filters=orm.Int.fields.value > 1).all(flat=True) == [nodes[1]]
