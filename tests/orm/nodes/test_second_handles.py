"""A second handle of an entity sees what the first has changed; one that nobody changed costs no statement to read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend import changes
from ricordi.backend.changes import Changes, clock
from ricordi.backend.rows import EntityKind

KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    'label': (lambda: node(), lambda one: setattr(one, 'label', 'new')),
    'description': (lambda: node(), lambda one: setattr(one, 'description', 'new')),
    'extras': (lambda: node(), lambda one: one.base.extras.set('a', 1)),
    'extras that go': (lambda: node(), lambda one: one.base.extras.delete('old')),
    'state': (lambda: orm.CalcJobNode().store(), lambda one: one.set_process_state('running')),
    'seal': (lambda: orm.CalcJobNode().store(), lambda one: one.seal()),
    'group': (lambda: orm.Group('g').store(), lambda one: setattr(one, 'description', 'new')),
    'extras of a group': (lambda: orm.Group('g').store(), lambda one: one.base.extras.set('a', 1)),
    'user': (lambda: orm.User('a@b.c').store(), lambda one: setattr(one, 'first_name', 'new')),
    'computer': (lambda: computer(), lambda one: setattr(one, 'hostname', 'new')),
    'property of a computer': (lambda: computer(), lambda one: one.set_property('a', 1)),
    'authinfo': (lambda: computer().configure(a=1), lambda one: one.set_auth_params({'a': 2})),
    'comment': (lambda: node().base.comments.add('old'), lambda one: one.set_content('new')),
}


def node() -> Any:
    return orm.Dict({'a': 1}, label='old', extras={'old': 0}).store()


def computer() -> Any:
    return orm.Computer('c', 'h', transport_type='core.local', scheduler_type='core.direct', workdir='/').store()


def again(entity: Any) -> Any:
    """Another handle."""
    kind = {EntityKind.NODE: orm.Node, EntityKind.GROUP: orm.Group}.get(entity.kind, type(entity))
    return kind.collection.get(pk=entity.pk)


def row(entity: Any) -> dict[str, Any]:
    return {name: getattr(entity.row, name) for name in entity.row.__slots__}


@pytest.mark.parametrize('kind', KINDS)
def test_a_change_is_seen_by_the_other_handle(storage: Any, kind: str) -> None:
    make, change = KINDS[kind]
    one = make()
    other = again(one)
    before = row(other)
    change(one)
    assert row(other) == row(one) != before
    assert row(again(one)) == row(one)


@pytest.mark.parametrize('kind', KINDS)
def test_a_change_that_is_rolled_back_is_gone_from_both(storage: Any, kind: str) -> None:
    make, change = KINDS[kind]
    one = make()
    other = again(one)
    before = row(other)
    with pytest.raises(ZeroDivisionError), storage.transaction():  # noqa: PT012
        change(one)
        assert row(other) == row(one) != before
        raise ZeroDivisionError
    assert row(other) == row(one) == before


def test_a_part_that_is_rolled_back_is_gone_from_both(storage: Any) -> None:
    one = node()
    other = again(one)
    with storage.transaction():
        one.label = 'first'
        assert other.label == 'first'
        with pytest.raises(ZeroDivisionError), storage.transaction():  # noqa: PT012
            one.label = 'second'
            assert other.label == 'second'
            raise ZeroDivisionError
        assert other.label == one.label == 'first'
    assert other.label == one.label == 'first'


def test_reading_asks_the_database_only_of_what_was_changed(storage: Any, count_statements: Any) -> None:
    one, untouched = node(), node()
    other, third = again(one), again(untouched)
    with count_statements(storage) as counted:
        for _ in range(3):
            assert (third.label, third.base.extras.all, third.base.attributes.get('a')) == ('old', {'old': 0}, 1)
    assert counted.statements == []
    one.base.extras.set('a', 1)
    with count_statements(storage) as counted:
        for _ in range(3):
            assert one.base.extras.all == {'old': 0, 'a': 1}
            assert third.base.extras.all == {'old': 0}
    assert counted.statements == []
    with count_statements(storage) as counted:
        for _ in range(3):
            assert other.base.extras.all == {'old': 0, 'a': 1}
    assert len(counted.statements) == 1


def test_a_handle_that_was_made_of_an_older_row_is_brought_up_to_date(storage: Any) -> None:
    for _ in range(3):
        node()
    group = orm.Group('g').store()
    group.add_nodes(orm.QueryBuilder().append(orm.Dict).all(flat=True))
    for found in (orm.QueryBuilder().append(orm.Dict).iterall(batch_size=100), ((one,) for one in group.nodes)):
        seen = []
        for (one,) in found:
            for every in orm.QueryBuilder().append(orm.Dict).all(flat=True):
                every.description = f'{every.description}.'
            seen.append((one.description, again(one).description))
        assert all(old == new for old, new in seen)


def test_a_change_by_the_storage_itself_is_seen(storage: Any) -> None:
    one, owner = node(), orm.User.collection.get_default()
    storage.update(EntityKind.NODE, one.pk, {'label': 'new'})
    storage.bulk_update(EntityKind.NODE, [{'pk': one.pk, 'description': 'new'}])
    storage.update(EntityKind.USER, owner.pk, {'institution': 'Busseto'})
    assert (one.label, one.description) == ('new', 'new')
    assert one.user.institution == owner.institution == 'Busseto'


def test_the_pk_of_a_deleted_node_may_come_back_without_its_old_handle_becoming_another(storage: Any) -> None:
    one = node()
    uuid, pk = one.uuid, one.pk
    orm.Node.collection.delete(pk)
    other = orm.Int(7, label='other').store()
    storage.update(EntityKind.NODE, other.pk, {'label': 'changed'})
    assert (one.uuid, one.label) == (uuid, 'old')


def in_thread(work: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert errors == []


def test_another_thread_sees_a_change_once_it_is_committed(storage: Any) -> None:
    one = node()
    other = again(one)
    labels = []
    with storage.transaction():
        one.label = 'new'
        in_thread(lambda: labels.append(other.label))
    in_thread(lambda: labels.append(other.label))
    assert labels == ['old', 'new']
    assert other.label == 'new'


def test_what_another_thread_changed_is_seen_here(storage: Any) -> None:
    one = node()
    other = again(one)
    in_thread(lambda: setattr(again(one), 'label', 'new'))
    assert one.label == other.label == 'new'


def test_so_many_changes_that_they_are_not_remembered_are_seen_all_the_same(
    storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.__dict__['changes'] = Changes(most_rows=3)
    nodes = [node() for _ in range(10)]
    others = [again(one) for one in nodes]
    for one in nodes:
        one.label = 'first'
    assert [other.label for other in others] == ['first'] * 10
    with storage.transaction():
        for one in nodes:
            one.label = 'second'
    assert [other.label for other in others] == ['second'] * 10
    assert len(storage.changes._rows) <= 3


def test_memory_for_changes_is_bounded() -> None:
    known = Changes()
    for number in range(3):
        begin = number * changes.MOST_ROWS
        known.note(EntityKind.NODE, range(begin, begin + changes.MOST_ROWS), in_transaction=number == 2)
    assert len(known._rows) <= changes.MOST_ROWS
    known.settle(committed=True, over=True)
    assert known._open == {}
    assert known.is_old(EntityKind.NODE, 0, 0)
    assert known.is_old(EntityKind.NODE, 10**9, clock.now) is False
