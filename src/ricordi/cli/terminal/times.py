"""Times for a person: in the zone of this machine, to the second. For programs they are ISO 8601 with their offset.

With `--utc` the zone of the machine is UTC for the process (`screen.settle`): here, in messages, in what is read.
"""

from __future__ import annotations

from datetime import datetime


def local_time(moment: datetime | None) -> str:
    """`2025-03-01 12:30:05+01:00`, or nothing for None."""
    return '' if moment is None else moment.astimezone().isoformat(' ', 'seconds')
