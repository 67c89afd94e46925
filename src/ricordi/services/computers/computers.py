"""Computers: found, listed, set up, duplicated, relabelled, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ricordi.backend.identifiers import find_named, one_of
from ricordi.backend.query import Comparison, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import AuthInfoRow, ComputerRow, EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation, NotExistent, UniquenessError
from ricordi.model.identifiers import LABEL_MARK, identifier_of
from ricordi.model.labels import check_label
from ricordi.remedies import Remedy
from ricordi.services.author import default_user
from ricordi.services.computers.setup import ComputerSetup, check_setup, metadata_of, setup_of
from ricordi.services.nodes.delete import DeletionPlan, delete_nodes, plan_deletion, with_freed


@dataclass(frozen=True, slots=True)
class ComputerSummary:
    """A computer as it stands in a list.

    :param configured: whether the default user can reach it.
    :param enabled: whether the default user may use it.
    """

    pk: int
    uuid: str
    label: str
    hostname: str
    description: str
    transport: str
    scheduler: str
    configured: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class ComputerDeletion:
    """What would be deleted with a computer.

    :param bound: number of nodes that are bound to it.
    :param nodes: the plan of the nodes that go with it; None: there is none, or they were not asked for.
    """

    pk: int
    label: str
    bound: int
    nodes: DeletionPlan | None


# finding ---------------------------------------------------------------------------------------------------


def find_computer(storage: StorageBackend, identifier: str) -> ComputerRow:
    """The computer that a pk, a uuid or the start of one, or a label names, in this order.

    :raises ricordi.errors.NotExistent: there is none; the message tells what may have been meant, or what there is.
    :raises ricordi.errors.MultipleObjectsError: several uuids start like this.
    """
    row = one_of(find_named(storage, ComputerRow, identifier), f'computer {identifier!r}')
    if row is not None:
        return row
    from ricordi.services.suggestion import did_you_mean

    known = [identifier_of(row.label) for row in _rows(storage, {})]
    hint = did_you_mean(identifier.removesuffix(LABEL_MARK), known)
    raise NotExistent(f'there is no computer {identifier!r} in profile {storage.profile.name!r}{hint}')


def list_computers(storage: StorageBackend, all_computers: bool = False) -> list[ComputerSummary]:
    """The computers that the default user can reach and may use, by label.

    :param all_computers: the others, too.
    """
    known = {}
    if storage.profile.default_user_email:
        rows = storage.find(AuthInfoRow, {'user_pk': default_user(storage).pk})
        known = {row.computer_pk: row.enabled for row in rows}
    found = [_summary(row, known.get(row.pk)) for row in _rows(storage, {})]
    return [computer for computer in found if all_computers or computer.enabled]


def _summary(row: ComputerRow, enabled: bool | None) -> ComputerSummary:
    return ComputerSummary(
        row.pk,
        row.uuid,
        row.label,
        row.hostname,
        row.description,
        row.transport_type,
        row.scheduler_type,
        configured=enabled is not None,
        enabled=bool(enabled),
    )


def describe_computer(row: ComputerRow) -> dict[str, Any]:
    """All settings of a computer under the names of its set-up file, with pk and uuid."""
    return {'pk': row.pk, 'uuid': row.uuid, **asdict(setup_of(row))}


def _rows(storage: StorageBackend, equal: Mapping[str, Any]) -> list[ComputerRow]:
    return list(storage.find(ComputerRow, equal, order_by=('label',)))


# changing --------------------------------------------------------------------------------------------------


def create_computer(
    storage: StorageBackend, setup: ComputerSetup, beside: Mapping[str, Any] | None = None
) -> ComputerRow:
    """Store a new computer.

    :param beside: settings that have no option, to be kept in its metadata.
    :raises ricordi.errors.WrongValue: a setting makes no sense.
    :raises ricordi.errors.UniquenessError: there is a computer of this label.
    """
    check_setup(setup)
    values = {
        'label': setup.label,
        'hostname': setup.hostname,
        'description': setup.description,
        'transport_type': setup.transport,
        'scheduler_type': setup.scheduler,
        'metadata': {**metadata_of(setup), **(beside or {})},
    }
    try:
        with storage.transaction():
            (pk,) = storage.insert(EntityKind.COMPUTER, [values])
    except UniquenessError:
        raise _taken(setup.label) from None
    return _rows(storage, {'pk': pk})[0]


def check_label_is_free(storage: StorageBackend, label: str) -> None:
    """Refuse a label that a computer has already.

    :raises ricordi.errors.UniquenessError: telling so.
    """
    if _rows(storage, {'label': label}):
        raise _taken(label)


def _taken(label: str) -> UniquenessError:
    return UniquenessError(f'there is a computer {label!r} already', remedy=Remedy('duplicate computer', (label,)))


def duplicate_computer(storage: StorageBackend, source: ComputerRow, changes: Mapping[str, Any]) -> ComputerRow:
    """Store a new computer with the settings of another; how users reach it is not copied.

    :param changes: settings that differ, the label among them, under the names of `ComputerSetup`.
    :raises ricordi.errors.WrongValue: a setting makes no sense.
    :raises ricordi.errors.UniquenessError: there is a computer of this label.
    """
    known = metadata_of(replace(setup_of(source), mpiprocs_per_machine=1, default_memory_per_machine=1))
    beside = {key: value for key, value in source.metadata.items() if key not in known}
    return create_computer(storage, replace(setup_of(source), **changes), beside)


def relabel_computer(storage: StorageBackend, row: ComputerRow, label: str) -> None:
    """Give a computer another label.

    :raises ricordi.errors.WrongValue: this can be no label.
    :raises ricordi.errors.InvalidOperation: it has this label.
    :raises ricordi.errors.UniquenessError: another computer has it.
    """
    check_label(label, 'computer')
    if label == row.label:
        raise InvalidOperation(f'the label of the computer is {label!r} already')
    try:
        with storage.transaction():
            storage.update(EntityKind.COMPUTER, row.pk, {'label': label})
    except UniquenessError:
        raise UniquenessError(f'there is a computer {label!r} already') from None


# deleting --------------------------------------------------------------------------------------------------


def plan_computer_deletion(storage: StorageBackend, row: ComputerRow, with_nodes: bool) -> ComputerDeletion:
    """Find out what goes when a computer is deleted; changes nothing.

    :param with_nodes: also with the nodes that are bound to it.
    """
    bound = bound_nodes(storage, row.pk)
    nodes = plan_deletion(storage, bound) if bound and with_nodes else None
    return ComputerDeletion(row.pk, row.label, len(bound), nodes)


def with_freed_space(storage: StorageBackend, plan: ComputerDeletion) -> ComputerDeletion:
    """The plan, to be shown: with what full maintenance would give back after it was carried out."""
    return plan if plan.nodes is None else replace(plan, nodes=with_freed(storage, plan.nodes))


def bound_nodes(storage: StorageBackend, computer_pk: int) -> list[int]:
    """The pks of the nodes that are bound to a computer."""
    query = Query(
        (Vertex('node', EntityKind.NODE),),
        filters=(('node', Comparison(Field('computer_pk'), '==', computer_pk)),),
        projections=(Projection('node', Field('pk')),),
        order_by=(Ordering('node', Field('pk')),),
    )
    return [pk for (pk,) in storage.query_rows(query)]


def delete_computer(storage: StorageBackend, plan: ComputerDeletion) -> None:
    """Carry a plan out: the computer, how users reach it, and the nodes of the plan; all of it, or nothing.

    :raises ricordi.errors.InvalidOperation: other nodes are bound to it since the plan was made; nothing was deleted.
    """
    with storage.transaction():
        if plan.nodes is not None:
            delete_nodes(storage, plan.nodes)
        if bound_nodes(storage, plan.pk):
            raise InvalidOperation(
                f'other nodes were bound to computer {plan.label!r} since the plan was made; nothing was deleted: run '
                'the command again'
            )
        if storage.delete(EntityKind.COMPUTER, [plan.pk]) == 0:
            raise NotExistent(f'computer {plan.label!r} is gone already; nothing was deleted')
