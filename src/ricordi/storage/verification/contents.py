"""JSON that needs to be read to be judged: file trees, and, where it is asked for, all that might not be readable."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ricordi.backend.verification import Finding
from ricordi.errors import RicordiError
from ricordi.model.file_trees import fault_of_text
from ricordi.model.values import json_fault, may_be_odd
from ricordi.storage.verification.look import Look
from ricordi.storage.verification.rows import NODES


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
        suspects = f'SELECT id, {reader.content(column.name)} FROM {table} WHERE ({condition})'
        for page in look.pages(table):
            try:
                for pk, content in reader.stream(f'{suspects} AND id BETWEEN {page[0]} AND {page[-1]} ORDER BY id'):
                    if _may_be_odd(content):
                        yield from _judged(look, table, column.name, pk, content)
            except RicordiError as error:
                if not reader.is_of_rows(error, f'{suspects} AND 1 = 0'):
                    raise
                detail = f'the {column.name} of rows among primary keys {page[0]} to {page[-1]} cannot be read'
                yield from look.tally.found('unreadable rows', table, detail, f'{page[0]}-{page[-1]}')


def _may_be_odd(content: bytes | str) -> bool:
    """Whether JSON has to be read to be judged; what is no text is told where values are looked at."""
    try:
        return may_be_odd(content.decode() if isinstance(content, bytes) else content)
    except UnicodeDecodeError:
        return False


def _judged(look: Look, table: str, name: str, pk: int, content: bytes | str) -> Iterator[Finding]:
    text = content.decode() if isinstance(content, bytes) else content
    fault = json_fault(text)
    if fault is None:
        return
    try:
        if not isinstance(json.loads(text), dict):
            return  # which is told where values are looked at
        kind, detail = 'odd JSON', f'the {name} can be read, but not be taken elsewhere: {fault}'
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
