"""`ricordi storage usage`: what takes the space, by type, group, month and so on, and the largest files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers_or_end
from ricordi.cli.opened import opened
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.usage_cells import cells, file_cells, name_of
from ricordi.cli.terminal.drawing import drawing
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.quantities import format_bytes, plural
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import UsageError
from ricordi.progress import Run

if TYPE_CHECKING:
    from ricordi.backend.usage import DatabaseUsage, Share
    from ricordi.services.usage.usage import SpaceReport

DIMENSIONS = ('type', 'process', 'group', 'computer', 'user', 'month', 'file', 'size', 'node')
_HEADINGS = ('Stored', 'Content', 'Shared', 'Freed', 'Objects', 'Nodes')


@verb(
    'ricordi storage usage',
    'ricordi storage usage --by group --top 30',
    'ricordi storage usage --by month --only process=aiida.calculations:quantumespresso.pw',
    'ricordi storage usage 42 43 --format json',
    'ricordi storage usage -i',
)
@nodes_argument(required=False)
@option('--by', type=click.Choice(DIMENSIONS), group='What to tell', help='What to tell the sums of. [default: type]')
@option(
    '--top',
    type=click.IntRange(min=1, max=100_000),
    default=10,
    show_default=True,
    group='What to tell',
    help='How many sums, and how many of the largest files.',
)
@option(
    '--only',
    metavar='BY=VALUE',
    multiple=True,
    group='What to tell',
    help='Only what has this value, such as group=LABEL or month=2025-03; may be given several times.',
)
@option('-i', '--interactive', is_flag=True, group='Output', help='Walk through it on the terminal.')
@format_option()
def usage(
    session: CommandSession,
    nodes: tuple[str, ...],
    by: str | None,
    top: int,
    only: tuple[str, ...],
    interactive: bool,
    output_format: str | None,
) -> int:
    """Show what takes the space in the repository: of all nodes, or of some.

    Stored is what objects take on disk, each counted once; content is what they hold. Shared is what other nodes have
    as well, freed what would be given back if just these were deleted and `ricordi storage maintain --full` had run.
    A process counts what it is and what it created; a month is that in which nodes were made, in UTC.
    """
    if interactive and output_format is not None:
        raise UsageError('--interactive and --format contradict each other')
    from ricordi.backend.usage import Dimension
    from ricordi.services.nodes.finding import find_pks
    from ricordi.services.usage.usage import parse_choice, space_used

    identifiers = read_identifiers_or_end(session, nodes, needed=False)
    with opened(session, 'storage usage') as storage:
        chosen = tuple(parse_choice(storage, text) for text in only)
        if identifiers:
            chosen += ((Dimension.NODE, tuple(find_pks(storage, identifiers))),)
        dimension = Dimension(by or ('node' if identifiers else 'type'))
        if interactive:
            from ricordi.cli.storage.usage_walk import walk_through

            walk_through(session, storage, dimension, chosen)
            return 0
        with drawing(session.silent, session.verbose) as progress:
            report = space_used(storage, dimension, top, chosen, Run(progress))
        if output_format in (None, 'table'):
            print(prose(_as_text(report)))
        else:
            write_details(_as_data(report, storage.profile.name, only), output_format)
    return 0


# for a program -----------------------------------------------------------------------------------------------


def _as_data(report: SpaceReport, profile: str, only: tuple[str, ...]) -> dict[str, Any]:
    """A report under the keys of docs/json-output.md."""
    usage = report.usage
    by = usage.question.by
    return {
        'profile': profile,
        'by': str(by),
        'only': list(only),
        'total': _sums(usage.total),
        'categories': usage.share_count,
        'shares': [
            {
                'name': one.name,
                'pk': one.pk,
                'only': f'{by}={"" if one.share.category is None else one.share.category}',
                **_sums(one.share),
            }
            for one in report.shares
        ],
        'files': [
            {
                'key': file.key,
                'stored_bytes': file.stored_bytes,
                'content_bytes': file.content_bytes,
                'nodes': file.nodes,
                'places': [place._asdict() for place in file.places],
            }
            for file in report.files
        ],
        'garbage': {'objects': usage.unnamed.objects, 'bytes': usage.unnamed.bytes},
        'missing': usage.missing,
        'database': usage.database and _database_as_data(usage.database),
    }


def _sums(share: Share) -> dict[str, int | None]:
    return {
        'nodes': share.nodes,
        'objects': share.objects,
        'stored_bytes': share.stored_bytes,
        'content_bytes': share.content_bytes,
        'shared_objects': share.shared_objects,
        'shared_bytes': share.shared_bytes,
        'freed_objects': share.freed_objects,
        'freed_bytes': share.freed_bytes,
    }


def _database_as_data(database: DatabaseUsage) -> dict[str, Any]:
    return {
        'bytes': database.bytes,
        'tables': [table._asdict() for table in database.tables],
        'columns': database.columns,
    }


# for a person ------------------------------------------------------------------------------------------------


def _as_text(report: SpaceReport) -> str:
    return '\n\n'.join(_parts(report))


def _parts(report: SpaceReport) -> Iterator[str]:
    usage = report.usage
    heading = str(usage.question.by).capitalize()
    rows = [[*cells(one.share), name_of(one)] for one in report.shares]
    rows.append([*cells(usage.total), 'all together, each object once'])
    yield format_table(rows, (*_HEADINGS, heading), right=range(6))
    if usage.share_count > len(report.shares):
        yield f'{usage.share_count - len(report.shares):,} more are not shown: raise --top.'
    if report.files:
        headings = ('Stored', 'Content', 'Nodes', 'Node', 'Largest files')
        yield format_table(list(map(file_cells, report.files)), headings, right=range(4))
    if usage.database is not None:
        yield _database_as_text(usage.database, usage.question.top)
    if usage.unnamed.objects:
        garbage = f'{plural(usage.unnamed.objects, "object")}, {format_bytes(usage.unnamed.bytes)}'
        yield f'No node names {garbage}: `ricordi storage maintain --full` frees that.'
    if usage.missing:
        yield f'Missing: {plural(usage.missing, "object")}, which nodes name and the repository lacks.'


def _database_as_text(database: DatabaseUsage, top: int) -> str:
    def size(count: int | None) -> str:
        return 'not known' if count is None else format_bytes(count)

    rows = []
    for table in database.tables[:top]:
        rows.append([size(table.bytes), size(table.index_bytes), table.name])
        if table.name == 'db_dbnode':
            rows += [[size(count), '', f'  of that {name}'] for name, count in database.columns.items()]
    title = f'Tables of the database, {format_bytes(database.bytes)} in all'
    return format_table(rows, ('Rows', 'Indexes', title), right=range(2))
