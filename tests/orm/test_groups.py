"""Groups: labels, types, members."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import ModificationNotAllowed, NotExistent, StoringNotAllowed, UniquenessError, ValidationError


def test_a_group_comes_back_as_it_was_stored(storage: Any) -> None:
    when = datetime(2020, 1, 2, tzinfo=UTC)
    group = orm.Group('läbel/ünï', description='text', extras={'a': [1]}, time=when).store()
    loaded = orm.load_group(group.pk)
    assert type(loaded) is orm.Group
    assert loaded == group
    for name in ('uuid', 'label', 'description', 'time', 'type_string', 'user'):
        assert getattr(loaded, name) == getattr(group, name), name
    assert loaded.base.extras.all == {'a': [1]}
    assert (loaded.time, loaded.type_string) == (when, 'core')


@pytest.mark.parametrize(
    ('cls', 'type_string'),
    [(orm.Group, 'core'), (orm.AutoGroup, 'core.auto'), (orm.ImportGroup, 'core.import'), (orm.UpfFamily, 'core.upf')],
)
def test_each_class_has_its_type_string(storage: Any, cls: Any, type_string: str) -> None:
    group = cls('one label for all').store()
    assert group.type_string == cls._type_string == type_string
    assert type(orm.load_group(group.uuid)) is cls


def test_a_group_is_told_by_its_label_and_known_by_its_entry_point(sqlite_storage: Any) -> None:
    group = orm.AutoGroup('numbers')
    assert str(group) == 'AutoGroup<numbers>'
    assert repr(group) == "<AutoGroup: 'numbers' [type core.auto], pk: None>"
    assert (group.entry_point.name, group.entry_point.load()) == ('core.auto', orm.AutoGroup)
    assert type('Own', (orm.Group,), {}).entry_point is None


def test_a_group_of_an_unknown_type_loads_as_a_group(sqlite_storage: Any) -> None:
    group = orm.Group('family')
    group.row.type_string = 'pseudo.family.sssp'
    group.store()
    loaded = orm.load_group('family')
    assert type(loaded) is orm.Group
    assert loaded.type_string == 'pseudo.family.sssp'


def test_a_class_without_entry_point_cannot_be_stored(sqlite_storage: Any) -> None:
    class Mine(orm.Group):
        pass

    with pytest.raises(StoringNotAllowed, match=r'ricordi\.groups'):
        Mine('mine').store()


def test_labels_are_unique_per_type(storage: Any) -> None:
    orm.Group('a').store()
    orm.AutoGroup('a').store()
    with pytest.raises(UniquenessError):
        orm.Group('a').store()
    other = orm.Group('b').store()
    with pytest.raises(UniquenessError):
        other.label = 'a'
    assert other.label == orm.load_group(other.pk).label == 'b'
    for empty in ('', None):
        with pytest.raises(ValidationError, match='label'):
            orm.Group(empty)


def test_label_description_owner_and_extras_can_be_changed(storage: Any) -> None:
    group = orm.Group('a').store()
    bob = orm.User('bob@example.org').store()
    group.label, group.description, group.user = 'b', 'text', bob
    group.base.extras.set('x', 1)
    loaded = orm.load_group('b')
    assert (loaded.description, loaded.user, loaded.base.extras.get('x')) == ('text', bob, 1)
    with pytest.deprecated_call():
        assert loaded.get_extra('x') == 1


def test_members_come_in_the_order_they_were_added(storage: Any) -> None:
    nodes = [orm.Int(number).store() for number in range(5)]
    group = orm.Group('g').store()
    assert group.is_empty
    group.add_nodes(nodes[3])
    group.add_nodes([nodes[1], nodes[4], nodes[3]])
    assert list(group.nodes) == [3, 1, 4]
    assert not group.is_empty
    assert group.nodes[0] == 3
    assert group.nodes[-1] == 4
    assert group.nodes[1:] == [1, 4]
    assert group.nodes[:2] == [3, 1]
    assert group.nodes[::-1] == [4, 1, 3]
    assert next(group.nodes) == 3
    assert nodes[1] in group.nodes
    assert nodes[0] not in group.nodes
    with pytest.raises(IndexError, match='has 3 nodes'):
        group.nodes[3]
    group.remove_nodes([nodes[1], nodes[0]])
    assert list(group.nodes) == [3, 4]
    group.clear()
    assert list(group.nodes) == []
    assert nodes[3].is_stored


def test_members_are_counted(storage: Any) -> None:
    group = orm.Group('g').store()
    assert len(group.nodes) == group.count() == 0
    group.add_nodes([orm.Int(1).store(), orm.Int(2).store()])
    assert len(group.nodes) == group.count() == 2
    assert len(orm.Group('draft').nodes) == 0


def test_a_list_node_is_one_member(storage: Any) -> None:
    group = orm.Group('g').store()
    group.add_nodes(orm.List([1, 2]).store())
    group.add_nodes(node for node in [orm.Int(1).store()])
    assert [type(node) for node in group.nodes] == [orm.List, orm.Int]


def test_group_and_members_must_be_stored(storage: Any, new_storage: Any) -> None:
    with pytest.raises(ModificationNotAllowed, match='store it'):
        orm.Group('draft').add_nodes([])
    group = orm.Group('g').store()
    good = orm.Int(1).store()
    for error in (ModificationNotAllowed, ValueError):
        with pytest.raises(error, match='not stored'):
            group.add_nodes([good, orm.Int(2)])
    with pytest.raises(TypeError, match='nodes'):
        group.add_nodes(['node'])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match='another storage'):
        group.add_nodes(orm.Int(1, backend=new_storage()).store())
    assert group.is_empty


def test_many_members_take_few_statements(storage: Any, count_statements: Any) -> None:
    nodes = [orm.Data() for _ in range(2500)]
    orm.store_nodes(nodes)
    group = orm.Group('many').store()
    with count_statements(storage) as counted:
        group.add_nodes(nodes)
    assert len(counted.of('INSERT')) == 1
    with count_statements(storage) as counted:
        assert [node.pk for node in group.nodes] == [node.pk for node in nodes]
    assert len(counted.statements) < 15
    group.remove_nodes(nodes[1:])
    assert list(group.nodes) == nodes[:1]


def test_a_deleted_group_leaves_its_members(storage: Any) -> None:
    node = orm.Int(1).store()
    group = orm.Group('g').store()
    group.add_nodes(node)
    orm.Group.collection.delete(group.pk)
    assert orm.load_node(node.pk) == node
    with pytest.raises(NotExistent):
        orm.load_group('g')
    with pytest.raises(NotExistent, match='Group with pk'):
        orm.Group.collection.delete(group.pk)


def test_a_group_is_found_or_made(storage: Any) -> None:
    group, created = orm.UpfFamily.collection.get_or_create('x', description='first')
    assert created
    assert group.is_stored
    again, created = orm.UpfFamily.collection.get_or_create('x')
    assert not created
    assert again == group
    assert orm.Group.collection.get(label='x') == group
