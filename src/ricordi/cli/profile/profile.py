"""`ricordi profile`: list, show, set-default, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ricordi.cli.parameters import PROFILE
from ricordi.cli.profile.list import print_profiles
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, UsageError
from ricordi.services.profiles import profiles as service

if TYPE_CHECKING:
    from ricordi.services.profiles.setup import Deleted


@verb('ricordi profile list', 'ricordi profile list --format json', on_profile=False)
@format_option()
def list_profiles(session: CommandSession, output_format: str | None) -> int:
    """List the profiles.

    The default profile is marked with a star. With --quiet: the bare names.
    """
    return print_profiles(session, output_format)


@verb('ricordi profile show', 'ricordi profile show main --format yaml')
@click.argument('profile', required=False, type=PROFILE)
@format_option()
def show(session: CommandSession, profile: str | None, output_format: str | None) -> int:
    """Show the configuration of a profile, passwords masked.

    Without PROFILE: the one that -p names, or the default profile.
    """
    session.refuse_archive()
    write_details(service.show_profile(profile or session.profile_name), output_format)
    return 0


@verb('ricordi profile set-default main', on_profile=False)
@click.argument('profile', type=PROFILE)
def set_default(session: CommandSession, profile: str) -> int:
    """Make a profile the one that is used when none is named."""
    before = service.set_default_profile(profile)
    if before == profile:
        session.tell(f'`{profile}` is the default profile already.')
    else:
        session.tell(f'`{profile}` is now the default profile' + (f', in place of `{before}`.' if before else '.'))
    return 0


@verb(
    'ricordi profile delete --keep-data old',
    'ricordi profile delete --delete-data --yes scratch test',
    on_profile=False,
)
@click.argument('profiles', nargs=-1, required=True, type=PROFILE)
@option('--delete-data/--keep-data', default=None, help='Delete the storage with all its data, or leave it.')
@option(
    '--admin-uri',
    metavar='URI',
    help='Address of an administrator of the PostgreSQL server: with these rights database and user go too, if a setup '
    'has made them.',
)
@option('--dry-run', '-n', is_flag=True, help='Show what would be deleted and delete nothing.')
@yes_option('Do not ask before deleting.')
def delete(
    session: CommandSession,
    profiles: tuple[str, ...],
    delete_data: bool | None,
    admin_uri: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Delete profiles, with or without their data.

    One of --delete-data and --keep-data has to be given. Data that was deleted cannot be had back. Data that is that of
    another profile too is not deleted, unless that one is named as well.
    """
    found = [service.find_profile(name) for name in dict.fromkeys(profiles)]
    if delete_data is None:
        raise UsageError('say what shall become of the data: --keep-data or --delete-data')
    if admin_uri is not None and not delete_data:
        raise UsageError('--admin-uri is about deleting data: give --delete-data with it')
    from ricordi.services.profiles.database import administrator_at
    from ricordi.services.profiles.setup import check_data_deletable, delete_profile, is_storage_of_any, what_stays

    administrator = administrator_at(admin_uri)
    names = [profile.name for profile in found]
    if delete_data:
        for profile in found:
            check_data_deletable(profile, names, administrator)
    for number, profile in enumerate(found):
        where = f'{profile.storage_backend}: {service.location(profile)}'
        what = f'profile `{profile.name}` and all its data ({where})' if delete_data else f'profile `{profile.name}`'
        stays = _about_what_stays(what_stays(profile, administrator) if delete_data else ())
        if dry_run:
            session.tell(f'Would delete {what}.{stays}')
            continue
        if not confirm(f'Delete {what}?{stays}', yes):
            raise InvalidOperation(f'profile `{profile.name}` was not deleted')
        # What an earlier one of these had too is gone by now.
        with_data = delete_data and not is_storage_of_any(profile, found[:number])
        done = delete_profile(profile.name, with_data, names, administrator)
        kept = '' if delete_data else f'; its data is still there ({where})'
        session.tell(f'Deleted {what}{kept}.{_about_rest(done, administrator is not None)}{_about_default(done)}')
    return 0


def _about_what_stays(names: tuple[str, ...]) -> str:
    """What is not deleted with the data, told while there is still a choice."""
    if not names:
        return ''
    return f' On the server {" and ".join(names)} stay, empty: --admin-uri removes them too, if a setup has made them.'


def _about_rest(done: Deleted, by_administrator: bool) -> str:
    """What else is gone, and what is still there."""
    removed = f' Removed as well: {", ".join(done.removed)}.' if done.removed else ''
    if not done.remains:
        return removed
    server = any(what.startswith('database ') for what in done.remains)
    hint = '' if by_administrator or not server else ' (--admin-uri would have removed what a setup has made)'
    return f'{removed} Still there: {", ".join(done.remains)}{hint}.'


def _about_default(done: Deleted) -> str:
    """What has become of the default profile."""
    if not done.was_default:
        return ''
    if done.default is not None:
        return f' It was the default profile: `{done.default}`, the only one left, is that now.'
    if not done.left:
        return ' It was the last one.'
    return (
        ' It was the default profile, and there is none now: choose one with `ricordi profile set-default NAME` '
        f'({", ".join(done.left)}).'
    )
