"""Groups and their members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from aiida.common import exceptions, timezone
from aiida.orm.implementation import BackendGroup, BackendGroupCollection

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind
from ricordi.plugin.entities.collections import RicordiCollection
from ricordi.plugin.entities.json_fields import ExtrasFields
from ricordi.plugin.entities.nodes import RicordiNode
from ricordi.plugin.entities.properties import field, fixed, reference
from ricordi.plugin.errors import TakenLabel, translated

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage

READ_AT_ONCE = 100
"""Members that are fetched at a time by who goes through them."""


class MemberNodes:
    """The nodes of a group, in the order in which they were added; read when they are asked for."""

    def __init__(self, group: RicordiGroup) -> None:
        self._group = group
        self._iterator: Iterator[RicordiNode] | None = None

    def _rows(self, limit: int | None = None, offset: int | None = None, batch: int | None = None) -> Iterator[Any]:
        backend, query = self._group._backend, _members(self._group.pk, limit, offset)
        token = backend.token()
        with translated():
            for (row,) in backend.ricordi.query_rows(query, batch):
                yield RicordiNode.from_row(row, backend, token)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RicordiNode:
        if self._iterator is None:
            self._iterator = self._rows(batch=READ_AT_ONCE)
        return next(self._iterator)

    def __len__(self) -> int:
        return self._group.count()

    def __getitem__(self, value: int | slice) -> Any:
        if isinstance(value, slice):
            return self._part(value)
        if value < 0:
            return [*self._rows()][value]
        found = next(self._rows(1, value or None), None)
        if found is None:
            raise IndexError(f'the group has no node {value}')
        return found

    def _part(self, part: slice) -> list[RicordiNode]:
        start, stop = part.start or 0, part.stop
        if start < 0 or (stop is not None and stop < 0):
            return [*self._rows()][part]
        limit = None if stop is None else max(stop - start, 0)
        return [*self._rows(limit, start or None)][:: part.step or 1]


def _members(group_pk: int, limit: int | None = None, offset: int | None = None) -> Query:
    return Query(
        (Vertex('group', EntityKind.GROUP), Vertex('node', EntityKind.NODE)),
        (Edge('membership', 'group', 'node', EdgeKind.MEMBER),),
        (('group', Comparison(Field('pk'), '==', group_pk)),),
        (Projection('node', None),),
        (Ordering('membership', Field('pk')),),
        limit,
        offset,
    )


class RicordiGroup(ExtrasFields, BackendGroup):
    """A named set of nodes."""

    KIND = EntityKind.GROUP
    NEEDED = frozenset({'label'})

    def __init__(
        self,
        backend: RicordiStorage,
        label: str,
        user: Any,
        description: str | None = '',
        type_string: str | None = '',
        time: datetime | None = None,
    ) -> None:
        self._begin(
            backend,
            uuid=str(uuid4()),
            label=label,
            description=description,
            type_string=type_string,
            time=time or timezone.now(),
        )
        self.user = user

    uuid = fixed('uuid')
    type_string = fixed('type_string')
    time = fixed('time')
    description = field('description')
    user = reference('user_pk', EntityKind.USER)

    @property
    def label(self) -> str:
        """The name; with the type string there is one group of it."""
        return self._get('label')

    @label.setter
    def label(self, label: str) -> None:
        try:
            self._set('label', label)
        except exceptions.IntegrityError as error:
            raise TakenLabel(f'a group of the same type with the label {label} already exists') from error

    def count(self) -> int:
        """How many nodes are in it."""
        with translated():
            return self._backend.ricordi.count_rows(_members(self.pk))

    def clear(self) -> None:
        """Remove all nodes from it."""
        with translated():
            self._backend.ricordi.remove_nodes_from_group(self.pk, None)

    @property
    def nodes(self) -> MemberNodes:
        """The nodes in it."""
        return MemberNodes(self)

    def add_nodes(self, nodes: Iterable[Any], **kwargs: Any) -> None:
        """Make nodes members; those that are already stay.

        :raises TypeError: one is no node.
        :raises ValueError: one is not stored.
        """
        super().add_nodes(nodes)
        with translated():
            self._backend.ricordi.add_nodes_to_group(self.pk, _pks(nodes))

    def remove_nodes(self, nodes: Iterable[Any], **kwargs: Any) -> None:
        """End membership of nodes.

        :raises TypeError: one is no node.
        :raises ValueError: one is not stored.
        """
        super().remove_nodes(nodes)
        with translated():
            self._backend.ricordi.remove_nodes_from_group(self.pk, _pks(nodes))


def _pks(nodes: Iterable[Any]) -> list[int]:
    nodes = list(nodes)
    for node in nodes:
        if not isinstance(node, RicordiNode):
            raise TypeError(f'invalid type {type(node)}, has to be {RicordiNode}')
        if not node.is_stored:
            raise ValueError('At least one of the provided nodes is unstored, stopping...')
    return [node.pk for node in nodes]


class RicordiGroups(RicordiCollection, BackendGroupCollection):
    """The groups of a storage."""

    ENTITY_CLASS = RicordiGroup

    def delete(self, id: int) -> None:
        """Delete a group; its nodes stay.

        :raises aiida.common.exceptions.NotExistent: there is none of that pk.
        """
        self._delete(id)
