"""From 0.10 to 0.11: the name of a computer is called its label."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import Fields, Step, rename


def _computer(fields: Fields) -> None:
    rename(fields, {'name': 'label'})


STEP = Step('0.11', computer=_computer)
