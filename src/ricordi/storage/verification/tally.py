"""Findings by the hundred thousand: the first of each kind are named, the rest are counted."""

from __future__ import annotations

from collections.abc import Iterator

from ricordi.backend.verification import Finding
from ricordi.storage.verification.kinds import KINDS

Nodes = tuple[tuple[int, str, str], ...]


class FindingTally:
    """Counts findings by kind and table, so that memory and output stay bounded whatever is damaged."""

    def __init__(self, most: int) -> None:
        """
        :param most: how many are named of each kind in each table.
        """
        self._most = most
        self._found: dict[tuple[str, str], int] = {}

    def room(self, kind: str, table: str) -> int:
        """How many more of a kind may be named."""
        return max(0, self._most - self._found.get((kind, table), 0))

    def found(self, kind: str, table: str, detail: str, place: object = '', nodes: Nodes = ()) -> Iterator[Finding]:
        """Take one finding in; it comes out if it is one of the first.

        :param place: what follows the table in `where`: the primary key of a row, a range of them.
        """
        if self.room(kind, table):
            where = f'{table} {place}'.strip()
            yield Finding(kind, detail, where, nodes=nodes, remedy=KINDS[kind].remedy, notice=KINDS[kind].notice)
        self.count(kind, table, 1)

    def count(self, kind: str, table: str, number: int) -> None:
        """Take in so many that are not named."""
        self._found[kind, table] = self._found.get((kind, table), 0) + number

    def rest(self) -> Iterator[Finding]:
        """A last finding for each kind of which more were counted than named."""
        for (kind, table), number in self._found.items():
            if number > self._most:
                detail = f'and {number - self._most:,} more'
                yield Finding(kind, detail, table, remedy=KINDS[kind].remedy, notice=KINDS[kind].notice)
        self._found.clear()
