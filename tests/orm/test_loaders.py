"""Entities are loaded by pk, uuid, the start of a uuid, or label."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import MultipleObjectsError, NotExistent

UUID = 'abcdef01-2345-4678-9abc-def012345678'
TWIN = 'abcdef01-2345-4678-9abc-000000000000'
DIGITS = '12345678-0000-4000-8000-000000000000'


@pytest.fixture
def node(storage: Any) -> orm.Int:
    node = orm.Int(1, label='one')
    node.row.uuid = UUID
    return node.store()


def test_by_all_that_a_person_knows(node: Any) -> None:
    for identifier in (node.pk, str(node.pk), UUID, UUID.upper(), UUID.replace('-', ''), 'abcd', 'abcdef01-23', 'one'):
        assert orm.load_node(identifier) == node
    assert orm.load_node(pk=node.pk) == orm.load_node(uuid='abcdef') == orm.load_node(label='one') == node


def test_what_is_not_there_is_told(node: Any) -> None:
    for how in ({'identifier': 'bcde'}, {'pk': 999}, {'uuid': 'ff'}, {'label': 'two'}, {'identifier': 'two'}):
        with pytest.raises(NotExistent, match='no Node with'):
            orm.load_node(**how)


def test_what_is_ambiguous_is_told(node: Any) -> None:
    twin = orm.Int(2, label='one')
    twin.row.uuid = TWIN
    twin.store()
    for identifier in ('abcdef', 'one'):
        with pytest.raises(MultipleObjectsError, match=f'pk {node.pk}|pk {twin.pk}'):
            orm.load_node(identifier)
    assert orm.load_node('abcdef01-2345-4678-9abc-d') == node


def test_digits_are_a_pk_unless_they_are_many(node: Any) -> None:
    other = orm.Int(2, label='1234')
    other.row.uuid = DIGITS
    other.store()
    assert orm.load_node('12345678') == other
    assert orm.load_node('12345678-') == other
    assert orm.load_node('1234') == other
    with pytest.raises(NotExistent):
        orm.load_node('123456')
    with pytest.raises(NotExistent):
        orm.load_node(12345678)


def test_digits_with_a_zero_in_front_are_no_pk(node: Any) -> None:
    with pytest.raises(NotExistent):
        orm.load_node(f'0{node.pk}')


def test_a_mark_says_that_it_is_a_label(storage: Any) -> None:
    group = orm.Group('abc').store()
    computer = orm.Computer('1', 'h', transport_type='core.local', scheduler_type='core.direct').store()
    orm.Computer('2', 'h', transport_type='core.local', scheduler_type='core.direct').store()
    assert orm.load_group('abc') == orm.load_group('abc!') == group
    assert orm.load_computer('1!') == computer
    assert orm.load_computer(label='2').pk != computer.pk


def test_exactly_one_way_must_be_given(sqlite_storage: Any) -> None:
    for how in ({}, {'pk': 1, 'uuid': 'a'}):
        with pytest.raises(ValueError, match='give one of'):
            orm.load_node(**how)
    with pytest.raises(ValueError, match='empty'):
        orm.load_node('')


def test_classes_narrow_what_is_found(node: Any) -> None:
    text = orm.Str('x', label='one').store()
    assert orm.load_node('one', sub_classes=(orm.Str,)) == text
    assert orm.load_node(UUID[:6], sub_classes=(orm.Data,)) == node
    with pytest.raises(NotExistent, match='no Dict or List with pk'):
        orm.load_node(pk=node.pk, sub_classes=(orm.Dict, orm.List))
    with pytest.raises(ValueError, match='subclasses of Node'):
        orm.load_node(1, sub_classes=(orm.Group,))


def test_codes_are_found_by_their_full_label(storage: Any) -> None:
    one = orm.Computer('one', 'h', transport_type='core.local', scheduler_type='core.direct').store()
    two = orm.Computer('two', 'h', transport_type='core.local', scheduler_type='core.direct').store()
    first = orm.InstalledCode(one, '/x', label='pw').store()
    second = orm.InstalledCode(two, '/x', label='pw').store()
    orm.Int(1, label='pw').store()
    assert orm.load_code('pw@one') == first
    assert orm.load_code('pw@two') == orm.load_code(label='pw@two') == orm.load_code(second.pk) == second
    with pytest.raises(MultipleObjectsError):
        orm.load_code('pw')
    with pytest.raises(NotExistent, match='AbstractCode'):
        orm.load_code('pw@three')


def test_any_class_can_be_given(node: Any) -> None:
    assert orm.load_entity(orm.Int, node.pk) == node
    with pytest.raises(NotExistent):
        orm.load_entity(orm.Str, node.pk)
    with pytest.raises(TypeError, match='class'):
        orm.load_entity('node', 1)


def test_a_pk_is_loaded_by_one_statement(node: Any, storage: Any, count_statements: Any) -> None:
    with count_statements(storage) as counted:
        orm.load_node(node.pk)
        orm.load_node(UUID)
    assert len(counted.statements) == 2
