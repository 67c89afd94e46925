"""`ricordi group`: list, show, create, relabel, description, copy."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.group.filter import filter_options, make_filter, what_hides
from ricordi.cli.opened import opened
from ricordi.cli.parameters import GROUP, NEW_NAME
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import (
    OutputColumn,
    keys_of,
    one_line,
    write_details,
    write_details_and_list,
    write_list,
)
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import format_option, option, order_direction_option, verb, yes_option
from ricordi.errors import InvalidOperation
from ricordi.model.node_types import class_name
from ricordi.services.ages import ago_in_short

if TYPE_CHECKING:
    from datetime import datetime

    from ricordi.backend.rows import GroupRow
    from ricordi.services.groups.members import GroupMember

_COLUMNS = (
    OutputColumn('pk', 'PK'),
    OutputColumn('label', 'Label'),
    OutputColumn('type_string', 'Type string'),
    OutputColumn('user', 'User'),
)


@verb('ricordi group list -C', 'ricordi group list -a -A --format json', 'ricordi group list -s run- -O ctime -D desc')
@filter_options('core')
@option('--all', '-a', 'all_types', is_flag=True, group='Which groups', help='Of all types.')
@option('--with-description', '-d', is_flag=True, group='Output', help='Also show the descriptions.')
@option('--count', '-C', is_flag=True, group='Output', help='Also show the number of nodes.')
@option(
    '--order-by',
    '-O',
    type=click.Choice(['id', 'pk', 'label', 'ctime']),
    default='label',
    group='Output',
    help='Sort by this. [default: label]',
)
@order_direction_option()
@option('--raw', '-r', is_flag=True, group='Output', help='Without heading, separated by tabs.')
@format_option()
def list_groups(
    session: CommandSession,
    all_types: bool,
    type_string: str,
    with_description: bool,
    count: bool,
    order_by: str,
    order_direction: str,
    raw: bool,
    output_format: str | None,
    **chosen: Any,
) -> int:
    """List groups.

    Of --startswith, --endswith and --contains one is enough. With --quiet: the bare labels.
    """
    from ricordi.services.groups import groups as service

    with opened(session, 'group list') as storage:
        found = service.list_groups(
            storage,
            make_filter(storage, type_string=None if all_types else type_string, **chosen),
            order_by,  # type: ignore[arg-type]
            descending=order_direction == 'desc',
            count=count,
        )
        more = '' if found else what_hides(storage, all_types, type_string, **chosen)
    columns = [*_COLUMNS]
    columns += [OutputColumn('description', 'Description')] if with_description else []
    columns += [OutputColumn('node_count', 'Node count')] if count else []
    if session.quiet and output_format is None and not raw:
        print('\n'.join(one_line(group.label) for group in found), end='\n' if found else '')
    elif raw and output_format is None:
        for group in found:
            values = asdict(group)
            print('\t'.join(column.text(values) for column in columns))
    else:
        write_list(map(asdict, found), columns, output_format, keys_of(service.GroupSummary))
        if not found and output_format in (None, 'table'):
            session.tell(f'No groups fit{more}.')
    return 0


@verb('ricordi group show my-group', 'ricordi group show --raw my-group', 'ricordi group show my-group --format json')
@click.argument('group', type=GROUP)
@option('--raw', '-r', is_flag=True, group='Output', help='The bare pks, or uuids with -u, separated by blanks.')
@option('--uuid', '-u', is_flag=True, group='Output', help='Also show uuids.')
@option('--limit', '-l', type=click.IntRange(min=0), group='Output', help='At most so many nodes.')
@format_option()
def show(
    session: CommandSession, group: str, raw: bool, uuid: bool, limit: int | None, output_format: str | None
) -> int:
    """Show a group and its nodes.

    As csv and jsonl: the nodes only.
    """
    from ricordi.services.groups.groups import find_group, summarise
    from ricordi.services.groups.members import list_members

    with opened(session, 'group show') as storage:
        row = find_group(storage, group)
        members = list_members(storage, row, limit)
        if output_format is None and (raw or session.quiet):
            print(' '.join(member.uuid if uuid else str(member.pk) for member in members))
        elif output_format in ('csv', 'jsonl'):
            write_list(map(_member_as_data, members), (), output_format, _MEMBER_KEYS)
        elif output_format in ('json', 'yaml'):
            group_as_data = asdict(summarise(storage, row))
            write_details_and_list(group_as_data, 'nodes', map(_member_as_data, members), output_format)
        else:
            _print_group(row, uuid, members)
    return 0


_MEMBER_KEYS = ('pk', 'uuid', 'node_type', 'ctime')


def _member_as_data(member: GroupMember) -> dict[str, Any]:
    # not by `asdict`, which takes three times as long, for there may be very many
    return {'pk': member.pk, 'uuid': member.uuid, 'node_type': member.node_type, 'ctime': member.ctime}


def _print_group(row: GroupRow, uuid: bool, members: Iterator[GroupMember]) -> None:
    from datetime import UTC, datetime

    from ricordi.cli.terminal.streamed_table import write_table

    now = datetime.now(UTC)
    print(
        format_table(
            [
                ['Label', one_line(row.label)],
                ['Type string', row.type_string],
                ['Description', one_line(row.description or '')],
                ['PK', str(row.pk)],
                ['UUID', row.uuid],
            ]
        )
    )
    columns = {**({'uuid': 'UUID'} if uuid else {}), 'pk': 'PK', 'node_type': 'Type', 'ctime': 'Created'}
    print()
    write_table((_member_as_cells(member, uuid, now) for member in members), list(columns.values()), list(columns))


def _member_as_cells(member: GroupMember, uuid: bool, now: datetime) -> tuple[str, ...]:
    cells = (str(member.pk), class_name(member.node_type), ago_in_short(member.ctime, now))
    return (member.uuid, *cells) if uuid else cells


@verb('ricordi group create my-group', "ricordi group create -d 'runs of March' march")
@click.argument('group_label', type=NEW_NAME)
@option('--description', '-d', default='', help='The description.')
def create(session: CommandSession, group_label: str, description: str) -> int:
    """Create an empty group.

    Prints its pk. That there is one of this label already is no error.
    """
    from ricordi.services.groups.groups import create_group

    with opened(session, 'group create') as storage:
        row, is_new = create_group(storage, group_label, description)
    print(row.pk)
    exact = f'; {shlex.quote(row.label + "!")} names it, the number alone a pk' if row.label.isdecimal() else ''
    session.tell(f'Created group {row.label!r}{exact}.' if is_new else f'There is a group {row.label!r} already.')
    return 0


@verb('ricordi group relabel old new')
@click.argument('group', type=GROUP)
@click.argument('label', type=NEW_NAME)
def relabel(session: CommandSession, group: str, label: str) -> int:
    """Change the label of a group."""
    from ricordi.services.groups.groups import find_group, relabel_group

    with opened(session, 'group relabel') as storage:
        row = find_group(storage, group)
        relabel_group(storage, row, label)
    session.tell(f'Group {row.label!r} is now {label!r}.')
    return 0


@verb('ricordi group description my-group', "ricordi group description my-group 'runs of March'")
@click.argument('group', type=GROUP)
@click.argument('description', required=False)
@format_option()
def description(session: CommandSession, group: str, description: str | None, output_format: str | None) -> int:
    """Show or change the description of a group.

    An empty DESCRIPTION ('') removes it.
    """
    from ricordi.services.groups.groups import describe_group, find_group

    with opened(session, 'group description') as storage:
        row = find_group(storage, group)
        if description is not None:
            describe_group(storage, row, description)
    shown = row.description or '' if description is None else description
    if output_format is not None:
        write_details({'pk': row.pk, 'label': row.label, 'description': shown}, output_format)
    elif description is None:
        print(shown)
    if description is not None:
        session.tell(f'Changed the description of group {row.label!r}.')
    return 0


@verb('ricordi group copy my-group backup-of-my-group', 'ricordi group copy --dry-run my-group other')
@click.argument('source_group', type=GROUP)
@click.argument('destination_group', type=GROUP)
@option('--dry-run', '-n', is_flag=True, help='Tell how many nodes would be added and add none.')
@yes_option('Do not ask, even if the destination has nodes already.')
def copy(session: CommandSession, source_group: str, destination_group: str, dry_run: bool, yes: bool) -> int:
    """Add all nodes of a group to another, made if there is none.

    Asks first if the destination has nodes already.
    """
    from ricordi.services.groups import groups as service
    from ricordi.services.groups.members import copy_group, count_missing

    with opened(session, 'group copy') as storage:
        source = service.find_group(storage, source_group)
        known = service.find_group_if_any(storage, destination_group)
        label = service.label_of_new_group(destination_group) if known is None else known.label
        if known is not None and known.pk == source.pk:
            raise InvalidOperation(f'source and destination are the same group {source.label!r}')
        if dry_run:
            missing = plural(count_missing(storage, source, known), 'node')
            new = '' if known else ', which would be made'
            session.tell(f'Would add {missing} of group {source.label!r} to group {label!r}{new}.')
            return 0
        if known is not None:
            count = service.count_members(storage, [known.pk])[known.pk]
            question = f'Group {known.label!r} has {plural(count, "node")} already. Add those of {source.label!r}?'
            if count and not confirm(question, yes):
                raise InvalidOperation('no node was added')
        target, added = copy_group(storage, source, destination_group)
    session.tell(f'Added {plural(added, "node")} of group {source.label!r} to group {target.label!r}.')
    return 0
