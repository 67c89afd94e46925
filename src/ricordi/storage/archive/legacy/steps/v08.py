"""From 0.7 to 0.8: the label that links had by default is another."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import LinkRecord, Step, replace


def _link(record: LinkRecord) -> None:
    replace(record.fields, 'label', {'_return': 'result'})


STEP = Step('0.8', link=_link)
