"""JSON that needs to be read to be judged: file trees, and, where it is asked for, all that might not be readable."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ricordi.backend.verification import Finding
from ricordi.errors import RicordiError
from ricordi.model.values import json_fault
from ricordi.storage.file_trees import fault_of_text
from ricordi.storage.verification.look import Look
from ricordi.storage.verification.rows import NODES

PAGE_ROWS = 2000
"""Rows whose JSON is fetched at a time."""


def check_trees(look: Look) -> Iterator[Finding]:
    """Find the nodes whose file tree breaks its grammar: SQL finds few that may, which are looked at here."""
    if not look.has(NODES, 'id', 'uuid', 'repository_metadata'):
        return
    for pk, uuid, text in look.reader.suspect_trees():
        if text is not None and (fault := fault_of_text(text)):  # a missing one is told where values are looked at
            yield from look.tally.found(
                'file tree', NODES, f'the file tree cannot be: {fault}', pk, ((pk, str(uuid), ''),)
            )


def check_json_closely(look: Look, table: str) -> Iterator[Finding]:
    """Read all JSON of a table that databases take and Python may not, or that archives do not take."""
    columns = [
        column for column in look.columns(table) if column.sort == 'json' and column.name != 'repository_metadata'
    ]
    reader = look.reader
    for column in columns if look.has(table, 'id') else ():
        condition = reader.suspect_json(column.name)
        for page in look.pages(table):
            within = f'id BETWEEN {page[0]} AND {page[-1]}'
            for pk, content in reader.stream(
                f'SELECT id, {reader.content(column.name)} FROM {table} WHERE {within} AND {condition} ORDER BY id'
            ):
                yield from _judged(look, table, column.name, pk, content)


def _judged(look: Look, table: str, name: str, pk: int, content: bytes | str) -> Iterator[Finding]:
    try:
        text = content.decode() if isinstance(content, bytes) else content
        fault = json_fault(text)
        if fault is None or not isinstance(json.loads(text), dict):
            return  # what is no dictionary is told where values are looked at
        kind, detail = 'odd JSON', f'the {name} can be read, but not be taken elsewhere: {fault}'
    except UnicodeDecodeError:
        return
    except (ValueError, RecursionError):
        if not _is_json(look, table, name, pk):
            return
        kind, detail = 'unreadable JSON', f'the {name} cannot be read: {fault}'
    nodes = look.reader.nodes([pk]) if table == NODES else ()
    yield from look.tally.found(kind, table, detail, pk, nodes)


def _is_json(look: Look, table: str, name: str, pk: int) -> bool:
    """Whether the database takes for sound what Python does not: else it is told where values are looked at."""
    column = look.reader.schema.columns[table][name]
    unsound = look.reader.unsound(column, name)
    try:
        return not look.reader.rows(f'SELECT 1 FROM {table} WHERE id = {pk} AND {unsound}')
    except RicordiError as error:
        if look.reader.must_end(error):
            raise
        return False
