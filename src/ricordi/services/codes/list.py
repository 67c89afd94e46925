"""The codes of a storage that fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ricordi.backend.query import Comparison, Condition, Field, Junction, Negation, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import ComputerRow, EntityKind, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.model.node_types import CODE

_ROWS = 1000
_HIDDEN = Field('extras', ('hidden',))
_PLUGIN = Field('attributes', ('input_plugin',))


@dataclass(frozen=True, slots=True)
class CodeFilter:
    """Which codes; all conditions have to hold.

    :param computer: label, pk or uuid of the computer that they are on; None: any, or none.
    :param default_calc_job_plugin: entry point of the plug-in that they are for.
    :param hidden: also those that are hidden.
    :param user: address of their owner; None: anybody.
    """

    computer: str | None = None
    default_calc_job_plugin: str | None = None
    hidden: bool = False
    user: str | None = None


@dataclass(frozen=True, slots=True)
class CodeSummary:
    """A code in a list.

    :param full_label: `label@computer`, or the label alone of a code that is on no computer.
    :param entry_point: of its class: `core.code.installed` …
    :param default_calc_job_plugin: entry point of the plug-in that it is for.
    """

    full_label: str
    pk: int
    entry_point: str
    uuid: str
    label: str
    default_calc_job_plugin: str | None
    computer: str | None
    user: str
    hidden: bool


def list_codes(storage: StorageBackend, chosen: CodeFilter) -> list[CodeSummary]:
    """The codes that fit: first those on a computer, then those on none, each by pk.

    :raises ricordi.errors.NotExistent: the computer or the user is not there.
    """
    conditions = tuple(_conditions(storage, chosen))
    fields = (*(Field(name) for name in ('pk', 'uuid', 'node_type', 'label', 'computer_pk', 'user_pk')), _PLUGIN)
    query = Query(
        (Vertex('code', EntityKind.NODE),),
        filters=(('code', Junction(conditions)),),
        projections=tuple(Projection('code', field) for field in (*fields, _HIDDEN)),
        order_by=(Ordering('code', Field('pk')),),
    )
    computers = {row.pk: row.label for row in storage.find(ComputerRow)}
    users = {row.pk: row.email for row in storage.find(UserRow)}
    found = []
    for pk, uuid, node_type, label, computer_pk, user_pk, plugin, hidden in storage.query_rows(query, _ROWS):
        computer = computers.get(computer_pk)
        full_label = label if computer is None else f'{label}@{computer}'
        user = users.get(user_pk, '')
        entry_point = entry_point_of(node_type)
        found.append(
            CodeSummary(full_label, pk, entry_point, uuid, label, plugin, computer, user, hidden is True),
        )
    return sorted(found, key=lambda code: code.computer is None)


def entry_point_of(node_type: str) -> str:
    """The entry point name of the class of a code: `core.code.installed`, or `core.code` of the old one."""
    return '.'.join(node_type.rstrip('.').split('.')[1:-1])


def _conditions(storage: StorageBackend, chosen: CodeFilter) -> Iterator[Condition]:
    yield Comparison(Field('node_type'), 'like', f'{CODE}%')
    if not chosen.hidden:
        yield Negation(Comparison(_HIDDEN, '==', True))
    if chosen.default_calc_job_plugin is not None:
        yield Comparison(_PLUGIN, '==', chosen.default_calc_job_plugin)
    if chosen.computer is not None:
        from ricordi.services.computers.computers import find_computer

        yield Comparison(Field('computer_pk'), '==', find_computer(storage, chosen.computer).pk)
    if chosen.user is not None:
        from ricordi.services.author import find_user

        yield Comparison(Field('user_pk'), '==', find_user(storage, chosen.user).pk)
