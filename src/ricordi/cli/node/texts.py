"""`ricordi node label` and `node description`: shown, or set for many nodes at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ricordi.cli.identifiers import nodes_argument, read_identifiers, read_identifiers_or_end
from ricordi.cli.opened import opened
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, Row, write_list
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation

if TYPE_CHECKING:
    from ricordi.services.nodes.change import Text


@verb('ricordi node label 42', "ricordi node label -L 'first run' 42 43")
@nodes_argument()
@option('--label', '-L', help='The label to give to all of these nodes.')
@option('--raw', '-r', is_flag=True, group='Output', help='Print the bare labels, one a line.')
@option('--dry-run', '-n', is_flag=True, help='Tell what would be changed and change nothing.')
@yes_option()
@format_option()
def label(
    session: CommandSession,
    nodes: tuple[str, ...],
    label: str | None,
    raw: bool,
    dry_run: bool,
    yes: bool,
    output_format: str | None,
) -> int:
    """Show or set the label of nodes.

    Setting the label of more than one node asks first.
    """
    return _run(session, nodes, 'label', label, raw, dry_run, yes, output_format)


@verb('ricordi node description 42', "ricordi node description -D 'with the new potential' 42")
@nodes_argument()
@option('--description', '-D', help='The description to give to all of these nodes.')
@option('--raw', '-r', is_flag=True, group='Output', help='Print the bare descriptions, one a line.')
@option('--dry-run', '-n', is_flag=True, help='Tell what would be changed and change nothing.')
@yes_option()
@format_option()
def description(
    session: CommandSession,
    nodes: tuple[str, ...],
    description: str | None,
    raw: bool,
    dry_run: bool,
    yes: bool,
    output_format: str | None,
) -> int:
    """Show or set the description of nodes.

    Setting the description of more than one node asks first.
    """
    return _run(session, nodes, 'description', description, raw, dry_run, yes, output_format)


def _run(
    session: CommandSession,
    nodes: tuple[str, ...],
    field: Text,
    text: str | None,
    raw: bool,
    dry_run: bool,
    yes: bool,
    output_format: str | None,
) -> int:
    from ricordi.services.nodes.change import read_texts, write_text
    from ricordi.services.nodes.finding import find_pks

    identifiers = read_identifiers(session, nodes) if text is None else read_identifiers_or_end(session, nodes)
    with opened(session, f'node {field}') as storage:
        pks = find_pks(storage, identifiers)
        rows = ({'pk': pk, field: found} for pk, found in read_texts(storage, pks, field))
        if text is not None:
            what = f'{field} of {plural(len(pks), "node")}'
            if not dry_run:
                if len(pks) > 1 and not confirm(f'Set the {what} to {text!r}?', yes):
                    raise InvalidOperation(f'the {field} was not changed')
                write_text(storage, pks, field, text)
            session.tell(f'{"Would set" if dry_run else "Set"} the {what} to {text!r}.')
            if output_format is not None:
                _write(({'pk': pk, field: text} for pk in pks), field, output_format)
        elif (raw or session.quiet) and output_format is None:
            for row in rows:
                print(row[field])
        else:
            _write(rows, field, output_format)
    return 0


def _write(rows: Iterable[Row], field: Text, output_format: str | None) -> None:
    write_list(rows, (OutputColumn('pk', 'PK'), OutputColumn(field, field.capitalize())), output_format)
