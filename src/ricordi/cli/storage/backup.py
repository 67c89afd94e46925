"""`ricordi storage backup`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.parameters import DURATION, NEW_NAME
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.keeping import keep_options, policy_of
from ricordi.cli.storage.places import PLACE, address_of, bucket_place_options
from ricordi.cli.terminal.prose import complain, prose
from ricordi.cli.verb import format_option, option, verb

if TYPE_CHECKING:
    from ricordi.services.backups.backup import BackupReport

KEEPING = 'Which snapshots of this profile to keep'


@verb(
    'ricordi storage backup /backup/aiida',
    'ricordi -p main storage backup /backup/aiida --keep-daily 7 --keep-weekly 5 --keep-monthly 12',
    'ricordi -p main storage backup /backup/aiida --tag before-upgrade',
    'ricordi -p main storage backup s3://backups/aiida --endpoint-url https://s3.example.org',
)
@click.argument('place', type=PLACE)
@option(
    '--tag',
    'tags',
    type=NEW_NAME,
    multiple=True,
    metavar='TAG',
    help='A word that the snapshot gets; with --keep…, only snapshots that have it are removed. May be repeated.',
)
@option('--dry-run', is_flag=True, help='Read the database and tell what would be put; write nothing.')
@keep_options(KEEPING)
@bucket_place_options(make=True)
@option(
    '--wait',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='Wait so long (90s, 10m, 2h; seconds without a unit) for a lock of the profile to end, and for the place. '
    '[default: do not wait]',
)
@option(
    '--max-runtime',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='End cleanly after so long (90s, 10m, 2h; seconds without a unit); exits with 7 if there is more to do.',
)
@format_option()
def backup(
    session: CommandSession,
    place: str,
    tags: tuple[str, ...],
    dry_run: bool,
    wait: float | None,
    max_runtime: float | None,
    output_format: str | None,
    **given: Any,
) -> int:
    """Back up the profile, database and objects, into the backup repository in PLACE.

    PLACE is a folder, or a folder of a bucket, s3://BUCKET/FOLDER. A new or empty one becomes a backup repository. It
    may hold snapshots of many profiles and hosts, and each is whole: what is there already is not put again. Others
    may use the profile meanwhile. Exit codes: 0 all done, 5 the profile or the place is locked, 6 the snapshot lacks
    objects that are missing or damaged in the storage, or rows that its database has lost, 7 interrupted or out of
    time: there is no snapshot, and the next run puts what is left.
    """
    from ricordi.cli.terminal.long_work import long_work
    from ricordi.progress import Stop
    from ricordi.services.backups.backup import back_up, plan_backup
    from ricordi.services.backups.places import provided_place
    from ricordi.services.profiles.profiles import find_profile

    policy, address = policy_of(given), address_of(place, given)
    profile = find_profile(session.profile_name)
    stop = Stop(max_runtime, out_of_time='the time given by --max-runtime is over')
    with (
        long_work(session, stop, writes=not dry_run) as run,
        provided_place(address, given['make_bucket'] and not dry_run),
    ):
        if dry_run:
            report = plan_backup(profile, address, wait=wait, run=run)
        else:
            report = back_up(profile, address, tags=tags, policy=policy, wait=wait, run=run)
    return _told(session, profile.name, report, output_format)


def _told(session: CommandSession, profile: str, report: BackupReport, output_format: str | None) -> int:
    """Print what was done, and say on stderr why the exit code will not be 0; returns it."""
    from ricordi.cli.storage.snapshot_reports import (
        backup_as_data,
        backup_as_text,
        exit_code_of_backup,
        lost_rows_in_words,
        missing_lines,
        trouble_of,
    )
    from ricordi.cli.terminal.output import write_details

    if session.reports(output_format, report.record is None):
        if output_format in (None, 'table'):
            print(prose(backup_as_text(profile, report)))
        else:
            write_details(backup_as_data(profile, report), output_format)
    sys.stdout.flush()
    if report.busy:
        session.tell(f'ricordi: warning: no snapshots were removed: {report.busy}')
    lost = '\n'.join(missing_lines(report))
    trouble = trouble_of(report.forgotten) if report.forgotten else ''
    for wrong in filter(None, (lost, lost_rows_in_words(report), trouble)):
        complain(f'ricordi: error: {wrong}')
    return exit_code_of_backup(report)
