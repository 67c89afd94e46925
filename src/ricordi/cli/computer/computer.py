"""`ricordi computer`: list, show, relabel, enable, disable, delete."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER, NEW_NAME, USER
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, keys_of, one_line, write_details, write_list
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.terminal.table import format_table
from ricordi.cli.traversal_options import plan_as_data, plan_as_text
from ricordi.cli.verb import Function, format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation

if TYPE_CHECKING:
    from ricordi.services.computers.computers import ComputerDeletion

_COLUMNS = (
    OutputColumn('enabled', '', lambda enabled: '*' if enabled else ''),
    OutputColumn('label', 'Label'),
    OutputColumn('hostname', 'Hostname'),
    OutputColumn('transport', 'Transport'),
    OutputColumn('scheduler', 'Scheduler'),
    OutputColumn('configured', 'Configured', lambda configured: 'yes' if configured else 'no'),
)

_SHOWN = {
    'label': 'Label',
    'pk': 'PK',
    'uuid': 'UUID',
    'description': 'Description',
    'hostname': 'Hostname',
    'transport': 'Transport type',
    'scheduler': 'Scheduler type',
    'work_dir': 'Work directory',
    'shebang': 'Shebang',
    'mpirun_command': 'Mpirun command',
    'mpiprocs_per_machine': 'Default #procs/machine',
    'default_memory_per_machine': 'Default memory (kB)/machine',
    'use_double_quotes': 'Use double quotes',
    'prepend_text': 'Prepend text',
    'append_text': 'Append text',
}
"""The settings in the order and under the names by which a person is shown them."""


def user_option(text: str) -> Callable[[Function], Function]:
    """`-u/--user`: for whom; the default user if it is not given."""
    return option('--user', '-u', type=USER, metavar='EMAIL', help=f'{text} [default: the default user]')


@verb('ricordi computer list', 'ricordi computer list --all --format json')
@option('--all', '-a', 'all_computers', is_flag=True, help='Also those that are disabled or not configured.')
@option('--raw', '-r', is_flag=True, group='Output', help='The bare labels, one a line.')
@format_option()
def list_computers(session: CommandSession, all_computers: bool, raw: bool, output_format: str | None) -> int:
    """List the computers that the default user can reach.

    A star marks those that are enabled. With --quiet: the bare labels.
    """
    from ricordi.services.computers import computers as service

    with opened(session, 'computer list') as storage:
        found = service.list_computers(storage, all_computers)
    if output_format is None and (raw or session.quiet):
        print('\n'.join(one_line(computer.label) for computer in found), end='\n' if found else '')
        return 0
    write_list(map(asdict, found), _COLUMNS, output_format, keys_of(service.ComputerSummary))
    if not found and output_format in (None, 'table'):
        session.tell('There is no computer' + ('.' if all_computers else ' to use; --all shows the others, too.'))
    return 0


@verb('ricordi computer show cluster', 'ricordi computer show cluster --format json')
@click.argument('computer', type=COMPUTER)
@format_option()
def show(session: CommandSession, computer: str, output_format: str | None) -> int:
    """Show the settings of a computer."""
    from ricordi.services.computers.computers import describe_computer, find_computer

    with opened(session, 'computer show') as storage:
        found = describe_computer(find_computer(storage, computer))
    if output_format not in (None, 'table'):
        write_details(found, output_format)
        return 0
    values = {key: '' if found[key] is None else str(found[key]) for key in _SHOWN}
    print(format_table([[name, '\n'.join(values[key].splitlines())] for key, name in _SHOWN.items()]))
    return 0


@verb('ricordi computer relabel cluster old-cluster')
@click.argument('computer', type=COMPUTER)
@click.argument('label', type=NEW_NAME)
def relabel(session: CommandSession, computer: str, label: str) -> int:
    """Change the label of a computer."""
    from ricordi.services.computers.computers import find_computer, relabel_computer

    with opened(session, 'computer relabel') as storage:
        row = find_computer(storage, computer)
        relabel_computer(storage, row, label)
    session.tell(f'Computer {row.label!r} is now {label!r}.')
    return 0


@verb('ricordi computer enable cluster', 'ricordi computer enable cluster ada@example.org')
@click.argument('computer', type=COMPUTER)
@click.argument('user', type=USER, required=False)
def enable(session: CommandSession, computer: str, user: str | None) -> int:
    """Let a user use a computer again.

    Without USER it is the default user.
    """
    return _set_enabled(session, computer, user, enabled=True)


@verb('ricordi computer disable cluster', 'ricordi computer disable cluster ada@example.org')
@click.argument('computer', type=COMPUTER)
@click.argument('user', type=USER, required=False)
def disable(session: CommandSession, computer: str, user: str | None) -> int:
    """Keep a user from using a computer.

    Such as while it is under maintenance: AiiDA then submits nothing to it. Without USER it is the default user.
    """
    return _set_enabled(session, computer, user, enabled=False)


def _set_enabled(session: CommandSession, computer: str, user: str | None, enabled: bool) -> int:
    from ricordi.services.author import find_user
    from ricordi.services.computers import access as service
    from ricordi.services.computers.computers import find_computer

    with opened(session, f'computer {"enable" if enabled else "disable"}') as storage:
        row, owner = find_computer(storage, computer), find_user(storage, user)
        changed = service.set_enabled(storage, row, owner, enabled)
    state = 'enabled' if enabled else 'disabled'
    session.tell(f'Computer {row.label!r} {"is now" if changed else "was already"} {state} for {owner.email}.')
    return 0


@verb('ricordi computer delete --yes old-cluster', 'ricordi computer delete --dry-run --delete-nodes old-cluster')
@click.argument('computer', type=COMPUTER)
@option('--delete-nodes', is_flag=True, help='Delete the nodes that are bound to it, too, with what goes along.')
@option('--dry-run', '-n', is_flag=True, help='Show the plan and delete nothing.')
@yes_option('Do not ask before deleting.')
@format_option()
def delete(
    session: CommandSession, computer: str, delete_nodes: bool, dry_run: bool, yes: bool, output_format: str | None
) -> int:
    """Delete a computer.

    Refused while nodes are bound to it, unless --delete-nodes is given; then they go, with all that must not stay
    without them. Nothing is done on the computer itself.
    """
    from ricordi.services.computers import computers as service

    with opened(session, 'computer delete') as storage:
        row = service.find_computer(storage, computer)
        plan = service.plan_computer_deletion(storage, row, with_nodes=delete_nodes or dry_run)
        if plan.bound and not delete_nodes and not dry_run:
            raise InvalidOperation(
                f'{plural(plan.bound, "node")} {"is" if plan.bound == 1 else "are"} bound to computer {plan.label!r}: '
                'nothing was deleted; --delete-nodes deletes them with it (see --dry-run), and `ricordi computer '
                f'disable {shlex.quote(plan.label)}` only has it used no more'
            )
        what = f'computer {plan.label!r}'
        if plan.nodes is not None:
            what += f' and {plural(len(plan.nodes.pks), "node")}'
        if dry_run or not yes or output_format is not None:
            plan = service.with_freed_space(storage, plan)
        _show(session, plan, dry_run, yes, output_format)
        if dry_run:
            needs = ', which needs --delete-nodes' if plan.bound and not delete_nodes else ''
            session.tell(f'Would delete {what}{needs}.')
            return 0
        if not confirm(f'Delete {what}? This cannot be undone.', yes):
            raise InvalidOperation('nothing was deleted')
        service.delete_computer(storage, plan)
    session.tell(f'Deleted {what}.')
    return 0


def _show(session: CommandSession, plan: ComputerDeletion, dry_run: bool, yes: bool, output_format: str | None) -> None:
    """Show the plan of a deletion: as data where that was asked for, else to a person who is about to decide."""
    if output_format not in (None, 'table'):
        nodes = None if plan.nodes is None else plan_as_data(plan.nodes)
        write_details({'pk': plan.pk, 'label': plan.label, 'bound_nodes': plan.bound, 'nodes': nodes}, output_format)
    elif plan.nodes is not None and (dry_run or not yes):
        print(plan_as_text(plan.nodes, with_pks=session.verbose), file=sys.stdout if dry_run else sys.stderr)
