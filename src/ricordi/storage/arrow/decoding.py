"""Values one by one: for the columns, or the batches, of which the text does not tell all."""

from __future__ import annotations

from typing import Any

from ricordi.errors import CorruptStorage
from ricordi.model.values import UNREADABLE, why_unreadable
from ricordi.storage.arrow.columns import ColumnContent, TableColumn
from ricordi.storage.query.rows import decode_json


def decoded(column: TableColumn, values: list[Any]) -> list[Any]:
    """The Python values of a column.

    :raises ricordi.errors.CorruptStorage: one of them cannot be read.
    """
    decode = column.decode
    if decode is None and column.content is ColumnContent.DOCUMENT:
        decode = decode_json  # of a whole entity, whose row class decodes it when it is looked at
    if decode is None:
        return values
    made = []
    for value in values:
        try:
            made.append(decode(value))
        except UNREADABLE as error:
            raise CorruptStorage(
                f'a value of {column.name} cannot be read: {why_unreadable(error, value)}; ask for rows to find it'
            ) from error
    return made
