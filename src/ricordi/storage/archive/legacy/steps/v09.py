"""From 0.8 to 0.9: types of groups are entry points."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import Fields, Step, replace

TYPES = {'user': 'core', 'data.upf': 'core.upf', 'auto.import': 'core.import', 'auto.run': 'core.auto'}


def _group(fields: Fields) -> None:
    replace(fields, 'type_string', TYPES)


STEP = Step('0.9', group=_group)
