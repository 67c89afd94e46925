"""What SQL reads in file trees is what the grammar in Python says: on both databases, of sound and broken ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ricordi.backend.rows import EntityKind as K
from ricordi.model.file_trees import fault_of, named_in
from ricordi.storage.object_keys import unclear_trees

KEYS = st.sampled_from(['a' * 64, 'b' * 64, '0123456789abcdef' * 4])
NAMES = st.sampled_from(
    ['o', 'k', 'a', 'n', '.', '..', '', '...', 'a/b', 'x y', '"', '\\', "'", 'é', '{', '}', 'K', '🎼']
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | KEYS | st.sampled_from(['', 'k', 'A' * 64, 'a' * 63, '{"k": 1}']),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SOUND = st.recursive(
    KEYS.map(lambda key: {'k': key}) | st.just({}),
    lambda inner: st.dictionaries(NAMES.filter(lambda name: name not in ('', '.', '..', 'a/b')), inner, max_size=3).map(
        lambda objects: {'o': objects}
    ),
    max_leaves=8,
)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A sound tree in which one value has become another."""
    tree = draw(SOUND)
    places: list[tuple[Any, str]] = []
    todo = [tree]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            places += [(value, name) for name in value]
            todo += value.values()
    if places:
        place, name = draw(st.sampled_from(places))
        place[draw(NAMES)] = draw(ANY) if draw(st.booleans()) else place.pop(name)
    return tree


@pytest.fixture
def nodes(storage: Any) -> list[int]:
    """Three nodes."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    return storage.insert(K.NODE, [{'user_pk': user}] * 3)  # type: ignore[no-any-return]


def texts_in_lists(value: Any) -> Iterator[str]:
    """The texts of lists in the place of a key: PostgreSQL counts them as named, and so none of them goes."""
    if isinstance(value, dict) and isinstance(value.get('k'), list):
        yield from (text for text in value['k'] if isinstance(text, str))
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_in_lists(inner)


def test_sql_and_python_read_the_same_names_and_find_the_same_faults(storage: Any, nodes: list[int]) -> None:
    @example([{'o': {}}, {}, {'k': ['a' * 64]}])
    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(SOUND | spoilt() | ANY, min_size=3, max_size=3))
    def check(trees: list[Any]) -> None:
        mark = storage.dialect.mark
        with storage.transaction():
            for pk, tree in zip(nodes, trees, strict=True):
                storage.session.execute(
                    f'UPDATE db_dbnode SET repository_metadata = {mark} WHERE id = {pk}', (json.dumps(tree),)
                )
        named = {pk: list(named_in(tree)) for pk, tree in zip(nodes, trees, strict=True)}
        keys = {key for uses in named.values() for _, key in uses}
        counted, listed = list(storage.named_keys()), {text for tree in trees for text in texts_in_lists(tree)}
        assert counted == sorted({*counted} | keys)
        more = {*counted} - keys
        assert more <= (set() if storage.dialect.name == 'sqlite' else listed), 'what is none is none'
        assert sorted((use.pk, use.path, use.key) for use in storage.uses_of_keys(keys)) == sorted(
            (pk, path, key) for pk, uses in named.items() for path, key in uses
        )
        with closing(unclear_trees(storage.session)) as found:
            told = {pk for pk, _, _ in found}
        broken = {pk for pk, tree in zip(nodes, trees, strict=True) if fault_of(tree)}
        assert told <= broken, 'only what is broken is called so'
        for pk in broken - told:  # looked at more closely where a name of it can be no key
            assert leaves(trees[nodes.index(pk)]) == [key for _, key in named[pk]], 'or else all in it counts as named'
        with closing(unclear_trees(storage.session, guarded=True)) as found:
            told = {pk for pk, _, _ in found}
        assert told <= broken

    check()


def leaves(value: Any) -> list[Any]:
    """All that is no object."""
    if isinstance(value, dict):
        return [leaf for below in value.values() for leaf in leaves(below)]
    return [value]
