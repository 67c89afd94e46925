"""`ricordi storage repair`: what a verification finds is mended, as far as there is anything to mend it from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ricordi.cli.parameters import DURATION
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.places import PLACE, bucket_place_options, store_settings
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.prose import complain, prose
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, UsageError
from ricordi.progress import Stop

if TYPE_CHECKING:
    from ricordi.services.repair.repair import RepairReport


@verb(
    'ricordi storage repair --dry-run',
    'ricordi -p main storage repair --from /backups/main --from paper.aiida --yes',
    'ricordi storage repair --read --from old --wait 10m    # another profile; first read every byte',
    'ricordi -p main storage repair --from s3://backups/aiida --endpoint-url https://s3.example.org --yes',
    'ricordi storage repair --backup /mnt/backup --from main',
)
@option(
    '--from',
    'sources',
    multiple=True,
    type=PLACE,
    metavar='SOURCE',
    group='What to do',
    help='Where objects may be taken from: another profile, an archive, a container, a storage, a backup (also one of '
    'verdi, or in a bucket: s3://BUCKET/FOLDER). May be given several times; the first that has an object as it should '
    'be gives it.',
)
@option(
    '--backup',
    'place',
    type=PLACE,
    metavar='PLACE',
    group='What to do',
    help='A backup repository (a folder, or s3://BUCKET/FOLDER) in place of a profile: what describes it, its index, '
    'and all that its snapshots need.',
)
@bucket_place_options()
@option('--read', is_flag=True, group='What to do', help='First read all content, and compare it with its SHA-256.')
@option(
    '--database',
    is_flag=True,
    group='What to do',
    help='Also take away links, memberships, comments, logs and settings of users that name what is not there; they '
    'are written to a file before.',
)
@option('--dry-run', is_flag=True, group='What to do', help='Show the plan and change nothing.')
@option(
    '--wait',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='Wait so long (90s, 10m, 2h; seconds without a unit) for others to leave the profile. [default: do not wait]',
)
@yes_option('Do not ask before mending.')
@format_option()
def repair(
    session: CommandSession,
    sources: tuple[str, ...],
    place: str | None,
    read: bool,
    database: bool,
    dry_run: bool,
    wait: float | None,
    yes: bool,
    output_format: str | None,
    **given: Any,
) -> int:
    """Mend what is missing or damaged, from copies at hand and from other sources.

    The storage is verified first, beside other users, and the plan is shown. Then the profile is locked and each fault
    mended: objects from second copies or a source, each compared with its SHA-256; the index from the catalogues beside
    the packs, and from the packs themselves; indexes, constraints and sequences of the database. A damaged copy is not
    destroyed: it is kept in set-aside/ of the container. Where the objects are in a bucket, nobody has to leave the
    profile while they are mended. With --backup a place of backups is mended in the same way, and what describes it.
    Exit codes: 0 nothing is wrong (any more), 3 the storage cannot be opened, 5 the profile is locked or in use, 6
    something is left, 7 interrupted or out of room with more to do.
    """
    from ricordi.cli.storage.repair_report import exit_code_of, plan_as_text, question_of
    from ricordi.cli.terminal.prompt import confirm
    from ricordi.services.backups.places import address_at
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.services.repair.backups import repair_backup
    from ricordi.services.repair.repair import RepairOptions, repair_storage

    if place is not None and (session.profile_name is not None or database):
        raise UsageError('--backup comes in place of a profile and of --database: give one of them')
    profile = None if place is not None else find_profile(session.profile_name)
    name, noun = (profile.name, 'profile') if profile is not None else (str(place), 'place')
    subject = f'profile `{name}`' if profile is not None else f'the backups in {name}'

    def consent(plan: RepairReport) -> bool:
        if not yes:
            print(plan_as_text(subject, plan), file=sys.stderr)
        if not confirm(question_of(subject, plan), yes):
            raise InvalidOperation('nothing was changed')
        return True

    stop = Stop()
    settings = store_settings(sources if place is None else (*sources, place), given)
    address = None if place is None else address_at(place, settings)
    options = RepairOptions(sources, read, database, dry_run, settings)
    with long_work(session, stop, writes=not dry_run) as run:
        if address is not None:
            report = repair_backup(address, options, consent=consent, wait=wait, run=run)
        else:
            assert profile is not None
            report = repair_storage(profile, options, consent=consent, wait=wait, run=run)
    told = session.reports(output_format, dry_run)
    if told:
        _print_report(subject, name, noun, report, output_format)
    _tell_what_is_wrong(report, told, subject.replace('`', ''))
    return exit_code_of(report)


def _print_report(subject: str, name: str, noun: str, report: RepairReport, output_format: str | None) -> None:
    from ricordi.cli.storage.repair_report import plan_as_text, report_as_data, report_as_text
    from ricordi.cli.terminal.output import write_details

    if output_format in (None, 'table'):
        print(prose(report_as_text(subject, report) if report.done else plan_as_text(subject, report)))
    else:
        write_details(report_as_data(name, report, noun), output_format)


def _tell_what_is_wrong(report: RepairReport, told: bool, where: str) -> None:
    """Say on stderr why the exit code will not be 0; with what is left one by one if no report has told it.

    :param where: what was mended, in words.
    """
    from ricordi.cli.storage.repair_report import left_in_words, left_lines

    sys.stdout.flush()
    if words := left_in_words(report):
        complain(f'ricordi: error: {words}')
        if not told:
            print('\n'.join(left_lines(report)), file=sys.stderr)
    if report.interrupted:
        complain(f'ricordi: error: {where}: {report.interrupted}: ended early; run it again to go on')
