"""`ricordi profile`: list, show, set-default."""

from __future__ import annotations

import click

from ricordi.cli.output import Column, write_details, write_list
from ricordi.cli.parameters import PROFILE
from ricordi.cli.session import Session
from ricordi.cli.verb import format_option, verb
from ricordi.services import profile as service

COLUMNS = (
    Column('default', '', lambda default: '*' if default else ''),
    Column('name', 'Profile'),
    Column('backend', 'Storage'),
    Column('default_user_email', 'User'),
)


@verb('ricordi profile list', 'ricordi profile list --format json')
@format_option()
def list_profiles(session: Session, output_format: str | None) -> int:
    """List the profiles.

    The default profile is marked with a star. With --quiet: the bare names.
    """
    from dataclasses import asdict

    profiles = service.list_profiles()
    if session.quiet and output_format is None:
        print('\n'.join(profile.name for profile in profiles))
    else:
        write_list([asdict(profile) for profile in profiles], COLUMNS, output_format)
    return 0


@verb('ricordi profile show', 'ricordi profile show main --format yaml')
@click.argument('profile', required=False, type=PROFILE)
@format_option()
def show(session: Session, profile: str | None, output_format: str | None) -> int:
    """Show the configuration of a profile, passwords masked.

    Without PROFILE: the one that -p names, or the default profile.
    """
    write_details(service.show_profile(profile or session.profile_name), output_format)
    return 0


@verb('ricordi profile set-default main')
@click.argument('profile', type=PROFILE)
def set_default(session: Session, profile: str) -> int:
    """Make a profile the one that is used when none is named."""
    before = service.set_default_profile(profile)
    if before == profile:
        session.tell(f'`{profile}` is the default profile already.')
    else:
        session.tell(f'`{profile}` is now the default profile' + (f', in place of `{before}`.' if before else '.'))
    return 0
