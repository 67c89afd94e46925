"""What a database hands over: some rows of a query, column by column, and the whole of them as often as is asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

FULL_BATCH = 16 << 20
"""Bytes of a batch, about, at which it ends before it has its number of rows."""


class RawBatch(ABC):
    """Some rows of a result."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @abstractmethod
    def text(self, place: int) -> Any:
        """A plain column as an array of strings; None where its text does not tell the values apart."""

    @abstractmethod
    def values(self, place: int) -> list[Any]:
        """A column as the driver gives it."""

    def json_text(self, place: int, decode: Any) -> Any:
        """As `text`, of a value inside JSON: its own text.

        :param decode: what makes the value of what the driver gives.
        """
        return self.text(place)


class TableSource(ABC):
    """The rows of one query, those of the moment it began."""

    @abstractmethod
    def batches(self) -> Iterator[RawBatch]:
        """All rows; the same ones each time."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what keeps them."""
