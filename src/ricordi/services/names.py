"""Names for a shell to complete: of groups, computers, codes and nodes; of types and keys, from a sample of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ricordi.backend.rows import ComputerRow, GroupRow, NodeRow
from ricordi.config import Profile
from ricordi.manager import use_storage
from ricordi.model.identifiers import identifier_of, looks_like_pk
from ricordi.model.node_types import is_process
from ricordi.model.values import is_damaged

MOST_NODES = 100
"""So many nodes are offered; who has typed more digits is offered the right ones."""
SAMPLE = 300
"""So many nodes, those made last and those made first, are looked at: an answer has to be there at once."""
DEEPEST = 3
"""So many steps into the JSON of a node keys are offered."""


def group_names(profile: Profile) -> list[str]:
    """How to name all groups: their labels, sorted, marked where they look like a pk or uuid."""
    with use_storage(profile, purpose='completion') as storage:
        rows = storage.find(GroupRow, order_by=('label',))
        return list(dict.fromkeys(identifier_of(row.label) for row in rows))


def computer_names(profile: Profile) -> list[str]:
    """How to name all computers: their labels, sorted, marked where they look like a pk or uuid."""
    with use_storage(profile, purpose='completion') as storage:
        rows = storage.find(ComputerRow, order_by=('label',))
        return [identifier_of(row.label) for row in rows]


def code_names(profile: Profile) -> list[str]:
    """How to name all codes, hidden ones too: `label@computer`, sorted."""
    from ricordi.services.codes.list import CodeFilter, list_codes

    with use_storage(profile, purpose='completion') as storage:
        return sorted({code.full_label for code in list_codes(storage, CodeFilter(hidden=True))})


def node_names(profile: Profile, start: str) -> list[str]:
    """Nodes whose pk or uuid starts like this; those made last where nothing was typed."""
    with use_storage(profile, purpose='completion') as storage:
        if not start:
            newest = storage.find(NodeRow, order_by=('-pk',), limit=MOST_NODES)
            return [str(row.pk) for row in newest]
        found = []
        if looks_like_pk(start) and len(start) < 9:
            # 42 → 42, 420 … 429, 4200 … 4299, as far as there are such nodes
            spans = [range(int(start) * 10**more, (int(start) + 1) * 10**more) for more in range(3)]
            pks = [pk for span in spans for pk in span][: MOST_NODES + 11]
            found = [str(row.pk) for row in storage.find(NodeRow, {'pk': pks})]
        uuids = storage.find_uuid_prefix(NodeRow, start, limit=MOST_NODES)
        return found + [row.uuid for row in uuids]


def json_keys(profile: Profile, column: str) -> list[str]:
    """The dotted keys inside `attributes` or `extras` of a sample of nodes, sorted; none of other columns."""
    if column not in ('attributes', 'extras'):
        return []
    found: set[str] = set()
    for row in _sample(profile):
        found.update(_dotted(getattr(row, column)))
    return sorted(found)


def type_names(profile: Profile) -> list[str]:
    """Types of nodes: those of AiiDA by class and entry point, and those of a sample of nodes; sorted."""
    from ricordi.services.nodes.types import known_types

    rows = _sample(profile)
    seen = {row.node_type.rstrip('.').rpartition('.')[0].removeprefix('data.') for row in rows}
    entry_points = {row.process_type for row in rows if row.process_type and ':' in row.process_type}
    return sorted({*known_types(), *seen, *entry_points} - {''})


def process_labels(profile: Profile) -> list[str]:
    """The labels of processes of a sample of nodes, sorted."""
    labels = {
        row.attributes.get('process_label') for row in _sample(profile) if is_process(row.node_type) and row.attributes
    }
    return sorted(label for label in labels if isinstance(label, str))


def _sample(profile: Profile) -> list[NodeRow]:
    """Nodes made last and nodes made first, without those that are damaged."""
    with use_storage(profile, purpose='completion') as storage:
        rows = [row for order in ('-pk', 'pk') for row in storage.find(NodeRow, order_by=(order,), limit=SAMPLE)]
    return [row for row in rows if not is_damaged(row.attributes) and not is_damaged(row.extras)]


def _dotted(value: Any, depth: int = DEEPEST) -> Iterator[str]:
    """The keys inside a JSON object, those below them after a dot; without such as hold a dot themselves."""
    if not isinstance(value, dict) or not depth:
        return
    for key, inner in value.items():
        if key and '.' not in key:
            yield key
            yield from (f'{key}.{below}' for below in _dotted(inner, depth - 1))
