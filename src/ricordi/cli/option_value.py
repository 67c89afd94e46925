"""What `ricordi config get` prints. No click here: with the name of an option alone the verb is run without it."""

from __future__ import annotations

from typing import Any

from ricordi.cli.session import CommandSession
from ricordi.services import options as service


def print_value(session: CommandSession, name: str, output_format: str | None) -> int:
    """Print the value of an option, as it counts for the profile; returns the exit code."""
    session.refuse_archive()
    value = service.get_value(session.profile_name, name)
    if output_format in (None, 'table'):
        print(as_text(value))
    else:
        from ricordi.cli.terminal.output import write_details

        write_details({'name': service.find_option(name).name, 'value': value}, output_format)
    return 0


def as_text(value: Any) -> str:
    """As verdi writes it: truth as a word of Python's."""
    if not isinstance(value, str):
        return str(value)
    from ricordi.cli.terminal.output import one_line

    return one_line(value)


def without_options(name: str) -> int:
    """The verb with nothing but the name of an option."""
    return print_value(CommandSession(), name, None)
