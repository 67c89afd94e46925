"""The database itself keeps what nodes name, whoever writes them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ricordi.errors import IntegrityError, StillInUse
from ricordi.repository.bucket.bucket import BucketRepository

NOWHERE = '0' * 64


def references(raw: Any) -> set[tuple[int, str]]:
    rows = raw.execute("SELECT node, encode(hash, 'hex') FROM ricordi_bucket.node_references").fetchall()
    return {(node, key) for node, key in rows}


def test_nodes_that_were_there_before_are_kept_too(bucket: BucketRepository, add_node: Any, raw: Any) -> None:
    keys = [bucket.put_object_from_bytes(b'%d' % number) for number in range(3)]
    first = add_node(keys[0], keys[1])
    add_node()
    bucket.guard_nodes()
    bucket.guard_nodes()
    second = add_node(keys[1], keys[2], keys[1])
    assert references(raw) == {(first, keys[0]), (first, keys[1]), (second, keys[1]), (second, keys[2])}
    raw.execute('DELETE FROM db_dbnode WHERE id = %s', (first,))
    assert references(raw) == {(second, keys[1]), (second, keys[2])}


@pytest.mark.parametrize('key', ['0' * 63, '0' * 65, 'A' * 64, 'g' + '0' * 63, '0' * 63 + '\\n', '', 'é' * 32])
def test_what_can_be_no_key_is_no_reference(bucket: BucketRepository, add_node: Any, raw: Any, key: str) -> None:
    bucket.guard_nodes()
    add_node(key)
    assert references(raw) == set()


def test_a_node_without_its_objects_cannot_be_committed_and_a_named_object_cannot_go(
    bucket: BucketRepository, add_node: Any
) -> None:
    bucket.guard_nodes()
    key = bucket.put_object_from_bytes(b'named')
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        add_node(key, NOWHERE)
    add_node(key)
    with pytest.raises(StillInUse, match='delete the nodes first'):
        bucket.delete_objects([key])
    assert bucket.has_object(key)


def test_the_guard_is_not_made_where_a_node_lacks_an_object(bucket: BucketRepository, add_node: Any) -> None:
    add_node(NOWHERE)
    with pytest.raises(IntegrityError, match=NOWHERE):
        bucket.guard_nodes()
    assert not bucket.index.has_guard


def test_a_changed_file_tree_changes_what_is_referenced(bucket: BucketRepository, add_node: Any, raw: Any) -> None:
    bucket.guard_nodes()
    keys = [bucket.put_object_from_bytes(b'%d' % number) for number in range(3)]
    node = add_node(keys[0], keys[1])
    tree = f'{{"o": {{"k": {{"k": "{keys[1]}"}}, "o": {{"o": {{"deep": {{"k": "{keys[2]}"}}}}}}}}}}'
    raw.execute('UPDATE db_dbnode SET repository_metadata = %s WHERE id = %s', (tree, node))
    assert references(raw) == {(node, keys[1]), (node, keys[2])}
    raw.execute("UPDATE db_dbnode SET repository_metadata = '{}' WHERE id = %s", (node,))
    assert references(raw) == set()
    bucket.delete_objects(keys)
    bucket.erase()
    assert add_node(NOWHERE)
