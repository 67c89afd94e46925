"""Record batches written as Parquet or Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

ROWS_OF_A_GROUP = 100_000
BYTES_OF_A_GROUP = 64 << 20
"""What a row group of Parquet holds: as much as a reader of a part of the file reads at once."""


def write_batches(batches: Iterator[Any], handle: BinaryIO, form: str, stream: bool = False) -> int:
    """Write record batches as they come, and tell how many rows they had.

    :param batches: at least one.
    :param form: `parquet` or `arrow`.
    :param stream: of Arrow, whether in the form of streams, for a pipe, instead of that of files.
    """
    first = next(batches)
    everything = chain((first,), batches)
    if form == 'parquet':
        return _write_parquet(first.schema, everything, handle)
    return _write_arrow(first.schema, everything, handle, stream)


def _write_arrow(schema: Any, batches: Iterator[Any], handle: BinaryIO, stream: bool) -> int:
    import pyarrow.ipc

    rows = 0
    with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(handle, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _write_parquet(schema: Any, batches: Iterator[Any], handle: BinaryIO) -> int:
    import pyarrow.parquet

    rows = 0
    with pyarrow.parquet.ParquetWriter(handle, schema) as writer:
        for table in _row_groups(batches):
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _row_groups(batches: Iterator[Any]) -> Iterator[Any]:
    """Batches put together to what shall lie together."""
    import pyarrow

    group: list[Any] = []
    rows = weight = 0
    for batch in batches:
        group.append(batch)
        rows, weight = rows + batch.num_rows, weight + batch.nbytes
        if rows >= ROWS_OF_A_GROUP or weight >= BYTES_OF_A_GROUP:
            yield pyarrow.Table.from_batches(group)
            group, rows, weight = [], 0, 0
    if group:
        yield pyarrow.Table.from_batches(group)
