"""Queries made from the grammar of `QueryBuilder` by a generator with a fixed seed, for programs to agree on.

Each has a `kind`, which says what it tries. Rows without an order are compared as a set that counts; where there is a
limit, the order is by pk.
"""

from __future__ import annotations

import random
from typing import Any

Query = dict[str, Any]

NODE_CLASSES = ('Node', 'Data', 'Int', 'Dict', 'ProcessNode', 'CalculationNode', 'CalcJobNode', 'WorkChainNode', 'List')
NEGATIONS = ('', '!', '~')
MIDDLE = {'$date': '2026-11-22T07:14:40+00:00'}

COLUMN_FILTERS: dict[str, list[tuple[str, Any]]] = {
    'id': [('==', 7), ('<', 20), ('>=', 60), ('in', [1, 2, 3, 1000]), ('>', 12.5), ('<=', 0)],
    'uuid': [('like', '%-4%'), ('in', ['26bd3d22-ab35-44e8-8640-9797ca7ef449']), ('like', '2%')],
    'label': [
        *[('==', ''), ('==', 'one'), ('like', 'job%'), ('like', '%ob _'), ('ilike', 'JOB%'), ('in', ['one', 'pw'])],
        *[('like', '%'), ('like', 'sil\\icon'), ('like', 'a\\_b%'), ('like', 'odd 100\\%%'), ('like', '%\\\\%')],
    ],
    'node_type': [('like', 'data.core.%'), ('==', 'data.core.int.Int.'), ('like', '%.Dict.'), ('ilike', '%DICT%')],
    'process_type': [('==', None), ('like', '%'), ('like', 'aiida.calculations:%'), ('==', 'x')],
    'ctime': [('<', MIDDLE), ('>=', MIDDLE), ('==', MIDDLE)],
    'dbcomputer_id': [('==', 2), ('==', None), ('in', [2, 3]), ('>', 1)],
    'user_id': [('==', 1), ('in', [2, 3])],
    'description': [('like', '%number%'), ('==', '')],
}

JSON_FILTERS: dict[str, list[tuple[str, Any]]] = {
    'attributes.value': [
        *[('==', 3), ('==', 3.0), ('==', 2.5), ('==', True), ('==', '3'), ('>', 3), ('<=', 4.5), ('in', [3, 4, 7])],
        *[
            ('of_type', 'number'),
            ('of_type', 'boolean'),
            ('of_type', 'string'),
            ('of_type', 'null'),
            ('like', '%text%'),
        ],
    ],
    'attributes.x': [
        *[
            ('==', 5),
            ('==', '5'),
            ('==', False),
            ('==', True),
            ('==', 'text'),
            ('>', 4),
            ('<', 6.5),
            ('>=', 0),
            ('<=', 5),
        ],
        *[
            ('in', [5, 6]),
            ('in', ['5', 'text']),
            ('in', [5.0, 2.5]),
            ('like', 't%'),
            ('ilike', 'T%'),
            ('like', '%\\%%'),
        ],
        *[('like', 'a\\_c'), ('like', 'a_c'), ('of_type', 'array'), ('of_type', 'object'), ('of_type', 'null')],
        *[('of_length', 3), ('longer', 1), ('shorter', 2), ('contains', [5]), ('contains', [1, 2]), ('has_key', 'y')],
        *[('contains', {'y': 5}), ('==', [1, 2, 3]), ('>', 'm'), ('<', 'm'), ('has_key', 'b'), ('contains', ['b'])],
        *[('of_type', 'string'), ('of_type', 'boolean'), ('of_type', 'number'), ('==', 2**60), ('>', 2**53), ('<', -1)],
    ],
    'attributes.x.y': [('==', 5), ('>', 1), ('of_type', 'number'), ('in', [5])],
    'attributes.nested.a': [('of_length', 5), ('contains', [1]), ('contains', ['x', True]), ('longer', 2)],
    'attributes.nested.ü': [('==', '数'), ('like', '_')],
    'attributes.a_b': [('==', 1)],
    'attributes.a%b': [('==', 2)],
    'attributes.big': [('==', 9007199254740993), ('==', 9007199254740992), ('>', 9007199254740992)],
    'attributes.small': [('<', 1e-200), ('==', 1e-300), ('>', 0)],
    'attributes.process_state': [
        ('==', 'finished'),
        ('in', ['finished', 'excepted']),
        ('like', 'f%'),
        ('ilike', '%ED'),
    ],
    'attributes.exit_status': [('==', 0), ('>', 0), ('in', [0, 411]), ('<', 400)],
    'attributes.resources.num_machines': [('>', 3), ('==', 2)],
    'attributes.converged': [('==', True), ('==', False), ('of_type', 'boolean')],
    'attributes.energy': [('<', -2), ('>=', -4.5), ('==', 0), ('in', [-1.5, -3.0])],
    'attributes': [
        ('has_key', 'value'),
        ('has_key', 'missing'),
        ('contains', {'value': 3}),
        ('contains', {'pbc1': True}),
    ],
    'extras.tags': [('contains', ['x']), ('of_length', 0), ('longer', 0), ('shorter', 5)],
    'extras': [('has_key', 'tags'), ('has_key', 'n')],
    'extras.n': [('of_type', 'null'), ('==', 1)],
    'extras.score': [('>', 3), ('==', 3.5)],
}

