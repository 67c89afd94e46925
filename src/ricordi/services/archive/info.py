"""`archive info` and `archive version`: what an archive says of itself, and what is in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from ricordi.config import Profile
from ricordi.errors import StorageError, UsageError
from ricordi.storage.archive.file import HEAD, LEGACY, open_archive
from ricordi.storage.archive.legacy.metadata import metadata_of

SHOWN = 5
"""So many of the things that an archive was made from are listed, unless details are asked for."""


def check_given(path: Path) -> None:
    """Refuse the path of an archive, given on a command line, at which there is no file.

    :raises ricordi.errors.UsageError: nothing is there, or a folder.
    """
    if path.is_dir():
        raise UsageError(f'{path} is a folder, not an archive')
    if not path.exists():
        raise UsageError(f'there is no archive {path}: check the path')


def archive_profile(path: Path) -> Profile:
    """A profile of the storage `core.sqlite_zip` for an archive, in no configuration.

    Of an archive of AiiDA 0 or 1 one of the current version is made, which is kept for a while.

    :raises ricordi.errors.UsageError: there is no file at the path.
    :raises ricordi.errors.CorruptStorage: it is of AiiDA 0 or 1, and damaged.
    """
    check_given(path)
    storage = {'backend': 'core.sqlite_zip', 'config': {'filepath': str(_current(path).absolute())}}
    return Profile(
        path.name, {'storage': storage, 'process_control': {'backend': None, 'config': None}}, validate=False
    )


def _current(path: Path) -> Path:
    """The archive that is opened for the one at `path`."""
    try:
        version = metadata_of(path)['export_version']
    except StorageError:
        return path  # who opens it is told what is wrong
    if version not in LEGACY:
        return path
    from ricordi.services.archive.migrate import migrate_archive
    from ricordi.storage.archive.cache import migrated_copy

    return migrated_copy(path, lambda target: migrate_archive(path, target))


def get_version(path: Path) -> tuple[str, str]:
    """The version of an archive, and the one that can be opened and imported.

    :raises ricordi.errors.StorageError: there is no archive at `path`.
    """
    return str(metadata_of(path)['export_version']), HEAD


def get_archive_info(path: Path, detailed: bool) -> dict[str, Any]:
    """What an archive holds.

    :param detailed: also counts of rows and bytes of content, for which the database is unpacked and the directory
        read; and all that the archive was made from.
    :returns: `path`, `bytes`, `version`, `objects` (of AiiDA 0 and 1 only for details, else None), `metadata` as the
        archive has it; detailed: `entities`: number of
        rows by kind, `database_bytes`, `content_bytes`.
    :raises ricordi.errors.StorageError: there is no archive at `path`, or, for details, none of the current version.
    """
    metadata = metadata_of(path)
    info: dict[str, Any] = {
        'path': str(path),
        'bytes': path.stat().st_size,
        'version': metadata['export_version'],
        'objects': None if metadata['export_version'] in LEGACY else _number_of_objects(path),
    }
    if detailed:
        info |= _details(path)
    else:
        metadata = _shortened(metadata)
    return {**info, 'metadata': metadata}


def _number_of_objects(path: Path) -> int:
    with closing(open_archive(path)) as directory:
        return max(0, directory.place.entries - 2)


def _details(path: Path) -> dict[str, Any]:
    from ricordi.manager import use_storage

    with use_storage(archive_profile(path)) as storage:
        found = storage.get_info(detailed=True)
    packed = found['repository']['packed']
    return {
        'objects': packed['objects'],
        'content_bytes': packed['content_bytes'],
        'database_bytes': found['database']['bytes'],
        'entities': found['entities'],
    }


def _shortened(metadata: dict[str, Any]) -> dict[str, Any]:
    """The metadata with the beginning of long lists of what the archive was made from."""
    parameters = metadata.get('creation_parameters')
    if not isinstance(parameters, dict):
        return metadata
    chosen = parameters.get('entities_starting_set')
    if not isinstance(chosen, dict):
        return metadata
    short = {
        kind: [*names[:SHOWN], f'… and {len(names) - SHOWN} more'] if _is_long(names) else names
        for kind, names in chosen.items()
    }
    return {**metadata, 'creation_parameters': {**parameters, 'entities_starting_set': short}}


def _is_long(names: Any) -> bool:
    return isinstance(names, list) and len(names) > SHOWN
