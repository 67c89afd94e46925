"""Whether what is to become a profile can be meant, found out before anything is made: for who asks a person."""

from __future__ import annotations

import os
from pathlib import Path

from ricordi.config import load_config
from ricordi.config.names import check_new_profile_name
from ricordi.config.profile import repository_path_in
from ricordi.errors import ConfigurationError, MissingConfigurationError, WrongValue


def check_new_name(name: str) -> None:
    """Refuse a name that a new profile cannot have.

    :raises ricordi.errors.ProfileConfigurationError: it cannot be one, or it is taken.
    """
    check_new_profile_name(name)
    try:
        config = load_config()
    except MissingConfigurationError:
        return
    config.create_profile(name, '', {})  # in memory only


def check_new_folder(path: str | Path) -> None:
    """Refuse a folder in which a storage cannot be made, as far as that can be seen from outside.

    :raises ricordi.errors.WrongValue: a file is in the way, or nothing may be written there.
    """
    folder = Path(path).expanduser().absolute()
    above = next(place for place in (folder, *folder.parents) if place.exists())
    if not above.is_dir():
        raise WrongValue(f'{above} is a file, not a folder')
    if not os.access(above, os.W_OK | os.X_OK):
        raise WrongValue(f'nothing can be written into {above}: it is not yours to write to')


def as_repository_uri(given: str) -> str:
    """The URI of a repository, of an absolute path or such a URI.

    :raises ricordi.errors.WrongValue: it is neither.
    """
    if given.startswith(('/', '~')):
        return Path(given).expanduser().absolute().as_uri()
    _path_in(given)
    return given


def check_repository_uri(uri: str) -> None:
    """Refuse what is no place for a repository.

    :raises ricordi.errors.WrongValue: it is no absolute `file://` URI, or see `check_new_folder`.
    """
    check_new_folder(_path_in(uri))


def _path_in(uri: str) -> Path:
    try:
        return repository_path_in({'repository_uri': uri}, '')
    except ConfigurationError:
        raise WrongValue(f'write it like /home/ada/repository or file:///home/ada/repository, not {uri!r}') from None
