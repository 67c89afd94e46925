"""The nodes that fit: filters of a command line made one query, answered as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ricordi.backend.rows import ComputerRow, EntityKind, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent, QueryError
from ricordi.model.fields import FIELDS
from ricordi.orm.querybuilder.builder import QueryBuilder
from ricordi.orm.querybuilder.description import describe
from ricordi.orm.querybuilder.names import parse_field
from ricordi.services.author import find_user
from ricordi.services.nodes.finding import find_node
from ricordi.services.nodes.owners import with_owners
from ricordi.services.nodes.types import is_core_type, known_types, type_filters
from ricordi.services.nodes.where import check_no_empty_key, parse_all

PROJECTIONS = (
    *(name for name, field in FIELDS[EntityKind.NODE].items() if field.references is None),
    *('user', 'computer'),
)
"""What can be shown of a node, besides keys inside attributes and extras (`attributes.exit_status`)."""

_ROWS = 1000
_NODE = 'node'
_COLUMNS = {'user': 'user_pk', 'computer': 'computer_pk'}


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """Which nodes; all conditions have to hold.

    :param pks: one of these; None: any.
    :param where: filters as `ricordi.services.nodes.where` reads them.
    :param types: a node is of one of these types (`ricordi.services.nodes.types`).
    :param subclassing: whether nodes of subclasses of these types count too.
    :param groups: label, pk or uuid; a node is in one of them.
    :param computers: label, pk or uuid; a node is bound to one of them.
    :param users: addresses; a node belongs to one of them.
    :param past_days: made in the last so many days.
    :param ancestor_of: pk or uuid of a node that is reached from these by data provenance (`input_calc`, `create`).
    :param descendant_of: pk or uuid of a node from which these are reached.
    """

    pks: tuple[int, ...] | None = None
    where: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    subclassing: bool = True
    groups: tuple[str, ...] = ()
    computers: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    past_days: float | None = None
    ancestor_of: str | None = None
    descendant_of: str | None = None


def expand_projections(project: Sequence[str]) -> tuple[str, ...]:
    """The names to project where `*` or `**` stands for all of `PROJECTIONS` that are not named otherwise."""
    named = {*project}
    found: list[str] = []
    for name in project:
        if name in ('*', '**'):
            found += (each for each in PROJECTIONS if each not in named and each not in found)
        else:
            found.append(name)
    return tuple(found)


def list_nodes(
    storage: StorageBackend,
    chosen: NodeFilter,
    project: Sequence[str] = ('pk', 'uuid', 'node_type'),
    order_by: str = 'ctime',
    descending: bool = False,
    limit: int | None = None,
) -> Iterator[tuple[Any, ...]]:
    """The nodes that fit, a tuple of the projected values for each, streamed in constant memory.

    :param project: names of `PROJECTIONS`, or keys inside JSON; `user` is the address, `computer` the label,
        `*` all that is not named otherwise.
    :param order_by: a column, or a key inside JSON: numbers before texts.
    :raises ricordi.errors.QueryError: a field that is not there, or is projected twice.
    :raises ricordi.errors.NotExistent: a type, group, computer, user or node that is not there.
    """
    project = expand_projections(project)
    _check_fields([*project, order_by])
    several_groups = len(chosen.groups) > 1
    builder = _builder(storage, chosen)
    # A node in two of the groups comes once: rows are told apart by what is projected, so by the pk, too.
    hidden = ('pk',) if several_groups and not {'pk', 'id', 'uuid'} & set(project) else ()
    builder.add_projection(_NODE, [_COLUMNS.get(name, name) for name in (*project, *hidden)])
    order = 'desc' if descending else 'asc'
    first = {order_by: {'order': order, 'cast': 'j'} if '.' in order_by else {'order': order}}
    builder.order_by({_NODE: [first] if order_by in ('pk', 'id') else [first, {'pk': {'order': order}}]})
    builder.limit(limit).distinct(several_groups)
    rows = storage.query_rows(describe(builder.as_dict(copy=False)).query, _ROWS)
    named = _names(storage, project)
    if named or hidden:
        return (_with_names(row[: len(project)], named) for row in rows)
    return rows


def _check_fields(names: Iterable[str]) -> None:
    for name in names:
        check_no_empty_key(name)
        try:
            parse_field(_NODE, EntityKind.NODE, name)
        except QueryError as error:
            known = ', '.join(PROJECTIONS)
            raise QueryError(
                f'{name!r} is not a field of a node; there are {known}, id, and keys inside those that are JSON, '
                'such as attributes.exit_status'
            ) from error


def _builder(storage: StorageBackend, chosen: NodeFilter) -> QueryBuilder:
    """A query for the nodes that fit, under the tag `node`."""
    builder = QueryBuilder(storage)
    first, later = _joined(storage, chosen)
    keyword = None
    if first is not None:
        builder.append(tag='other', **first.vertex)
        keyword = first.node_joined_by
    builder.append(
        entity_type='node',
        tag=_NODE,
        filters=_filters(storage, chosen),
        joining_keyword=keyword,
        joining_value=None if keyword is None else 'other',
    )
    for join in later:
        builder.append(**join.vertex, joining_keyword=join.joined_by, joining_value=_NODE)
    return builder


@dataclass(frozen=True, slots=True)
class _Join:
    """What nodes are joined to: arguments of `append`, and the keywords that join the nodes to it, or it to them."""

    vertex: dict[str, Any]
    node_joined_by: str
    joined_by: str


def _joined(storage: StorageBackend, chosen: NodeFilter) -> tuple[_Join | None, list[_Join]]:
    """What stands before the nodes in the query, and what after."""
    joins = []
    if chosen.ancestor_of is not None:
        pk = find_node(storage, chosen.ancestor_of).pk
        joins.append(_Join({'entity_type': 'node', 'filters': {'pk': pk}}, 'with_descendants', 'with_ancestors'))
    if chosen.descendant_of is not None:
        pk = find_node(storage, chosen.descendant_of).pk
        joins.append(_Join({'entity_type': 'node', 'filters': {'pk': pk}}, 'with_ancestors', 'with_descendants'))
    if chosen.groups:
        from ricordi.services.groups.groups import find_group

        pks = [find_group(storage, group).pk for group in chosen.groups]
        joins.append(_Join({'entity_type': 'group', 'filters': {'pk': {'in': pks}}}, 'with_group', 'with_node'))
    return (joins[0], joins[1:]) if joins else (None, [])


def _filters(storage: StorageBackend, chosen: NodeFilter) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if chosen.pks is not None:
        parts.append({'pk': {'in': list(chosen.pks)}})
    if chosen.where:
        parts.append(with_owners(storage, parse_all(chosen.where)))
    if chosen.types:
        of_types = [_type_filters(storage, name, chosen.subclassing) for name in chosen.types]
        if all(of_types):
            parts.append({'or': of_types})
    if chosen.computers:
        from ricordi.services.computers.computers import find_computer

        parts.append({'computer_pk': {'in': [find_computer(storage, name).pk for name in chosen.computers]}})
    if chosen.users:
        parts.append({'user_pk': {'in': [find_user(storage, email).pk for email in chosen.users]}})
    if chosen.past_days is not None:
        parts.append({'ctime': {'>': datetime.now(UTC) - timedelta(days=chosen.past_days)}})
    return {'and': parts} if parts else {}


def _type_filters(storage: StorageBackend, name: str, subclassing: bool) -> dict[str, Any]:
    filters = type_filters(name, subclassing)
    if not is_core_type(name):
        query = QueryBuilder(storage).append(entity_type='node', filters=filters, project='id').limit(1)
        if query.first() is None:
            from ricordi.services.suggestion import did_you_mean

            raise NotExistent(f'no node here is of the type {name!r}{did_you_mean(name, known_types())}')
    return filters


# projections -----------------------------------------------------------------------------------------------


def _names(storage: StorageBackend, project: Sequence[str]) -> dict[int, dict[int, str]]:
    """Places of the projections that are told by name, with the name of each pk."""
    named: dict[int, dict[int, str]] = {}
    for place, name in enumerate(project):
        if name == 'user':
            named[place] = {row.pk: row.email for row in storage.find(UserRow)}
        elif name == 'computer':
            named[place] = {row.pk: row.label for row in storage.find(ComputerRow)}
    return named


def _with_names(row: tuple[Any, ...], named: dict[int, dict[int, str]]) -> tuple[Any, ...]:
    return tuple(named[place].get(value) if place in named else value for place, value in enumerate(row))
