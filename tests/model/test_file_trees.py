"""The grammar of file trees: what is a tree, which files it has, what a broken one may name all the same."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ricordi.errors import CorruptStorage, ValidationError
from ricordi.model.file_trees import (
    DEEPEST,
    check_name,
    children,
    fault_of,
    files_of,
    is_empty,
    is_key,
    is_name,
    key_of,
    named_in,
    new_children,
    new_file,
    remove_child,
    split_path,
)

KEY = 'a' * 64

names = st.text(max_size=5).filter(is_name)
trees = st.recursive(
    st.sampled_from([new_file(KEY), new_file('0' * 64), {}]),
    lambda inner: st.dictionaries(names | st.sampled_from('ok'), inner, max_size=4).map(lambda below: {'o': below}),
    max_leaves=12,
).filter(lambda entry: 'k' not in entry)


def flat(tree: Any) -> dict[str, str | None]:
    """Path and key of all that is in a tree, built by hand."""
    found: dict[str, str | None] = {}
    todo = [('', tree)]
    while todo:
        path, entry = todo.pop()
        for name, below in entry.get('o', {}).items():
            here = f'{path}{name}'
            found[here] = below.get('k')
            if 'k' not in below:
                todo.append((f'{here}/', below))
    return found


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(trees)
def test_a_sound_tree_names_its_files_and_nothing_else(tree: Any) -> None:
    assert fault_of(tree) is None
    expected = sorted((path, key) for path, key in flat(tree).items() if key is not None)
    assert sorted(files_of(tree)) == sorted(named_in(tree)) == expected


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(trees, names)
def test_a_file_that_was_put_is_there_and_one_that_was_taken_is_not(tree: Any, name: str) -> None:
    before = dict(files_of(tree))
    new_children(tree)[name] = new_file('f' * 64)
    assert dict(files_of(tree))[name] == 'f' * 64
    assert fault_of(tree) is None
    remove_child(tree, name)
    assert dict(files_of(tree)).items() <= before.items()
    assert name not in dict(files_of(tree))


@pytest.mark.parametrize(
    ('tree', 'named'),
    [
        ({'k': KEY}, [('', KEY)]),
        ({'n': {'b': {'k': KEY}}}, [('n/b', KEY)]),
        ({'o': {'k': KEY}}, [('', KEY)]),
        ({'o': {'a': [{'k': KEY}, {'k': 'b'}]}}, [('a', KEY), ('a', 'b')]),
        ({'o': {'a': {'k': KEY, 'o': {'b': {'k': 'c'}}}}}, [('a', KEY), ('a/b', 'c')]),
        ({'o': {'a': {'k': 5}}}, []),
        ([[]], []),
        (None, []),
        ('k', []),
    ],
)
def test_a_broken_tree_names_every_text_that_may_be_a_key(tree: Any, named: list[tuple[str, str]]) -> None:
    assert fault_of(tree) is not None
    assert list(named_in(tree)) == named


@pytest.mark.parametrize('entry', [None, [], 'text', 5])
def test_what_is_neither_a_folder_nor_a_file_is_told(entry: Any) -> None:
    for read in (key_of, children, lambda one: list(files_of({'o': {'a': one}}))):
        with pytest.raises(CorruptStorage, match='neither a folder nor a file'):
            read(entry)
    with pytest.raises(CorruptStorage, match='cannot be the entries'):
        children({'o': [entry]})


def test_a_tree_is_empty_only_where_it_says_so_soundly() -> None:
    assert [is_empty(tree) for tree in ({}, {'o': {}}, {'o': {'a': {}}}, {'n': {}}, None, [])] == [True] * 2 + [
        False
    ] * 4


def test_folders_lie_in_each_other_only_so_deep() -> None:
    def nested(depth: int) -> Any:
        tree: Any = {}
        for _ in range(depth):
            tree = {'o': {'d': tree}}
        return tree

    tree = nested(100 * DEEPEST)
    tree['o']['f'] = new_file(KEY)
    assert list(named_in(tree)) == [('f', KEY)], 'and is read all the same'
    assert fault_of(nested(DEEPEST - 1)) is None
    assert 'deep' in str(fault_of(nested(DEEPEST)))


@pytest.mark.parametrize('name', ['', '.', '..', 'a/b', '/', 'a\0', '\ud800'])
def test_what_is_no_step_down_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        check_name(name)
    if name != '\ud800':  # which no file system takes, but which hides nothing
        assert not is_name(name)
        assert 'name' in str(fault_of({'o': {name: {}}}))


def test_a_path_is_split_into_names() -> None:
    assert split_path('a/./b//c') == split_path(PurePosixPath('a/b/c')) == ('a', 'b', 'c')
    assert split_path(None) == split_path('') == split_path('.') == ()
    with pytest.raises(ValidationError):
        split_path('a/../b')
    with pytest.raises(TypeError):
        split_path('/a')


def test_a_key_is_a_lower_case_sha256() -> None:
    assert is_key(KEY)
    assert is_key(f'repo/{KEY}', 5)
    assert not any(map(is_key, ['', 'A' * 64, 'a' * 63, 'a' * 65, 'g' * 64, f'{KEY}\n']))
