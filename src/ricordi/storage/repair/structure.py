"""The statements that give a database what its schema has and it lacks."""

from __future__ import annotations

import re

from ricordi.storage.schema import definitions
from ricordi.storage.verification.declared import declared

_REINDEX = {'sqlite': 'REINDEX "{}"', 'postgresql': 'REINDEX INDEX "{}"'}
_SETVAL = (
    "SELECT setval(pg_get_serial_sequence('{0}', 'id'), coalesce(max(id), 1), count(*) > 0) FROM {0} "
    "WHERE pg_get_serial_sequence('{0}', 'id') IS NOT NULL"
)


def statements_for(dialect_name: str, kind: str, table: str, name: str) -> list[str]:
    """What to execute against a finding; nothing where this database cannot be given it afterwards.

    :param dialect_name: `sqlite` or `postgresql`.
    :param kind: of the finding.
    :param table: of which it is; of a damaged index, its name.
    :param name: of the index or constraint, as the schema has it.
    """
    if kind == 'damaged index':
        return [_REINDEX[dialect_name].format(table.replace('"', '""'))]
    if kind == 'sequence behind' and dialect_name == 'postgresql':
        return [_SETVAL.format(table)]
    if kind == 'missing index':
        return _index(dialect_name, name)
    if kind == 'missing constraint':
        return _constraint(dialect_name, table, name)
    return []


def _index(dialect_name: str, name: str) -> list[str]:
    for statement in definitions(dialect_name):
        if re.match(rf'\s*CREATE INDEX {re.escape(name)} ON ', statement):
            # one of that name may be there that is not valid, or of other columns
            return [f'DROP INDEX IF EXISTS {name}', statement]
    return []


def _constraint(dialect_name: str, table: str, name: str) -> list[str]:
    parts = [part for part, called in declared(dialect_name).parts.items() if part.table == table and called == name]
    part = next((part for part in parts if part.sort in ('unique', 'primary key', 'foreign key', 'not null')), None)
    if part is None:
        return []
    if dialect_name == 'sqlite':
        columns = ', '.join(f'"{column}"' for column in part.subject.split(', '))
        return [f'CREATE UNIQUE INDEX {name} ON {table} ({columns})'] if part.sort == 'unique' else []
    if part.sort == 'not null':
        return [f'ALTER TABLE {table} ALTER COLUMN {part.subject} SET NOT NULL']
    found = re.search(rf'CONSTRAINT {re.escape(name)} [^\n]*', ';\n'.join(definitions(dialect_name)))
    if found is None:
        return []
    # one of that name may be there that was never checked
    return [f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}', f'ALTER TABLE {table} ADD {found[0].rstrip(",")}']