ABSENT_FILTERS: dict[str, list[tuple[str, Any]]] = {
    'attributes.paused': [('==', True), ('!==', True), ('==', False)],
    'attributes.exit_status': [('==', 0), ('in', [0, 411]), ('>', 0), ('<=', 400)],
    'attributes.x': [
        *[('==', 5), ('==', 'text'), ('==', [1, 2, 3]), ('==', {'y': 5}), ('in', [5, 6]), ('in', ['5', 'text'])],
        *[('>', 4), ('<', 6.5), ('like', 't%'), ('ilike', 'T%'), ('contains', [5]), ('contains', {'y': 5})],
        *[('has_key', 'y'), ('of_length', 3), ('longer', 1), ('shorter', 2), ('of_type', 'string')],
        *[('of_type', 'object'), ('of_type', 'array'), ('of_type', 'number'), ('of_type', 'null')],
    ],
    'attributes.missing': [('==', 1), ('in', ['a']), ('like', '%'), ('contains', ['a']), ('has_key', 'a')],
    'attributes.missing.deep': [('==', 1), ('of_length', 0), ('of_type', 'array')],
    'extras.i': [('==', 1), ('!==', 1), ('in', [1]), ('of_type', 'string')],
    'extras.n': [('==', 1), ('<', 10), ('in', [1, 2])],
    'extras': [('has_key', 'n'), ('contains', {'n': 1}), ('of_type', 'object')],
}
"""What is negated and asked of nodes of which most lack the key, or hold null there."""

LARGE_FILTERS: dict[str, list[tuple[str, Any]]] = {
    'attributes.x': [
        *[(operator, 6.02214076e23) for operator in ('==', '>=', '<=', '>', '<')],
        *[('in', [6.02214076e23, 1e15]), ('==', 1e15), ('>=', 1e15), ('==', 602214075999999987023872)],
        *[('==', 602214076000000000000000), ('contains', [6.02214076e23]), ('==', [6.02214076e23])],
        *[('==', 1234567890123456768.0), ('==', 1234567890123456768), ('>', 1e300), ('<=', 1e300)],
    ],
}

INDEX_FILTERS: dict[str, list[tuple[str, Any]]] = {
    'attributes.list.0': [('==', 1), ('of_type', 'number')],
    'attributes.list.2.three': [('==', 3)],
    'attributes.x.0': [('==', 1), ('==', 'zero'), ('of_type', 'string')],
    'attributes.nested.a.1': [('>', 2)],
    'attributes.nested.a.-1': [('==', 'x')],
    'attributes.forces.0.1': [('>', 0.15)],
}

JOINS: list[tuple[str, str, str]] = [
    ('Node', 'with_incoming', 'Node'),
    ('Data', 'with_incoming', 'CalcJobNode'),
    ('CalcJobNode', 'with_incoming', 'Dict'),
    ('Node', 'with_outgoing', 'Data'),
    ('WorkChainNode', 'with_outgoing', 'Int'),
    ('Group', 'with_group', 'Node'),
    ('Node', 'with_node', 'Group'),
    ('Computer', 'with_computer', 'Node'),
    ('Node', 'with_node', 'Computer'),
    ('User', 'with_user', 'Node'),
    ('Node', 'with_node', 'User'),
    ('User', 'with_user', 'Group'),
    ('Group', 'with_group', 'User'),
    ('Node', 'with_node', 'Comment'),
    ('Comment', 'with_comment', 'Node'),
    ('User', 'with_user', 'Comment'),
    ('Comment', 'with_comment', 'User'),
    ('ProcessNode', 'with_node', 'Log'),
    ('Log', 'with_log', 'ProcessNode'),
    ('Computer', 'with_computer', 'AuthInfo'),
    ('User', 'with_user', 'AuthInfo'),
    ('AuthInfo', 'with_authinfo', 'User'),
]
"""What is appended first; the keyword and the class of what is joined to it."""

