"""`ricordi storage`: info, version, migrate, maintain."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ricordi.cli.pages.output import PagePlace, page_options
from ricordi.cli.parameters import DURATION, PERCENT
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import shown, write_details
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.quantities import format_amount, format_bytes, format_count, in_words
from ricordi.cli.terminal.signals import stopping
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, UsageError
from ricordi.progress import Stop

MAX_WASTE = 10.0
"""Percent of a pack that may be waste, unless something else is said."""

WAIT = option(
    '--wait',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='Wait so long (90s, 10m, 2h; seconds without a unit) for others to leave the profile. [default: do not wait]',
)


_TIMES = ('verified.structure', 'verified.oldest', 'last_maintained.live', 'last_maintained.full', 'last_backup.time')
"""Keys of `storage info` whose values are times, written as text."""


@verb('ricordi storage info', 'ricordi -p main storage info --detailed --format json')
@option(
    '--detailed',
    is_flag=True,
    help='Also what takes time to find: users, computers and types by name, garbage, missing objects, table sizes.',
)
@format_option()
def info(session: CommandSession, detailed: bool, output_format: str | None) -> int:
    """Show what the storage holds and how large it is."""
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.services.storage import get_info

    found = get_info(find_profile(session.profile_name), detailed)
    write_details(found, output_format, show=_with_unit, short=format_amount, name=in_words)
    return 0


def _with_unit(key: str, value: Any) -> str:
    """A value of `storage info` for a person: the keys say which numbers are bytes."""
    *above, last = key.split('.')
    if key in _TIMES and isinstance(value, str):
        return local_time(datetime.fromisoformat(value))
    if last.endswith('_share') and isinstance(value, float):
        return f'{100 * value:.0f} %'
    if not isinstance(value, int) or isinstance(value, bool):
        return shown(value)
    is_size = last == 'bytes' or last.endswith('_bytes') or above[-1:] == ['tables']
    return format_bytes(value) if is_size else format_count(value)


@verb('ricordi storage version', 'ricordi storage version --format json')
@format_option()
def version(session: CommandSession, output_format: str | None) -> int:
    """Show the schema version of the storage.

    Exits with 4 where it is not the one that this program works on.
    """
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.services.storage import get_version

    found = get_version(find_profile(session.profile_name))
    if output_format is None:
        print(prose(f'Profile `{found.profile}`: {found.backend}, schema {found.version}'))
    else:
        write_details(found._asdict(), output_format)
    return 0 if found.version == found.head else 4


@verb('ricordi storage migrate', 'ricordi -p main storage migrate --yes --wait 10m')
@option('--dry-run', is_flag=True, help='Tell from which version to which, and change nothing.')
@yes_option('Do not ask before changing the database.')
@WAIT
def migrate(session: CommandSession, dry_run: bool, yes: bool, wait: float | None) -> int:
    """Bring the database to the schema version that this program works on.

    The profile is locked meanwhile. Back the database up first: there is no way back to the older version.
    """
    from ricordi.services import storage
    from ricordi.services.profiles.profiles import find_profile

    profile = find_profile(session.profile_name)
    found = storage.get_version(profile)
    if found.version == found.head:
        session.tell(f'Profile `{found.profile}` is at schema {found.head} already: nothing to do.')
        return 0
    if dry_run:
        session.tell(f'Would migrate profile `{found.profile}` from schema {found.version} to {found.head}.')
        return 0
    question = f'Migrate profile `{found.profile}` from schema {found.version} to {found.head}?'
    if not confirm(question, yes):
        raise InvalidOperation('not migrated')
    stop = Stop()
    with stopping(stop):
        storage.migrate(profile, wait, stop)
    session.tell(f'Profile `{found.profile}` is now at schema {found.head}.')
    return 0


@verb(
    'ricordi storage maintain',
    'ricordi storage maintain --full --dry-run',
    'ricordi -p main storage maintain --full --yes --wait 10m --max-runtime 2h',
    'ricordi storage maintain --full --dry-run --format html -O plan.html',
    'ricordi -q storage maintain --all-profiles --format logfmt',
)
@option('--all-profiles', is_flag=True, group='What to do', help='One profile of the configuration after the other.')
@option(
    '--full',
    is_flag=True,
    group='What to do',
    help='Also remove garbage, repack and vacuum, with the profile locked unless its objects are in a bucket.',
)
@option('--dry-run', is_flag=True, group='What to do', help='Show the plan and write nothing.')
@option(
    '--repack',
    type=click.Choice(('auto', 'all', 'none')),
    group='What to do',
    help='With --full, which packs to rewrite: those with too much waste or too small, all, or none. [default: auto]',
)
@option('--no-repack', is_flag=True, group='What to do', help='The same as --repack none.')
@option(
    '--max-waste',
    type=PERCENT,
    metavar='PERCENT',
    group='What to do',
    help='With --full, how much of a pack may be waste before --repack auto rewrites it. [default: 10]',
)
@option(
    '--compress',
    type=click.Choice(('auto', 'yes', 'no', 'keep')),
    is_flag=False,
    flag_value='auto',
    default='keep',
    group='What to do',
    help='Compress what is packed and repacked: all, none, what a sample shows to be worth it (auto, also meant by the '
    'bare option), or leave each object in the form it has. [default: keep]',
)
@option(
    '--grace',
    type=DURATION,
    metavar='DURATION',
    group='What to do',
    help='Of a bucket: how long objects that no node names stay, and packs that others may read. [default: 1h]',
)
@option(
    '--adopt',
    is_flag=True,
    group='What to do',
    help='With --full: say that the objects are those of this database alone, as after it was restored or moved.',
)
@option('--incremental-cleanup/--no-incremental-cleanup', default=True, hidden=True)
@WAIT
@option(
    '--max-runtime',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='End cleanly after so long (90s, 10m, 2h; seconds without a unit); exits with 7 if there is more to do.',
)
@yes_option('Do not ask before a full maintenance.')
@format_option('logfmt', 'html')
@page_options(required=False)
def maintain(
    session: CommandSession,
    all_profiles: bool,
    full: bool,
    dry_run: bool,
    repack: str | None,
    no_repack: bool,
    max_waste: float | None,
    compress: str,
    grace: float | None,
    adopt: bool,
    incremental_cleanup: bool,
    wait: float | None,
    max_runtime: float | None,
    yes: bool,
    output_format: str | None,
    output_file: Path | None,
    overwrite: bool,
) -> int:
    """Pack the repository; with --full also remove garbage, repack and vacuum.

    Without --full this runs beside other users of the profile and removes nothing but loose copies of objects that are
    packed and checked. Exit codes: 0 all done, 5 the profile is locked or in use, 6 objects are missing or damaged, or
    may be named by rows that are lost or by another database, 7 interrupted, out of time or out of room with more to
    do. With --all-profiles the code is that of the first profile that is not well, and no profile keeps those after it
    from their turn. --format logfmt writes a line of key=value for a journal.
    """
    if no_repack and repack not in (None, 'none'):
        raise UsageError(f'--no-repack and --repack {repack} contradict each other')
    for given, text in ((repack in ('auto', 'all'), f'--repack {repack}'), (max_waste is not None, '--max-waste')):
        if given and not full:
            raise UsageError(f'{text} needs --full: packs are rewritten only while the profile is locked')
    if output_file is not None and output_format not in (None, 'html'):
        raise UsageError(f'--output-file takes the page of --format html: leave it out with {output_format}')
    if adopt and not full:
        raise UsageError('--adopt needs --full: nothing else removes objects that no node names')
    from ricordi.backend.maintenance import MaintenanceOptions
    from ricordi.cli.storage.maintenance import MaintenanceCall, maintain_all, maintain_one

    wants_page = output_format == 'html' or output_file is not None
    page = PagePlace(output_file or Path('-'), overwrite) if wants_page else None
    options = MaintenanceOptions(
        full=full,
        dry_run=dry_run,
        repack='none' if no_repack else repack or 'auto',  # type: ignore[arg-type]  # click has checked the choice
        max_waste=MAX_WASTE if max_waste is None else max_waste,
        compress=compress,  # type: ignore[arg-type]
        adopt=adopt,
        grace_seconds=grace,
    )
    call = MaintenanceCall(session, options, yes, wait, max_runtime, output_format, page)
    if not all_profiles:
        return maintain_one(call)
    if session.profile_name is not None:
        raise UsageError('--all-profiles and a profile or archive by name contradict each other')
    if page is not None:
        raise UsageError('a page is of one profile: leave --all-profiles out, or the page')
    return maintain_all(call)
