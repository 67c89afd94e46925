"""Groups: found, listed, created, relabelled, described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from ricordi.backend.identifiers import find_named, one_of
from ricordi.backend.query import (
    Comparison,
    Condition,
    Edge,
    EdgeKind,
    Field,
    Junction,
    Ordering,
    Projection,
    Query,
    Vertex,
)
from ricordi.backend.rows import EntityKind, GroupRow, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation, NotExistent, UniquenessError
from ricordi.model.identifiers import LABEL_MARK, identifier_of
from ricordi.model.labels import check_label
from ricordi.model.patterns import literal
from ricordi.services.author import default_user

CORE = 'core'
"""The type of groups that a person makes."""


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A group as it stands in a list.

    :param user: address of the owner.
    :param node_count: how many members; None where nobody asked.
    """

    pk: int
    uuid: str
    label: str
    type_string: str
    user: str
    time: datetime
    description: str
    node_count: int | None = None


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """Which groups; all conditions have to hold, but one of those on the label is enough, as in verdi.

    :param user: address of the owner; None: of any.
    :param type_string: of this type; with `%` or `_` in it a pattern of SQL; None: of any.
    :param past_days: made in the last so many days.
    :param node_pk: only groups with this node.
    """

    user: str | None = None
    type_string: str | None = None
    past_days: float | None = None
    startswith: str | None = None
    endswith: str | None = None
    contains: str | None = None
    node_pk: int | None = None


# finding ---------------------------------------------------------------------------------------------------


def find_group(storage: StorageBackend, identifier: str) -> GroupRow:
    """The group that a pk, a uuid or the start of one, or a label names, in this order.

    :raises ricordi.errors.NotExistent: there is none; the message tells what may have been meant.
    :raises ricordi.errors.MultipleObjectsError: several uuids start like this, or groups of several types have the
        label.
    """
    row = find_group_if_any(storage, identifier)
    if row is not None:
        return row
    from ricordi.services.suggestion import did_you_mean

    hint = did_you_mean(identifier.removesuffix(LABEL_MARK), map(identifier_of, group_labels(storage)))
    raise NotExistent(f'there is no group {identifier!r} in profile {storage.profile.name!r}{hint}')


def find_group_if_any(storage: StorageBackend, identifier: str) -> GroupRow | None:
    """As `find_group`; None if there is none."""
    return one_of(find_named(storage, GroupRow, identifier), f'group {identifier!r}')


def group_labels(storage: StorageBackend) -> list[str]:
    """The labels of all groups, sorted, each once."""
    query = Query(
        (Vertex('group', EntityKind.GROUP),),
        projections=(Projection('group', Field('label')),),
        order_by=(Ordering('group', Field('label')),),
    )
    return list(dict.fromkeys(label for (label,) in storage.query_rows(query)))


# listing ---------------------------------------------------------------------------------------------------


def list_groups(
    storage: StorageBackend,
    chosen: GroupFilter,
    order_by: Literal['id', 'pk', 'label', 'ctime', 'time'] = 'label',
    descending: bool = False,
    count: bool = False,
) -> list[GroupSummary]:
    """The groups that fit.

    :param count: count the members, by one query for all groups.
    """
    field = {'id': 'pk', 'ctime': 'time'}.get(order_by, order_by)
    query = _query(chosen, field, descending)
    users = {row.pk: row.email for row in storage.find(UserRow)}
    rows = [row for (row,) in storage.query_rows(query)]
    counts = count_members(storage, [row.pk for row in rows]) if count else None
    return [_summary(row, users, counts) for row in rows]


def count_members(storage: StorageBackend, pks: list[int]) -> dict[int, int]:
    """How many members each of some groups has."""
    if not pks:
        return {}
    query = Query(
        (Vertex('member', EntityKind.GROUP_NODE),),
        filters=(('member', Comparison(Field('group_pk'), 'in', tuple(pks))),),
        projections=(Projection('member', Field('group_pk')), Projection('member', Field('pk'), function='count')),
    )
    return dict.fromkeys(pks, 0) | dict(storage.query_rows(query))


def summarise(storage: StorageBackend, row: GroupRow) -> GroupSummary:
    """A group as it stands in a list, with the number of its members."""
    user = storage.get(UserRow, row.user_pk)
    return _summary(row, {} if user is None else {user.pk: user.email}, count_members(storage, [row.pk]))


