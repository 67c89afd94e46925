"""The QueryBuilder: its vertices, tags, joins, projections, orders and dictionaries, on each database."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ricordi.errors import MultipleObjectsError, NotExistent, QueryError, QueryTypeError
from ricordi.orm import (
    AuthInfo,
    AutoGroup,
    CalcFunctionNode,
    CalcJobNode,
    Comment,
    Computer,
    Data,
    Dict,
    Float,
    Group,
    Int,
    LinkType,
    Log,
    Node,
    ProcessNode,
    QueryBuilder,
    Str,
    User,
    WorkChainNode,
)


@pytest.fixture
def graph(storage: Any) -> dict[str, Any]:
    """A small graph: one and two into `sum` → three; a job on a computer; a group, a comment, a log."""
    computer = Computer('cluster', 'c.example.org', transport_type='core.ssh', scheduler_type='core.slurm').store()
    user = User.collection.get()
    AuthInfo(computer, user).store()
    one, two = Int(1, label='one').store(), Int(2, label='two').store()
    calc = CalcFunctionNode(label='sum')
    calc.base.links.add_incoming(one, LinkType.INPUT_CALC, 'x')
    calc.base.links.add_incoming(two, LinkType.INPUT_CALC, 'y')
    calc.store()
    three = Int(3, label='three')
    three.base.links.add_incoming(calc, LinkType.CREATE, 'result')
    three.store()
    job = CalcJobNode(label='job', computer=computer)
    job.base.links.add_incoming(three, LinkType.INPUT_CALC, 'n')
    job.store()
    out = Dict({'energy': -1.5, 'list': [1, {'a': 'b'}]}, label='out')
    out.base.links.add_incoming(job, LinkType.CREATE, 'output')
    out.store()
    group = Group('numbers').store()
    group.add_nodes([one, two])
    AutoGroup('auto').store().add_nodes([out])
    Comment(one, user, 'well done').store()
    Log(datetime.now(UTC), 'logger', 'REPORT', job.pk, 'started').store()
    names = {'one': one, 'two': two, 'three': three, 'calc': calc, 'job': job, 'out': out, 'group': group}
    return {**names, 'computer': computer, 'user': user}


def labels(query: QueryBuilder) -> list[str]:
    return sorted(query.all(flat=True))


# vertices --------------------------------------------------------------------------------------------------


def test_classes_select_their_subclasses_unless_told_otherwise(graph: dict[str, Any]) -> None:
    assert labels(QueryBuilder().append(Node, project='label')) == ['job', 'one', 'out', 'sum', 'three', 'two']
    assert labels(QueryBuilder().append(Data, project='label')) == ['one', 'out', 'three', 'two']
    assert labels(QueryBuilder().append(Data, subclassing=False, project='label')) == []
    assert labels(QueryBuilder().append(ProcessNode, project='label')) == ['job', 'sum']
    assert labels(QueryBuilder().append(Int, subclassing=False, project='label')) == ['one', 'three', 'two']
    assert labels(QueryBuilder().append((Dict, CalcJobNode), project='label')) == ['job', 'out']
    assert labels(QueryBuilder().append([Float, Str], project='label')) == []
    assert labels(QueryBuilder().append(Group, project='label')) == ['auto', 'numbers']
    assert labels(QueryBuilder().append(Group, subclassing=False, project='label')) == ['numbers']
    assert labels(QueryBuilder().append(AutoGroup, project='label')) == ['auto']


@pytest.mark.parametrize(
    ('entity_type', 'count'),
    [
        *[
            ('node', 6),
            ('', 6),
            ('data', 4),
            ('process', 2),
            ('data.core.int.Int.', 3),
            ('group', 2),
            ('group.core', 2),
        ],
        *[
            ('group.core.auto', 1),
            ('computer', 1),
            ('user', 1),
            ('authinfo', 1),
            ('comment', 1),
            ('log', 1),
            ('link', 5),
        ],
    ],
)
def test_type_strings_select_too(graph: dict[str, Any], entity_type: str, count: int) -> None:
    assert QueryBuilder().append(entity_type=entity_type, project='id').count() == count
    assert len(QueryBuilder().append(entity_type=entity_type).all()) == count


def test_entities_come_back_as_their_classes(graph: dict[str, Any]) -> None:
    for entity_class in (Node, User, Computer, AuthInfo, Group, Comment, Log):
        found = QueryBuilder().append(entity_class).all(flat=True)
        assert found
        assert all(isinstance(entity, entity_class) and entity.is_stored for entity in found)
    assert QueryBuilder().append(Node, filters={'id': graph['job'].pk}).one() == [graph['job']]
    assert isinstance(QueryBuilder().append(Node, filters={'id': graph['out'].pk}).first(flat=True), Dict)


def test_tags_are_made_up_and_can_be_given(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(Int).append(CalcFunctionNode).append(Int, tag='sum')
    assert query.get_used_tags() == [
        'Int_1',
        'CalcFunctionNode_1',
        'Int_1--CalcFunctionNode_1',
        'sum',
        'CalcFunctionNode_1--sum',
    ]
    assert query.get_used_tags(edges=False) == ['Int_1', 'CalcFunctionNode_1', 'sum']
    assert query.get_used_tags(vertices=False) == ['Int_1--CalcFunctionNode_1', 'CalcFunctionNode_1--sum']
    assert QueryBuilder().append((Int, Float)).append(Node).get_used_tags(edges=False) == ['Int-Float_1', 'node_1']


def test_a_class_stands_for_its_tag(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(CalcJobNode).append(Dict, with_incoming=CalcJobNode, project='label')
    query.add_filter(CalcJobNode, {'label': 'job'})
    assert query.all() == [['out']]
    twice = QueryBuilder().append(Int, tag='a').append(Int, tag='b', with_incoming='a')
    with pytest.raises(QueryError, match="several vertices, \\['a', 'b'\\]"):
        twice.add_filter(Int, {'label': 'x'})


def test_a_query_that_cannot_be_meant_is_refused(graph: dict[str, Any]) -> None:
    start = QueryBuilder().append(Node, tag='n')
    for said, wrong in {
        'either a class or entity_type': {},
        "tag 'n' is in use": {'cls': Int, 'tag': 'n'},
        "'a--b' has '--'": {'cls': Int, 'tag': 'a--b'},
        "no tag 'x'": {'cls': Int, 'with_incoming': 'x'},
        "'with_nothing' is not a joining keyword of a node": {'cls': Int, 'with_nothing': 'n'},
        'joined in one way only': {'cls': Int, 'with_incoming': 'n', 'with_outgoing': 'n'},
        'not for group and node': {'cls': (Int, Group)},
        'is not a class of entities': {'cls': str},
        'is not a type string': {'entity_type': 'data.core.int.Int'},
        'direction=0': {'cls': Int, 'direction': 0},
        'direction=5': {'cls': Int, 'direction': 5},
        "'no' is no option of a projection": {'cls': Int, 'project': [{'id': {'no': 'x'}}]},
    }.items():
        with pytest.raises(QueryError, match=said):
            start.append(**wrong)
    with pytest.raises(QueryTypeError, match='is not a class'):
        start.append('node')
    assert start.get_used_tags() == ['n']
    assert start.count() == 6


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (
            lambda: QueryBuilder().append(Node, filters={'nowhere': 1}),
            "'nowhere' is not a field of 'node_1' \\(node\\); it has: pk, uuid",
        ),
        (lambda: QueryBuilder().append(Node, project='nowhere'), "'nowhere' is not a field"),
        (lambda: QueryBuilder().append(Node, filters={'label.x': 1}), 'is no JSON'),
        (lambda: QueryBuilder().append(Node, filters={'label': {'equals': 1}}), "'equals' is not an operator"),
        (lambda: QueryBuilder().append(Node, filters={'label': {'like': 1}}), "'like' takes a text"),
        (lambda: QueryBuilder().append(Node, filters={'label': {'in': 'abc'}}), "'in' takes a list"),
        (
            lambda: QueryBuilder().append(Node, filters={'attributes.x': {'longer': 'a'}}),
            "'longer' takes a whole number",
        ),
        (
            lambda: QueryBuilder().append(Node, filters={'attributes.x': {'of_type': 'int'}}),
            "'int' is not a type of JSON",
        ),
        (lambda: QueryBuilder().append(Node, filters={'or': {'label': 1}}), "'or' takes a list"),
        (lambda: QueryBuilder().append(Node, filters={'label': object()}), 'cannot compare with'),
        (lambda: QueryBuilder().append(Node, project=['id', 'id']), 'projected more than once'),
        (lambda: QueryBuilder().append(Node, project=[{'*': {'func': 'max'}}]), 'only count'),
        (lambda: QueryBuilder().append(Node, project=[{'id': {'func': 'sum'}}]), "'sum' is not a function"),
        (lambda: QueryBuilder().append(Node, project=[{'label': {'func': 'avg'}}]), 'holds no numbers'),
        (lambda: QueryBuilder().append(Node, project=[{'id': {'cast': 'x'}}]), "cannot cast 'id' to 'x'"),
        (
            lambda: QueryBuilder().append(Node, tag='n').order_by({'n': 'attributes.x'}),
            "say as what: {'attributes.x': {'cast': 'f'}}",
        ),
        (lambda: QueryBuilder().append(Node).append(User, with_group='node_1'), "'node_1' is a node"),
        (
            lambda: QueryBuilder().append(Node).append(User, with_node='node_1', edge_project='label'),
            'joins by a reference',
        ),
        (lambda: QueryBuilder(), 'no vertex yet'),
    ],
)
def test_a_wrong_name_or_value_is_told_when_asked(storage: Any, make: Any, said: str) -> None:
    query = make()
    for ask in (query.all, query.count, query.first, query.as_sql):
        with pytest.raises(QueryError, match=said):
            ask()


# joins -----------------------------------------------------------------------------------------------------


def test_links_are_followed_both_ways(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(CalcFunctionNode, tag='c').append(Int, with_outgoing='c', project='label')
    assert labels(query) == ['one', 'two']
    query.append(Int, with_incoming='c', project='label', edge_project=['label', 'type'])
    assert sorted(query.all()) == [['one', 'three', 'result', 'create'], ['two', 'three', 'result', 'create']]
    query = QueryBuilder().append(Node, filters={'id': graph['calc'].pk}).inputs(project='label')
    assert labels(query) == ['one', 'two']
    query = QueryBuilder().append(Node, filters={'id': graph['calc'].pk}).outputs(project='label').outputs()
    assert query.all() == [['three']]
    query = QueryBuilder().append(Node, filters={'id': graph['out'].pk}).parents(cls=Int, project='label')
    assert labels(query) == ['one', 'three', 'two']
    query = QueryBuilder().append(Node, filters={'id': graph['one'].pk}).children(project='label')
    assert labels(query) == ['job', 'out', 'sum', 'three']
    query = QueryBuilder().append(Int).append(Node).append(Node, direction=-1, project='label')
    assert labels(query) == ['one', 'one', 'three', 'two', 'two']


def test_filters_and_projections_of_edges(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(CalcFunctionNode, tag='c')
    query.append(Int, with_outgoing='c', project='label', edge_tag='e', edge_filters={'label': 'y'}, edge_project='*')
    calc, two = graph['calc'].pk, graph['two'].pk
    assert query.all() == [['two', (two, calc, 'input_calc', 'y')]]
    query.add_filter('e', {'label': {'like': 'x%'}})
    query.add_projection('e', ['label', 'input_id'])
    assert query.dict() == [{'Int_1': {'label': 'one'}, 'e': {'label': 'x', 'input_id': graph['one'].pk}}]
    members = QueryBuilder().append(Group, tag='g', filters={'label': 'numbers'})
    members.append(Node, with_group='g', edge_project=['node_id', 'group_id'])
    assert sorted(members.all()) == [[graph[name].pk, graph['group'].pk] for name in ('one', 'two')]


def test_every_keyword_joins_what_it_says(graph: dict[str, Any]) -> None:
    one, job, user, computer = (graph[name].pk for name in ('one', 'job', 'user', 'computer'))
    asked: list[tuple[Any, Any, str, list[list[Any]]]] = [
        (Group, Node, 'with_group', [[one], [graph['two'].pk], [graph['out'].pk]]),
        (Computer, Node, 'with_computer', [[job]]),
        (Comment, Node, 'with_comment', [[one]]),
        (Log, Node, 'with_log', [[job]]),
        (ProcessNode, Computer, 'with_node', [[computer]]),
        (AuthInfo, Computer, 'with_authinfo', [[computer]]),
        (AuthInfo, User, 'with_authinfo', [[user]]),
        (Comment, User, 'with_comment', [[user]]),
        (Group, User, 'with_group', [[user], [user]]),
        (Computer, AuthInfo, 'with_computer', [[QueryBuilder().append(AuthInfo, project='id').first(flat=True)]]),
    ]
    for start, end, keyword, expected in asked:
        query = QueryBuilder().append(start, tag='a').append(end, project='id', **{keyword: 'a'})
        assert sorted(query.all()) == sorted(expected), keyword
    for start, end, keyword, count in (
        (User, Node, 'with_user', 6),
        (User, Group, 'with_user', 2),
        (User, Comment, 'with_user', 1),
        (User, AuthInfo, 'with_user', 1),
        (Node, User, 'with_node', 6),
        (Node, Group, 'with_node', 3),
        (Node, Comment, 'with_node', 1),
        (Node, Log, 'with_node', 1),
    ):
        assert QueryBuilder().append(start, tag='a').append(end, **{keyword: 'a'}).count() == count, keyword


def test_an_outer_join_keeps_what_has_no_partner(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(Int, tag='n', project='label')
    query.append(Group, with_node='n', outerjoin=True, project=['label', '*'], edge_project='id')
    found = {row[0]: row[1:3] for row in query.all()}
    assert found['three'] == [None, None]
    assert found['one'] == ['numbers', graph['group']]
    query = QueryBuilder().append(Int, tag='n', project='label')
    query.append(CalcJobNode, with_incoming='n', outerjoin=True, project='label', filters={'label': 'job'})
    assert sorted(query.all(), key=str) == [['one', None], ['three', 'job'], ['two', None]]
    query = QueryBuilder().append(Node, tag='n', project='label')
    query.append(Computer, with_node='n', outerjoin=True, filters={'label': 'cluster'}, project='label')
    assert ['job', 'cluster'] in query.all()
    assert query.count() == 6


def test_those_without_a_partner_can_be_asked_for(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(Data, tag='n', project='label')
    query.append(Group, with_node='n', outerjoin=True, filters={'id': None})
    assert labels(query) == ['three']
    query = QueryBuilder().append(Data, tag='n', project='label')
    query.append(CalcJobNode, with_incoming='n', outerjoin=True, filters={'label': 'job', 'id': {'==': None}})
    assert labels(query) == ['one', 'out', 'two']


# results ---------------------------------------------------------------------------------------------------


def test_values_are_projected_in_the_order_of_vertices_then_edges(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(CalcJobNode, tag='c', project=['label', 'uuid'])
    query.append(
        Dict, with_incoming='c', tag='d', edge_tag='e', edge_project='label', project=['attributes.energy', 'id']
    )
    assert query.all() == [['job', graph['job'].uuid, -1.5, graph['out'].pk, 'output']]
    assert query.dict() == [
        {
            'c': {'label': 'job', 'uuid': graph['job'].uuid},
            'd': {'attributes.energy': -1.5, 'id': graph['out'].pk},
            'e': {'label': 'output'},
        }
    ]
    assert query.first() == query.one() == query.all()[0]
    assert QueryBuilder().append(CalcJobNode, tag='c').append(Dict).all() == [[graph['out']]]


def test_nested_json_is_projected_and_cast(graph: dict[str, Any]) -> None:
    def project(*names: Any) -> list[Any]:
        return QueryBuilder().append(Dict, project=list(names)).one()

    assert project('attributes.list', 'attributes.list.1.a', 'attributes.list.0', 'attributes.none') == [
        [1, {'a': 'b'}],
        'b',
        1,
        None,
    ]
    casts = [{'attributes.energy': {'cast': cast}} for cast in 'fitbj']
    assert project(*casts) == [-1.5, -1, '-1.5', None, -1.5]
    assert project({'attributes.list': {'cast': 't'}}, {'attributes.list': {'cast': 'f'}}) == ['[1, {"a": "b"}]', None]
    assert project('attributes') == [{'energy': -1.5, 'list': [1, {'a': 'b'}]}]


def test_numbers_come_back_as_they_went_in(storage: Any) -> None:
    numbers = {
        'big': 2**63 + 1,
        'huge': 10**40,
        'small': 1e-300,
        'third': 1 / 3,
        'whole': 2.0,
        'max': 1.7976931348623157e308,
    }
    Dict(numbers).store()
    names = [f'attributes.{name}' for name in numbers]
    for row in (
        QueryBuilder().append(Dict, project=names).one(),
        list(QueryBuilder().append(Dict, project='attributes').one()[0].values()),
    ):
        assert sorted(map(repr, row)) == sorted(map(repr, numbers.values()))


def test_all_fields_are_projected_under_the_names_of_the_database(graph: dict[str, Any]) -> None:
    (row,) = QueryBuilder().append(CalcJobNode, tag='c', project='**').dict()
    assert list(row['c']) == [
        *['id', 'uuid', 'node_type', 'process_type', 'label', 'description', 'ctime', 'mtime', 'attributes', 'extras'],
        *['repository_metadata', 'dbcomputer_id', 'user_id'],
    ]
    assert row['c']['ctime'] == graph['job'].ctime
    assert row['c']['ctime'].tzinfo is UTC
    assert row['c']['dbcomputer_id'] == graph['computer'].pk
    (row,) = QueryBuilder().append(AuthInfo, tag='a', project='**').dict()
    assert row['a'] == {
        'id': 1,
        'aiidauser_id': graph['user'].pk,
        'dbcomputer_id': 1,
        'metadata': {},
        'auth_params': {},
        'enabled': True,
    }


def test_functions_work_over_the_rows_that_agree_in_the_rest(graph: dict[str, Any]) -> None:
    values = [{'attributes.value': {'func': name}} for name in ('min', 'max', 'count', 'avg')]
    assert QueryBuilder().append(Int, project=values).all() == [[1, 3, 3, 2.0]]
    query = QueryBuilder().append(Node, tag='n', project=['node_type', {'id': {'func': 'count'}}])
    assert dict(query.all())['data.core.int.Int.'] == 3
    assert query.count() == 4
    query.order_by({'n': 'node_type'})
    assert [kind for kind, _ in query.all()] == sorted(kind for kind, _ in query.all())
    newest = QueryBuilder().append(Node, tag='n', project=[{'ctime': {'func': 'max'}}, {'ctime': {'func': 'min'}}])
    assert newest.one() == [graph['out'].ctime, graph['one'].ctime]
    assert list(newest.dict()[0]['n']) == ['max(ctime)', 'min(ctime)']
    assert QueryBuilder().append(Node, project=[{'*': {'func': 'count'}}]).all() == [[6]]
    assert QueryBuilder().append(Int, project=[{'label': {'func': 'max'}}]).all() == [['two']]
    assert QueryBuilder().append(Str, project=[{'id': {'func': 'max'}}]).all() == [[None]]
    groups = (
        QueryBuilder()
        .append(Group, tag='g', project='*')
        .append(Node, with_group='g', project=[{'id': {'func': 'count'}}])
    )
    assert {group.label: count for group, count in groups.all()} == {'numbers': 2, 'auto': 1}


def test_one_wants_exactly_one(graph: dict[str, Any]) -> None:
    with pytest.raises(NotExistent):
        QueryBuilder().append(Str).one()
    with pytest.raises(MultipleObjectsError):
        QueryBuilder().append(Int).one()
    assert QueryBuilder().append(Str).first() is None
    assert QueryBuilder().append(Str).first(flat=True) is None
    assert QueryBuilder().append(Int).limit(0).first() is None


# order, limits, distinct -----------------------------------------------------------------------------------


def test_rows_are_ordered_and_cut(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(Int, tag='n', project='label')
    assert query.order_by({'n': 'id'}).all(flat=True) == ['one', 'two', 'three']
    assert query.order_by({Int: {'attributes.value': {'cast': 'i', 'order': 'desc'}}}).all(flat=True) == [
        'three',
        'two',
        'one',
    ]
    assert query.order_by([{'n': [{'node_type': 'asc'}, {'label': 'desc'}]}]).all(flat=True) == ['two', 'three', 'one']
    assert query.limit(2).all(flat=True) == ['two', 'three']
    assert query.offset(1).all(flat=True) == ['three', 'one']
    assert query.limit(None).offset(2).all(flat=True) == ['one']
    assert query.count() == 1
    for wrong in ({'n': [{'id': 'up'}]}, {'n': [{'id': {'by': 'x'}}]}, {'nowhere': 'id'}, {'n': [5]}):
        with pytest.raises(QueryError):
            query.order_by(wrong)
    with pytest.raises(QueryError):
        query.limit(-1)
    with pytest.raises(QueryTypeError):
        query.offset('3')  # type: ignore[arg-type]


def test_what_is_missing_comes_last_and_first_when_descending(storage: Any) -> None:
    values: list[Any] = [3, None, 1.5, 'text', True, 10]
    for value in values:
        Dict({'x': value} if value is not None else {}).store()
    for order, expected in (('asc', [1.5, 3, 10]), ('desc', [10, 3, 1.5])):
        query = (
            QueryBuilder()
            .append(Dict, tag='n', project='attributes.x')
            .order_by({'n': {'attributes.x': {'cast': 'f', 'order': order}}})
        )
        found = query.all(flat=True)
        assert (found[:3] if order == 'asc' else found[3:]) == expected
    query = (
        QueryBuilder().append(Dict, tag='n', project='attributes.x').order_by({'n': {'attributes.x': {'cast': 'j'}}})
    )
    assert query.all(flat=True) == ['text', 1.5, 3, 10, True, None]


def test_texts_are_ordered_by_code_points(storage: Any) -> None:
    texts = ['b', 'B', 'a', 'ä', 'A', '_', '数', 'ab', 'a b', '']
    for text in texts:
        Dict({'t': text}, label=text).store()
    query = QueryBuilder().append(Dict, tag='n', project='label')
    assert query.order_by({'n': 'label'}).all(flat=True) == sorted(texts)
    assert query.order_by({'n': {'label': 'desc'}}).all(flat=True) == sorted(texts, reverse=True)
    assert query.order_by({'n': {'attributes.t': {'cast': 't'}}}).all(flat=True) == sorted(texts)
    less = QueryBuilder().append(Dict, filters={'label': {'<': 'a b'}}, project='label')
    assert labels(less) == sorted(text for text in texts if text < 'a b')


def test_distinct_rows_come_once(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(Node, tag='n', project='node_type').distinct()
    assert query.count() == len(query.all()) == 4
    query.order_by({'n': {'ctime': 'desc'}})
    assert query.all(flat=True)[0] == 'data.core.dict.Dict.'
    assert query.distinct(False).count() == 6
    ways = QueryBuilder().append(Int, tag='i').append(CalcFunctionNode, with_incoming='i', project='*').distinct()
    assert ways.all() == [[graph['calc']]]
    assert ways.order_by({'i': 'label'}).all() == [[graph['calc']]]
    assert QueryBuilder().append(Int, project=['attributes.none', 'process_type']).distinct().all() == [[None, None]]
    with pytest.raises(QueryTypeError):
        query.distinct('yes')  # type: ignore[arg-type]


# as a dictionary and as SQL --------------------------------------------------------------------------------


def test_a_query_goes_through_a_dictionary_and_json(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(Group, tag='g', filters={'label': {'like': 'n%'}})
    query.append(Int, with_group='g', tag='i', project=['label', {'attributes.value': {'cast': 'f'}}], outerjoin=False)
    query.append(
        CalcFunctionNode, with_incoming='i', project='label', edge_project='label', edge_filters={'type': 'input_calc'}
    )
    query.order_by({'i': {'label': 'desc'}}).limit(5).distinct()
    again = QueryBuilder.from_dict(json.loads(json.dumps(query.as_dict())))
    assert again.as_dict() == query.as_dict() == query.queryhelp
    assert again.all() == query.all() == [['two', 2.0, 'sum', 'y'], ['one', 1.0, 'sum', 'x']]
    assert copy.deepcopy(query).all() == query.all()
    assert repr(query).startswith('QueryBuilder(path=[{')
    made = QueryBuilder(
        path=[Int, {'cls': CalcFunctionNode, 'with_incoming': Int, 'tag': 'c'}, 'node'],
        project={'c': 'label'},
        filters={'c': {'label': 'sum'}},
        limit=1,
    )
    assert made.all() == [['sum']]


def test_the_dictionary_is_a_copy(graph: dict[str, Any]) -> None:
    query = QueryBuilder().append(Int, tag='i')
    query.as_dict()['filters']['i']['label'] = 'x'
    assert query.count() == 3


def test_the_sql_can_be_read_and_run(graph: dict[str, Any], storage: Any) -> None:
    query = QueryBuilder().append(
        Int, tag='i', filters={'label': {'like': "o%n'"}, 'attributes.value': {'in': [1, 2.5]}}, project='id'
    )
    assert "o%n'" in query.as_sql()
    assert storage.session.raw.execute(query.as_sql(inline=True)).fetchall() == []
    assert 'node_type' in QueryBuilder().append(Int).analyze_query(execute=False)


def test_entities_dates_and_enumerations_are_values(graph: dict[str, Any]) -> None:
    from ricordi.orm import ProcessState

    assert QueryBuilder().append(Node, filters={'user': graph['user']}).count() == 6
    assert QueryBuilder().append(Node, filters={'computer': graph['computer']}).count() == 1
    assert QueryBuilder().append(Node, filters={'computer': {'==': graph['computer']}}).count() == 1
    assert QueryBuilder().append(Comment, filters={'node': graph['one']}).count() == 1
    day = timedelta(days=1)
    assert QueryBuilder().append(Node, filters={'ctime': {'>': datetime.now() - day}}).count() == 6  # local time
    assert QueryBuilder().append(Node, filters={'ctime': {'>': datetime.now().date() + 2 * day}}).count() == 0
    assert QueryBuilder().append(Node, filters={'attributes.process_state': ProcessState.RUNNING}).count() == 0
    with pytest.raises(QueryTypeError, match='not stored'):
        QueryBuilder().append(Node, filters={'id': {'==': WorkChainNode()}}).count()
