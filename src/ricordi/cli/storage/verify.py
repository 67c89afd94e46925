"""`ricordi storage verify`: whether everything is there, and what it should be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ricordi.cli.parameters import DURATION, SUBSET
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.places import PLACE, address_of, bucket_place_options, store_settings
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.prose import complain, prose
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import UsageError
from ricordi.progress import Stop

if TYPE_CHECKING:
    from ricordi.backend.verification_report import Subset, VerificationReport


@verb(
    'ricordi storage verify',
    'ricordi -p main storage verify --read --format json',
    'ricordi -p main storage verify --read --max-runtime 30m    # each night: what was read longest ago',
    'ricordi storage verify --subset 10%',
    'ricordi storage verify --read --archive paper.aiida',
    'ricordi storage verify --backup /mnt/backup',
    'ricordi storage verify --read --backup s3://backups/aiida --endpoint-url https://s3.example.org',
)
@option('--read', is_flag=True, group='What to check', help='Also read all content, and compare it with its SHA-256.')
@option(
    '--subset',
    type=SUBSET,
    metavar='PART',
    group='What to check',
    help='Read a part of the content, that which was read longest ago: 10%, 20G; or one of some fixed parts: 3/12.',
)
@option(
    '--backup',
    'place',
    type=PLACE,
    metavar='PLACE',
    group='What to check',
    help='A backup repository, a folder or s3://BUCKET/FOLDER, in place of a profile: its snapshots, and the store of '
    'all they are made of.',
)
@bucket_place_options()
@option(
    '--wait',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='Wait so long (90s, 10m, 2h; seconds without a unit) for a lock of the profile to end. [default: do not wait]',
)
@option(
    '--max-runtime',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='End cleanly after so long; exits with 7 if there is more to do. The next run goes on.',
)
@format_option()
def verify(
    session: CommandSession,
    read: bool,
    subset: Subset | None,
    place: str | None,
    wait: float | None,
    max_runtime: float | None,
    output_format: str | None,
    **given: Any,
) -> int:
    """Check that nothing is missing or damaged, beside other users of the profile.

    The structure takes seconds: the database against its own rules, the index against the packs, all that nodes name.
    With --read every byte is compared with its SHA-256, what was read longest ago first; what was read is remembered in
    the container, and nothing else is changed. With --backup the snapshots in a place are checked in the same way:
    that each has all it is made of. Exit codes: 0 all is well, 3 the storage cannot be opened, 5 the profile
    is locked, 6 something is missing, damaged or wrong, 7 interrupted or out of time with more to do.
    """
    from ricordi.backend.verification_report import VerifyOptions
    from ricordi.cli.storage.verification_report import exit_code_of
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.services.verify import verify_storage

    if place is not None and session.profile_name is not None:
        raise UsageError('--backup comes in place of a profile or an archive: give one of them')
    address = None if place is None else address_of(place, given)
    store_settings((place or '',), given)
    options = VerifyOptions(read or subset is not None, subset)
    stop = Stop(max_runtime)
    with long_work(session, stop) as run:
        if address is not None:
            from ricordi.services.backups.verify import verify_backup

            subject, noun = str(address), 'place'
            report = verify_backup(address, options, wait=wait, run=run)
        else:
            profile = find_profile(session.profile_name)
            subject, noun = profile.name, 'archive' if session.reads_archive else 'profile'
            report = verify_storage(profile, options, wait=wait, run=run)
    told = session.reports(output_format)
    if told:
        _print_report(subject, noun, report, output_format)
    _tell_what_is_wrong(report, told, f'{noun} {subject}')
    return exit_code_of(report)


def _print_report(subject: str, noun: str, report: VerificationReport, output_format: str | None) -> None:
    from ricordi.cli.storage.verification_report import report_as_data, report_as_text
    from ricordi.cli.terminal.output import write_details

    if output_format in (None, 'table'):
        print(prose(report_as_text(subject, report, noun)))
    else:
        write_details(report_as_data(subject, report, 'place' if noun == 'place' else 'profile'), output_format)


def _tell_what_is_wrong(report: VerificationReport, told: bool, where: str) -> None:
    """Say on stderr why the exit code will not be 0; with the findings one by one if no report has told them.

    :param where: what was looked at, in words.
    """
    from ricordi.cli.storage.verification_report import finding_lines, in_numbers

    sys.stdout.flush()
    if report.finding_count:
        complain(f'ricordi: error: {in_numbers(report.counts)}')
        if not told:
            print('\n'.join(finding_lines(report)), file=sys.stderr)
    if report.interrupted:
        complain(f'ricordi: error: {where}: {report.interrupted}: ended early; run it again to go on')
