"""Names of profiles, which become names of folders and files."""

from __future__ import annotations

from ricordi.errors import ProfileConfigurationError

LONGEST_NAME = 200
"""Bytes that a profile name may have: with an ending it must still be the name of a file."""


def check_profile_name(name: object) -> str:
    """The name, if it can stand for a folder without leaving the one it is put in.

    :raises ricordi.errors.ProfileConfigurationError: it cannot.
    """
    if not isinstance(name, str) or not name:
        raise ProfileConfigurationError(f'{name!r} is no profile name: it must be a text of at least one character')
    reason = None
    if name in ('.', '..'):
        reason = 'it means a folder'
    elif '/' in name or '\\' in name:
        reason = 'a slash would make it a path'
    elif not name.isprintable():
        reason = 'it holds characters that cannot be printed'
    elif len(name.encode('utf-8', 'surrogatepass')) > LONGEST_NAME:
        reason = f'it is longer than {LONGEST_NAME} bytes'
    elif name != name.strip():
        reason = 'it begins or ends with a blank'
    if reason is not None:
        raise ProfileConfigurationError(f'{name!r} cannot be the name of a profile: {reason}; choose another')
    return name


def check_new_profile_name(name: object) -> str:
    """The name, if a new profile may have it: one that begins like an option could not be said on a command line.

    :raises ricordi.errors.ProfileConfigurationError: it may not.
    """
    if check_profile_name(name).startswith('-'):
        raise ProfileConfigurationError(f'{name!r} cannot be the name of a new profile: it begins with a dash')
    return str(name)
