"""A database at one moment, as rows in a form that is the same for every backend: what a backup is made of.

The form of the rows is that of `docs/formats/backups.md`. A storage gives such a snapshot of itself
(`StorageBackend.snapshot`) and can be filled from one (`StorageBackend.fill`); what a backup repository holds, or a
backup of AiiDA's, is one too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, Self

Source = Literal['sqlite', 'postgresql']


class TablePart(NamedTuple):
    """Columns of a table that are kept together.

    :param table: its name in the database, such as `db_dbnode`.
    :param part: empty for the whole table; nodes come in two, `fixed` and `changing`: what a touched node changes is
        kept apart from what it cannot change.
    :param columns: names in the database; the first one is `id`, in each part.
    :param width: a piece begins at the multiples of this primary key.
    """

    table: str
    part: str
    columns: tuple[str, ...]
    width: int


class Piece(NamedTuple):
    """Rows of one part of a table, by ascending primary key.

    :param first: primary key of its first row.
    :param rows: how many there are.
    :param odd: how many of them hold a value that the form of the others cannot hold.
    :param data: the rows, one a line, LF after each.
    """

    first: int
    rows: int
    odd: int
    data: bytes


class Misfit(NamedTuple):
    """A value that PostgreSQL would refuse: found when a snapshot is made, not on the day it is needed.

    :param pk: of the row.
    :param reason: what is wrong, in words.
    """

    table: str
    pk: int
    column: str
    reason: str


class DatabaseSnapshot(ABC):
    """All rows of a database at one moment. Use it in a `with`: it holds a transaction, or room on the disk."""

    source: Source
    """The kind of database that the rows come from."""

    schema: str
    """The schema revision."""

    parts: tuple[TablePart, ...]
    """What there is, in an order in which rows can be put: nothing names what comes after it."""

    sequences: Mapping[str, int]
    """By table the highest primary key ever given out, where that is known: no key of a deleted row comes back."""

    @property
    def state(self) -> str:
        """What tells these rows from all others: databases of which it is the same hold the same rows.

        Empty where nothing does but to read them.
        """
        return ''

    @abstractmethod
    def pieces(self, part: TablePart) -> Iterator[Piece]:
        """The rows of a part in pieces, by ascending primary key, in constant memory.

        A piece ends before the next multiple of `part.width`, or after the row with which it is over 8 MiB.
        """

    @abstractmethod
    def named_keys(self) -> Iterator[str]:
        """The keys of objects that its nodes name: distinct, ascending, streamed."""

    @abstractmethod
    def misfits(self, most: int) -> list[Misfit]:
        """What PostgreSQL would refuse of what was read so far, at most so many."""

    def lost_rows(self) -> str:
        """Why the database may have lost rows of nodes before, or names of objects with damaged file trees, in words;
        empty where nothing tells of any."""
        return ''

    @abstractmethod
    def close(self) -> None:
        """Let go of the transaction, or of the room."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
