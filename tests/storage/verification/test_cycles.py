"""Circles of links are found wherever the links lead to, and what only comes after them is not taken for one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest
from tests.storage.verification.conftest import CALCULATION, DATA, DONE

from ricordi.backend.rows import EntityKind as K
from ricordi.storage.verification.cycles import _regions
from ricordi.storage.verification.database import verify
from ricordi.storage.verification.look import USUAL_SIZES, Look, Sizes
from ricordi.storage.verification.tally import FindingTally

Change = Callable[[Any, list[str]], None]
Link = tuple[int, int]


def graph(storage: Any, change: Change, nodes: int, links: Sequence[Link], pks: Sequence[int] = ()) -> None:
    """Nodes of odd pks are data, of even ones calculations; a link's type follows from its ends. All have pks anew."""
    with storage.transaction():
        storage.insert(K.USER, [{'email': 'a@b.c'}])
        rows = [
            {'user_pk': 1, 'node_type': DATA if pk % 2 else CALCULATION, 'attributes': {} if pk % 2 else DONE}
            for pk in range(1, nodes + 1)
        ]
        storage.insert(K.NODE, rows)
    numbers = dict(enumerate(pks, start=1)) if pks else {pk: pk for pk in range(1, nodes + 1)}
    moved = [f'UPDATE db_dbnode SET id = {new} WHERE id = {old}' for old, new in numbers.items() if old != new]
    added = [
        'INSERT INTO db_dblink (input_id, output_id, type, label) VALUES '
        f"({numbers[source]}, {numbers[target]}, '{'input_calc' if source % 2 else 'create'}', 'x{number}')"
        for number, (source, target) in enumerate(links)
    ]
    change(storage, [*reversed(moved), *added])


def circles(storage: Any, sizes: Sizes = USUAL_SIZES) -> list[list[int]]:
    findings = verify(storage.dialect, storage.repository.uuid, False, lambda: None, sizes)
    return [[pk for pk, _, _ in one.nodes] for one in findings if one.kind == 'link cycle']


def is_circle(found: list[int], links: Sequence[Link]) -> bool:
    return set(zip(found, [*found[1:], found[0]], strict=True)) <= set(links)


def test_links_that_lead_back_in_no_circle_are_none(storage: Any, change: Change) -> None:
    graph(storage, change, 6, [(6, 5), (5, 4), (4, 3), (3, 2), (2, 1), (6, 1)])
    assert circles(storage) == []


def test_a_circle_is_told_in_the_direction_of_its_links_with_the_link_that_closes_it(
    storage: Any, change: Change
) -> None:
    links = [(1, 2), (2, 3), (3, 4), (4, 5), (5, 2), (5, 6)]  # 1 leads into it, and it to 6
    graph(storage, change, 6, links)
    (finding,) = [one for one in storage.verify_database() if one.kind == 'link cycle']
    found = [pk for pk, _, _ in finding.nodes]
    assert sorted(found) == [2, 3, 4, 5]
    assert is_circle(found, links)
    assert finding.where == f'db_dblink {links.index((found[-1], found[0])) + 1}'
    assert finding.detail.startswith('4 nodes come from themselves: ')


def test_several_circles_are_told_one_by_one(storage: Any, change: Change) -> None:
    links = [(1, 2), (2, 1), (3, 4), (4, 5), (5, 6), (6, 3), (2, 3), (7, 8), (8, 7), (5, 4)]
    graph(storage, change, 10, links)
    found = circles(storage)
    assert all(is_circle(one, links) for one in found)
    assert {frozenset(one) for one in found} == {
        frozenset({1, 2}),
        frozenset({3, 4, 5, 6}),
        frozenset({4, 5}),
        frozenset({7, 8}),
    }


def test_a_circle_over_primary_keys_far_apart_is_found(filled_sqlite_free: Any, change: Change) -> None:
    links = [(1, 2), (2, 3), (3, 4), (4, 1)]
    graph(filled_sqlite_free, change, 4, links, [1, 2_000_000, 3_000_000_001, 2**62])
    assert [sorted(one) for one in circles(filled_sqlite_free)] == [[1, 2_000_000, 3_000_000_001, 2**62]]


