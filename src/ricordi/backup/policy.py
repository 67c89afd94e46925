"""Which snapshots a policy keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from ricordi.backup.records import SnapshotRecord
from ricordi.errors import UsageError


class KeepPolicy(NamedTuple):
    """How many snapshots of a profile to keep: the last ones, and the last one of each of so many hours, days, ….

    Hours, days and so on are those of UTC; weeks begin on Mondays (ISO 8601). Ones without a snapshot do not count.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether it keeps nothing."""
        return not any(self)

    def check(self) -> None:
        """Refuse numbers that cannot be meant.

        :raises ricordi.errors.UsageError: one is negative.
        """
        if any(number < 0 for number in self):
            raise UsageError('how many snapshots to keep is no negative number')


_PERIODS: dict[str, Callable[[datetime], object]] = {
    'hourly': lambda time: f'{time:%Y-%m-%d %H}',
    'daily': lambda time: f'{time:%Y-%m-%d}',
    'weekly': lambda time: time.isocalendar()[:2],
    'monthly': lambda time: f'{time:%Y-%m}',
    'yearly': lambda time: time.year,
}


def kept_by(policy: KeepPolicy, records: Iterable[SnapshotRecord], now: datetime) -> dict[str, list[str]]:
    """The names of the snapshots that a policy keeps, each with the reasons; of every profile as if it were alone.

    The last complete snapshot of a profile is always kept, however many incomplete ones came after it. One whose time
    is yet to come is kept and counts for none: a clock is or was wrong, and it must not push out what is made today.

    :param now: what time it is.
    """
    by_profile: dict[str, list[SnapshotRecord]] = {}
    kept: dict[str, list[str]] = {}
    for record in sorted(records, key=lambda record: (record.time, record.name), reverse=True):
        if record.time > now:
            kept[record.name] = ['in the future']
        else:
            by_profile.setdefault(record.origin.profile_uuid, []).append(record)
    for newest_first in by_profile.values():
        for name, reason in _kept_of_profile(policy, newest_first):
            kept.setdefault(name, []).append(reason)
    return kept


def _kept_of_profile(policy: KeepPolicy, newest_first: list[SnapshotRecord]) -> list[tuple[str, str]]:
    found = [(record.name, 'last') for record in newest_first[: policy.last]]
    for reason, period_of in _PERIODS.items():
        last_of: dict[object, str] = {}
        for record in newest_first:
            last_of.setdefault(period_of(record.time), record.name)
        found += [(name, reason) for name in list(last_of.values())[: getattr(policy, reason)]]
    complete = next((record.name for record in newest_first if record.complete), None)
    if complete is not None and complete not in {name for name, _ in found}:
        found.append((complete, 'last complete'))
    return found
