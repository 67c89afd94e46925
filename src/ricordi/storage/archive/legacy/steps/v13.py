"""From 0.12 to 0.13: transports, too, are called `core.…`."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import Fields, Step, replace

TRANSPORTS = {'local': 'core.local', 'ssh': 'core.ssh'}


def _computer(fields: Fields) -> None:
    replace(fields, 'transport_type', TRANSPORTS)


STEP = Step('0.13', computer=_computer)