def test_links_whose_ends_are_no_integers_do_not_hide_a_circle(filled_sqlite_free: Any, change: Change) -> None:
    graph(filled_sqlite_free, change, 6, [(1, 2), (2, 1), (5, 4), (6, 5), (6, 3)])
    change(
        filled_sqlite_free,
        [
            "UPDATE db_dblink SET input_id = 'six' WHERE id = 3",
            'UPDATE db_dblink SET output_id = 1.5 WHERE id = 4',
            "UPDATE db_dblink SET output_id = x'00' WHERE id = 5",
        ],
    )
    assert [sorted(one) for one in circles(filled_sqlite_free)] == [[1, 2]]
    assert 'failed check' not in {one.kind for one in filled_sqlite_free.verify_database()}


@pytest.fixture
def filled_sqlite_free(sqlite_storage: Any) -> Any:
    """An empty storage on SQLite, whose primary keys have 64 bits."""
    return sqlite_storage


def test_what_is_found_agrees_with_a_plain_search_on_any_graph(sqlite_storage: Any, change: Change) -> None:
    graph(sqlite_storage, change, 24, [])
    chance = random.Random(5)
    for round_ in range(60):
        sizes = Sizes(sources=2, widest=4, array=(0, 100)[round_ % 2], buckets=(8, 1000)[round_ // 2 % 2])
        links = sorted({tuple(chance.sample(range(1, 25), 2)) for _ in range(chance.randrange(4, 30))})
        values = ', '.join(f"({a}, {b}, 'create', 'x{a}_{b}')" for a, b in links)
        change(
            sqlite_storage,
            ['DELETE FROM db_dblink', f'INSERT INTO db_dblink (input_id, output_id, type, label) VALUES {values}'],
        )
        found = circles(sqlite_storage, sizes)
        assert all(is_circle(one, links) for one in found)
        assert len({(one[-1], one[0]) for one in found}) == len(found)
        opened = set(links) - {(one[-1], one[0]) for one in found}
        assert bool(found) == has_circle(set(links))
        assert not has_circle(opened)


def has_circle(links: set[Link]) -> bool:
    """Take away what nothing leads to, as long as there is something."""
    left = {node for link in links for node in link}
    while free := left - {target for source, target in links if source in left}:
        left -= free
    return bool(left)


def test_of_many_circles_the_first_are_told_and_the_rest_is_counted(storage: Any, change: Change) -> None:
    graph(storage, change, 40, [(a, b) for pk in range(1, 40, 2) for a, b in ((pk, pk + 1), (pk + 1, pk))])
    findings = list(verify(storage.dialect, storage.repository.uuid, False, lambda: None, Sizes(named=5)))
    told = [one for one in findings if one.kind == 'link cycle']
    assert [sorted(pk for pk, _, _ in one.nodes) for one in told[:5]] == [[pk, pk + 1] for pk in (1, 3, 5, 7, 9)]
    assert told[5].detail == 'and more: 30 nodes are left that lie in such circles, or come after them'
    assert len(told) == 6


def test_inputs_stored_after_what_takes_them_are_not_looked_at_for_circles(filled: Any, change: Change) -> None:
    insert = 'INSERT INTO db_dblink (input_id, output_id, type, label) VALUES '
    change(filled, ['DELETE FROM db_dblink', f"{insert}(5, 2, 'input_calc', 'x')"])
    with closing(filled.dialect.verification_reader(lambda: None)) as reader:
        look = Look(reader, FindingTally(1), reader.found(), False, None, USUAL_SIZES)
        assert list(_regions(look)) == []


def test_inputs_stored_after_what_takes_them_are_looked_at_where_something_has_made_them(
    filled: Any, change: Change
) -> None:
    insert = 'INSERT INTO db_dblink (input_id, output_id, type, label) VALUES '
    change(filled, ['DELETE FROM db_dblink', f"{insert}(5, 2, 'input_calc', 'x'), (3, 5, 'create', 'x')"])
    with closing(filled.dialect.verification_reader(lambda: None)) as reader:
        look = Look(reader, FindingTally(1), reader.found(), False, None, USUAL_SIZES)
        assert [(region[0], region[-1]) for region in _regions(look)] == [(2, 5)]
