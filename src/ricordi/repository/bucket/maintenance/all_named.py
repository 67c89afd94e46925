"""Up to when all that was put is named: a look for garbage that found none spares the next one what it has seen.

As long as no reference has gone since, an object that nobody names was put after that look. Nothing is removed by what
is noted here: an error would leave garbage where it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from ricordi.repository.bucket.database import Link
from ricordi.repository.bucket.index import BucketIndex

SETTLING_SECONDS = 60.0
"""From the time that a row bears to the moment at which its transaction is seen to run."""

_LOOK = """
SELECT (SELECT all_named FROM store), ARRAY(SELECT transaction::text FROM references_gone), clock_timestamp(),
       NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted)
"""


class NamedUntil(NamedTuple):
    """What is known before a look for garbage.

    :param until: what was put up to then was named at a look before this one.
    :param gone: transactions that have taken references away since, as far as they are seen.
    :param now: the time by the clock of the database.
    :param is_quiet: no transaction that writes is under way.
    """

    until: datetime | None
    gone: list[str]
    now: datetime
    is_quiet: bool

    @property
    def since(self) -> datetime | None:
        """What was put up to then need not be looked at; None: all has to be."""
        return None if self.gone else self.until


def named_until(index: BucketIndex) -> NamedUntil | None:
    """What is known now; None where the tables are of an earlier program. To be asked before the look."""
    return NamedUntil(*index.database.rows(_LOOK)[0]) if index.is_current else None


def note_all_named(index: BucketIndex, before: NamedUntil, grace_seconds: float, lasting_seconds: float) -> None:
    """Note that a look has found nothing without a name.

    Transactions that were under way then may have put something that bears an earlier time: where there were some, what
    is younger than the longest of them may last is looked at again. Those that took references away and were not seen
    before the look keep their rows, so that the next look is at all.

    :param before: what was known before the look.
    :param grace_seconds: what was put so lately was not looked at.
    :param lasting_seconds: how long a transaction may last.
    """
    margin = SETTLING_SECONDS if before.is_quiet else lasting_seconds
    until = before.now - timedelta(seconds=max(margin, grace_seconds))

    def note(link: Link) -> None:
        link.execute('UPDATE store SET all_named = %s', (until,))
        link.execute('DELETE FROM references_gone WHERE transaction = ANY(%s::text[]::xid8[])', (before.gone,))

    index.database.transaction(note)