def _summary(row: GroupRow, users: Mapping[int, str], counts: Mapping[int, int] | None) -> GroupSummary:
    return GroupSummary(
        row.pk,
        row.uuid,
        row.label,
        row.type_string,
        users.get(row.user_pk, ''),
        row.time,
        row.description or '',
        None if counts is None else counts[row.pk],
    )


def _query(chosen: GroupFilter, field: str, descending: bool) -> Query:
    vertices = [Vertex('group', EntityKind.GROUP)]
    edges = []
    filters: list[tuple[str, Condition]] = [('group', condition) for condition in _conditions(chosen)]
    if chosen.user is not None:
        vertices.append(Vertex('user', EntityKind.USER))
        edges.append(Edge('owner', 'group', 'user', EdgeKind.REFERENCE, columns=('user_pk', 'pk')))
        filters.append(('user', Comparison(Field('email'), '==', chosen.user)))
    if chosen.node_pk is not None:
        vertices.append(Vertex('node', EntityKind.NODE))
        edges.append(Edge('member', 'group', 'node', EdgeKind.MEMBER))
        filters.append(('node', Comparison(Field('pk'), '==', chosen.node_pk)))
    order = [Ordering('group', Field(field), descending=descending)]
    if field != 'pk':
        order.append(Ordering('group', Field('pk'), descending=descending))
    projections = (Projection('group', None),)
    return Query(tuple(vertices), tuple(edges), tuple(filters), projections, tuple(order))


def _conditions(chosen: GroupFilter) -> Iterator[Condition]:
    if chosen.type_string is not None:
        is_pattern = '%' in chosen.type_string or '_' in chosen.type_string
        yield Comparison(Field('type_string'), 'like' if is_pattern else '==', chosen.type_string)
    if chosen.past_days is not None:
        yield Comparison(Field('time'), '>', datetime.now(UTC) - timedelta(days=chosen.past_days))
    ends = ((chosen.startswith, '', '%'), (chosen.endswith, '%', ''), (chosen.contains, '%', '%'))
    patterns = [f'{before}{literal(text)}{after}' for text, before, after in ends if text]
    if patterns:
        yield Junction(tuple(Comparison(Field('label'), 'like', pattern) for pattern in patterns), any=True)


# changing --------------------------------------------------------------------------------------------------


def core_group(storage: StorageBackend, label: str) -> GroupRow | None:
    """The group of the type `core` with this label, if there is one."""
    return next(storage.find(GroupRow, {'label': label, 'type_string': CORE}), None)


def find_or_create_group(storage: StorageBackend, identifier: str) -> GroupRow:
    """The group that an identifier names, or else a new one of the type `core` with this as its label.

    :raises ricordi.errors.WrongValue: there is none, and this can be no label.
    """
    found = find_group_if_any(storage, identifier)
    return create_group(storage, label_of_new_group(identifier))[0] if found is None else found


def label_of_new_group(identifier: str) -> str:
    """The label of the group that is made where an identifier names none.

    :raises ricordi.errors.WrongValue: it can be no label.
    """
    label = identifier.removesuffix(LABEL_MARK)
    check_label(label, 'group')
    return label


def create_group(storage: StorageBackend, label: str, description: str = '') -> tuple[GroupRow, bool]:
    """The group of the type `core` with this label, made if there is none; then whether it is new.

    :raises ricordi.errors.WrongValue: this can be no label.
    """
    check_label(label, 'group')
    known = core_group(storage, label)
    if known is not None:
        return known, False
    from ricordi.orm.groups import Group, GroupCollection
    from ricordi.orm.users import User

    with storage.transaction():  # which refuses an archive, before it is asked for its default user
        owner = User.from_row(default_user(storage), storage)
        group, is_new = GroupCollection(Group, storage).get_or_create(label, user=owner, description=description)
    return group.row, is_new


def relabel_group(storage: StorageBackend, group: GroupRow, label: str) -> None:
    """Give a group another label.

    :raises ricordi.errors.WrongValue: this can be no label.
    :raises ricordi.errors.InvalidOperation: it has this label.
    :raises ricordi.errors.UniquenessError: a group of its type has this label.
    """
    check_label(label, 'group')
    if label == group.label:
        raise InvalidOperation(f'the label of the group is {label!r} already')
    try:
        storage.update(EntityKind.GROUP, group.pk, {'label': label})
    except UniquenessError as error:
        raise UniquenessError(f'there is a group {label!r} of type {group.type_string!r} already') from error


def describe_group(storage: StorageBackend, group: GroupRow, description: str) -> None:
    """Give a group another description."""
    storage.update(EntityKind.GROUP, group.pk, {'description': description})
