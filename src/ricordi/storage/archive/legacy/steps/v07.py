"""From 0.6 to 0.7: processes that have ended are sealed, and marks of older versions go."""

from __future__ import annotations

from ricordi.model.node_types import PROCESS
from ricordi.storage.archive.legacy.records import NodeRecord, Step

GONE = ('_sealed', '_finished', '_failed', '_aborted', '_do_abort')
ACTIVE = ('created', 'running', 'waiting')


def _node(record: NodeRecord) -> None:
    if not record.node_type.startswith(PROCESS):
        return
    attributes = record.attributes.dictionary
    state = attributes.get('process_state')
    if state in ACTIVE:
        raise ValueError(
            f'the process {record.fields.get("uuid")} is {state}: one that has not ended should never have gone into '
            'an archive'
        )
    attributes['sealed'] = True
    for name in GONE:
        attributes.pop(name, None)


STEP = Step('0.7', node=_node)
