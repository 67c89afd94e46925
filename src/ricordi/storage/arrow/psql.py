"""Rows of PostgreSQL for tables: by COPY, whose text Arrow reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from ricordi.storage.arrow.batch import FULL_BATCH, RawBatch, TableSource
from ricordi.storage.psql.copying import copied

if TYPE_CHECKING:
    from ricordi.storage.psql.dialect import PsqlDialect
    from ricordi.storage.session import Parameters, Session


class PsqlTable(TableSource):
    """The rows of a query, copied out of one transaction."""

    def __init__(
        self, dialect: PsqlDialect, session: Session, sql: str, parameters: Parameters, width: int, size: int
    ) -> None:
        """
        :param width: how many columns there are.
        :param size: rows of a batch.
        """
        self._dialect, self._sql, self._parameters = dialect, sql, parameters
        self._size = size
        self._names = [f'c{place}' for place in range(width)]
        self._kept = ExitStack()
        self._raw = session.raw if session.depth else self._kept.enter_context(dialect.reading())

    def batches(self) -> Iterator[RawBatch]:
        try:
            with self._raw.cursor() as cursor:
                text = f'COPY ({self._sql}) TO STDOUT (FORMAT csv)'
                for chunk in copied(cursor, text, self._parameters, self._size, FULL_BATCH):
                    yield self._read(chunk)
        except self._dialect.driver_errors as error:
            raise self._dialect.failure(error) from error

    def close(self) -> None:
        self._kept.close()

    def _read(self, chunk: bytearray) -> RawBatch:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(chunk),
            read_options=pyarrow.csv.ReadOptions(
                column_names=self._names, use_threads=False, block_size=len(chunk) + 1
            ),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(self._names) > 1),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[''],
            ),
        )
        return PsqlBatch(table)


class PsqlBatch(RawBatch):
    """Rows that were read from the text of a COPY."""

    def __init__(self, table: pa.Table) -> None:
        super().__init__(table.num_rows)
        self._table = table

    def text(self, place: int) -> Any:
        return self._table.column(place).combine_chunks()

    def values(self, place: int) -> list[Any]:
        return [None if value is None else PsqlText(value) for value in self._table.column(place).to_pylist()]


class PsqlText(str):
    """The text of a value, which is also asked as a number."""

    __slots__ = ()

    def as_tuple(self) -> Any:
        """As of a decimal number."""
        return Decimal(self).as_tuple()
