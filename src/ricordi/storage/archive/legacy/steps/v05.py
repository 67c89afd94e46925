"""From 0.4 to 0.5: three fields that nothing used are gone."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import Fields, NodeRecord, Step


def _node(record: NodeRecord) -> None:
    for name in ('nodeversion', 'public'):
        record.fields.pop(name, None)


def _computer(fields: Fields) -> None:
    fields.pop('transport_params', None)


STEP = Step('0.5', node=_node, computer=_computer)
