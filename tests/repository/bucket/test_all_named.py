"""What a look for garbage that found none spares the next one, and that it never hides any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from bucket_versions import TO_SECOND_VERSION
from ricordi.backend.maintenance import MaintenanceReport
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.maintenance.all_named import NamedUntil, named_until, note_all_named

Maintain = Callable[..., MaintenanceReport]
Add = Callable[..., int]

EARLIER = "UPDATE ricordi_bucket.objects SET touched = touched - interval '2 days'"


def known(bucket: BucketRepository) -> NamedUntil:
    found = named_until(bucket.index)
    assert found is not None
    return found


@pytest.fixture
def named(bucket: BucketRepository, add_node: Add, raw: Any) -> tuple[int, list[str]]:
    """A node, and the objects that it names, all put some days ago."""
    bucket.guard_nodes()
    keys = bucket.put_objects([b'%d' % number * 500 for number in range(5)])
    pk = add_node(*keys)
    raw.execute(EARLIER)
    return pk, keys


def test_what_was_named_at_the_last_look_is_not_looked_at_again(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain
) -> None:
    assert known(bucket).since is None
    maintain(bucket, full=True, dry_run=True)
    assert known(bucket).since is None
    maintain(bucket, full=True)
    assert known(bucket).since is not None
    asked: list[str] = []
    rows = bucket.database.rows
    bucket.database.rows = lambda statement, parameters=(): asked.append(statement) or rows(statement, parameters)  # type: ignore[func-returns-value, method-assign]
    looks = lambda: [one for one in asked if 'NOT EXISTS (SELECT 1 FROM node_references' in one]  # noqa: E731
    noted = known(bucket).until
    assert maintain(bucket, full=True).nothing_to_do
    assert (looks(), known(bucket).until) == ([], noted)  # nothing was put since
    bucket.put_object_from_bytes(b'put since')
    maintain(bucket, full=True, dry_run=True)
    (look,) = looks()
    assert look.endswith('touched > %s')


def test_garbage_of_a_node_that_was_deleted_since_is_found(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain, raw: Any
) -> None:
    pk, keys = named
    maintain(bucket, full=True)
    raw.execute('DELETE FROM db_dbnode WHERE id = %s', (pk,))
    assert maintain(bucket, full=True, dry_run=True).before.garbage.objects == 5  # type: ignore[union-attr]
    maintain(bucket, full=True)
    assert bucket.has_objects(keys) == [False] * 5
    assert known(bucket).since is not None


def test_garbage_of_a_file_tree_that_was_changed_since_is_found(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain, raw: Any
) -> None:
    pk, keys = named
    maintain(bucket, full=True)
    raw.execute("UPDATE db_dbnode SET repository_metadata = '{}' WHERE id = %s", (pk,))
    maintain(bucket, full=True)
    assert bucket.has_objects(keys) == [False] * 5


def test_garbage_that_was_put_since_is_found(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain
) -> None:
    maintain(bucket, full=True)
    keys = bucket.put_objects([b'nobody names it' * 50])
    assert maintain(bucket, full=True).before.garbage.objects == 1  # type: ignore[union-attr]
    assert bucket.has_objects(keys) == [False]


def test_what_was_too_young_at_the_last_look_is_looked_at_later(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain, raw: Any
) -> None:
    keys = bucket.put_objects([b'nobody names it' * 50])
    maintain(bucket, full=True, grace_seconds=86_400.0)
    assert bucket.has_objects(keys) == [True]
    assert known(bucket).since is not None
    maintain(bucket, full=True)
    assert bucket.has_objects(keys) == [False]


def test_references_that_go_while_somebody_looks_are_looked_at_next_time(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain, location: Any
) -> None:
    pk, keys = named
    with psycopg.connect(**location.database) as other:
        other.execute('DELETE FROM db_dbnode WHERE id = %s', (pk,))
        before = known(bucket)
        assert not before.is_quiet
        assert maintain(bucket, full=True).nothing_to_do
        other.commit()
        note_all_named(bucket.index, before, 0.0, 0.0)
    assert known(bucket).since is None
    maintain(bucket, full=True)
    assert bucket.has_objects(keys) == [False] * 5


def test_where_a_transaction_was_under_way_all_is_looked_at_that_it_may_have_put(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain, location: Any, raw: Any
) -> None:
    with psycopg.connect(**location.database) as other:
        other.execute(
            'INSERT INTO ricordi_bucket.objects (hash, stored, size, inline) VALUES (%b, 1, 1, %b)', (b'h' * 32, b'x')
        )
        maintain(bucket, full=True)
        other.commit()
    maintain(bucket, full=True)
    assert not bucket.has_object('68' * 32)


def test_a_guard_that_was_made_anew_has_all_looked_at(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain
) -> None:
    maintain(bucket, full=True)
    assert known(bucket).since is not None
    bucket.guard_nodes(lenient=True)
    assert known(bucket).since is None


def test_tables_of_the_second_version_are_told_of_what_goes_once_they_are_brought_up_to_date(
    bucket: BucketRepository, named: tuple[int, list[str]], maintain: Maintain, opened: Any, raw: Any
) -> None:
    for statement in ('SET search_path TO ricordi_bucket, public', *TO_SECOND_VERSION):
        raw.execute(statement)
    old = opened()
    assert maintain(old, full=True).nothing_to_do
    assert named_until(old.index) is None
    old.guard_nodes()
    maintain(old, full=True)
    raw.execute('DELETE FROM db_dbnode WHERE id = %s', (named[0],))
    assert known(old).gone
