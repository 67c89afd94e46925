"""The members of a group, read as they are asked for: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

from ricordi.backend.changes import clock
from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, GroupNodeRow, NodeRow
from ricordi.orm.entity_classes import entity_class

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.nodes.node import Node

BATCH_NODES = 1000


class GroupNodes:
    """The members of a group, in the order they were added."""

    def __init__(self, backend: StorageBackend, group_pk: int | None) -> None:
        self._backend = backend
        self._group_pk = group_pk
        self._iterator: Iterator[Node] | None = None

    def __iter__(self) -> Iterator[Node]:
        node_from_row = entity_class(EntityKind.NODE).from_row
        if self._group_pk is not None:
            began = clock.now  # what is changed while they come, is newer than they
            for (row,) in self._backend.query_rows(self._members()):
                yield node_from_row(row, self._backend, began)

    def __next__(self) -> Node:
        if self._iterator is None:
            self._iterator = iter(self)
        return next(self._iterator)

    def __len__(self) -> int:
        if self._group_pk is None:
            return 0
        return self._backend.count_rows(self._members())

    def __bool__(self) -> bool:
        return any(True for _ in self._pks(limit=1))

    @overload
    def __getitem__(self, index: int) -> Node: ...

    @overload
    def __getitem__(self, index: slice) -> list[Node]: ...

    def __getitem__(self, index: int | slice) -> Node | list[Node]:
        """A member by its place, or several by a slice; only those asked for are loaded."""
        if isinstance(index, slice):
            forward = (index.start or 0) >= 0 and index.stop is not None and index.stop >= 0
            pks = list(self._pks(limit=index.stop if forward else None))[index]
            return [
                node
                for start in range(0, len(pks), BATCH_NODES)
                for node in self._load(pks[start : start + BATCH_NODES])
            ]
        pks = list(self._pks(limit=index + 1 if index >= 0 else None))
        try:
            return self._load([pks[index]])[0]
        except IndexError:
            raise IndexError(f'the group has {len(pks)} nodes, there is no index {index}') from None

    def __contains__(self, node: Any) -> bool:
        if self._group_pk is None or getattr(node, 'pk', None) is None or node.backend is not self._backend:
            return False
        equal = {'group_pk': self._group_pk, 'node_pk': node.pk}
        return any(True for _ in self._backend.find(GroupNodeRow, equal, limit=1))

    def _pks(self, limit: int | None = None) -> Iterator[int]:
        if self._group_pk is None:
            return
        for row in self._backend.find(GroupNodeRow, {'group_pk': self._group_pk}, limit=limit):
            yield row.node_pk

    def _load(self, pks: list[int]) -> list[Node]:
        rows = {row.pk: row for row in self._backend.find(NodeRow, {'pk': pks})}
        node_from_row = entity_class(EntityKind.NODE).from_row
        return [node_from_row(rows[pk], self._backend) for pk in pks if pk in rows]

    def _members(self) -> Query:
        group = Vertex('group', EntityKind.GROUP)
        node = Vertex('node', EntityKind.NODE)
        return Query(
            vertices=(group, node),
            edges=(Edge('member', 'group', 'node', EdgeKind.MEMBER),),
            filters=(('group', Comparison(Field('pk'), '==', self._group_pk)),),
            projections=(Projection('node', None),),
            order_by=(Ordering('member', Field('pk')),),
        )

    def __repr__(self) -> str:
        return f'<nodes of group {self._group_pk}>'
