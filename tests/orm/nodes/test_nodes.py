"""Nodes: made, stored, read again; what may change and what not; how many statements that takes."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import (
    ConfigurationError,
    InvalidOperation,
    ModificationNotAllowed,
    NotExistent,
    StoringNotAllowed,
    ValidationError,
)


def test_a_node_comes_back_as_it_was_stored(storage: Any) -> None:
    value = {'ü': [1, 2.5, None, True, {'deep': [[]]}], 'big': 2**60 + 1, 'small': 1e-300}
    node = orm.Dict(value, label='läbel', description='two\nlines', extras={'e': [1]})
    assert not node.is_stored
    assert node.pk is None
    assert node.store() is node
    loaded = orm.load_node(node.pk)
    assert type(loaded) is orm.Dict
    assert loaded == node
    assert loaded.get_dict() == value
    for name in ('uuid', 'label', 'description', 'ctime', 'mtime', 'node_type', 'process_type'):
        assert getattr(loaded, name) == getattr(node, name), name
    assert loaded.base.extras.all == {'e': [1]}
    assert loaded.user == orm.User.collection.get_default()
    assert loaded.computer is None
    assert loaded.ctime.tzinfo is not None
    assert abs(datetime.now(UTC) - loaded.mtime) < timedelta(minutes=15)  # less than any mistake with time zones


def test_storing_twice_does_nothing(storage: Any, count_statements: Any) -> None:
    node = orm.Int(1).store()
    with count_statements(storage) as counted:
        node.store()
    assert counted.statements == []
    with pytest.raises(ModificationNotAllowed, match='already stored'):
        node.store_all()


def test_storing_is_one_insert_in_one_transaction(storage: Any, count_statements: Any) -> None:
    orm.Int(1).store()
    with count_statements(storage) as counted:
        orm.Dict({'a': 1}).store()
    assert len(counted.of('INSERT')) == 1
    assert len(counted.of('BEGIN')) == 1
    assert len(counted.of('UPDATE')) == 0


def test_reading_asks_the_database_once(storage: Any, count_statements: Any) -> None:
    pk = orm.Dict({'a': 1}, label='x').store().pk
    with count_statements(storage) as counted:
        node = orm.load_node(pk)
        for _ in range(2):
            assert node.label == 'x'
            assert node['a'] == 1
            assert node.base.extras.all == {}
            assert node.user.email
            assert node.mtime
    assert len(counted.of('SELECT')) == 1


def test_users_and_computers_of_many_nodes_are_read_once(storage: Any, count_statements: Any) -> None:
    computer = orm.Computer('c', 'host', transport_type='core.local', scheduler_type='core.direct').store()
    pks = [orm.RemoteData('/x', computer=computer).store().pk for _ in range(5)]
    nodes = [orm.load_node(pk) for pk in pks]
    computer.description = 'changed'
    with count_statements(storage) as counted:
        assert {node.computer.description for node in nodes if node.computer} == {'changed'}
        assert {node.user.email for node in nodes} == {'verdi@opera.net'}
    assert len(counted.statements) <= 1


def test_label_and_description_can_always_be_changed_by_one_update(storage: Any, count_statements: Any) -> None:
    node = orm.Int(1).store()
    before = node.mtime
    with count_statements(storage) as counted:
        node.label = 'new'
    assert len(counted.statements) == len(counted.of('UPDATE')) == 1
    node.description = 'text'
    loaded = orm.load_node(node.pk)
    assert (loaded.label, loaded.description) == ('new', 'text')
    assert loaded.mtime == node.mtime > before
    with pytest.raises(ValidationError, match='label of a node is a string'):
        node.label = 3  # type: ignore[assignment]


def test_attributes_are_frozen_once_stored(storage: Any) -> None:
    node = orm.Dict({'a': {'b': 1}})
    node['c'] = 2
    del node['c']
    node.base.attributes.set_many({'x': 1, 'y': 2})
    node.base.attributes.delete_many(['x', 'y'])
    node.store()
    attributes = node.base.attributes
    for change in (
        lambda: attributes.set('a', 1),
        lambda: attributes.set_many({'z': 1}),
        lambda: attributes.reset({}),
        lambda: attributes.delete('a'),
        attributes.clear,
    ):
        with pytest.raises(ModificationNotAllowed, match='stored'):
            change()
    node['a']['b'] = 'changed in a copy'
    attributes.all['a'] = 'changed in a copy'
    assert node.get_dict() == {'a': {'b': 1}}
    with pytest.raises(ModificationNotAllowed):
        node.user = node.user
    with pytest.raises(ModificationNotAllowed):
        node.computer = None


def test_attributes_are_read_in_many_ways(storage: Any) -> None:
    attributes = orm.Dict({'a': 1, 'b': [2]}).store().base.attributes
    assert attributes.get('a') == 1
    assert attributes.get('none', None) is None
    assert attributes.get_many(['b', 'a']) == [[2], 1]
    assert dict(attributes.items()) == attributes.all == {'a': 1, 'b': [2]}
    assert sorted(attributes.keys()) == ['a', 'b']
    assert 'a' in attributes
    with pytest.raises(AttributeError, match="no attribute 'none'"):
        attributes.get('none')


def test_extras_can_always_be_changed(storage: Any, count_statements: Any) -> None:
    node = orm.Int(1).store()
    extras = node.base.extras
    with count_statements(storage) as counted:
        extras.set('a', (1, 2))
    assert len(counted.of('UPDATE')) == 1
    assert extras.get('a') == [1, 2]
    extras.set_many({'b': 1, 'c': 2})
    extras.delete('b')
    assert orm.load_node(node.pk).base.extras.all == {'a': [1, 2], 'c': 2}
    with pytest.raises(AttributeError, match="no extra 'b', 'd'"):
        extras.delete_many(['c', 'b', 'd'])
    assert 'c' in extras
    extras.reset({'only': 1})
    assert extras.all == {'only': 1}
    extras.clear()
    assert orm.load_node(node.pk).base.extras.all == {}
    with pytest.raises(ValidationError, match=r'extras\["x"\]\[0\]: nan'):
        extras.set('x', [float('nan')])
    with pytest.raises(ValidationError, match='period'):
        extras.set('a.b', 1)


def test_two_handles_of_a_node_lose_no_extra_of_each_other(storage: Any) -> None:
    one = orm.Int(1).store()
    other = orm.load_node(one.pk)
    one.base.extras.set('one', 1)
    other.base.extras.set('other', 2)
    assert orm.load_node(one.pk).base.extras.all == {'one': 1, 'other': 2}
    assert one.base.extras.all == {'one': 1, 'other': 2}


def test_what_cannot_be_kept_is_refused_before_anything_is_written(storage: Any, count_statements: Any) -> None:
    node = orm.Dict({'a': [{'b': float('inf')}]})
    with count_statements(storage) as counted, pytest.raises(ValidationError, match=r'attributes\["a"\]\[0\]\["b"\]'):
        node.store()
    assert counted.statements == []
    assert not node.is_stored
    node['a'] = 1
    assert node.store().is_stored


def test_a_node_whose_row_is_refused_stays_unstored(storage: Any) -> None:
    node = orm.SinglefileData.from_string('content')
    node.row.uuid = orm.Int(1).store().uuid
    with pytest.raises(Exception, match=r'unique|UNIQUE|uuid'):
        node.store()
    assert not node.is_stored
    assert node.get_content() == 'content'


def test_many_nodes_are_stored_all_or_none(storage: Any) -> None:
    nodes = [orm.Int(number) for number in range(3)]
    orm.store_nodes([*nodes, nodes[0]])
    assert [orm.load_node(node.pk).value for node in nodes] == [0, 1, 2]
    good, bad = orm.Int(1), orm.Dict({'a': float('nan')})
    with pytest.raises(ValidationError):
        orm.store_nodes([good, bad])
    assert not good.is_stored
    orm.store_nodes([])


def test_nodes_are_equal_by_uuid_and_can_be_keys(storage: Any) -> None:
    node = orm.Data().store()
    assert node == orm.load_node(node.pk)
    assert len({node, orm.load_node(node.pk), orm.Data()}) == 2
    assert node != orm.Data()
    assert node != 'text'


def test_nodes_are_neither_pickled_nor_copied_by_accident(sqlite_storage: Any) -> None:
    with pytest.raises(InvalidOperation, match='pk or uuid'):
        pickle.dumps(orm.Int(1))
    with pytest.raises(InvalidOperation):
        copy.copy(orm.Int(1))
    with pytest.raises(InvalidOperation):
        copy.deepcopy(orm.CalcJobNode())


def test_a_deep_copy_of_data_is_a_new_node(storage: Any) -> None:
    node = orm.Dict({'a': [1]}, label='label', extras={'e': 1}).store()
    clone = copy.deepcopy(node)
    assert not clone.is_stored
    assert clone.uuid != node.uuid
    clone['a'].append(2)
    assert clone.store().get_dict() == {'a': [1, 2]}
    assert node.get_dict() == {'a': [1]}
    assert clone.label == 'label'
    assert clone.base.extras.all == {}


def test_base_classes_cannot_be_stored(sqlite_storage: Any) -> None:
    for cls in (orm.Node, orm.ProcessNode, orm.RemoteStashData):
        node = cls(orm.StashMode.COPY) if cls is orm.RemoteStashData else cls()
        with pytest.raises(StoringNotAllowed, match=cls.__name__):
            node.store()


def test_a_class_without_entry_point_cannot_be_stored(sqlite_storage: Any) -> None:
    class Mine(orm.Data):
        pass

    with pytest.raises(StoringNotAllowed, match=r'entry point.*pyproject\.toml'):
        Mine().store()


def test_owner_and_computer_must_be_stored_first(sqlite_storage: Any) -> None:
    with pytest.raises(ValidationError, match='user a@b'):
        orm.Int(1, user=orm.User('a@b'))
    with pytest.raises(ValidationError, match='computer'):
        orm.Int(1, computer=orm.Computer('c', 'h'))


def test_a_profile_without_default_user_says_so(sqlite_storage: Any) -> None:
    sqlite_storage.profile.default_user_email = None
    with pytest.raises(ConfigurationError, match='names no default user'):
        orm.Int(1)
    sqlite_storage.profile.default_user_email = 'who@else'
    with pytest.raises(ConfigurationError, match='user who@else is not in its storage'):
        orm.Int(1)


def test_without_a_profile_the_way_out_is_told() -> None:
    with pytest.raises(ConfigurationError, match='load_profile'):
        orm.Int(1)


def test_another_storage_can_be_given(sqlite_storage: Any, new_storage: Any) -> None:
    other = new_storage()
    node = orm.Int(7, backend=other).store()
    assert node.backend is other
    assert orm.load_node(node.uuid, backend=other) == 7
    with pytest.raises(NotExistent):
        orm.load_node(node.uuid)
    with pytest.raises(ValidationError, match='different storages'):
        orm.store_nodes([orm.Int(1), orm.Int(2, backend=other)])


def test_a_deleted_node_says_so(storage: Any) -> None:
    node = orm.Int(1).store()
    handle = orm.load_node(node.pk)
    orm.Node.collection.delete(node.pk)
    with pytest.raises(NotExistent, match='deleted'):
        handle.base.extras.set('a', 1)
    with pytest.raises(NotExistent):
        handle.label = 'x'
    with pytest.raises(NotExistent):
        orm.Node.collection.delete(node.pk)


def test_a_node_with_links_is_not_deleted_alone(storage: Any) -> None:
    value, calculation = orm.Int(1).store(), orm.CalculationNode()
    calculation.base.links.add_incoming(value, orm.LinkType.INPUT_CALC, 'x')
    calculation.store()
    for node in (value, calculation):
        with pytest.raises(InvalidOperation, match='provenance'):
            orm.Node.collection.delete(node.pk)


def test_comments_are_added_changed_and_removed(storage: Any) -> None:
    node = orm.Int(1)
    assert node.base.comments.all() == []
    with pytest.raises(ModificationNotAllowed, match='store it'):
        node.base.comments.add('too early')
    node.store()
    bob = orm.User('bob@example.org').store()
    first = node.base.comments.add('first')
    second = node.base.comments.add('sécond', bob)
    assert [comment.content for comment in node.base.comments.all()] == ['first', 'sécond']
    assert second.user == bob
    assert first.node == node
    before = first.mtime
    node.base.comments.update(first.pk, 'changed')
    changed = node.base.comments.get(first.pk)
    assert changed.content == 'changed'
    assert changed.ctime == first.ctime
    assert first.mtime == changed.mtime > before
    node.base.comments.remove(first.pk)
    assert node.base.comments.all() == [second]
    with pytest.raises(NotExistent):
        orm.Int(2).store().base.comments.remove(second.pk)


def test_the_hash_of_caching_is_read_and_cleared(storage: Any) -> None:
    node = orm.Int(1).store()
    caching = node.base.caching
    caching.clear_hash()
    assert caching.get_hash() is None
    node.base.extras.set('_aiida_hash', 'abc')
    assert caching.get_hash() == 'abc'
    assert caching.is_valid_cache
    caching.is_valid_cache = False
    assert not orm.load_node(node.pk).base.caching.is_valid_cache
    assert not caching.is_created_from_cache
    node.base.extras.set('_aiida_cached_from', 'uuid')
    assert caching.get_cache_source() == 'uuid'


def test_a_plugins_type_has_no_hash_here(sqlite_storage: Any) -> None:
    node = orm.Data()
    with pytest.raises(InvalidOperation, match='not stored'):
        node.base.caching.compute_hash()
    node.row.node_type = 'data.plugin.thing.ThingData.'
    node.store()
    assert node.base.caching.compute_hash() is None
    with pytest.raises(InvalidOperation, match='only AiiDA knows'):
        node.base.caching.compute_hash(ignore_errors=False)
    node.base.extras.set('_aiida_hash', 'by AiiDA')
    node.base.caching.rehash()
    assert node.base.caching.get_hash() == 'by AiiDA'


def test_a_process_has_no_hash_without_those_of_all_inputs(sqlite_storage: Any) -> None:
    pseudo = orm.Data()
    pseudo.row.node_type = 'data.pseudo.upf.UpfData.'
    pseudo.store()
    known, job = orm.CalcJobNode(), orm.CalcJobNode()
    for node in (known, job):
        node.base.links.add_incoming(orm.Int(1).store(), orm.LinkType.INPUT_CALC, 'x')
    job.base.links.add_incoming(pseudo, orm.LinkType.INPUT_CALC, 'pseudo')
    assert known.store().base.caching.compute_hash() is not None
    assert job.store().base.caching.compute_hash() is None
    with pytest.raises(InvalidOperation, match='only AiiDA knows'):
        job.base.caching.compute_hash(ignore_errors=False)
    assert job.base.caching.get_all_same_nodes() == []


def test_old_names_still_work_with_a_warning(storage: Any) -> None:
    node = orm.Dict({'a': 1})
    with pytest.deprecated_call(match=r'base\.attributes\.set'):
        node.set_attribute('b', 2)
    node.store()
    with pytest.deprecated_call():
        node.set_extra('x', 1)
    with pytest.deprecated_call():
        assert node.extras == {'x': 1}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        node.nonsense  # noqa: B018
    assert not hasattr(node, '_repr_html_')
    with pytest.deprecated_call():
        node.is_valid_cache = False
    with pytest.deprecated_call():
        assert not node.is_valid_cache
    assert not orm.load_node(node.pk).base.caching.is_valid_cache


def test_a_class_of_nodes_tells_its_entry_point_and_collection(sqlite_storage: Any) -> None:
    assert (orm.Int.entry_point.name, orm.Int.entry_point.group) == ('core.int', 'aiida.data')
    assert orm.Int(1).entry_point.load() is orm.Int
    assert (orm.CalcJobNode.entry_point.name, orm.CalcJobNode.entry_point.group) == (
        'process.calculation.calcjob',
        'aiida.node',
    )
    assert orm.Node.entry_point is None
    assert type('Own', (orm.Data,), {}).entry_point is None
    assert isinstance(orm.Int.collection, orm.Int.Collection)


def test_each_class_of_entities_has_a_logger(sqlite_storage: Any) -> None:
    assert orm.Int(1).logger.name == 'ricordi.node.Int'
    assert orm.Computer('c').logger.name == 'ricordi.computer.Computer'
    assert orm.User('a@b.org').logger.name == 'ricordi.user.User'


@pytest.mark.parametrize(
    ('type_string', 'expected'),
    [
        ('data.core.int.Int.', 'Int'),
        ('data.core.structure.StructureData.', 'StructureData'),
        ('data.quantumespresso.force_constants.ForceConstantsData.', 'Data'),
        ('data.core.array.other.OtherData.', 'ArrayData'),
        ('data.Data.', 'Data'),
        ('process.calculation.calcjob.CalcJobNode.', 'CalcJobNode'),
        ('process.calculation.calcjob.mine.MyCalcJobNode.', 'CalcJobNode'),
        ('process.something.SomethingNode.', 'ProcessNode'),
        ('node.data.core.int.Int.', 'Int'),
        ('__main__.Weird.', 'Data'),
        ('nonsense', 'Data'),
    ],
)
def test_a_type_that_nobody_knows_loads_as_its_closest_parent(
    sqlite_storage: Any, type_string: str, expected: str
) -> None:
    node = orm.Dict({'value': 5})
    node.row.node_type = type_string
    node.store()
    loaded = orm.load_node(node.pk)
    assert type(loaded).__name__ == expected
    assert loaded.node_type == type_string
    assert loaded.base.attributes.all == {'value': 5}


def test_type_strings_are_those_of_aiida() -> None:
    assert orm.Int.class_node_type == 'data.core.int.Int.'
    assert orm.Data.class_node_type == 'data.Data.'
    assert orm.Node.class_node_type == ''
    assert orm.ProcessNode.class_node_type == 'process.ProcessNode.'
    assert orm.BandsData.class_node_type == 'data.core.array.bands.BandsData.'
    from ricordi.orm.nodes.node_types import CORE_TYPES, load_node_class

    for path in CORE_TYPES:
        cls = load_node_class(f'{path}.X.')
        assert cls.class_node_type == f'{path}.{cls.__name__}.'
