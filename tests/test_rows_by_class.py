"""Rows are asked for by their class, so that nobody asks afterwards what they are; families of nodes have one name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ricordi.backend.rows import ROW_TYPES
from ricordi.model import node_types

SOURCE = Path(__file__).parents[1] / 'src' / 'ricordi'
ROWS = {row_type.__name__ for row_type in ROW_TYPES.values()}
FAMILIES = {value for value in vars(node_types).values() if isinstance(value, str) and value.endswith('.')}
MIXED = {
    'orm/querybuilder/results.py': 'what a query projects may be a link or a value',
    'plugin/query.py': 'what a query projects may be a link or a value',
    'storage/query/rows.py': 'a row of a query is compared with anything',
}
"""Who may ask of what class a row is."""


def doubts(tree: ast.Module) -> Iterator[str]:
    """What is asked of rows that the type checker knows, and which families of nodes are named anew."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'isinstance':
            yield from ROWS & {getattr(name, 'id', '') for name in ast.walk(node.args[1])}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from FAMILIES & {node.value.rstrip('%')}


def test_nobody_asks_what_class_a_row_is_of_and_families_of_nodes_are_named_once() -> None:
    found = {}
    for path in sorted(SOURCE.rglob('*.py')):
        name = path.relative_to(SOURCE).as_posix()
        if (
            name not in MIXED
            and name != 'model/node_types.py'
            and (seen := set(doubts(ast.parse(path.read_text('utf-8')))))
        ):
            found[name] = seen
    assert found == {}


@pytest.mark.parametrize(
    ('line', 'seen'),
    [
        ('isinstance(row, NodeRow)', 'NodeRow'),
        ('isinstance(row, (UserRow, str))', 'UserRow'),
        ('isinstance(row, LinkRow | None)', 'LinkRow'),
        ("kind.startswith('process.')", 'process.'),
        ("Comparison(field, 'like', 'data.core.remote.%')", 'data.core.remote.'),
    ],
)
def test_a_doubt_is_seen_however_it_is_written(line: str, seen: str) -> None:
    assert list(doubts(ast.parse(line))) == [seen]


def test_who_may_ask_does() -> None:
    for name in MIXED:
        assert set(doubts(ast.parse((SOURCE / name).read_text('utf-8')))), name


def test_each_kind_has_a_class_of_its_own() -> None:
    assert {row_type.kind: row_type for row_type in ROW_TYPES.values()} == ROW_TYPES
    assert len(ROW_TYPES) == len(type(next(iter(ROW_TYPES))))
