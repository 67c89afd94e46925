"""Whether the links of an archive lead in a circle: along data provenance, or along calls."""

from __future__ import annotations

import sqlite3
from array import array

from ricordi.errors import ValidationError
from ricordi.model.links import ACYCLIC, names_of

IN_NO_CIRCLE = f'({", ".join(map(repr, names_of(ACYCLIC)))})'
"""The types of links that lead in no circle, in SQL."""


def check_cycles(raw: sqlite3.Connection, archive: str) -> None:
    """See that no node comes from itself.

    :raises ricordi.errors.ValidationError: one does.
    """
    backwards = f'SELECT 1 FROM db_dblink WHERE input_id >= output_id AND type IN {IN_NO_CIRCLE} LIMIT 1'
    if raw.execute(backwards).fetchone() is None:
        return  # where all links lead to a higher pk there is no way back
    number = _number_nodes(raw)
    left = _nodes_in_circles(raw, number)
    if left is not None:
        (uuid,) = raw.execute(
            'SELECT uuid FROM db_dbnode WHERE id = (SELECT id FROM temp.numbered WHERE rowid = ?)', (left + 1,)
        ).fetchone()
        raise ValidationError(f'in {archive} the links of node {uuid} lead in a circle; the archive cannot be imported')
    raw.execute('DROP TABLE temp.numbered')


def _number_nodes(raw: sqlite3.Connection) -> int:
    """Give the nodes numbers without gaps, so that arrays can stand for sets of them."""
    raw.execute('CREATE TEMP TABLE numbered (number INTEGER PRIMARY KEY, id INTEGER UNIQUE)')
    return int(raw.execute('INSERT INTO temp.numbered (id) SELECT id FROM db_dbnode ORDER BY id').rowcount)


def _nodes_in_circles(raw: sqlite3.Connection, number: int) -> int | None:
    """A node that is left when, again and again, those are taken away that no link leads to; None if none is."""
    links = raw.execute(
        'SELECT a.number - 1, b.number - 1 FROM db_dblink AS l JOIN temp.numbered AS a ON a.id = l.input_id '
        f'JOIN temp.numbered AS b ON b.id = l.output_id WHERE l.type IN {IN_NO_CIRCLE} ORDER BY 1'
    )
    begins = array('q', bytes(8 * (number + 1)))
    targets = array('i')
    incoming = array('i', bytes(4 * number))
    for source, target in links:
        begins[source + 1] += 1
        targets.append(target)
        incoming[target] += 1
    for place in range(number):
        begins[place + 1] += begins[place]
    free = array('i', (node for node in range(number) if not incoming[node]))
    taken = 0
    while free:
        node = free.pop()
        taken += 1
        for target in targets[begins[node] : begins[node + 1]]:
            incoming[target] -= 1
            if not incoming[target]:
                free.append(target)
    if taken == number:
        return None
    return next(node for node in range(number) if incoming[node])
