"""What `ricordi profile list` prints. No click here: without options the verb is run without it."""

from __future__ import annotations

from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.screen import width
from ricordi.services.profiles import profiles as service

COLUMNS = (
    OutputColumn('default', '', lambda default: '*' if default else ''),
    OutputColumn('name', 'Profile'),
    OutputColumn('backend', 'Storage'),
    OutputColumn('default_user_email', 'User'),
)


def print_profiles(session: CommandSession, output_format: str | None) -> int:
    """Print the profiles, or with `--quiet` their names; returns the exit code."""
    profiles = service.list_profiles()
    if session.quiet and output_format is None:
        print('\n'.join(profile.name for profile in profiles))
    else:
        rows = (profile._asdict() for profile in profiles)
        write_list(rows, COLUMNS, output_format, service.ProfileSummary._fields)
        if output_format in (None, 'table') and profiles and width() is not None:
            session.tell('\n* marks the default profile.')
    return 0


def without_options() -> int:
    """The verb with no options at all."""
    return print_profiles(CommandSession(), None)
