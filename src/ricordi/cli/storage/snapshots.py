"""`ricordi storage snapshots` and `ricordi storage forget`: what is in a backup repository, and what shall not be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.parameters import DURATION, NEW_NAME
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.keeping import keep_options, policy_of
from ricordi.cli.storage.places import PLACE, address_of, bucket_place_options
from ricordi.cli.terminal.output import OutputColumn, write_details, write_list
from ricordi.cli.terminal.prose import complain, prose
from ricordi.cli.terminal.quantities import format_bytes, format_count
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, ProblemsFound, UsageError

if TYPE_CHECKING:
    from ricordi.services.backups.snapshots import ForgetOutcome, ForgetPlan

COLUMNS = (
    OutputColumn('name', 'Snapshot'),
    OutputColumn('time', 'Time', local_time),
    OutputColumn('profile', 'Profile'),
    OutputColumn('host', 'Host'),
    OutputColumn('nodes', 'Nodes', format_count),
    OutputColumn('objects', 'Objects', format_count),
    OutputColumn('bytes', 'Content', format_bytes),
    OutputColumn('added_bytes', 'Added', format_bytes),
    OutputColumn('lacks', 'Lacks'),
    OutputColumn('tags', 'Tags'),
)


@verb(
    'ricordi storage snapshots /backup/aiida',
    'ricordi storage snapshots /backup/aiida --format json',
    'ricordi storage snapshots s3://backups/aiida --endpoint-url https://s3.example.org',
    on_profile=False,
)
@click.argument('place', type=PLACE)
@bucket_place_options()
@format_option()
def snapshots(session: CommandSession, place: str, output_format: str | None, **given: Any) -> int:
    """List the snapshots in the backup repository in PLACE; no profile is needed.

    PLACE is a folder, or a folder of a bucket, s3://BUCKET/FOLDER. Exits with 6 where there is one that cannot be
    read.
    """
    from ricordi.cli.storage.snapshot_reports import snapshot_as_row
    from ricordi.services.backups.snapshots import list_snapshots

    found = list_snapshots(address_of(place, given))
    rows = [snapshot_as_row(record) for record in found.records]
    if not rows and output_format in (None, 'table'):
        session.tell(f'There are no snapshots in {place}.')
    elif session.quiet and output_format is None:
        print('\n'.join(record.name for record in found.records))
    else:
        write_list(rows, COLUMNS, output_format)
    sys.stdout.flush()
    for fault in found.faults.values():
        complain(f'ricordi: error: {fault}')
    return ProblemsFound.exit_code if found.faults else 0


@verb(
    'ricordi storage forget /backup/aiida --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run',
    'ricordi storage forget /backup/aiida --keep-last 3 --tag nightly --yes',
    'ricordi storage forget /backup/aiida 20261127T020000Z-0f3a5c8b9d21 --yes',
    'ricordi storage forget s3://backups/aiida --keep-daily 7 --endpoint-url https://s3.example.org --yes',
    on_profile=False,
)
@click.argument('place', type=PLACE)
@click.argument('names', metavar='[SNAPSHOTS]...', nargs=-1)
@option(
    '--tag',
    'tags',
    type=NEW_NAME,
    multiple=True,
    metavar='TAG',
    group='Which snapshots to keep',
    help='Only snapshots with this tag are looked at; all others stay. May be repeated.',
)
@keep_options('Which snapshots to keep')
@bucket_place_options()
@option('--dry-run', is_flag=True, help='Tell what would be removed, and what that would give back; change nothing.')
@yes_option('Do not ask before removing snapshots.')
@option(
    '--wait',
    type=DURATION,
    metavar='DURATION',
    help='Wait so long (90s, 10m, 2h; seconds without a unit) for others to be done with the place. '
    '[default: do not wait]',
)
@format_option()
def forget(
    session: CommandSession,
    place: str,
    names: tuple[str, ...],
    tags: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    wait: float | None,
    output_format: str | None,
    **given: Any,
) -> int:
    """Remove snapshots from the backup repository in PLACE, by name or by a policy.

    PLACE is a folder, or a folder of a bucket, s3://BUCKET/FOLDER; there it needs nobody to be done with the place,
    and what was put within the last day stays. SNAPSHOTS are removed, or those that a policy does not keep. It is
    applied to each profile in the place by itself; the last complete snapshot of each always stays, and so do those
    whose time is yet to come. Then the space of what no other snapshot names is given back. A snapshot is named by its
    name, the start of it, or the digest at its end. Exit codes: 0 all done, 5 snapshots are being made or read, 6
    something in the place cannot be read, so that no space was given back, 7 interrupted: to be run again.
    """
    from ricordi.backup.policy import KeepPolicy
    from ricordi.cli.terminal.prompt import confirm
    from ricordi.services.backups import snapshots as service

    policy = policy_of(given)
    if policy is None and not names:
        raise UsageError('say which snapshots to keep (--keep-last, --keep-daily, …), or name those to remove')
    plan = service.plan_forgetting(address_of(place, given), names, policy or KeepPolicy(), tags)
    if not dry_run and plan.forget:
        question = (
            f'Remove {len(plan.forget):,} of {len(plan.forget) + len(plan.keep):,} snapshots in {place} for good?'
        )
        if not yes:
            session.tell('\n'.join(['These would be removed:', *(f'  {name}' for name in plan.forget)]))
        if not confirm(question, yes):
            raise InvalidOperation('nothing was removed')
    outcome = _carry_out(session, plan, dry_run, wait)
    return _told(session, plan, outcome, dry_run, output_format)


def _carry_out(session: CommandSession, plan: ForgetPlan, dry_run: bool, wait: float | None) -> ForgetOutcome:
    from ricordi.cli.terminal.long_work import long_work
    from ricordi.progress import Stop
    from ricordi.services.backups import snapshots as service

    stop = Stop()
    with long_work(session, stop, writes=not dry_run) as run:
        carry_out = service.estimate_forgetting if dry_run else service.forget
        return carry_out(plan, wait=wait, run=run)


def _told(
    session: CommandSession, plan: ForgetPlan, outcome: ForgetOutcome, dry_run: bool, output_format: str | None
) -> int:
    """Print what was done, and say on stderr why the exit code will not be 0; returns it."""
    from ricordi.cli.storage.snapshot_reports import exit_code_of_forgetting, forgotten_as_data, trouble_of

    report = outcome.report
    code = exit_code_of_forgetting(report)
    if session.reports(output_format, dry_run):
        if output_format in (None, 'table'):
            print(prose(_as_text(plan, outcome, dry_run)))
        else:
            keep = [{'name': name, 'reasons': list(reasons)} for name, reasons in plan.keep.items()]
            details = {'place': str(plan.place), 'dry_run': dry_run, 'forget': list(plan.forget), 'keep': keep}
            details |= forgotten_as_data(report) | {'seconds': round(outcome.seconds, 3), 'exit_code': code}
            write_details(details, output_format)
    sys.stdout.flush()
    if trouble := trouble_of(report):
        complain(f'ricordi: error: {trouble}')
    return code


def _as_text(plan: ForgetPlan, outcome: ForgetOutcome, dry_run: bool) -> str:
    from ricordi.cli.storage.snapshot_reports import forgotten_in_words
    from ricordi.cli.terminal.quantities import format_seconds
    from ricordi.cli.terminal.table import format_table

    table = format_table(
        [['remove', name, ''] for name in plan.forget]
        + [['keep', name, ', '.join(reasons)] for name, reasons in plan.keep.items()],
        ['', 'snapshot', 'for'],
    )
    words = forgotten_in_words(outcome.report)
    if dry_run:
        words = f'nothing was changed: {words}'
    return f'{table}\n\n{words[:1].upper()}{words[1:]}, in {format_seconds(outcome.seconds)}.'