PROJECTIONS: list[Any] = [
    *[
        'id',
        'uuid',
        'label',
        'node_type',
        'ctime',
        'mtime',
        'attributes',
        'extras',
        'user_id',
        'dbcomputer_id',
        '*',
        '**',
    ],
    *[
        'attributes.value',
        'attributes.x',
        'attributes.x.y',
        'attributes.nested',
        'attributes.nested.a',
        'attributes.big',
    ],
    *['attributes.small', 'attributes.process_state', 'attributes.missing', 'extras.tags', 'attributes.nested.ü', 'pk'],
    *[
        'process_type',
        'description',
        'repository_metadata',
        'attributes.list',
        'attributes.exit_status',
        'user',
        'computer',
    ],
]


def generate(seed: int = 20_26) -> list[Query]:
    """The queries, the same each time for one seed."""
    chance = random.Random(seed)
    queries = [
        *_column_filters(chance),
        *_json_filters(chance),
        *_combined_filters(chance),
        *_joins(chance),
        *_walks(chance),
        *_projections(chance),
        *_orders(chance),
        *_classes(),
    ]
    return [{'number': number, **query} for number, query in enumerate(queries)]


def _node(filters: Any, cls: Any = 'Node', **options: Any) -> dict[str, Any]:
    return {'cls': cls, 'tag': 'n', 'filters': filters, 'project': ['id'], **options}


def _column_filters(chance: random.Random) -> list[Query]:
    queries = []
    for column, tests in COLUMN_FILTERS.items():
        for operator, value in tests:
            filters = {column: {chance.choice(NEGATIONS) + operator: value}}
            queries.append({'kind': 'column', 'path': [_node(filters)]})
    queries.append({'kind': 'column', 'path': [_node({'label': 'one'})]})
    return queries


def _json_filters(chance: random.Random) -> list[Query]:
    queries = []
    for tests_of, kind in ((JSON_FILTERS, 'json'), (INDEX_FILTERS, 'json index')):
        for field, tests in tests_of.items():
            for operator, value in tests:
                for negation in ('', chance.choice(('!', '~'))):
                    if negation and kind == 'json' and chance.random() < 0.4:
                        continue
                    filters = {field: {negation + operator: value}}
                    queries.append({'kind': kind, 'path': [_node(filters)]})
    for tests_of, kind, negations in (
        (ABSENT_FILTERS, 'absent', ('!', '~')),
        (LARGE_FILTERS, 'large number', ('', '!')),
    ):
        for field, tests in tests_of.items():
            for operator, value in tests:
                for negation in negations:
                    operation = operator[1:] if operator.startswith('!') else negation + operator
                    queries.append({'kind': kind, 'path': [_node({field: {operation: value}})]})
        queries += [{'kind': kind, 'path': [_node(_negated_pair(chance, tests_of))]} for _ in range(10)]
    for operator in ('==', '!=='):
        queries.append({'kind': 'json null', 'path': [_node({'attributes.x': {operator: None}})]})
    return queries


def _negated_pair(chance: random.Random, tests_of: dict[str, list[tuple[str, Any]]]) -> dict[str, Any]:
    """Two comparisons, of which the negation of both, or of either, is asked for."""
    parts = []
    for _ in range(2):
        field, tests = chance.choice(list(tests_of.items()))
        operator, value = chance.choice(tests)
        parts.append({field: {operator: value}})
    return {chance.choice(('!and', '!or', '~and', '~or')): parts}


def _one_filter(chance: random.Random) -> dict[str, Any]:
    field, tests = chance.choice([*COLUMN_FILTERS.items(), *JSON_FILTERS.items()])
    operator, value = chance.choice(tests)
    return {field: {chance.choice(('', '', '!')) + operator: value}}


def _tree(chance: random.Random, depth: int) -> dict[str, Any]:
    if depth == 0 or chance.random() < 0.2:
        return _one_filter(chance)
    junction = chance.choice(('and', 'or', '!and', '!or', '~or'))
    return {junction: [_tree(chance, depth - 1) for _ in range(chance.randint(1, 3))]}


