"""Names for a shell to complete: of groups, computers, codes and nodes."""

from __future__ import annotations

from ricordi.backend.rows import ComputerRow, GroupRow, NodeRow
from ricordi.config import Profile
from ricordi.manager import use_storage
from ricordi.model.identifiers import identifier_of, looks_like_pk

MOST_NODES = 100
"""So many nodes are offered; who has typed more digits is offered the right ones."""


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
