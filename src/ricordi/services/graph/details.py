"""What the page of a graph tells of its nodes: fields, attributes, extras, files, comments, the log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ricordi.backend.query import Comparison, Field, Projection, Query, Vertex
from ricordi.backend.rows import CommentRow, EntityKind, LogRow, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.model.file_trees import named_in
from ricordi.services.graph.subgraph import Graph

MOST_CHARACTERS = 2000
"""Of attributes, of extras, or of a text: what takes more is told in part, so that the page stays small."""
MOST_FILES = 200
MOST_LOGS = 30
NODES_AT_ONCE = 500

_FIELDS = ('pk', 'description', 'ctime', 'mtime', 'process_type', 'attributes', 'extras', 'repository_metadata')


def details(storage: StorageBackend, graph: Graph) -> Iterator[tuple[int, dict[str, Any]]]:
    """What is told of each node, by pk, as plain data for JSON."""
    emails = {row.pk: row.email for row in storage.find(UserRow)}
    for pks in _in_batches(sorted(graph.nodes)):
        comments = _comments(storage, pks, emails)
        logs = _logs(storage, pks)
        query = Query(
            (Vertex('node', EntityKind.NODE),),
            filters=(('node', Comparison(Field('pk'), 'in', tuple(pks))),),
            projections=tuple(Projection('node', Field(name)) for name in _FIELDS),
        )
        for pk, *values in storage.query_rows(query, NODES_AT_ONCE):
            told = _of_node(graph, pk, values)
            if pk in comments:
                told['comments'] = comments[pk]
            if pk in logs:
                told |= {'logs': logs[pk][-MOST_LOGS:], 'log_count': len(logs[pk])}
            yield pk, told


def _in_batches(pks: Sequence[int]) -> Iterator[list[int]]:
    for first in range(0, len(pks), NODES_AT_ONCE):
        yield list(pks[first : first + NODES_AT_ONCE])


def _of_node(graph: Graph, pk: int, values: Sequence[Any]) -> dict[str, Any]:
    description, ctime, mtime, process_type, attributes, extras, tree = values
    node = graph.nodes[pk]
    fields = {
        'pk': str(pk),
        'uuid': node.uuid,
        'type': node.node_type,
        'process type': process_type,
        'state': node.detail if node.is_process else None,
        'label': node.label,
        'description': description,
        'created': _time(ctime),
        'modified': _time(mtime),
    }
    told: dict[str, Any] = {
        'name': node.name,
        'fields': {name: value for name, value in fields.items() if value},
        'attributes': _short(attributes or {}),
    }
    if node.is_process:
        told['process'] = True
    if extras:
        told['extras'] = _short(extras)
    if files := sorted({path for path, _ in named_in(tree)}):
        told |= {'files': files[:MOST_FILES], 'file_count': len(files)}
    return told


def _comments(storage: StorageBackend, pks: list[int], emails: dict[int, str]) -> dict[int, list[tuple[str, str]]]:
    """Who wrote when, and what, by node."""
    found: dict[int, list[tuple[str, str]]] = {}
    for row in storage.find(CommentRow, {'node_pk': pks}, order_by=('ctime', 'pk')):
        who = f'{emails.get(row.user_pk, "?")}, {_time(row.ctime)}'
        found.setdefault(row.node_pk, []).append((who, _cut(row.content)))
    return found


def _logs(storage: StorageBackend, pks: list[int]) -> dict[int, list[tuple[str, str]]]:
    """When, and what, by node."""
    found: dict[int, list[tuple[str, str]]] = {}
    for row in storage.find(LogRow, {'node_pk': pks}, order_by=('time', 'pk')):
        words = (f'{_time(row.time)} {row.levelname}', _cut(row.message))
        found.setdefault(row.node_pk, []).append(words)
    return found


def _time(moment: datetime) -> str:
    """In the zone of this machine, with its offset: the page may be read elsewhere."""
    return moment.astimezone().isoformat(' ', 'seconds')


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f'{text[: MOST_CHARACTERS - 1]}…'


def _short(values: Any) -> Any:
    """Attributes or extras; long values are left out where all together are long."""
    if len(json.dumps(values, default=str)) <= MOST_CHARACTERS or not isinstance(values, dict):
        return values
    return {key: value if len(json.dumps(value, default=str)) <= 100 else '…' for key, value in values.items()}
