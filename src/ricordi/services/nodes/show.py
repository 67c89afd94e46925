"""What there is to tell about a node: its row, its links, groups, comments and logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from ricordi.backend.query import (
    Comparison,
    Edge,
    EdgeKind,
    Field,
    Ordering,
    Projection,
    Query,
    Vertex,
)
from ricordi.backend.rows import ComputerRow, EntityKind, NodeRow, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.model.links import CALLS, INPUTS, OUTPUTS, names_of
from ricordi.model.node_types import is_process, name_of
from ricordi.model.values import DamagedJson, is_damaged

_INPUTS, _OUTPUTS, _CALLS = names_of(INPUTS), names_of(OUTPUTS), names_of(CALLS)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A node at the other end of a link.

    :param link_label: label of the link.
    :param link_type: `input_calc`, `create` …
    :param name: of a process its label, else the name of the class.
    """

    link_label: str
    link_type: str
    pk: int
    uuid: str
    node_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A group that a node is in."""

    pk: int
    label: str
    type_string: str


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """A node with all that belongs to it.

    :param name: of a process its label, else the name of the class.
    :param state: of a process: `created`, `running`, `waiting`, `finished`, `excepted`, `killed`.
    :param exit_message: of a process that finished, if it said something.
    :param exception: of a process that is excepted.
    :param computer: label and pk, if the node is bound to one.
    :param damaged: which of its values cannot be read, in words; a state is not known where the attributes are damaged.
    """

    pk: int
    uuid: str
    name: str
    node_type: str
    process_type: str | None
    state: str | None
    exit_status: int | None
    exit_message: str | None
    exception: str | None
    label: str
    description: str
    ctime: datetime | None
    mtime: datetime | None
    user: str
    computer: str | None
    computer_pk: int | None
    inputs: tuple[Neighbour, ...]
    outputs: tuple[Neighbour, ...]
    callers: tuple[Neighbour, ...]
    called: tuple[Neighbour, ...]
    log_count: int
    comment_count: int
    groups: tuple[Membership, ...]
    damaged: tuple[str, ...] = ()


def show_node(storage: StorageBackend, row: NodeRow) -> NodeDetails:
    """All there is to tell about a node."""
    incoming = neighbours(storage, row.pk, forward=False)
    outgoing = neighbours(storage, row.pk, forward=True)
    user = storage.get(UserRow, row.user_pk)
    computer = None if row.computer_pk is None else storage.get(ComputerRow, row.computer_pk)
    attributes = {} if is_damaged(row.attributes) else row.attributes
    ended = attributes if is_process(row.node_type) else {}
    return NodeDetails(
        pk=row.pk,
        uuid=row.uuid,
        name=name_of(row.node_type, attributes.get('process_label')),
        node_type=row.node_type,
        process_type=row.process_type,
        state=ended.get('process_state'),
        exit_status=ended.get('exit_status'),
        exit_message=ended.get('exit_message'),
        exception=ended.get('exception'),
        label=row.label,
        description=row.description,
        ctime=row.ctime,
        mtime=row.mtime,
        user='' if user is None else user.email,
        computer=None if computer is None else computer.label,
        computer_pk=row.computer_pk,
        inputs=tuple(one for one in incoming if one.link_type in _INPUTS),
        outputs=tuple(one for one in outgoing if one.link_type in _OUTPUTS),
        callers=tuple(one for one in incoming if one.link_type in _CALLS),
        called=tuple(one for one in outgoing if one.link_type in _CALLS),
        log_count=_count(storage, EntityKind.LOG, row.pk),
        comment_count=_count(storage, EntityKind.COMMENT, row.pk),
        groups=tuple(groups_of(storage, row.pk)),
        damaged=tuple(_damage_of(row)),
    )


def _damage_of(row: NodeRow) -> Iterator[str]:
    for field in fields(NodeRow):
        value = getattr(row, field.name)
        if is_damaged(value):
            reason = f' ({value.reason})' if isinstance(value, DamagedJson) else ''
            yield f'{field.name}{reason}'


def neighbours(storage: StorageBackend, pk: int, forward: bool) -> list[Neighbour]:
    """The nodes that the links of a node lead to (forward) or come from, in the order they were made."""
    query = Query(
        (Vertex('node', EntityKind.NODE), Vertex('other', EntityKind.NODE)),
        (Edge('link', 'node', 'other', EdgeKind.LINK, forward),),
        filters=(('node', Comparison(Field('pk'), '==', pk)),),
        projections=(
            Projection('link', Field('label')),
            Projection('link', Field('type')),
            Projection('other', Field('pk')),
            Projection('other', Field('uuid')),
            Projection('other', Field('node_type')),
            Projection('other', Field('attributes', ('process_label',))),
        ),
        order_by=(Ordering('link', Field('pk')),),
    )
    return [
        Neighbour(label, link_type, other, uuid, node_type, name_of(node_type, process_label))
        for label, link_type, other, uuid, node_type, process_label in storage.query_rows(query)
    ]


def groups_of(storage: StorageBackend, pk: int) -> list[Membership]:
    """The groups that a node is in, by label."""
    query = Query(
        (Vertex('node', EntityKind.NODE), Vertex('group', EntityKind.GROUP)),
        (Edge('member', 'node', 'group', EdgeKind.MEMBER, forward=False),),
        filters=(('node', Comparison(Field('pk'), '==', pk)),),
        projections=tuple(Projection('group', Field(name)) for name in ('pk', 'label', 'type_string')),
        order_by=(Ordering('group', Field('label')),),
    )
    return [Membership(group, label, type_string) for group, label, type_string in storage.query_rows(query)]


def _count(storage: StorageBackend, kind: EntityKind, node_pk: int) -> int:
    query = Query(
        (Vertex('of', kind),),
        filters=(('of', Comparison(Field('node_pk'), '==', node_pk)),),
        projections=(Projection('of', Field('pk')),),
    )
    return storage.count_rows(query)
