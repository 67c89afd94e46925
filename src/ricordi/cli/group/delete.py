"""`ricordi group delete`: groups alone, or with their nodes and what goes along."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.group.filter import filter_options, make_filter
from ricordi.cli.opened import opened
from ricordi.cli.parameters import GROUP
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import one_line, write_details
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.terminal.table import format_table
from ricordi.cli.traversal_options import delete_switches, plan_as_data, plan_as_text
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, UsageError

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.groups.delete import GroupDeletionPlan
    from ricordi.services.groups.groups import GroupSummary

_FILTERS = ('all_users', 'user', 'type_string', 'past_days', 'startswith', 'endswith', 'contains', 'node')


@verb(
    'ricordi group delete --yes my-group',
    'ricordi group delete --dry-run --delete-nodes my-group',
    'ricordi group delete --dry-run -s test-',
)
@click.argument('groups', nargs=-1, type=GROUP)
@filter_options(None)
@option('--delete-nodes', is_flag=True, group='What goes along', help='Delete the nodes in the groups, too.')
@delete_switches
@option('--dry-run', '-n', is_flag=True, help='Show the plan and delete nothing.')
@yes_option('Do not ask before deleting.')
@format_option()
def delete(
    session: CommandSession,
    groups: tuple[str, ...],
    delete_nodes: bool,
    dry_run: bool,
    yes: bool,
    output_format: str | None,
    **options: Any,
) -> int:
    """Delete groups: those that are named, or those that fit the options.

    The nodes stay, unless --delete-nodes is given; then they go with all that must not stay without them. Options
    alone choose among groups of the type core, unless --type-string is given.
    """
    from ricordi.services.groups.delete import delete_groups, plan_group_deletion, with_freed_space

    chosen = {name: options.pop(name) for name in _FILTERS}
    if bool(groups) is any(chosen.values()):
        raise UsageError('give either the groups to delete, or options that choose them')
    with opened(session, 'group delete') as storage:
        found = _find(storage, groups, chosen)
        if not found:
            session.tell('No groups fit: nothing was deleted.')
            return 0
        plan = plan_group_deletion(storage, found, delete_nodes, options)
        if dry_run or not yes or output_format is not None:
            plan = with_freed_space(storage, plan)
        what = plural(len(found), 'group')
        if plan.nodes is not None:
            what += f' and {plural(len(plan.nodes.pks), "node")}'
        if output_format not in (None, 'table'):
            write_details(_as_data(plan), output_format)
        elif dry_run:
            print(prose(_as_text(plan, session.verbose)))
        elif not yes:
            print(_as_text(plan, session.verbose), file=sys.stderr)
        if dry_run:
            session.tell(f'Would delete {what}.')
            return 0
        if not confirm(f'Delete {what}? This cannot be undone.', yes):
            raise InvalidOperation('nothing was deleted')
        delete_groups(storage, plan)
    session.tell(f'Deleted {what}.')
    return 0


def _find(storage: StorageBackend, groups: tuple[str, ...], chosen: dict[str, Any]) -> list[GroupSummary]:
    from ricordi.services.groups.groups import find_group, list_groups, summarise

    if groups:
        rows = {row.pk: row for row in (find_group(storage, name) for name in groups)}
        return [summarise(storage, row) for row in rows.values()]
    chosen['type_string'] = chosen['type_string'] or 'core'
    return list_groups(storage, make_filter(storage, **chosen), count=True)


def _as_data(plan: GroupDeletionPlan) -> dict[str, Any]:
    nodes = None if plan.nodes is None else plan_as_data(plan.nodes)
    return {'groups': [asdict(group) for group in plan.groups], 'nodes': nodes}


def _as_text(plan: GroupDeletionPlan, with_pks: bool) -> str:
    rows = [
        [str(group.pk), one_line(group.label), group.type_string, group.user, f'{group.node_count:,}']
        for group in plan.groups
    ]
    text = format_table(rows, ('PK', 'Label', 'Type string', 'User', 'Nodes'), right=(0, 4))
    return text if plan.nodes is None else f'{text}\n\n{plan_as_text(plan.nodes, with_pks=with_pks)}'