def _combined_filters(chance: random.Random) -> list[Query]:
    queries = [{'kind': 'combined', 'path': [_node(_tree(chance, 2))]} for _ in range(45)]
    for operations in (
        {'>': 5, '<': 30},
        {'or': [{'<': 5}, {'>': 70}]},
        {'and': [{'>': 5}, {'!in': [6, 7]}]},
        {'!or': [{'<': 5}, {'>': 10}]},
        {'or': [{'>': 5, '<': 8}, {'==': 70}]},
    ):
        queries.append({'kind': 'combined', 'path': [_node({'id': operations})]})
    return queries


def _project_some(chance: random.Random, cls: str) -> list[Any]:
    others = {'Computer': 'label', 'User': 'email', 'Comment': 'content', 'Log': 'message', 'AuthInfo': 'enabled'}
    return chance.choice((['id'], ['id', others.get(cls, 'label')], ['*']))


def _joins(chance: random.Random) -> list[Query]:
    queries = []
    for first, keyword, second in JOINS:
        for outer in (False, True):
            start = {'cls': first, 'tag': 'a', 'project': _project_some(chance, first)}
            end = {
                'cls': second,
                'tag': 'b',
                'project': _project_some(chance, second),
                keyword: 'a',
                'outerjoin': outer,
            }
            queries.append({'kind': 'outer join' if outer else 'join', 'path': [start, end]})
    queries += _edges()
    for _ in range(12):
        queries.append({'kind': 'join', 'path': _chain(chance)})
    return queries


def _edges() -> list[Query]:
    queries = []
    for filters in (
        {'type': 'create'},
        {'label': 'result'},
        {'type': {'in': ['input_calc', 'call_calc']}},
        {'label': {'like': 'x%'}},
    ):
        path = [
            {'cls': 'Node', 'tag': 'a', 'project': ['id']},
            {
                'cls': 'Node',
                'with_incoming': 'a',
                'project': ['id'],
                'edge_filters': filters,
                'edge_project': ['label', 'type'],
            },
        ]
        queries.append({'kind': 'edge', 'path': path})
    for projected in (['*'], ['id', 'input_id', 'output_id'], ['**']):
        path = [
            {'cls': 'Node', 'tag': 'a'},
            {'cls': 'Node', 'with_outgoing': 'a', 'edge_tag': 'e', 'edge_project': projected},
        ]
        queries.append({'kind': 'edge', 'path': path})
        queries.append({'kind': 'edge', 'path': path, 'method': 'dict'})
    return queries


def _chain(chance: random.Random) -> list[dict[str, Any]]:
    path: list[dict[str, Any]] = [{'cls': chance.choice(NODE_CLASSES), 'tag': 't0', 'project': ['id']}]
    for number in range(1, chance.randint(3, 4)):
        keyword = chance.choice(('with_incoming', 'with_outgoing'))
        joined_to = f't{chance.randint(0, number - 1)}'
        cls = chance.choice(('Node', 'Data', 'ProcessNode', 'CalcJobNode', 'Dict'))
        path.append({'cls': cls, 'tag': f't{number}', 'project': ['id'], keyword: joined_to})
    if chance.random() < 0.5:
        path[0]['filters'] = _one_filter(chance)
    return path


def _walks(chance: random.Random) -> list[Query]:
    queries = []
    for keyword in ('with_ancestors', 'with_descendants'):
        for pk in (1, 2, 5, 55, 59):
            for edge_project in ([], ['depth'], ['depth', 'path'], ['ancestor_id', 'descendant_id']):
                if pk not in (1, 59) and edge_project and chance.random() < 0.5:
                    continue
                start = {'cls': 'Node', 'tag': 'a', 'filters': {'id': pk}}
                end = {'cls': 'Node', keyword: 'a', 'project': ['id'], 'edge_project': edge_project}
                queries.append({'kind': 'walk', 'path': [start, end], 'distinct': 'path' not in edge_project})
        for cls, filters in (('Int', {}), ('Dict', {'attributes': {'has_key': 'energy'}}), ('Data', {'id': {'<': 20}})):
            for edge_filters in ({}, {'depth': {'<': 2}}, {'depth': 0}):
                start = {'cls': cls, 'tag': 'a', 'filters': filters, 'project': ['id']}
                end = {'cls': 'Data', keyword: 'a', 'project': ['id'], 'edge_filters': edge_filters}
                queries.append({'kind': 'walk', 'path': [start, end], 'distinct': True})
    path = [
        {'cls': 'Group', 'tag': 'g', 'filters': {'label': 'numbers'}},
        {'cls': 'Node', 'tag': 'a', 'with_group': 'g', 'project': ['id']},
        {'cls': 'ProcessNode', 'with_ancestors': 'a', 'project': ['id']},
    ]
    return [*queries, {'kind': 'walk', 'path': path, 'distinct': True}]


