"""`ricordi node delete`: the plan first, then a question, then the deletion."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ricordi.cli.computer.commands import agree_to_commands, run_commands_option
from ricordi.cli.identifiers import nodes_argument, read_identifiers_or_end
from ricordi.cli.opened import opened
from ricordi.cli.remedies import with_remedy
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import one_line, write_details
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.traversal_options import delete_switches, plan_as_data, plan_as_text
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.computers.workdirs import CleaningPlan
    from ricordi.services.nodes.delete import DeletionPlan

_SHOWN = 50
"""So many paths of work directories are shown to a person."""


@verb(
    'ricordi node delete --dry-run 42',
    'ricordi node delete --yes --no-create-forward 42 43',
    'ricordi node delete --clean-workdir 42',
    'ricordi node list -q -G old | ricordi node delete --yes -',
)
@nodes_argument()
@option('--dry-run', '-n', is_flag=True, help='Show the plan and delete nothing.')
@yes_option('Do not ask before deleting.')
@delete_switches
@option(
    '--clean-workdir',
    is_flag=True,
    group='What goes along',
    help='First remove the work directories of deleted calculations from their computers.',
)
@run_commands_option()
@format_option()
def delete(
    session: CommandSession,
    nodes: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    clean_workdir: bool,
    run_commands: bool,
    output_format: str | None,
    **switches: bool | None,
) -> int:
    """Delete nodes, with all that must not stay without them.

    The plan tells how many nodes go by which rule, with -v also which ones. Their files stay in the repository until
    `ricordi storage maintain --full` removes those that no other node has. If a work directory cannot be removed, no
    node is deleted. Only what lies in the work directory of its computer is removed.
    """
    from ricordi.services.computers.cleaning import commands_for_cleaning
    from ricordi.services.computers.workdirs import plan_cleaning
    from ricordi.services.nodes.delete import delete_nodes, plan_deletion, with_freed
    from ricordi.services.nodes.finding import find_pks

    identifiers = read_identifiers_or_end(session, nodes)
    with opened(session, 'node delete') as storage:
        plan = plan_deletion(storage, find_pks(storage, identifiers), switches)
        if dry_run or not yes or output_format is not None:
            plan = with_freed(storage, plan)
        cleaning = plan_cleaning(storage, plan.pks) if clean_workdir else None
        what = plural(len(plan.pks), 'node')
        if cleaning is not None:
            what += f' and {_directories(len(cleaning.directories))}'
        if output_format not in (None, 'table'):
            write_details(_as_data(plan, cleaning), output_format)
        elif dry_run:
            print(prose(_as_text(plan, cleaning, session.verbose)))
        elif not yes:
            print(_as_text(plan, cleaning, session.verbose), file=sys.stderr)
        if dry_run:
            session.tell(f'Would delete {what}.')
            return 0
        if not confirm(f'Delete {what}? This cannot be undone.', yes):
            raise InvalidOperation('no node was deleted')
        if cleaning is not None:
            agree_to_commands(commands_for_cleaning(storage, cleaning), run_commands)
            _clean(session, storage, plan, cleaning)
        delete_nodes(storage, plan)
    session.tell(f'Deleted {plural(len(plan.pks), "node")}.')
    return 0


def _clean(session: CommandSession, storage: StorageBackend, plan: DeletionPlan, cleaning: CleaningPlan) -> None:
    """Remove the work directories; they go first, since afterwards nothing would tell where they are.

    :raises ricordi.errors.InvalidOperation: some could not be removed; each is told.
    """
    from ricordi.services.computers.cleaning import clean_work_directories
    from ricordi.services.nodes.delete import check_plan

    check_plan(storage, plan)
    failed = 0
    for done in clean_work_directories(storage, cleaning):
        absent = f', {done.absent:,} not there any more' if done.absent else ''
        session.tell(f'{done.computer}: removed {_directories(done.removed)}{absent}.')
        failures = list(done.failures)
        if failures:
            failures[-1] = with_remedy(failures[-1], done.remedy)
        for failure in failures:
            print(f'{done.computer}: {failure}', file=sys.stderr)
        failed += len(done.failures)
    if failed:
        raise InvalidOperation(
            'not all work directories could be removed, so no node was deleted: they alone tell where these are; run '
            'the command again, or without --clean-workdir'
        )


def _directories(count: int) -> str:
    return f'{count:,} work director{"y" if count == 1 else "ies"}'


def _as_data(plan: DeletionPlan, cleaning: CleaningPlan | None) -> dict[str, Any]:
    data = plan_as_data(plan)
    if cleaning is not None:
        keys = ('node', 'computer', 'path')
        data['work_directories'] = [{key: getattr(one, key) for key in keys} for one in cleaning.directories]
    return data


def _as_text(plan: DeletionPlan, cleaning: CleaningPlan | None, with_pks: bool) -> str:
    if cleaning is None:
        return plan_as_text(plan, with_pks=with_pks)
    counts = ', '.join(f'{count:,} on {label}' for label, count in cleaning.by_computer.items()) or 'none'
    paths = [f'  {one_line(one.computer)}: {one_line(one.path)}' for one in cleaning.directories[:_SHOWN]]
    if len(cleaning.directories) > _SHOWN:
        paths.append(f'  … and {len(cleaning.directories) - _SHOWN:,} more: all are in `--dry-run --format json`')
    told = '\n'.join([f'Work directories to be removed: {counts}.', *paths])
    parts = [plan_as_text(plan, folders_stay=False, with_pks=with_pks), told]
    if cleaning.already_clean:
        parts.append(f'Work directories that were removed before: {cleaning.already_clean:,}.')
    if cleaning.in_use:
        parts.append(f'Work directories that other nodes point at, which stay: {cleaning.in_use:,}.')
    if cleaning.of_others:
        parts.append(f'Work directories of other users, which stay: {cleaning.of_others:,}.')
    return '\n\n'.join(parts)
