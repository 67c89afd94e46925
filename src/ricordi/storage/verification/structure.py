"""Tables, columns, constraints and indexes that the schema has and the database lacks; and what else it must tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ricordi.backend.verification import Cure, Finding
from ricordi.storage.schema import HEAD, OLDEST, REPOSITORY_UUID
from ricordi.storage.verification.kinds import KINDS

if TYPE_CHECKING:
    from ricordi.storage.verification.declared import SchemaPart
    from ricordi.storage.verification.look import Look

VERSION_TABLE = 'alembic_version'
_KNOWN = (OLDEST, HEAD)


def check_structure(look: Look) -> Iterator[Finding]:
    """Compare what is there with the schema, by what it does: names may differ."""
    tables = {part.table for part in look.there}
    for part, name in look.reader.schema.parts.items():
        if part in look.there or (part.table == VERSION_TABLE and look.repository_uuid is None):
            continue
        if part.table not in tables:
            if part.sort == 'primary key':  # which each table has: told once
                yield from look.tally.found('missing table', part.table, f'the table {part.table} is missing')
        elif part.sort == 'column' or look.has(part.table, *_columns_of(look, part)):
            yield from _missing(look, part, name)


def _columns_of(look: Look, part: SchemaPart) -> list[str]:
    """The columns that a part is about; where one is missing, that is told."""
    words = part.subject.replace(',', ' ').split()
    return [word for word in words if word in look.reader.schema.columns[part.table]]


def _missing(look: Look, part: SchemaPart, name: str) -> Iterator[Finding]:
    kind = {'column': 'missing column', 'index': 'missing index'}.get(part.sort, 'missing constraint')
    words = {'not null': 'NOT NULL', 'unique': 'UNIQUE', 'primary key': 'primary key'}.get(part.sort, part.sort)
    called = '' if name == part.subject else f' ({name})'
    detail = f'the {words} of {part.subject}{called} is missing, or not valid'
    yield from look.tally.found(kind, part.table, detail, name)


def check_version(look: Look) -> Iterator[Finding]:
    """See that the database tells its revision. An archive has it elsewhere."""
    if look.repository_uuid is None or not look.has(VERSION_TABLE):
        return
    rows = look.reader.rows(f'SELECT version_num FROM {VERSION_TABLE}')
    if len(rows) != 1:
        detail = f'the schema revision is told {len(rows)} times instead of once'
        yield from look.tally.found('schema version', VERSION_TABLE, detail)
    elif rows[0][0] not in _KNOWN:
        detail = f'the schema revision {rows[0][0]!r} is not known; known are {" and ".join(_KNOWN)}'
        yield from look.tally.found('schema version', VERSION_TABLE, detail)
    elif rows[0][0] != HEAD:
        remedy: Cure = 'migrate'
        detail = f'the schema revision is {rows[0][0]}, and the current one {HEAD}'
        yield Finding('schema version', detail, VERSION_TABLE, remedy=remedy, notice=KINDS['schema version'].notice)


def check_repository(look: Look) -> Iterator[Finding]:
    """See that the database names the repository that it is used with."""
    if look.repository_uuid is None or not look.has('db_dbsetting', 'id', 'key', 'val'):
        return
    text = look.reader.content('val')
    rows = look.reader.rows(f"SELECT id, {text} FROM db_dbsetting WHERE key = '{REPOSITORY_UUID}'")
    if not rows:
        yield from look.tally.found('repository uuid', 'db_dbsetting', f'there is no setting {REPOSITORY_UUID!r}')
    for pk, content in rows:
        told = content.decode(errors='backslashreplace') if isinstance(content, bytes) else str(content)
        if told.strip().strip('"') != look.repository_uuid:
            detail = f'the database names the repository {told}, and is used with "{look.repository_uuid}"'
            yield from look.tally.found('repository uuid', 'db_dbsetting', detail, pk)
