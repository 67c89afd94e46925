"""Processes found by what a person gives: as nodes are, and nothing but processes."""

from __future__ import annotations

from collections.abc import Sequence

from ricordi.backend.query import Comparison, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent
from ricordi.model.node_types import CALCJOB, PROCESS, name_of
from ricordi.services.nodes.finding import find_nodes


def find_processes(storage: StorageBackend, identifiers: Sequence[str | int], kind: str = PROCESS) -> list[NodeRow]:
    """The processes that identifiers name, in their order, each once.

    :param kind: how their node types begin.
    :raises ricordi.errors.NotExistent: there is no such node, or it is none of this kind.
    """
    rows = find_nodes(storage, identifiers)
    for row in rows:
        if not row.node_type.startswith(kind):
            what = 'calculation job' if kind == CALCJOB else 'process'
            raise NotExistent(f'node {row.pk} is no {what}: it is of type {name_of(row.node_type)}')
    return rows


def most_recent_process(storage: StorageBackend) -> NodeRow:
    """The process that was made last.

    :raises ricordi.errors.NotExistent: there is no process.
    """
    query = Query(
        (Vertex('process', EntityKind.NODE),),
        filters=(('process', Comparison(Field('node_type'), 'like', f'{PROCESS}%')),),
        projections=(Projection('process', Field('pk')),),
        order_by=tuple(Ordering('process', Field(name), descending=True) for name in ('ctime', 'pk')),
        limit=1,
    )
    for (pk,) in storage.query_rows(query):
        return find_processes(storage, [pk])[0]
    raise NotExistent(f'there is no process in profile {storage.profile.name!r}')
