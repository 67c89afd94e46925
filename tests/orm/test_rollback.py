"""A transaction that is rolled back takes back what it changed in memory, too."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ricordi import orm
from ricordi.orm import LinkType


class Undone(Exception):
    """Ends a transaction."""


@contextmanager
def rolled_back(storage: Any) -> Iterator[None]:
    try:
        with storage.transaction():
            yield
            raise Undone
    except Undone:
        pass


def test_a_node_can_be_stored_again(storage: Any) -> None:
    node = orm.SinglefileData(io.BytesIO(b'precious'), label='x')
    with rolled_back(storage):
        node.store()
        assert node.is_stored
        assert orm.load_node(node.pk).content == b'precious'
    assert not node.is_stored
    assert node.content == b'precious'
    node.base.extras.set('still', 'a draft')
    loaded = orm.load_node(node.store().pk)
    assert loaded.content == b'precious'
    assert loaded.base.extras.all == {'still': 'a draft'}


def test_links_wait_again(storage: Any) -> None:
    returned = orm.Int(1).store()
    workflow, other = orm.WorkflowNode(), orm.WorkflowNode()
    for number, process in enumerate((workflow, other)):
        returned.base.links.add_incoming(process, LinkType.RETURN, f'r{number}')
    other.base.links.add_incoming(workflow, LinkType.CALL_WORK, 'CALL')
    for _ in range(2):
        with rolled_back(storage):
            other.store_all()
            assert len(orm.load_node(returned.pk).base.links.get_incoming()) == 2
            assert len(returned.base.links.get_incoming()) == 2
        assert not workflow.is_stored
        assert len(returned.base.links.get_incoming()) == len(returned.base.links.incoming_cache) == 2
    other.store_all()
    assert returned.base.links.incoming_cache == []
    loaded = orm.load_node(returned.pk)
    assert {node.uuid for node in loaded.base.links.get_incoming().all_nodes()} == {workflow.uuid, other.uuid}
    assert orm.load_node(other.pk).caller == workflow


def test_changes_are_taken_back(storage: Any) -> None:
    node = orm.CalcJobNode(label='before').store()
    user = orm.User.collection.get_default()
    with rolled_back(storage):
        node.label = 'after'
        node.base.extras.set('a', 1)
        node.set_exit_status(1)
        node.seal()
        user.institution = 'Busseto'
        assert node.user.institution == 'Busseto'
    assert (node.label, node.base.extras.all, node.exit_status, node.is_sealed) == ('before', {}, None, False)
    assert user.institution == node.user.institution == ''
    node.set_exit_status(2)
    assert orm.load_node(node.pk).exit_status == 2


def test_other_entities_can_be_stored_again(storage: Any) -> None:
    node = orm.Int(1).store()
    entities = [
        orm.User('new@example.org'),
        orm.Computer('c', 'h', transport_type='core.local', scheduler_type='core.direct'),
        orm.Group('g'),
        orm.Comment(node, orm.User.collection.get_default(), 'text'),
    ]
    with rolled_back(storage):
        for entity in entities:
            entity.store()
    for entity in entities:
        assert not entity.is_stored
        assert entity.store().is_stored


def test_an_inner_rollback_takes_back_its_own_part(storage: Any) -> None:
    outer, inner, last = orm.Int(1), orm.Int(2), orm.Int(3)
    with storage.transaction():
        outer.store()
        with rolled_back(storage):
            inner.store()
        last.store()
    assert [node.is_stored for node in (outer, inner, last)] == [True, False, True]
    with rolled_back(storage), storage.transaction():
        inner.store()
    assert not inner.is_stored
    assert [node.value for node in orm.Node.collection.all()] == [1, 3]
