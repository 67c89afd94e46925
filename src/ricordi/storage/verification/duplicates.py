"""Values that the schema allows once and more rows have: a constraint is not there, or its index is damaged."""

from __future__ import annotations

from collections.abc import Iterator

from ricordi.backend.verification import Finding
from ricordi.storage.verification.look import Look, shown


def check_duplicates(look: Look, table: str) -> Iterator[Finding]:
    """Find the rows of a table that have a unique value in common."""
    for names in look.reader.schema.unique[table]:
        if look.has(table, 'id', *names):
            yield from _check(look, table, names)


def _check(look: Look, table: str, names: tuple[str, ...]) -> Iterator[Finding]:
    kind = 'duplicate uuid' if names == ('uuid',) else 'duplicate value'
    columns = ', '.join(names)
    there = ' AND '.join(f'{name} IS NOT NULL' for name in names)
    groups = f'FROM {table} WHERE {there} GROUP BY {columns} HAVING count(*) > 1'
    (number,) = look.reader.rows(f'SELECT count(*) FROM (SELECT 1 AS one {groups}) AS found')[0]
    most = min(number, look.tally.room(kind, table))
    if most:
        found = f'SELECT min(id), max(id), count(*), {columns} {groups} ORDER BY 1 LIMIT {most}'
        for first, last, rows, *values in look.reader.rows(found):
            value = ', '.join(f'{name} {shown(value)}' for name, value in zip(names, values, strict=True))
            nodes = look.reader.nodes([first, last]) if table == 'db_dbnode' else ()
            place = f'{first}, {last}' if rows == 2 else f'{first}, …, {last}'
            yield from look.tally.found(kind, table, f'{rows} rows have the {value}', place, nodes)
    look.tally.count(kind, table, number - most)
