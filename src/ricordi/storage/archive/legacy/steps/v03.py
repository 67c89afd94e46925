"""From 0.2 to 0.3: links get a type, which is told by what they join."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import LinkRecord, Step

CALCULATION, WORK, CODE, DATA = 'calculation', 'work', 'code', 'data'
KINDS = {
    'calculation.job.': CALCULATION,
    'calculation.inline.': CALCULATION,
    'calculation.work.': WORK,
    'code.Code': CODE,
    'data.': DATA,
}
TYPES = {
    **{(source, target): 'inputlink' for source in (CODE, DATA) for target in (CALCULATION, WORK)},
    (CALCULATION, DATA): 'createlink',
    (WORK, DATA): 'returnlink',
    (WORK, CALCULATION): 'calllink',
    (WORK, WORK): 'calllink',
}


def _link(record: LinkRecord) -> None:
    ends = (_kind(record.source_before), _kind(record.target_before))
    found = TYPES.get(ends)
    if found is None:
        record.left_out = 'there is no type of link between such nodes'
    else:
        record.fields['type'] = found


def _kind(node_type: str) -> str:
    return next((kind for beginning, kind in KINDS.items() if node_type.startswith(beginning)), '')


STEP = Step('0.3', link=_link)
