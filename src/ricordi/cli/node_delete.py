"""`ricordi node delete`: the plan first, then a question, then the deletion."""

from __future__ import annotations

import sys

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.opened import opened
from ricordi.cli.output import write_details
from ricordi.cli.prompt import confirm
from ricordi.cli.quantities import plural
from ricordi.cli.session import Session
from ricordi.cli.traversal_options import delete_switches, plan_as_data, plan_as_text
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation


@verb(
    'ricordi node delete --dry-run 42',
    'ricordi node delete --yes --no-create-forward 42 43',
    'ricordi node list -q -G old | ricordi node delete --yes -',
)
@nodes_argument()
@option('--dry-run', '-n', is_flag=True, help='Show the plan and delete nothing.')
@yes_option('Do not ask before deleting.')
@delete_switches
@format_option()
def delete(
    session: Session,
    nodes: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    output_format: str | None,
    **switches: bool | None,
) -> int:
    """Delete nodes, with all that must not stay without them.

    The plan tells how many nodes go by which rule. Their files stay in the repository until `ricordi storage maintain
    --full` removes those that no other node has.
    """
    from ricordi.services.nodes import find_pks
    from ricordi.services.nodes_delete import delete_nodes, plan_deletion

    identifiers = read_identifiers(nodes)
    with opened(session, 'node delete') as storage:
        plan = plan_deletion(storage, find_pks(storage, identifiers), switches)
        if output_format not in (None, 'table'):
            write_details(plan_as_data(plan), output_format)
        elif dry_run:
            print(plan_as_text(plan))
        elif not yes:
            print(plan_as_text(plan), file=sys.stderr)
        if dry_run:
            session.tell(f'Would delete {plural(len(plan.pks), "node")}.')
            return 0
        if not confirm(f'Delete {plural(len(plan.pks), "node")}? This cannot be undone.', yes):
            raise InvalidOperation('no node was deleted')
        delete_nodes(storage, plan)
    session.tell(f'Deleted {plural(len(plan.pks), "node")}.')
    return 0
