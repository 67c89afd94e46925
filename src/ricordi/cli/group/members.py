"""`ricordi group`: add-nodes, remove-nodes, move-nodes."""

from __future__ import annotations

from ricordi.cli.identifiers import nodes_argument, read_identifiers_or_end
from ricordi.cli.opened import opened
from ricordi.cli.parameters import GROUP
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.verb import option, verb, yes_option
from ricordi.errors import InvalidOperation, NotExistent, UsageError


@verb(
    'ricordi group add-nodes -G my-group 42 43',
    'ricordi node list -q -e core.dict | ricordi group add-nodes -G dicts -',
)
@nodes_argument()
@option('--group', '-G', required=True, type=GROUP, help='The group.')
@option('--dry-run', '-n', is_flag=True, help='Tell how many nodes were named and add none.')
@yes_option('Has no effect: adding never asks.')
def add_nodes(session: CommandSession, nodes: tuple[str, ...], group: str, dry_run: bool, yes: bool) -> int:
    """Add nodes to a group.

    Those that are in it already stay.
    """
    from ricordi.services.groups.groups import find_group
    from ricordi.services.groups.members import add_nodes, member_pks
    from ricordi.services.nodes.finding import find_pks

    identifiers = read_identifiers_or_end(session, nodes)
    with opened(session, 'group add-nodes') as storage:
        row = find_group(storage, group)
        pks = find_pks(storage, identifiers)
        added = len(pks) - len(member_pks(storage, row, pks)) if dry_run else add_nodes(storage, row, pks)
    known = f'; {len(pks) - added:,} were in it already' if added < len(pks) else ''
    session.tell(f'{"Would add" if dry_run else "Added"} {plural(added, "node")} to group {row.label!r}{known}.')
    return 0


@verb('ricordi group remove-nodes -G my-group 42', 'ricordi group remove-nodes -G my-group --clear --yes')
@nodes_argument(required=False)
@option('--group', '-G', required=True, type=GROUP, help='The group.')
@option('--clear', '-c', is_flag=True, help='Remove all nodes.')
@option('--dry-run', '-n', is_flag=True, help='Tell how many nodes would be removed and remove none.')
@yes_option()
def remove_nodes(
    session: CommandSession, nodes: tuple[str, ...], group: str, clear: bool, dry_run: bool, yes: bool
) -> int:
    """Remove nodes from a group.

    The nodes themselves stay.
    """
    from ricordi.services.groups.groups import find_group
    from ricordi.services.groups.members import member_pks, remove_nodes
    from ricordi.services.nodes.finding import find_pks

    identifiers = read_identifiers_or_end(session, nodes, needed=not clear)
    if identifiers and clear:
        raise UsageError('give either the nodes to remove, or --clear for all of them')
    with opened(session, 'group remove-nodes') as storage:
        row = find_group(storage, group)
        pks = None if clear else find_pks(storage, identifiers)
        members = member_pks(storage, row, pks)
        if not members and not clear:
            raise NotExistent(f'none of these nodes is in group {row.label!r}')
        what = f'{"all " if clear else ""}{plural(len(members), "node")} from group {row.label!r}'
        absent = (
            f'; {plural(len(pks) - len(members), "is", "are")} not in it' if pks and len(members) < len(pks) else ''
        )
        if dry_run:
            session.tell(f'Would remove {what}{absent}.')
            return 0
        if members and not confirm(f'Remove {what}{absent}?', yes):
            raise InvalidOperation('no node was removed')
        removed = remove_nodes(storage, row, pks)
    session.tell(f'Removed {plural(removed, "node")} from group {row.label!r}{absent}.')
    return 0


@verb('ricordi group move-nodes -s inbox -t done 42 43', 'ricordi group move-nodes -s inbox -t done --all --yes')
@nodes_argument(required=False)
@option('--source-group', '-s', required=True, type=GROUP, help='The group to take them from.')
@option('--target-group', '-t', required=True, type=GROUP, help='The group to put them into.')
@option('--all', '-a', 'all_nodes', is_flag=True, help='Move all nodes of the source.')
@option('--dry-run', '-n', is_flag=True, help='Tell how many nodes would be moved and move none.')
@yes_option()
def move_nodes(
    session: CommandSession,
    nodes: tuple[str, ...],
    source_group: str,
    target_group: str,
    all_nodes: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Move nodes from one group to another."""
    from ricordi.services.groups.groups import find_group
    from ricordi.services.groups.members import move_nodes, plan_move
    from ricordi.services.nodes.finding import find_pks

    identifiers = read_identifiers_or_end(session, nodes, needed=not all_nodes)
    if identifiers and all_nodes:
        raise UsageError('give either the nodes to move, or --all')
    with opened(session, 'group move-nodes') as storage:
        source, target = find_group(storage, source_group), find_group(storage, target_group)
        plan = plan_move(storage, source, target, None if all_nodes else find_pks(storage, identifiers))
        what = f'{plural(len(plan.pks), "node")} from group {source.label!r} to {target.label!r}'
        remarks = ''
        if plan.absent:
            remarks += f'; {plural(len(plan.absent), "is", "are")} not in {source.label!r}'
        if plan.present:
            remarks += f'; {plural(len(plan.present), "is", "are")} in {target.label!r} already'
        if dry_run:
            session.tell(f'Would move {what}{remarks}.')
            return 0
        if not confirm(f'Move {what}{remarks}?', yes):
            raise InvalidOperation('no node was moved')
        move_nodes(storage, source, target, plan.pks)
    session.tell(f'Moved {what}{remarks}.')
    return 0
