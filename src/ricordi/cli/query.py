"""`ricordi query`: a question written as the dictionary of a QueryBuilder, rows out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.opened import opened
from ricordi.cli.parameters import PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.tables import TABLE_FORMATS, check_table_place, write_batches_to
from ricordi.cli.terminal.output import OutputColumn, write_details, write_list
from ricordi.cli.terminal.streamed_table import write_raw, write_table
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.query import CheckedQuery


@verb(
    'ricordi query failed.json --format jsonl --limit 10',
    """echo '{"path": [{"entity_type": "group", "tag": "g"}], "project": {"g": ["label"]}}' | ricordi query -""",
    'ricordi query failed.json --count',
    'ricordi query failed.json --format parquet -O failed.parquet',
    'ricordi query failed.json --format jsonl | jq .p.pk | ricordi group add-nodes -G failed -',
)
@click.argument('file', type=PathName())
@option('--limit', '-l', type=click.IntRange(min=0), group='Rows', help='At most so many, whatever the query says.')
@option('--offset', type=click.IntRange(min=0), group='Rows', help='Leave out so many at the start.')
@option('--count', 'only_count', is_flag=True, group='Output', help='Only tell how many rows there are.')
@option('--sql', '--dry-run', '-n', 'only_sql', is_flag=True, group='Output', help='Only show the SQL; ask nothing.')
@option('--raw', '-r', is_flag=True, group='Output', help='Bare values without heading, separated by tabs.')
@format_option(*TABLE_FORMATS)
@option(
    '--output-file',
    '-O',
    type=PathName(dir_okay=False, allow_dash=True, path_type=Path),
    metavar='FILE',
    group='Output',
    help='The file that parquet or arrow is written to, or - for stdout.',
)
@option('--overwrite', is_flag=True, group='Output', help='Replace the file if it is there.')
@option(
    '--nested',
    type=click.Choice(('text', 'struct')),
    group='Output',
    help='Nested JSON in parquet and arrow: JSON text; or structs and lists, where all have one type. [default: text]',
)
def query(
    session: CommandSession,
    file: str,
    limit: int | None,
    offset: int | None,
    only_count: bool,
    only_sql: bool,
    raw: bool,
    output_format: str | None,
    output_file: Path | None,
    overwrite: bool,
    nested: str | None,
) -> int:
    """Answer a question about the provenance graph, written in JSON.

    FILE, or standard input for -, holds a dictionary as QueryBuilder.as_dict() gives it: path, filters, project,
    order_by, limit, offset, distinct. JSON objects are tag → name → value; CSV and table have columns TAG.NAME. What is
    projected whole comes as an object of all its fields. --format jsonl streams. With --quiet: bare values. --format
    parquet and arrow are tables for pandas, polars and DuckDB, streamed, with columns TAG.NAME (needs pyarrow).
    """
    from ricordi.services import query as service

    if only_count and only_sql:
        raise UsageError('--count and --sql contradict each other')
    as_table = output_format in TABLE_FORMATS
    if as_table and (only_count or only_sql or raw):
        raise UsageError(f'--format {output_format} is for rows: leave out --count, --sql and --raw')
    if not as_table and (output_file is not None or overwrite or nested is not None):
        raise UsageError('--output-file, --overwrite and --nested are for --format parquet and arrow')
    place = check_table_place(output_file, overwrite) if as_table else None
    text, name = _read(file)
    with opened(session, 'query') as storage:
        question = service.read_question(storage, text, name, limit, offset)
        if only_count:
            _write_one('count', service.count(storage, question), output_format)
        elif only_sql:
            _write_one('sql', service.sql(storage, question), output_format)
        elif place is not None and output_format is not None:
            from ricordi.services.tables import write_batches

            batches = service.tables(storage, question, nested == 'struct')
            write_batches_to(session, place, batches, output_format, write_batches)
        else:
            _write_rows(storage, question, output_format, raw or session.quiet)
    return 0


def _read(file: str) -> tuple[bytes | str, str]:
    """The text of the query, and what to call the place it comes from."""
    from ricordi.services.query import LONGEST

    if file == '-':  # one byte more than may be: the service refuses it
        return getattr(sys.stdin, 'buffer', sys.stdin).read(LONGEST + 1), 'standard input'
    try:
        with open(file, 'rb') as handle:  # noqa: PTH123
            return handle.read(LONGEST + 1), file
    except OSError as error:
        if file.lstrip().startswith('{'):
            raise UsageError(
                'FILE is the name of a file that holds the query; to give the query itself, pipe it in: -'
            ) from None
        raise UsageError(f'cannot read the query {file!r}: {error.strerror}') from None


def _write_one(name: str, value: Any, output_format: str | None) -> None:
    if output_format in (None, 'table'):
        print(value)
    else:
        write_details({name: value}, output_format)


def _write_rows(storage: StorageBackend, question: CheckedQuery, output_format: str | None, bare: bool) -> None:
    from ricordi.services import query as service

    rows = service.answer(storage, question)
    headings = [f'{tag}.{name}' for tag, name in question.columns]
    if bare and output_format is None:
        write_raw(rows)
    elif output_format in (None, 'table'):
        write_table(rows, headings)
    elif output_format == 'csv':
        named = (dict(zip(headings, row, strict=True)) for row in rows)
        write_list(named, [OutputColumn(name, name) for name in headings], output_format)
    else:
        write_list((service.by_tag(question, row) for row in rows), (), output_format)
