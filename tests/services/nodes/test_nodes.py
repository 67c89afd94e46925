"""Nodes found, changed, deleted: many at once, and while others work on the same graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ricordi.backend.rows import CommentRow, EntityKind, GroupNodeRow, LinkRow, LogRow, NodeRow
from ricordi.errors import InvalidOperation, MultipleObjectsError, NotExistent, ValidationError
from ricordi.services.groups.groups import find_group
from ricordi.services.groups.members import add_nodes, member_pks, remove_nodes
from ricordi.services.nodes.change import read_texts, write_text
from ricordi.services.nodes.delete import delete_nodes, plan_deletion
from ricordi.services.nodes.finding import find_node, find_nodes, find_pks
from ricordi.services.nodes.list import NodeFilter, list_nodes

INT, JOB = 'data.core.int.Int.', 'process.calculation.calcjob.CalcJobNode.'


# finding ---------------------------------------------------------------------------------------------------


def test_pk_uuid_and_start_of_uuid_name_the_same_node(storage: Any, fill: Callable[[Any], Any]) -> None:
    (pk,) = fill(storage).nodes(INT, uuid='deadbeef-0000-4000-8000-000000000001')
    for name in (pk, str(pk), 'deadbeef-0000-4000-8000-000000000001', 'DEADBEEF', 'deadbeef0000', 'dead'):
        assert find_node(storage, name).pk == pk
        assert find_pks(storage, [name]) == [pk]


def test_digits_are_a_pk_and_only_many_of_them_the_start_of_a_uuid(storage: Any, fill: Callable[[Any], Any]) -> None:
    pks = fill(storage).nodes(INT, INT)
    storage.update(EntityKind.NODE, pks[0], {'uuid': f'{pks[1]}2345678-0000-4000-8000-000000000001'})
    assert find_node(storage, str(pks[1])).pk == pks[1]
    assert find_node(storage, f'{pks[1]}2345678').pk == pks[0]
    with pytest.raises(NotExistent):
        find_node(storage, f'{pks[1]}234567')


def test_digits_with_a_zero_in_front_are_the_start_of_a_uuid(storage: Any, fill: Callable[[Any], Any]) -> None:
    pks = fill(storage).nodes(INT, INT)
    with pytest.raises(NotExistent):
        find_node(storage, f'000{pks[1]}')
    with pytest.raises(NotExistent):
        find_pks(storage, [f'000{pks[1]}'])
    with pytest.raises(ValidationError, match='too short'):
        find_node(storage, f'0{pks[1]}')
    storage.update(EntityKind.NODE, pks[0], {'uuid': f'000{pks[1]}0000-0000-4000-8000-000000000001'})
    assert find_node(storage, f'000{pks[1]}').pk == pks[0]
    assert find_pks(storage, [f'000{pks[1]}']) == [pks[0]]


def test_a_short_word_is_no_start_of_a_uuid(storage: Any, fill: Callable[[Any], Any]) -> None:
    fill(storage).nodes(INT, uuid='add00000-0000-4000-8000-000000000001')
    with pytest.raises(ValidationError, match="'add' is too short"):
        find_pks(storage, ['add'])


def test_several_uuids_that_start_alike_are_named(storage: Any, fill: Callable[[Any], Any]) -> None:
    fill(storage).nodes(INT, uuid='deadbeef-0000-4000-8000-000000000001')
    fill(storage).nodes(INT, uuid='deadbeef-0000-4000-8000-000000000002')
    with pytest.raises(MultipleObjectsError, match='deadbeef-0000-4000-8000-000000000001'):
        find_node(storage, 'deadbeef')
    with pytest.raises(MultipleObjectsError):
        find_pks(storage, ['deadbeef'])


def test_all_nodes_that_are_missing_are_named_at_once(storage: Any, fill: Callable[[Any], Any]) -> None:
    (pk,) = fill(storage).nodes(INT)
    with pytest.raises(NotExistent, match='there is no node 77, 88'):
        find_pks(storage, [str(pk), '77', '88'])
    with pytest.raises(ValidationError, match="'x!' names no node"):
        find_pks(storage, [str(pk), 'x!'])


def test_a_node_that_is_named_twice_is_found_once(storage: Any, fill: Callable[[Any], Any]) -> None:
    first, second = fill(storage).nodes(INT, INT)
    uuid = find_node(storage, first).uuid
    assert find_pks(storage, [str(second), str(first), uuid]) == [second, first]
    assert [row.pk for row in find_nodes(storage, [str(second), str(first), uuid])] == [second, first]


def test_a_hundred_thousand_nodes_go_into_a_group_and_out_again(storage: Any, fill: Callable[[Any], Any]) -> None:
    pks = fill(storage).nodes(*[INT] * 100_000)
    fill(storage).group('many')
    group = find_group(storage, 'many')
    assert find_pks(storage, list(map(str, pks))) == pks
    assert add_nodes(storage, group, pks) == 100_000
    assert add_nodes(storage, group, pks) == 0
    assert len(member_pks(storage, group)) == 100_000
    assert sum(1 for _ in list_nodes(storage, NodeFilter(groups=('many',)), ('pk',))) == 100_000
    assert remove_nodes(storage, group, pks[:50_000]) == 50_000
    write_text(storage, pks[:1000], 'label', 'x')
    assert {label for _, label in read_texts(storage, pks[:1000], 'label')} == {'x'}


# deleting --------------------------------------------------------------------------------------------------


@pytest.fixture
def job(storage: Any, fill: Callable[[Any], Any]) -> dict[str, int]:
    """A calculation with input and output, in a group, with a comment and a log message."""
    data, job, result = fill(storage).nodes(INT, JOB, INT)
    fill(storage).links([(data, job, 'input_calc'), (job, result, 'create')])
    fill(storage).group('group', [job, result])
    storage.insert(EntityKind.COMMENT, [{'node_pk': job, 'user_pk': 1, 'content': 'x'}])
    storage.insert(EntityKind.LOG, [{'node_pk': job, 'loggername': 'x', 'levelname': 'INFO', 'message': 'x'}])
    return {'data': data, 'job': job, 'result': result}


def test_a_plan_counts_all_that_goes(storage: Any, job: dict[str, int]) -> None:
    plan = plan_deletion(storage, [job['job']])
    assert plan.pks == (job['job'], job['result'])
    assert plan.by_rule == {'create_forward': 1}
    assert plan.by_type == {INT: 1, JOB: 1}
    assert (plan.links, plan.memberships, plan.comments, plan.logs) == (2, 2, 1, 1)


def test_a_deletion_leaves_nothing_of_the_nodes_and_all_of_the_others(storage: Any, job: dict[str, int]) -> None:
    delete_nodes(storage, plan_deletion(storage, [job['job']]))
    assert [row.pk for row in storage.find(NodeRow)] == [job['data']]
    for row_type in (LinkRow, GroupNodeRow, CommentRow, LogRow):
        assert not list(storage.find(row_type))


def test_what_was_linked_since_the_plan_is_not_deleted_unseen(
    storage: Any, fill: Callable[[Any], Any], job: dict[str, int]
) -> None:
    plan = plan_deletion(storage, [job['job']])
    (later,) = fill(storage).nodes(JOB)
    fill(storage).links([(job['result'], later, 'input_calc')])
    with pytest.raises(InvalidOperation, match='nothing was deleted: run the command again'):
        delete_nodes(storage, plan)
    assert len(list(storage.find(NodeRow))) == 4


def test_a_plan_for_what_is_gone_deletes_nothing(storage: Any, job: dict[str, int]) -> None:
    plan = plan_deletion(storage, [job['job']])
    delete_nodes(storage, plan)
    with pytest.raises(InvalidOperation):
        delete_nodes(storage, plan)
    assert len(list(storage.find(NodeRow))) == 1


def test_a_chain_of_thousands_goes_in_one_plan(storage: Any, fill: Callable[[Any], Any]) -> None:
    pks = fill(storage).nodes(*[INT, JOB] * 300)
    kinds = ['input_calc', 'create'] * 300
    fill(storage).links([(a, b, kind) for a, b, kind in zip(pks, pks[1:], kinds, strict=False)])
    assert plan_deletion(storage, pks[:1]).pks == tuple(pks)
