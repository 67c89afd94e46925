"""Garbage and missing objects: what nodes name against what is there, compared range by range."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from ricordi.backend.maintenance import Amount
from ricordi.errors import CorruptStorage
from ricordi.repository.container.container import Container
from ricordi.repository.maintenance.inventory import Inventory

RANGE = 7


@pytest.fixture
def container(limited: Callable[..., Container]) -> Container:
    return limited(compare_at_once=RANGE)


@pytest.fixture
def keys(container: Container) -> list[str]:
    """The keys of forty packed objects, ascending; they are compared in six ranges."""
    return sorted(container.put_objects_into_pack([b'%d' % number for number in range(40)]))


def found(container: Container, named: list[str]) -> tuple[list[str], list[str]]:
    """Garbage and missing objects."""
    with closing(Inventory(container, lambda: iter(named))) as counted:
        assert counted.named == len(named)
        return list(counted.packed_garbage_keys()), list(counted.missing_keys())


def test_where_all_are_named_there_is_neither(container: Container, keys: list[str]) -> None:
    assert found(container, keys) == ([], [])


@pytest.mark.parametrize('number', [0, RANGE - 1, RANGE, 20, 39])
def test_one_that_is_not_named_is_garbage(container: Container, keys: list[str], number: int) -> None:
    assert found(container, [key for key in keys if key != keys[number]]) == ([keys[number]], [])


@pytest.mark.parametrize('key', ['0' * 64, '8' * 64, 'f' * 64, '8', 'no key'])
def test_one_that_is_named_and_not_there_is_missing(container: Container, keys: list[str], key: str) -> None:
    assert found(container, sorted([*keys, key])) == ([], [key])


@pytest.mark.parametrize('shift', [1, -1])
def test_keys_that_make_the_same_string_are_not_the_same(container: Container, keys: list[str], shift: int) -> None:
    one, two = keys[2], keys[3]
    both = one + two
    named = sorted([*keys[:2], both[: 64 + shift], both[64 + shift :], *keys[4:]])
    assert found(container, named) == ([one, two], sorted(set(named) - set(keys)))


def test_far_more_that_is_there_than_named(container: Container, keys: list[str]) -> None:
    assert found(container, keys[-1:]) == (keys[:-1], [])


def test_nothing_named_is_all_garbage(container: Container, keys: list[str]) -> None:
    assert found(container, []) == (keys, [])


def test_loose_objects_count_as_well(container: Container, keys: list[str], put: Callable[[bytes], str]) -> None:
    loose, other = put(b'named'), put(b'not named')
    with closing(Inventory(container, lambda: iter(sorted([*keys[1:], loose])))) as counted:
        assert counted.loose_garbage == Amount(1, len(b'not named'))
        assert list(counted.packed_garbage_keys()) == [keys[0]]
        assert [key for key, _ in counted.loose_keys(False)] == [other]
        assert list(counted.missing_keys()) == []


@pytest.fixture
def put(container: Container) -> Callable[[bytes], str]:
    """Puts a loose object."""
    return container.put_object_from_bytes


@pytest.mark.parametrize('number', [0, RANGE - 1, RANGE, 39])
def test_a_key_that_is_listed_twice_is_refused_also_where_two_ranges_meet(
    container: Container, keys: list[str], number: int
) -> None:
    with pytest.raises(CorruptStorage, match='ascending order'):
        found(container, [*keys[: number + 1], *keys[number:]])
