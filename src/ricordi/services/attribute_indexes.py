"""What indexes of attributes and extras would help: by what a sample of the nodes holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ricordi.backend.rows import NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.model.attribute_paths import AttributePath, may_be_indexed

SAMPLE = 2000
"""So many nodes are looked at, evenly spread over all pks."""
MOST_SUGGESTED = 12
_LEAST_SHARE = 0.01
_LEAST_VALUES = 3
_DEEPEST = 3

ASKED_FOR = {
    AttributePath('attributes', ('process_state',)): 'lists of processes ask for it',
    AttributePath('attributes', ('exit_status',)): 'lists of processes ask for it',
    AttributePath('extras', ('_aiida_hash',)): 'caching asks for it at each calculation',
}
"""What programs ask for, whatever a user does."""


class Suggestion(NamedTuple):
    """An index that would help.

    :param nodes: how many nodes have the value, about.
    :param values: how many different values the nodes of the sample have.
    :param reason: why it is suggested.
    """

    path: AttributePath
    nodes: int
    values: int
    reason: str


@dataclass(slots=True)
class _Seen:
    nodes: int = 0
    values: Counter[str] = field(default_factory=Counter)


def suggest_indexes(storage: StorageBackend, sample: int = SAMPLE) -> list[Suggestion]:
    """What indexes would help that are not there yet; those that programs ask for first, then by how many nodes gain.

    :param sample: how many nodes to look at.
    """
    seen, looked_at, all_nodes = _look(storage, sample)
    there = {index.path for index in storage.attribute_indexes() if index.is_whole}
    found = [
        Suggestion(path, round(one.nodes / looked_at * all_nodes), len(one.values), _reason(path, one, looked_at))
        for path, one in seen.items()
        if path not in there
    ]
    worth = [one for one in found if one.reason]
    worth.sort(key=lambda one: (one.path not in ASKED_FOR, -one.nodes, one.path))
    return worth[:MOST_SUGGESTED]


def _reason(path: AttributePath, seen: _Seen, looked_at: int) -> str:
    if path in ASKED_FOR:
        return ASKED_FOR[path]
    if seen.nodes < looked_at * _LEAST_SHARE or len(seen.values) < _LEAST_VALUES:
        return ''
    commonest = seen.values.most_common(1)[0][1]
    return f'its commonest value is that of {commonest / seen.nodes:.0%} of those that have it'


def _look(storage: StorageBackend, sample: int) -> tuple[dict[AttributePath, _Seen], int, int]:
    seen: dict[AttributePath, _Seen] = {}
    last = next(storage.find(NodeRow, order_by=('-pk',), limit=1), None)
    if last is None:
        return seen, 1, 0
    step = max(last.pk // sample, 1)
    looked_at = 0
    for row in storage.find(NodeRow, {'pk': list(range(1, last.pk + 1, step))}):
        looked_at += 1
        for column, document in (('attributes', row.attributes), ('extras', row.extras)):
            for keys, value in _scalars(document):
                if may_be_indexed(column, keys):
                    one = seen.setdefault(AttributePath(column, keys), _Seen())
                    one.nodes += 1
                    one.values[json.dumps(value)] += 1
    return seen, max(looked_at, 1), looked_at * step if step > 1 else looked_at


def _scalars(document: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values that are no lists or objects, with the keys that lead to them; not those that lie deep."""
    if isinstance(document, dict):
        if len(keys) < _DEEPEST:
            for key, value in document.items():
                yield from _scalars(value, (*keys, key))
    elif keys and document is not None and not isinstance(document, list):
        yield keys, document
