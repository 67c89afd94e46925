"""Fields of entities as Python objects: the filters they make, and what they offer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ricordi.errors import QueryTypeError
from ricordi.orm import (
    Bool,
    CalcJobNode,
    Computer,
    Data,
    Dict,
    Group,
    InstalledCode,
    Int,
    Log,
    Node,
    QueryBuilder,
    Str,
    User,
)
from ricordi.orm.fields import QbFieldFilters


def test_comparisons_make_filters() -> None:
    fields = Int.fields
    assert (fields.value > 3).as_dict() == {'attributes.value': {'>': 3}}
    assert (fields.label == 'x').as_dict() == {'label': {'==': 'x'}}
    assert (fields.label != 'x').as_dict() == {'label': {'!==': 'x'}}
    assert fields.label.like('a%').as_dict() == {'label': {'like': 'a%'}}
    assert fields.pk.in_([1, 2]).as_dict() == {'pk': {'in': [1, 2]}}
    assert (fields.ctime <= datetime(2020, 1, 1, tzinfo=UTC)).as_dict() == {
        'ctime': {'<=': datetime(2020, 1, 1, tzinfo=UTC)}
    }
    assert Node.fields.extras.has_key('x').as_dict() == {'extras': {'has_key': 'x'}}
    assert Node.fields.attributes['a']['b'].longer(3).as_dict() == {'attributes.a.b': {'longer': 3}}
    assert Node.fields.extras['a'].of_type('array').as_dict() == {'extras.a': {'of_type': 'array'}}
    assert CalcJobNode.fields.retrieve_list.contains(['x']).as_dict() == {
        'attributes.retrieve_list': {'contains': ['x']}
    }
    assert (CalcJobNode.fields.attributes.exit_status == 0).as_dict() == {'attributes.exit_status': {'==': 0}}


def test_filters_are_joined_without_being_changed() -> None:
    a, b, c = Int.fields.value > 1, Int.fields.value < 5, Int.fields.label == 'x'
    both = a & b
    assert both.as_dict() == {'and': [{'attributes.value': {'>': 1}}, {'attributes.value': {'<': 5}}]}
    assert (both & c).as_dict() == {'and': [*both['and'], {'label': {'==': 'x'}}]}
    assert (both | c).as_dict() == {'or': [both.as_dict(), {'label': {'==': 'x'}}]}
    assert len(both['and']) == 2
    assert (a & a) == a
    assert (~a).as_dict() == {'attributes.value': {'!>': 1}}
    assert ~~a == a
    assert (~both).as_dict() == {'!and': both['and']}
    assert ~~both == both
    assert (~(a | b)).as_dict() == {'!or': [a.as_dict(), b.as_dict()]}
    with pytest.raises(QueryTypeError, match='parentheses'):
        _ = a & True


def test_a_boolean_field_is_a_filter_by_itself(storage: Any) -> None:
    Bool(True).store()
    Bool(False).store()
    assert QueryBuilder().append(Bool, filters=Bool.fields.value, project=Bool.fields.value).all() == [[True]]
    assert QueryBuilder().append(Bool, filters=~Bool.fields.value).count() == 1
    assert (Bool.fields.value & (Bool.fields.pk > 0)).as_dict() == {
        'and': [{'attributes.value': {'==': True}}, {'pk': {'>': 0}}]
    }


def test_each_type_offers_what_it_can_be_asked() -> None:
    assert not hasattr(Node.fields.pk, 'like')
    assert not hasattr(Node.fields.label, 'longer')
    assert hasattr(Node.fields.attributes['x'], 'of_type')
    with pytest.raises(TypeError):
        _ = Node.fields.label > 'a'
    with pytest.raises(QueryTypeError):
        Node.fields.label.like(5)
    with pytest.raises(QueryTypeError):
        Node.fields.pk.in_('12')
    with pytest.raises(AttributeError, match=r'no field .nowhere.; there are pk, uuid'):
        _ = Node.fields.nowhere


def test_classes_have_the_fields_of_their_rows_and_attributes() -> None:
    assert set(User.fields) == {'pk', 'email', 'first_name', 'last_name', 'institution'}
    assert {'metadata', 'hostname'} <= set(Computer.fields)
    assert {'node', 'levelname'} <= set(Log.fields)
    assert {'type_string', 'extras', 'user'} <= set(Group.fields)
    assert {'value', 'source', 'computer'} <= set(Int.fields)
    assert 'value' not in Data.fields
    assert {'filepath_executable', 'with_mpi'} <= set(InstalledCode.fields)
    assert {'sealed', 'exit_status', 'job_id'} <= set(CalcJobNode.fields)
    names = Int.fields.keys()
    assert 'attributes.value' in names
    assert {'value', 'source'} <= set(dir(Int.fields.attributes))
    assert 'value' in dir(Int.fields)


def test_a_class_declares_attributes_of_its_own() -> None:
    class Spectrum(Data):
        attribute_fields = {'peaks': list, 'unit': str}

    assert Spectrum.fields.peaks.of_length(3).as_dict() == {'attributes.peaks': {'of_length': 3}}
    assert 'source' in Spectrum.fields


def test_fields_project_filter_and_order(storage: Any) -> None:
    for value in (3, 1, 2):
        Int(value, label=f'n{value}').store()
    fields = Int.fields
    query = QueryBuilder().append(
        Int, tag='n', filters=(fields.value > 1) | (fields.label == 'n1'), project=[fields.value, fields.label]
    )
    query.order_by({'n': {fields.value: {'cast': 'i'}}})
    assert query.all() == [[1, 'n1'], [2, 'n2'], [3, 'n3']]
    assert query.dict()[0] == {'n': {'value': 1, 'label': 'n1'}}
    assert QueryBuilder.from_dict(query.as_dict()).dict() == query.dict()
    assert query.order_by({Int: [fields.pk]}).first() == [3, 'n3']
    query.add_filter('n', {fields.value: {'<': 3}})
    assert query.count() == 2
    assert QueryBuilder().append(Int, filters={'and': [fields.value > 1, fields.value < 3]}).count() == 1
    everything = QueryBuilder().append(Int, tag='n', project=[Str.fields]).first()
    assert len(everything) == len(Str.fields)
    Dict({'a': {'b': [1, 2]}}).store()
    assert QueryBuilder().append(Dict, filters=Dict.fields.attributes['a']['b'].longer(1)).count() == 1
    assert QueryBuilder().append(Dict, filters=QbFieldFilters({'label': ''})).count() == 1
