"""`ricordi storage index`: indexes of single attributes and extras, by which filters find nodes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.opened import opened
from ricordi.cli.parameters import JSON_FIELD
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.quantities import format_bytes
from ricordi.cli.verb import format_option, verb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ricordi.model.attribute_paths import AttributePath

COLUMNS = (
    OutputColumn('path', 'Path'),
    OutputColumn('bytes', 'Size', format_bytes),
    OutputColumn('state', 'State'),
)
SUGGESTED = (
    OutputColumn('path', 'Path'),
    OutputColumn('nodes', 'Nodes, about'),
    OutputColumn('values', 'Values seen'),
    OutputColumn('reason', 'Why'),
)


@verb('ricordi storage index list', 'ricordi -p main storage index list --format json')
@format_option()
def list_indexes(session: CommandSession, output_format: str | None) -> int:
    """List the indexes of attributes and extras.

    An index whose state is `unfinished` was cut short while it was made: `ricordi storage index add` makes it anew.
    """
    with opened(session, 'storage index list') as storage:
        rows = [
            {'path': str(index.path), 'bytes': index.size, 'state': 'whole' if index.is_whole else 'unfinished'}
            for index in storage.attribute_indexes()
        ]
    if not rows and output_format in (None, 'table'):
        session.tell('There are no indexes of attributes; `ricordi storage index suggest` tells which would help.')
        return 0
    write_list(rows, COLUMNS, output_format)
    return 0


@verb(
    'ricordi storage index add attributes.process_state attributes.exit_status',
    'ricordi storage index add extras._aiida_hash',
)
@click.argument('paths', nargs=-1, required=True, metavar='PATH…', type=JSON_FIELD)
def add(session: CommandSession, paths: tuple[str, ...]) -> int:
    """Make indexes of attributes and extras.

    A PATH is `attributes.` or `extras.` with the keys that lead to a value, separated by dots. Filters on it by `==`,
    `in`, `<`, `>`, `like` with a fixed beginning and `has_key` then find their nodes at once, with the same answers as
    before. Others go on reading meanwhile; on SQLite writers wait until an index is made. AiiDA works on with them
    there, and loses a little time at each change of a node.
    """
    wanted = _read(paths)
    with opened(session, 'storage index add') as storage:
        for path in wanted:
            storage.add_attribute_index(path)
            session.tell(f'Made an index of {path}.')
    return 0


@verb('ricordi storage index drop extras._aiida_hash')
@click.argument('paths', nargs=-1, required=True, metavar='PATH…', type=JSON_FIELD)
def drop(session: CommandSession, paths: tuple[str, ...]) -> int:
    """Remove indexes of attributes and extras.

    Filters give the same answers without them, and the room is given back by the next full maintenance.
    """
    wanted = _read(paths)
    with opened(session, 'storage index drop') as storage:
        for path in wanted:
            storage.drop_attribute_index(path)
            session.tell(f'Removed the index of {path}.')
    return 0


@verb('ricordi storage index suggest', 'ricordi storage index suggest --format json')
@format_option()
def suggest(session: CommandSession, output_format: str | None) -> int:
    """Look at some of the nodes, and tell what indexes would help filters.

    Those that programs ask for come first, then those of values that many nodes have.
    """
    from ricordi.services.attribute_indexes import suggest_indexes

    with opened(session, 'storage index suggest') as storage:
        found = suggest_indexes(storage)
    rows: list[dict[str, Any]] = [{**one._asdict(), 'path': str(one.path)} for one in found]
    if not rows and output_format in (None, 'table'):
        session.tell('No index of an attribute would help that is not there.')
        return 0
    write_list(rows, SUGGESTED, output_format)
    if output_format in (None, 'table'):
        session.tell(f'To make them: ricordi storage index add {shlex.join(row["path"] for row in rows[:3])}')
    return 0


def _read(paths: Iterable[str]) -> list[AttributePath]:
    from ricordi.model.attribute_paths import read_attribute_path

    return [read_attribute_path(text) for text in paths]
