"""A file tree of a shape that is not known is told, and while there is one nothing is removed for want of a name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import EntityKind as K
from ricordi.model.file_trees import DEEPEST, fault_of, fault_of_text

FULL = MaintenanceOptions(full=True)
KEY = 'KEY'
"""Stands for the key of the object that the damaged node names, or named."""


def nested(depth: int) -> str:
    return '{"o": {"d": ' * depth + '{"k": "KEY"}' + '}}' * depth


UNKNOWN = [
    'null',
    '[]',
    '["KEY"]',
    '5',
    '"KEY"',
    'true',
    '{"k": "KEY"}',
    '{"o": null}',
    '{"o": []}',
    '{"o": [{"k": "KEY"}]}',
    '{"o": "KEY"}',
    '{"o": {"a": {"k": 5}}}',
    '{"o": {"a": {"k": null}}}',
    '{"o": {"a": {"k": ["KEY"]}}}',
    '{"o": {"a": {"k": {}}}}',
    '{"o": {"a": {"j": "KEY"}}}',
    '{"o": {"a": {"K": "KEY"}}}',
    '{"O": {"a": {"k": "KEY"}}}',
    '{"n": {"a": {"k": "KEY"}}}',
    '{"n": {}}',
    '{"o": {"a": {"n": {"b": {"k": "KEY"}}}}}',
    '{"o": {"a": {"k": "KEY", "x": "y"}}}',
    '{"o": {"a": {"k": "KEY", "x": {}}}}',
    '{"o": {"a": {"k": "KEY", "o": {}}}}',
    '{"o": {"a": {"k": "KEY"}}, "x": 1}',
    '{"o": {"a": "KEY"}}',
    '{"o": {"a": [{"k": "KEY"}]}}',
    '{"o": {"a": null}}',
    '{"o": {"..": {"k": "KEY"}}}',
    '{"o": {".": {"k": "KEY"}}}',
    '{"o": {"": {"k": "KEY"}}}',
    '{"o": {"a/b": {"k": "KEY"}}}',
    '{"o": {"a": {"o": {"..": {}}}}}',
]
KNOWN = [
    '{}',
    '{"o": {}}',
    '{"o": {"a": {}}}',
    '{"o": {"a": {"o": {}}}}',
    '{"o": {"a": {"k": "KEY"}}}',
    '{"o": {"k": {"k": "KEY"}, "o": {"o": {"o": {"k": "KEY"}}}}}',
    '{"o": {"o": {"k": "KEY"}, "n": {}}}',
    '{"o": {".aiida": {"o": {"x.y": {"k": "KEY"}}}, "...": {"k": "KEY"}, "a: b": {"k": "KEY"}}}',
    nested(30),
    nested(DEEPEST - 5),
]


@pytest.fixture
def filled(storage: Any) -> Iterator[tuple[Any, list[int], list[str]]]:
    """A storage, locked, with four nodes that name a file each; their pks and the keys, one loose, three packed."""
    contents = [b'Va, pensiero', b'sull ali dorate', b'va, ti posa', b'sui clivi']
    keys = storage.repository.put_objects_into_pack(contents[:3])
    keys.append(storage.repository.put_object_from_bytes(contents[3]))
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    trees = [{'o': {'a': {'k': key}}} for key in keys]
    pks = storage.insert(K.NODE, [{'user_pk': user, 'repository_metadata': tree} for tree in trees])
    with ProfileAccessManager(storage.profile).lock():
        yield storage, pks, keys


def set_tree(storage: Any, pk: int, text: Any) -> None:
    mark = storage.dialect.mark
    with storage.transaction():
        storage.session.execute(f'UPDATE db_dbnode SET repository_metadata = {mark} WHERE id = {pk}', (text,))


def faulty(report: Any) -> list[int]:
    return [problem.nodes[0][0] for problem in report.problems if problem.kind == 'file tree']


@pytest.mark.parametrize(('text', 'which'), [(text, 3 if number % 5 else 1) for number, text in enumerate(UNKNOWN)])
def test_while_a_tree_has_an_unknown_shape_it_is_named_and_nothing_is_removed(
    filled: tuple[Any, list[int], list[str]], text: str, which: int
) -> None:
    storage, pks, keys = filled
    set_tree(storage, pks[which], text.replace(KEY, keys[which]))
    garbage = storage.repository.put_object_from_bytes(b'that no node has ever named')
    for options in (FULL._replace(dry_run=True), FULL._replace(repack='all')):
        report = storage.maintain(options)
        assert faulty(report) == [pks[which]]
        assert (report.problem_count, report.unclear_trees, report.clean) == (1, 1, None)
        assert report.problems[0].detail
        assert 'remove garbage' not in [step.name for step in report.steps]
    assert storage.repository.has_objects([*keys, garbage]) == [True] * 5
    assert storage.repository.get_info()['loose']['objects'] == 0  # packed all the same
    set_tree(storage, pks[which], json.dumps({'o': {'a': {'k': keys[which]}}}))
    report = storage.maintain(FULL)
    assert report.problem_count == 0
    assert storage.repository.has_objects([*keys, garbage]) == [True] * 4 + [False]


@pytest.mark.parametrize('text', KNOWN, ids=[text[:40] for text in KNOWN])
def test_a_tree_of_a_known_shape_is_no_problem(filled: tuple[Any, list[int], list[str]], text: str) -> None:
    storage, pks, keys = filled
    set_tree(storage, pks[1], text.replace(KEY, keys[1]))
    report = storage.maintain(FULL)
    assert report.problem_count == 0
    assert storage.repository.has_objects(keys) == [True, KEY in text, True, True]


@pytest.mark.parametrize('key', ['', 'A' * 64, 'a' * 63, '../../x', 'g' * 64])
def test_what_cannot_be_a_key_is_a_problem_and_nothing_is_removed(
    filled: tuple[Any, list[int], list[str]], key: str
) -> None:
    storage, pks, keys = filled
    set_tree(storage, pks[1], json.dumps({'o': {'a': {'k': key}}}))
    report = storage.maintain(FULL)
    assert report.problem_count
    assert {problem.nodes[0][0] for problem in report.problems} == {pks[1]}
    assert storage.repository.has_objects(keys) == [True] * 4


@pytest.mark.parametrize(
    'value',
    ['{"o": {"a": {"k": "KEY"}}', '', 'KEY', b'\xff\xfe\x00', b'{"o": {}}x', 1.5, '{"o": {"a": {"k": "\x00"}}}'],
)
def test_what_is_no_json_at_all_is_named_and_hides_no_other(sqlite_storage: Any, value: Any) -> None:
    repository = sqlite_storage.repository
    keys = repository.put_objects_into_pack([b'%d' % number for number in range(200)])
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    trees = [{'o': {'a': {'k': key}}} for key in keys]
    pks = sqlite_storage.insert(K.NODE, [{'user_pk': user, 'repository_metadata': tree} for tree in trees])
    set_tree(sqlite_storage, pks[7], value)
    set_tree(sqlite_storage, pks[9], json.dumps({'o': {'a': {'k': 'f' * 64}}}))
    with ProfileAccessManager(sqlite_storage.profile).lock():
        report = sqlite_storage.maintain(FULL)
    assert faulty(report) == [pks[7]]
    assert [(problem.kind, problem.nodes[0][0]) for problem in report.problems[1:]] == [('missing', pks[9])]
    assert all(repository.has_objects(keys))
    assert sqlite_storage.maintain(MaintenanceOptions()).before.missing == 1


def test_of_many_unclear_trees_the_first_are_named_and_all_counted(sqlite_storage: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = sqlite_storage.insert(K.NODE, [{'user_pk': user, 'repository_metadata': {'x': {}}}] * 230)
    report = sqlite_storage.maintain(FULL._replace(dry_run=True))
    assert faulty(report) == pks[:100]
    assert (report.problem_count, report.unclear_trees) == (230, 230)


def test_storages_that_aiida_made_have_no_unclear_tree(reference: Any) -> None:
    report = reference.maintain(FULL._replace(dry_run=True))
    assert (report.unclear_trees, report.problem_count) == (0, 0)


NAMES = st.sampled_from(['o', 'k', 'a', 'n', '.', '..', '', 'a/b', 'x y', '"', '\\', 'é', '{', '}'])
ENTRIES = st.recursive(
    st.sampled_from([{'k': 'a' * 64}, {}, {'k': 'A'}, {'k': 5}, None, [], 'text', {'x': {}}]),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=3).map(lambda objects: {'o': objects}),
        st.dictionaries(NAMES, inner, max_size=2),
        st.lists(inner, max_size=1),
    ),
    max_leaves=6,
)


def leaves(tree: Any, name: str = '') -> Iterator[tuple[str, Any]]:
    """All that is no object, with the name it has."""
    if isinstance(tree, dict):
        for key, below in tree.items():
            yield from leaves(below, key)
    else:
        yield name, tree


@pytest.fixture
def node(storage: Any) -> int:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    return storage.insert(K.NODE, [{'user_pk': user}])[0]  # type: ignore[no-any-return]


def test_a_tree_that_is_not_sound_is_found_or_all_in_it_counts_as_named(storage: Any, node: int) -> None:
    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(ENTRIES)
    def check(tree: Any) -> None:
        set_tree(storage, node, json.dumps(tree))
        report = storage.maintain(MaintenanceOptions(dry_run=True))
        if fault_of(tree) is None:
            assert report.unclear_trees == 0
        elif not report.unclear_trees:
            assert all(name == 'k' and isinstance(value, str) for name, value in leaves(tree))
            assert set(storage.named_keys()) == {value for _, value in leaves(tree)}

    check()


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError('a name stands twice')
    return dict(pairs)


def test_after_any_one_bit_was_turned_all_is_still_named_or_it_is_told(storage: Any, node: int) -> None:
    tree = {'o': {'a.in': {'k': 'a' * 64}, 'd': {'o': {'b': {'k': 'b' * 64}, 'k': {'k': 'c' * 64}}}, 'e': {}}}
    text = json.dumps(tree).encode()

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(text) - 1), st.integers(0, 7))
    @example(text.index(b'"d"') + 1, 0)  # which makes it an "e", of which there is one
    def check(place: int, bit: int) -> None:
        damaged = bytearray(text)
        damaged[place] ^= 1 << bit
        try:
            json.loads(damaged, object_pairs_hook=without_twins)
        except ValueError:
            if storage.dialect.name != 'sqlite':
                return  # no value of `jsonb`, which of two values of one name keeps the last
        if b'\0' in damaged:
            return
        with storage.transaction():
            value = 'CAST(? AS TEXT)' if storage.dialect.name == 'sqlite' else '%s::text::jsonb'
            given = bytes(damaged) if storage.dialect.name == 'sqlite' else damaged.decode()
            storage.session.execute(f'UPDATE db_dbnode SET repository_metadata = {value}', (given,))
        report = storage.maintain(MaintenanceOptions(dry_run=True))
        told = report.unclear_trees or {problem.key for problem in report.problems} - {'a' * 64, 'b' * 64, 'c' * 64}
        assert told or set(storage.named_keys()) == {'a' * 64, 'b' * 64, 'c' * 64}

    check()


def test_the_fault_of_a_tree_is_told_in_words() -> None:
    assert fault_of_text(None) == 'it is not there (NULL)'
    assert fault_of_text('{') == 'it is no JSON'
    assert fault_of_text('[' * 100_000 + ']' * 100_000) == 'it is nested too deeply'
    assert fault_of({'o': {'a': {'k': 5}}}) == "the key of 'a' is none"
    assert fault_of({'o': {'a': {'o': {'..': {}}}}}) == "'..' cannot be the name of a file or folder"
    assert fault_of({'o': {'a': {'x': {}}}}) == "'a' has 'x' where a folder has its entries"


def test_a_uuid_that_is_no_text_keeps_no_node_from_being_named(sqlite_storage: Any) -> None:
    repository = sqlite_storage.repository
    keys = repository.put_objects_into_pack([b'Nabucco', b'Aida'])
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    trees = [{'o': {'a': {'k': key}}} for key in (*keys, 'f' * 64)]
    pks = sqlite_storage.insert(K.NODE, [{'user_pk': user, 'repository_metadata': tree} for tree in trees])
    set_tree(sqlite_storage, pks[1], '{"o": {"a": {"k": 5}}}')
    with sqlite_storage.transaction():
        sqlite_storage.session.execute("UPDATE db_dbnode SET uuid = CAST(x'3430e9' || id AS TEXT)")
    with ProfileAccessManager(sqlite_storage.profile).lock():
        report = sqlite_storage.maintain(FULL)
    assert faulty(report) == [pks[1]]
    named = [problem.nodes[0] for problem in report.problems]
    assert [pk for pk, _, _ in named] == [pks[1], pks[2]]
    assert all(r'40\xe9' in uuid for _, uuid, _ in named)
    assert all(repository.has_objects(keys))
    assert [(use.pk, use.path) for use in sqlite_storage.uses_of_keys(keys[:1])] == [(pks[0], 'a')]
