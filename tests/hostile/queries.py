"""The door of queries: files of `ricordi query`, and so all that `QueryBuilder` takes as a dictionary."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, ClassVar

from hostile.configurations import put, spoil
from hostile.runner import Case, Door
from hostile.where import mostly

Query = dict[str, Any]

FIELDS = [
    *[
        'id',
        'pk',
        'uuid',
        'label',
        'ctime',
        'mtime',
        'user',
        'user_id',
        'node_type',
        'attributes',
        'attributes.x',
        '*',
        '**',
    ],
    *[
        'extras.tags',
        'repository_metadata',
        'attributes.l.0.-1',
        'attributes.' + '9' * 5000,
        'attributes.',
        '',
        '.',
        'x',
    ],
    *['attributes.' + 'k' * 70_000, 'attributes.' + '.'.join('x' * 300), 'attributes.\ud800', 'attributes.a\0b', "a'b"],
    *['attributes.' + 'x.' * 3000 + 'x', 'and', 'or', '!and', '~or', 'email', 'time', 'content', 'metadata', '1'],
]
OPERATORS = [
    *['==', '<', '<=', '>', '>=', 'in', 'like', 'ilike', 'contains', 'has_key', 'of_length', 'longer', 'shorter'],
    *['of_type', 'and', 'or', '!==', '~==', '!in', '!!==', '', 'nonsense', '!', 'between', '=='],
]
VALUES: list[Any] = [
    *[None, True, False, 0, -1, 5, 2.5, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**20, 10**400, 1e308, float('nan')],
    *[float('inf'), -float('inf'), '', 'x', '\0', 'a\0b', '\ud800', '\\', "'", '"', '%', '%%s', '{}', ':p0', '$1'],
    *['5' * 5000, 'x' * 70_000, '%' * 60_000, 'a%' * 30_000, '_' * 60_000, '%\\', '2026-01-01', '99999-01-01', 'now'],
    *[[], {}, [[]], [None], {'a': None}, ['\ud800'], {'a\0': 1}, {'': 1}, [10**400], [[[[[[[]]]]]]], [1] * 40_000],
    *[{'$date': '2026-01-01'}, {'==': 5}, [{'==': 5}], {'and': []}, {'or': {}}, ['x' * 200] * 2000, [{'a': [1]}] * 300],
]
SPECS: list[Any] = [
    *[
        'id',
        '*',
        '**',
        {'id': {}},
        {'id': {'func': 'max'}},
        {'attributes.x': {'cast': 'f'}},
        {'id': {'func': 'nonsense'}},
    ],
    *[{'attributes.x': {'cast': 'nonsense'}}, {'id': {'order': 'up'}}, {'id': 5}, 5, None, [], {}, {'label': 'desc'}],
    *[{'attributes.x': {'order': 'desc', 'cast': 'i'}}, {'attributes.x': {'func': 'avg', 'cast': 'f'}}, ['id', 'uuid']],
    *[{'ctime': {'func': 'count'}}, {'label': {'func': 'avg'}}, {'attributes': {'func': 'min'}}, {'x' * 5000: {}}],
]
ENTITIES = [
    *['node', 'group', 'user', 'computer', 'comment', 'log', 'authinfo', 'data.core.int.Int.', 'group.core', 'data.'],
    *[
        'process.',
        'nonsense',
        '',
        5,
        None,
        ['node', 'data.'],
        [],
        {},
        'data.' + 'x' * 5000,
        'link',
        '\ud800',
        '%',
        'data.%',
    ],
]
JOINS = [
    *['with_incoming', 'with_outgoing', 'with_ancestors', 'with_descendants', 'with_group', 'with_node', 'with_user'],
    *[
        'with_computer',
        'with_comment',
        'with_log',
        'with_authinfo',
        'nonsense',
        '',
        'direction',
        'joining_keyword',
        'cls',
    ],
]
SENSIBLE: list[dict[str, Any]] = [
    *[{'entity_type': 'node', f'with_{way}': 'a'} for way in ('incoming', 'outgoing', 'ancestors', 'descendants')],
    *[{'entity_type': kind, 'with_node': 'a'} for kind in ('group', 'user', 'computer', 'comment', 'log')],
]
TEXTS = [
    *[
        b'',
        b' ',
        b'[',
        b'[' * 100_000,
        b'{"a":' * 50_000,
        b'null',
        b'5',
        b'"x"',
        b'[]',
        b'{}',
        b'{"path": []}',
        b'\xff\xfe',
    ],
    *[b'{"path": ["node"]} x', b'{"path": ["node"], "path": 5}', b'{"limit": ' + b'9' * 5000 + b'}', b'\xef\xbb\xbf{}'],
    *[b'{"path": ["node"]}\x00', '{"path": ["node"]}'.encode('utf-16'), b'{"path": ["node"], "limit": 1e999}'],
    *[
        b'{"path": [' + b'"node",' * 300 + b'"node"]}',
        b'{"path": ["node"], "filters": ' + b'[' * 900 + b']' * 900 + b'}',
    ],
    *[b'{"path": ["node"], "project": {"node": [' + b'"id",' * 30_000 + b'"id"]}}', b'{"path": {}, "project": []}'],
]
HUGE: list[tuple[bytes, bytes, int, bytes]] = [
    (b'', b' ', 100 << 20, b'{"path": ["node"]}'),
    (b'{"path": ["node"], "x": "', b'y', 100 << 20, b'"}'),
    (b'[', b'{},', 5 << 20, b'{}]'),
    (b'{"path": [', b'[],', 5 << 20, b'[]]}'),
]
"""Beginning, what is repeated, how often, end: not made before they are needed, lest each fork copies them."""
OUTPUTS = [
    *[(), (), ('--count',), ('--sql',), ('--raw',), ('--limit', '3'), ('--offset', '9' * 30), ('--limit', '0')],
    *[('--format', 'json'), ('--format', 'jsonl'), ('--format', 'csv'), ('--format', 'yaml'), ('--format', 'table')],
]
TOGETHER = 50


class Queries(Door):
    """Dictionaries of queries as JSON."""

    name: ClassVar = 'queries'
    cases_in_ci: ClassVar = 180
    on_postgres: ClassVar = True

    def set_up(self) -> None:
        self.profile.make()
        (self.folder / 'asked').mkdir()

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        for number in range(TOGETHER):
            path = self.folder / 'asked' / f'{number}.json'
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)
            else:
                path = path.with_name(f'{seed} {number}.json')
            text = some_text(chance)
            words = ['query', str(path)]
            stdin = b''
            if text is None:
                put(path, chance, pipes=False)
            elif chance.random() < 0.1:
                words, stdin = ['query', '-'], text
            else:
                path.write_bytes(text)
            yield Case(f'seed {seed}, case {number}', ('-p', 'p', *words, *chance.choice(OUTPUTS)), stdin=stdin)
            if len(text or b'') > 1 << 20:
                path.unlink(missing_ok=True)


def some_text(chance: random.Random) -> bytes | None:
    """What stands in the file; None: it is no such file."""
    kind = chance.random()
    if kind < 0.03:
        return None
    if kind < 0.1:
        return chance.choice(TEXTS)
    if kind < 0.105:
        begin, part, times, end = chance.choice(HUGE)
        return begin + part * times + end
    query = a_query(chance)
    for _ in range(chance.choice((0, 0, 0, 0, 0, 1, 2))):
        spoil(query, chance)
    if chance.random() < 0.1:
        put_deep(query, chance)
    return json.dumps(query).encode(errors='surrogatepass')


def a_query(chance: random.Random) -> Query:
    """A query that could be one, but for what it asks."""
    path: list[Any] = [{'entity_type': 'node', 'tag': 'a'}]
    if chance.random() < 0.2:
        path[0]['entity_type'] = chance.choice(ENTITIES)
    for number in range(chance.choice((0, 0, 0, 1, 2, 4))):
        step: dict[str, Any] = {'entity_type': chance.choice(ENTITIES[:10] if chance.random() < 0.7 else ENTITIES)}
        step['tag'] = f't{number}' if chance.random() < 0.9 else chance.choice(('a', '', '\ud800', 'a--b', 'x' * 5000))
        if chance.random() < 0.5:
            step |= chance.choice(SENSIBLE)
        elif chance.random() < 0.7:
            step[chance.choice(JOINS)] = chance.choice(('a', 'a', 'x', 5, None))
        else:
            step |= {'joining_keyword': chance.choice(JOINS), 'joining_value': chance.choice(('a', 'x', None, 5))}
        for key in ('outerjoin', 'edge_tag', 'orm_base', 'edge_filters', 'edge_project', 'filters', 'project'):
            if chance.random() < 0.08:
                step[key] = chance.choice((True, 'e', {}, {'id': 5}, ['label'], *VALUES))
        path.append(step)
    query: Query = {'path': path}
    if chance.random() < 0.8:
        query['filters'] = {'a': some_filters(chance, 2)}
    if chance.random() < 0.6:
        query['project'] = {'a': [_a_spec(chance) for _ in range(chance.randint(0, 3))]}
    if chance.random() < 0.3:
        query['order_by'] = [{'a': [_a_spec(chance) for _ in range(chance.randint(0, 2))]}]
    for key in ('limit', 'offset', 'distinct', 'project_map'):
        if chance.random() < 0.04:
            query[key] = chance.choice(VALUES)
    return query


def _a_spec(chance: random.Random) -> Any:
    if chance.random() < 0.5:
        return chance.choice(SPECS)
    field = mostly(chance, FIELDS, 11)
    if chance.random() < 0.5:
        return field
    return chance.choice(
        (field, {field: chance.choice(VALUES)}, {field: {chance.choice(('func', 'cast', 'order', 'x')): 'f'}})
    )


def some_filters(chance: random.Random, depth: int) -> Any:
    """Filters of any fields, operators and values."""
    if depth and chance.random() < 0.25:
        parts = [some_filters(chance, depth - 1) for _ in range(chance.randint(0, 3))]
        return {chance.choice(('and', 'or', '!and', '~or')): parts}
    if chance.random() < 0.1:
        return {chance.choice(FIELDS): chance.choice(VALUES)}
    return {
        (mostly(chance, FIELDS, 11) if chance.random() < 0.4 else 'attributes.x'): {
            mostly(chance, OPERATORS, 8): chance.choice(VALUES) for _ in range(chance.choice((1, 1, 2)))
        }
    }


def put_deep(query: Query, chance: random.Random) -> None:
    """Nest the filters deeply."""
    filters: Any = query.get('filters', {}).get('a') if isinstance(query.get('filters'), dict) else {}
    for _ in range(chance.choice((30, 150, 400))):
        filters = {chance.choice(('and', '!or')): [copy.copy(filters)]}
    query['filters'] = {'a': filters}
