"""Where the storage of a profile is, as far as its lock asks: the container, and which profiles name the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.config.folder import FILE_NAME
from ricordi.config.names import check_profile_name
from ricordi.config.profile import repository_path_in
from ricordi.errors import ConfigurationError
from ricordi.files import read_regular

if TYPE_CHECKING:
    from ricordi.config.profile import Profile

CONTAINER = 'container'
"""The folder of the repository inside the folder that a profile names."""
DATABASE = 'database.sqlite'
"""The database in the folder of a profile on SQLite."""

_THIS_HOST = ('', 'localhost', '127.0.0.1', '::1')


class StoragePlace(NamedTuple):
    """A storage, without asking it anything.

    :param container: the folder of its repository; None where it has none on disk.
    :param database: server and name of its database; None for one that is a file.
    :param file: the database, if it is a file.
    """

    container: Path | None
    database: tuple[str, ...] | None
    file: Path | None = None

    def is_same(self, other: StoragePlace) -> bool:
        """Whether both are one storage, or share a part: under whatever path or name of the server."""
        if self.database is not None and self.database == other.database:
            return True
        if self.container is None or other.container is None:
            return False
        if self.container == other.container:
            return True
        try:
            return self.container.samefile(other.container)
        except OSError:
            return False


def place_of(profile: Profile) -> StoragePlace:
    """Where the storage of a profile is, going by what its configuration names; nothing is looked at."""
    return _place_in(profile.storage_config, profile.name)


def _place_in(config: Mapping[str, Any], name: str) -> StoragePlace:
    database = None
    if config.get('database_name'):
        host = str(config.get('database_hostname') or '')
        server = 'localhost' if host in _THIS_HOST else host
        database = (server, str(config.get('database_port') or 5432), str(config['database_name']))
    try:
        folder = Path(config['filepath']) if 'repository_uri' not in config else repository_path_in(config, name)
    except (KeyError, TypeError, ConfigurationError):
        return StoragePlace(None, database)
    if not folder.is_absolute():
        return StoragePlace(None, database)
    return StoragePlace(folder / CONTAINER, database, folder / DATABASE if database is None else None)


def find_namesakes(profile: Profile, config_folder: Path) -> list[str]:
    """The names of the other profiles of a configuration that have the same storage.

    What cannot be read names none: whoever uses such a configuration is told so elsewhere.
    """
    try:
        profiles = json.loads(read_regular(config_folder / FILE_NAME))['profiles'].items()
        others = {name: content for name, content in profiles if name != profile.name}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    if not others:
        return []
    own = place_of(profile)
    return [name for name, content in others.items() if _names_same(own, name, content)]


def _names_same(own: StoragePlace, name: str, content: Any) -> bool:
    try:
        return own.is_same(_place_in(content['storage']['config'], check_profile_name(name)))
    except (ConfigurationError, AttributeError, TypeError, KeyError, ValueError):
        return False
