"""Whether the links of an archive lead in a circle: along data provenance, or along calls."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from ricordi.errors import ValidationError
from ricordi.model.links import ACYCLIC, names_of, node_in_circle
from ricordi.storage.dialect import quoted

IN_NO_CIRCLE = f'({quoted(names_of(ACYCLIC))})'
"""The types of links that lead in no circle, in SQL."""


def check_cycles(raw: sqlite3.Connection, archive: str) -> None:
    """See that no node comes from itself.

    :raises ricordi.errors.ValidationError: one does.
    """
    backwards = f'SELECT 1 FROM db_dblink WHERE input_id >= output_id AND type IN {IN_NO_CIRCLE} LIMIT 1'
    if raw.execute(backwards).fetchone() is None:
        return  # where all links lead to a higher pk there is no way back
    left = node_in_circle(_number_nodes(raw), _links(raw))
    if left is not None:
        (uuid,) = raw.execute(
            'SELECT uuid FROM db_dbnode WHERE id = (SELECT id FROM temp.numbered WHERE rowid = ?)', (left + 1,)
        ).fetchone()
        raise ValidationError(f'in {archive} the links of node {uuid} lead in a circle; the archive cannot be imported')
    raw.execute('DROP TABLE temp.numbered')


def _number_nodes(raw: sqlite3.Connection) -> int:
    """Give the nodes numbers without gaps, as `node_in_circle` wants them; returns how many there are."""
    raw.execute('CREATE TEMP TABLE numbered (number INTEGER PRIMARY KEY, id INTEGER UNIQUE)')
    return int(raw.execute('INSERT INTO temp.numbered (id) SELECT id FROM db_dbnode ORDER BY id').rowcount)


def _links(raw: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """The links that may lead in no circle, between numbers from 0 on, by source."""
    return raw.execute(
        'SELECT a.number - 1, b.number - 1 FROM db_dblink AS l JOIN temp.numbered AS a ON a.id = l.input_id '
        f'JOIN temp.numbered AS b ON b.id = l.output_id WHERE l.type IN {IN_NO_CIRCLE} ORDER BY 1'
    )
