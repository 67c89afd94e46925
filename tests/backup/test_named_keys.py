"""Which keys the file trees of a piece name: all of them, whether looked through one by one or at once."""

from __future__ import annotations

import pytest

from ricordi.backend.snapshots import TablePart
from ricordi.backup.pieces import keys_named_in

PART = TablePart('db_dbnode', 'fixed', ('id', 'attributes', 'repository_metadata'), 1024)
A, B = 'a' * 64, 'b' * 64


def piece(*trees: str) -> bytes:
    return ''.join(f'{pk}\t{{"k": "{"d" * 64}"}}\t{tree}\n' for pk, tree in enumerate(trees)).encode()


def tree(name: str, key: str, blank: str = ' ') -> str:
    return f'{{"o": {{"{name}": {{"k":{blank}"{key}"}}}}}}'


@pytest.mark.parametrize(
    ('trees', 'keys'),
    [
        ((), []),
        (('{}', '{}'), []),
        ((tree('x', A), '{}', tree('y', B, '')), [A, B]),
        ((tree('ü', A), tree('\\\\u00fc', B), '\\N'), [A, B]),
        (('"k"', f':"{A}"'), []),
        (('{"k":', f'"{A}"}}'), []),
    ],
)
def test_each_key_that_a_tree_names_is_found_and_nothing_across_trees(trees: tuple[str, ...], keys: list[str]) -> None:
    assert sorted(keys_named_in(piece(*trees), PART)) == keys


def test_a_part_without_trees_names_nothing() -> None:
    assert list(keys_named_in(piece(tree('x', A)), PART._replace(columns=('id', 'attributes', 'extras')))) == []