def _projections(chance: random.Random) -> list[Query]:
    queries = []
    for _ in range(30):
        names = chance.sample(PROJECTIONS[:-2], chance.randint(1, 4))
        names = [name for name in names if name != '**'] if len(names) > 1 else names
        names = [name for name in names if not (name == 'pk' and 'id' in names)]
        cls = chance.choice(NODE_CLASSES)
        method = chance.choice(('all', 'all', 'dict'))
        queries.append({'kind': 'projection', 'path': [{'cls': cls, 'tag': 'n', 'project': names}], 'method': method})
    for cls in ('User', 'Computer', 'AuthInfo', 'Group', 'Comment', 'Log', 'Node'):
        for method in ('all', 'dict'):
            queries.append(
                {'kind': 'projection', 'path': [{'cls': cls, 'tag': 'n', 'project': '**'}], 'method': method}
            )
    for cast in ('f', 'i', 'b', 't', 'j'):
        path = [
            _node({'attributes.energy': {'of_type': 'number'}}, project=['id', {'attributes.energy': {'cast': cast}}])
        ]
        queries.append({'kind': 'cast', 'path': path})
        path = [
            _node(
                {'attributes.process_state': 'finished'}, project=['id', {'attributes.process_state': {'cast': cast}}]
            )
        ]
        queries.append({'kind': 'cast', 'path': path})
    for function in ('max', 'min', 'count', 'avg'):
        for field in ('id', 'label', 'ctime') if function != 'avg' else ('id',):
            queries.append({'kind': 'function', 'path': [_node({}, project=[{field: {'func': function}}])]})
        path = [_node({}, cls='Int', project=[{'attributes.value': {'func': function, 'cast': 'f'}}])]
        queries.append({'kind': 'function', 'path': path})
    return queries


def _orders(chance: random.Random) -> list[Query]:
    queries = []
    for field in ('id', 'ctime', 'label', 'uuid', 'node_type', 'process_type', 'dbcomputer_id'):
        for order in ('asc', 'desc'):
            limits = {'limit': chance.choice((None, 5, 20)), 'offset': chance.choice((None, 3))}
            order_by = [{'n': [{field: order}, {'id': 'asc'}]}]
            queries.append({'kind': 'order', 'path': [_node({}, project=[field])], 'order_by': order_by, **limits})
    casts = {
        'attributes.energy': 'f',
        'attributes.value': 'i',
        'attributes.process_state': 't',
        'attributes.converged': 'b',
    }
    for field, cast in casts.items():
        for order in ('asc', 'desc'):
            kinds = {'f': 'number', 'i': 'number', 't': 'string', 'b': 'boolean'}
            for filters in ({field: {'of_type': kinds[cast]}}, {}):
                order_by = [{'n': [{field: {'cast': cast, 'order': order}}, 'id']}]
                queries.append({'kind': 'order', 'path': [_node(filters)], 'order_by': order_by})
    for project in (['label'], ['node_type'], ['attributes.process_state'], ['label', 'node_type'], ['dbcomputer_id']):
        path = [_node({}, project=project)]
        queries.append({'kind': 'distinct', 'path': path, 'distinct': True})
        queries.append({'kind': 'distinct', 'path': path, 'distinct': True, 'method': 'count'})
    for _ in range(8):
        queries.append(
            {
                'kind': 'count',
                'path': [_node(_one_filter(chance))],
                'method': 'count',
                'limit': chance.choice((None, 4)),
            }
        )
    return queries


def _classes() -> list[Query]:
    queries = []
    for cls in (
        *NODE_CLASSES,
        ['Int', 'Float'],
        ['CalcJobNode', 'WorkChainNode'],
        'InstalledCode',
        'AbstractCode',
        'ArrayData',
    ):
        for subclassing in (True, False):
            queries.append({'kind': 'class', 'path': [_node({}, cls=cls, subclassing=subclassing)]})
    for cls in ('Group', 'AutoGroup', 'ImportGroup', ['Group', 'AutoGroup']):
        for subclassing in (True, False):
            queries.append({'kind': 'class', 'path': [_node({}, cls=cls, subclassing=subclassing)]})
    for entity_type in ('data.core.int.Int.', 'group.core', 'computer', 'user', '', 'process.ProcessNode.'):
        queries.append({'kind': 'class', 'path': [{'entity_type': entity_type, 'project': ['id']}]})
    return queries
