"""The tables, columns, constraints and indexes that a database has to have, read from the statements that make them."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from ricordi.errors import StorageError
from ricordi.storage.schema import definitions

Sort = Literal['integer', 'text', 'uuid', 'time', 'boolean', 'json', 'any json']
PartSort = Literal['column', 'not null', 'primary key', 'unique', 'foreign key', 'index']

_SORTS: dict[str, Sort] = {
    'SERIAL': 'integer',
    'INTEGER': 'integer',
    'VARCHAR': 'text',
    'TEXT': 'text',
    'UUID': 'uuid',
    'DATETIME': 'time',
    'TIMESTAMP': 'time',
    'BOOLEAN': 'boolean',
    'JSON': 'json',
    'JSONB': 'json',
}
_TABLE = re.compile(r'CREATE TABLE (\w+) \((.*)\)', re.DOTALL)
_INDEX = re.compile(r'CREATE INDEX (\w+) ON (\w+) (?:USING btree )?\(([\w ]+)\)')
_KEY = re.compile(r'CONSTRAINT (\w+) (PRIMARY KEY|UNIQUE) \(([^)]*)\)')
_REFERENCE = re.compile(r'CONSTRAINT (\w+) FOREIGN KEY\((\w+)\) REFERENCES (\w+) \(id\)(?: ON DELETE (\w+))?')
_COLUMN = re.compile(r'"?(\w+)"? ([A-Z]+)(?:\((\d+)\))?( WITH TIME ZONE)?( NOT NULL)?')


class Column(NamedTuple):
    """A column of a table.

    :param limit: the most characters of a text; None for no limit.
    """

    name: str
    sort: Sort
    nullable: bool
    limit: int | None = None


class SchemaPart(NamedTuple):
    """Something that the schema says about a table, told by what it does and not by its name.

    :param subject: the columns, in alphabetical order; of a foreign key also what it leads to; of an index the operator
        class where it is not the usual one.
    """

    table: str
    sort: PartSort
    subject: str


class Declared(NamedTuple):
    """What a schema says.

    :param columns: of each table, by name, in order.
    :param unique: columns of each table that no two rows may have in common.
    :param references: of each table, column → table that it leads to.
    :param parts: all of it as parts, with their names where they have some.
    """

    columns: dict[str, dict[str, Column]]
    unique: dict[str, list[tuple[str, ...]]]
    references: dict[str, dict[str, str]]
    parts: dict[SchemaPart, str]


@cache
def declared(dialect_name: str) -> Declared:
    """The schema of a database (all revisions that can be opened have the same).

    :param dialect_name: `sqlite` or `postgresql`.
    """
    schema = Declared({}, {}, {}, {})
    for statement in definitions(dialect_name):
        if table := _TABLE.fullmatch(statement.strip()):
            _take_table(schema, table[1], table[2])
        elif index := _INDEX.fullmatch(statement.strip()):
            schema.parts[SchemaPart(index[2], 'index', index[3])] = index[1]
        else:
            raise StorageError(f'a statement of the schema is not understood: {statement}')
    return schema


def _take_table(schema: Declared, table: str, body: str) -> None:
    schema.columns[table], schema.unique[table], schema.references[table] = {}, [], {}
    for line in body.strip().split(',\n'):
        item = line.strip()
        if key := _KEY.fullmatch(item):
            columns = tuple(name.strip(' "') for name in key[3].split(','))
            if key[2] == 'UNIQUE':
                schema.unique[table].append(columns)
            sort: PartSort = 'unique' if key[2] == 'UNIQUE' else 'primary key'
            schema.parts[SchemaPart(table, sort, subject_of(columns))] = key[1]
        elif reference := _REFERENCE.match(item):
            schema.references[table][reference[2]] = reference[3]
            schema.parts[reference_part(table, reference[2], reference[3], reference[4])] = reference[1]
        else:
            _take_column(schema, table, item)


def _take_column(schema: Declared, table: str, item: str) -> None:
    column = _COLUMN.fullmatch(item)
    if column is None:
        raise StorageError(f'a column of the schema is not understood: {item}')
    name, nullable = column[1], column[5] is None
    sort = 'uuid' if name == 'uuid' else 'any json' if name == 'val' else _SORTS[column[2]]
    limit = int(column[3]) if column[3] and sort == 'text' else None
    schema.columns[table][name] = Column(name, sort, nullable, limit)
    schema.parts[SchemaPart(table, 'column', name)] = name
    if not nullable:
        schema.parts[SchemaPart(table, 'not null', name)] = name


def subject_of(columns: tuple[str, ...] | list[str]) -> str:
    """The subject of a part that is about columns, in whatever order they are given."""
    return ', '.join(sorted(columns))


def reference_part(table: str, column: str, target: str, on_delete: str | None) -> SchemaPart:
    """The part that a foreign key is.

    :param on_delete: `CASCADE`, `RESTRICT`; None or anything else for nothing.
    """
    action = on_delete if on_delete in ('CASCADE', 'RESTRICT', 'SET NULL') else 'NO ACTION'
    return SchemaPart(table, 'foreign key', f'{column} to {target}, {action} on delete')
