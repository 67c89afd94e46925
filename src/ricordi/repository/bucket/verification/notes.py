"""What was read when, and what was found damaged, noted in the database beside the index: all hosts see the same.

A pack never changes, and one that is made is unread; so a time for each is enough. Objects that are kept in the
database count as read together; one that was put since counts as unread. The notes only save work: nothing is ever
removed on their word.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ricordi.backend.verification_report import RECENT_DAYS, VerificationState
from ricordi.errors import StorageError

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

MOST_DAMAGED = 1000
"""So many damaged objects are remembered by their keys, and looked at again each time."""

_STATE = """
SELECT structure_checked, findings + cardinality(damaged), inline_read, clock_timestamp(),
       coalesce((SELECT sum(stored) FROM objects WHERE pack IS NULL), 0)::bigint,
       coalesce((SELECT sum(stored) FROM objects WHERE pack IS NULL AND touched <= inline_read), 0)::bigint, {of_rows}
FROM store
"""
_PACKS = """
SELECT coalesce(sum(bytes - list_bytes), 0)::bigint,
       coalesce(sum(bytes - list_bytes) FILTER (WHERE read_whole IS NOT NULL), 0)::bigint,
       coalesce(sum(bytes - list_bytes) FILTER (WHERE read_whole >= %s), 0)::bigint, min(read_whole)
FROM packs WHERE state = 'live' AND EXISTS (SELECT FROM objects WHERE pack = packs.uuid)
"""
_ADD = 'UPDATE store SET damaged = damaged || %b WHERE NOT %b = ANY(damaged) AND cardinality(damaged) < %s'
_REMOVE = 'UPDATE store SET damaged = array_remove(damaged, %b)'


class ReadNotes:
    """The notes of one store."""

    def __init__(self, bucket: BucketRepository, remember: bool = True) -> None:
        """
        :param remember: False: nothing is noted.
        """
        self._database = bucket.database
        self._is_there = bucket.index.has_notes
        self._knows_rows = bucket.index.is_current
        self._remember = remember and self._is_there
        self.failed = ''
        """Why something could not be noted; empty: all was."""

    def now(self) -> datetime:
        """The time of the server, by which is noted."""
        ((now,),) = self._database.rows('SELECT clock_timestamp()')
        assert isinstance(now, datetime)
        return now

    # -- what is noted ----------------------------------------------------------------------------------------

    def state(self) -> VerificationState | None:
        """What is known of earlier verifications, compared with what is there; None where nothing can be noted."""
        if not self._is_there:
            return None
        of_rows = 'findings_of_rows' if self._knows_rows else '0'
        ((structure, findings, inline_read, now, inline, known, rows),) = self._database.rows(
            _STATE.format(of_rows=of_rows)
        )
        since = now - timedelta(days=RECENT_DAYS)
        ((total, read, recent, oldest),) = self._database.rows(_PACKS, (since,))
        times = [time for time in (oldest, inline_read if known else None) if time is not None]
        lately = known if inline_read is not None and inline_read >= since else 0
        return VerificationState(
            structure, findings, total + inline, read + known, recent + lately, min(times, default=None), rows
        )

    def damaged(self) -> list[bytes]:
        """The hashes of objects that were found damaged."""
        if not self._is_there:
            return []
        ((hashes,),) = self._database.rows('SELECT damaged FROM store')
        return [bytes(hash) for hash in hashes]

    # -- taking note ------------------------------------------------------------------------------------------

    def note_structure(self, findings: int, of_rows: int) -> None:
        """The structure was checked as a whole just now.

        :param of_rows: how many findings tell that rows of the database may be lost.
        """
        statement = 'UPDATE store SET structure_checked = clock_timestamp(), findings = %s'
        if self._knows_rows:
            self._note(f'{statement}, findings_of_rows = %s', (findings, of_rows))
        else:
            self._note(statement, (findings,))

    def note_read(self, pack: UUID | None, begun: datetime) -> None:
        """All of a pack was read, or what is kept in the database.

        :param begun: when.
        """
        if pack is None:
            self._note('UPDATE store SET inline_read = %s', (begun,))
        else:
            self._note('UPDATE packs SET read_whole = %s WHERE uuid = %s', (begun, pack))

    def note_damaged(self, key: str) -> None:
        """An object was found damaged."""
        hash = bytes.fromhex(key)
        self._note(_ADD, (hash, hash, MOST_DAMAGED))

    def note_sound(self, hashes: Iterable[bytes]) -> None:
        """Objects that were damaged are not any more."""
        for hash in hashes:
            self._note(_REMOVE, (hash,))

    def _note(self, statement: str, parameters: tuple[Any, ...]) -> None:
        if not self._remember or self.failed:
            return
        try:
            self._database.change(statement, parameters)
        except StorageError as error:
            self.failed = str(error).partition('; ')[0]
