"""What a verification finds, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

Cure = Literal[
    '', 'second copy', 'source', 'index', 'database', 'database with loss', 'maintenance', 'full maintenance', 'migrate'
]
"""What would mend a finding: a copy at hand; a source that holds objects; the index made anew; a change of the database
that takes nothing away; one that does; a maintenance. Empty: nothing that is known here."""


OF_LOST_ROWS = frozenset(
    {'damaged database', 'damaged index', 'dangling reference', 'missing table', 'unreadable rows'}
)
"""Kinds of findings that tell that rows of the database may be lost, with what they name."""


class Finding(NamedTuple):
    """Something that is not as it should be.

    :param kind: one of a few stable names, as `missing object`, `damaged object`, `dangling reference`.
    :param detail: what is wrong, in words, without an advice.
    :param where: a file and place in it, or a table and the primary key of a row.
    :param key: of an object; else empty.
    :param nodes: what names it: (pk, uuid, path) of each, the first ones of many.
    :param remedy: what would mend it.
    :param notice: it is worth to be known and no damage: a verification that finds nothing else is clean.
    """

    kind: str
    detail: str
    where: str = ''
    key: str = ''
    nodes: tuple[tuple[int, str, str], ...] = ()
    remedy: Cure = ''
    notice: bool = False


class DatabaseCheck(NamedTuple):
    """A part of the verification of a database.

    :param name: what it looks at, in words; no two have the same.
    :param work: how much it takes, compared with the others; 0: it is done where the others are begun, nowhere else.
    """

    name: str
    work: float


class ChecksApart(NamedTuple):
    """How another process does checks of the same database.

    :param module: what it runs: it is told the settings first, and then the names of checks, each of which it answers
        with what was found.
    :param settings: as of JSON.
    :param size: bytes of the database: for a small one no process is worth its start.
    """

    module: str
    settings: dict[str, Any]
    size: int


class DatabaseChecks:
    """The checks of a database, each of which finds the same whenever it is done, and by which process. To be closed.

    These here are none, as of a storage without a database.
    """

    listed: tuple[DatabaseCheck, ...] = ()
    """In the order in which their findings are told."""
    apart: ChecksApart | None = None
    """None where no other process finds the database, or the work is done by a server."""

    def begin(self) -> None:
        """Have that begun which goes on beside all of them."""

    def run(self, check: DatabaseCheck) -> Iterator[Finding]:
        """What one of those listed finds, as it is found.

        :raises ricordi.errors.UnreachableStorage: the database is lost on the way.
        """
        yield from ()

    def all(self) -> Iterator[Finding]:
        """What all of them find, one after the other."""
        self.begin()
        for check in self.listed:
            yield from self.run(check)

    def close(self) -> None:
        """Let go of the database."""
