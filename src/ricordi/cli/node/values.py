"""`ricordi node attributes` and `node extras`: the JSON of nodes, shown; extras also changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers, read_identifiers_or_end
from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import ATTRIBUTE, EXTRA, NODE, Offered
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import flatten, one_line, to_json, write_list
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import FORMATS, Function, option, verb, yes_option
from ricordi.errors import InvalidOperation, UsageError

OTHER_FORMATS = {'json+date': 'json', 'yaml_expanded': 'yaml'}
"""Names that verdi has for formats of ours."""


def _show_options(key: Offered) -> Callable[[Function], Function]:
    """What both verbs that show take.

    :param key: what may follow `--keys`.
    """

    def add(function: Function) -> Function:
        for one in _options_to_show(key):
            function = one(function)
        return function

    return add


def _options_to_show(key: Offered) -> Iterator[Callable[[Function], Function]]:
    yield from (
        option('--raw', '-r', is_flag=True, group='Output', help='One array for all nodes, as verdi writes it.'),
        option(
            '--format',
            '-f',
            'output_format',
            type=click.Choice([*FORMATS, *OTHER_FORMATS]),
            group='Output',
            help='How to write the result. [default: JSON under a heading per node]',
        ),
        option(
            '--identifier',
            '-i',
            type=click.Choice(['pk', 'uuid']),
            default='pk',
            group='Output',
            help='How to name the nodes. [default: pk]',
        ),
        several('--keys', '-k', type=key, metavar='KEY', help='Only these keys.'),
        nodes_argument(),
    )


@verb('ricordi node attributes 42', 'ricordi node attributes -k exit_status exit_message -- 42 43')
@_show_options(ATTRIBUTE)
def attributes(session: CommandSession, nodes: tuple[str, ...], **options: Any) -> int:
    """Show the attributes of nodes.

    With --format: an array of objects with the identifier (pk or uuid) and the attributes; with --raw as verdi has it,
    the identifier in capitals.
    """
    return _show(session, 'attributes', nodes, **options)


@verb('ricordi node extras show 42', 'ricordi node extras show --raw 42 43')
@_show_options(EXTRA)
def extras(session: CommandSession, nodes: tuple[str, ...], **options: Any) -> int:
    """Show the extras of nodes.

    With --format: an array of objects with the identifier (pk or uuid) and the extras; with --raw as verdi has it, the
    identifier in capitals.
    """
    return _show(session, 'extras', nodes, **options)


def _show(
    session: CommandSession,
    field: str,
    nodes: tuple[str, ...],
    keys: tuple[str, ...],
    identifier: str,
    output_format: str | None,
    raw: bool,
) -> int:
    from ricordi.services.nodes.finding import find_nodes

    identifiers = read_identifiers(session, nodes)
    with opened(session, f'node {field}') as storage:
        rows = find_nodes(storage, identifiers)
    output_format = OTHER_FORMATS.get(output_format or '', output_format)
    shown = [(row, _chosen(getattr(row, field), keys)) for row in rows]
    if raw or output_format not in (None, 'table'):
        name = identifier.upper() if raw else identifier  # verdi's form is what scripts with --raw know
        found_rows = ({name: getattr(row, identifier), field: found} for row, found in shown)
        write_list(found_rows, (), output_format or 'json')
        return 0
    for row, found in shown:
        if not session.quiet:
            print(f'{identifier.upper()}: {getattr(row, identifier)}')
        if output_format == 'table':
            print(format_table([[key, one_line(value)] for key, value in flatten(found)]))
        else:
            print(to_json(found, indent=4))
    return 0


def _chosen(values: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if not keys or key in keys}


# extras ----------------------------------------------------------------------------------------------------


@verb('ricordi node extras set 42 quality=good', 'ricordi node extras set 42 43 \'tags=["a", "b"]\' weight=1.5')
@click.argument('arguments', nargs=-1, required=True, type=NODE, metavar='NODES… KEY=VALUE…')
@option('--dry-run', '-n', is_flag=True, help='Tell what would be changed and change nothing.')
def set_extras(session: CommandSession, arguments: tuple[str, ...], dry_run: bool) -> int:
    """Set extras of nodes.

    A VALUE that is JSON is taken as such (1.5, true, [1, 2], {"a": 1}, "text"); anything else is text, unless it begins
    with {, [ or ", which is taken for a mistake. Other keys stay.
    """
    from ricordi.services.nodes import change as nodes_change

    nodes = [word for word in arguments if '=' not in word]
    values = dict(_assignment(word) for word in arguments if '=' in word)
    if not values:
        raise UsageError('give the nodes and at least one KEY=VALUE')
    identifiers = read_identifiers_or_end(session, nodes)
    with opened(session, 'node extras set') as storage:
        from ricordi.services.nodes.finding import find_pks

        pks = find_pks(storage, identifiers)
        if not dry_run:
            nodes_change.set_extras(storage, pks, values)
    session.tell(f'{"Would set" if dry_run else "Set"} {", ".join(values)} of {plural(len(pks), "node")}.')
    return 0


@verb('ricordi node extras unset 42 -k quality', 'ricordi node extras unset --yes 42 43 -k tags weight')
@nodes_argument()
@several('--keys', '-k', type=EXTRA, metavar='KEY', required=True, help='The keys to remove.')
@option('--dry-run', '-n', is_flag=True, help='Tell what would be changed and change nothing.')
@yes_option()
def unset_extras(
    session: CommandSession, nodes: tuple[str, ...], keys: tuple[str, ...], dry_run: bool, yes: bool
) -> int:
    """Remove extras of nodes.

    All nodes must have all of the keys; else nothing is changed. Removing from more than one node asks first.
    """
    from ricordi.services.nodes import change as nodes_change
    from ricordi.services.nodes.finding import find_pks

    identifiers = read_identifiers_or_end(session, nodes)
    with opened(session, 'node extras unset') as storage:
        pks = find_pks(storage, identifiers)
        what = f'{", ".join(keys)} of {plural(len(pks), "node")}'
        nodes_change.unset_extras(storage, pks, keys, dry_run=True)
        if not dry_run:
            if len(pks) > 1 and not confirm(f'Remove {what}?', yes):
                raise InvalidOperation('no extra was removed')
            nodes_change.unset_extras(storage, pks, keys)
    session.tell(f'{"Would remove" if dry_run else "Removed"} {what}.')
    return 0


def _assignment(word: str) -> tuple[str, Any]:
    import json

    key, _, text = word.partition('=')
    try:
        return key, json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        if text.lstrip().startswith(('{', '[', '"')):
            raise UsageError(
                f'the value of {key!r} begins like JSON and is none: {error}; to set it as text, quote it as JSON: '
                f'{json.dumps(text, ensure_ascii=False)}'
            ) from error
        return key, text


def _refuse_constant(name: str) -> Any:
    """NaN and Infinity, which Python reads and JSON does not know, are text."""
    raise ValueError(f'{name} is not known to JSON')
