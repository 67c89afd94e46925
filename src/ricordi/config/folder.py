"""Where the configuration folder is, and what lies in it (formats/config.md)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ricordi.errors import ConfigurationError

PATH_VARIABLE = 'AIIDA_PATH'
FOLDER_NAME = '.aiida'
FILE_NAME = 'config.json'
ACCESS_FOLDER = 'access'
STARTUP_VARIABLE = 'PYTHONSTARTUP'
SUBFOLDERS = (ACCESS_FOLDER, 'daemon', 'daemon/log', 'log', 'repository')


def get_config_folder() -> Path:
    """The configuration folder: the first existing one of `AIIDA_PATH`, else its last entry, else `~/.aiida`.

    The folder need not exist. The rule is AiiDA's, so that both programs always mean the same folder.
    """
    found: Path | None = None
    for entry in os.environ.get(PATH_VARIABLE, '').split(os.pathsep):
        if not entry:
            continue
        found = Path(entry).expanduser().absolute()
        if found.name != FOLDER_NAME:
            found /= FOLDER_NAME
        if found.is_dir():
            return found
    return found or Path.home() / FOLDER_NAME


def create_config_folder(folder: Path) -> None:
    """Create the configuration folder and its subfolders, open to nobody but the owner; what exists stays.

    :raises ricordi.errors.ConfigurationError: the file system refuses.
    """
    from ricordi.folders import make_folder

    for path in (folder, *(folder / name for name in SUBFOLDERS)):
        if path.is_dir():
            continue
        try:
            make_folder(path)
        except OSError as error:
            raise ConfigurationError(
                f'cannot create the configuration folder {path}: {error.strerror or error}; '
                f'set {PATH_VARIABLE} to a folder you can write'
            ) from error


def profile_filepaths(folder: Path, name: str, uuid: str) -> dict[str, Any]:
    """The files that AiiDA's programs keep for a profile, in the nesting of its `Config.filepaths`."""
    daemon = folder / 'daemon'
    broker = folder / 'broker' / f'{uuid}-{name}'
    return {
        'profile': {'log': str(folder / 'log' / f'aiida-{name}.log')},
        'circus': {
            'log': str(daemon / 'log' / f'circus-{name}.log'),
            'pid': str(daemon / f'circus-{name}.pid'),
            'port': str(daemon / f'circus-{name}.port'),
            'socket': {
                'file': str(daemon / f'circus-{name}.sockets'),
                'controller': 'circus.c.sock',
                'pubsub': 'circus.p.sock',
                'stats': 'circus.s.sock',
            },
        },
        'daemon': {
            'log': str(daemon / 'log' / f'aiida-{name}.log'),
            'pid': str(daemon / f'aiida-{name}.pid'),
            'daemon_env_info': str(daemon / f'aiida-{name}-env-info.json'),
        },
        'broker_service': {'dir': str(broker), 'log': str(broker / 'broker.log')},
    }


def startup_files() -> list[Path]:
    """The files that users have Python run at the start of a session, as far as they are there."""
    named = os.environ.get(STARTUP_VARIABLE)
    places = [*([Path(named).expanduser()] if named else []), Path.home() / '.pythonrc.py']
    return [path for path in places if path.is_file()]
