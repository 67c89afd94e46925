"""Which class stands for the storage of a profile, and which for its repository: tables, and entry points."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ricordi.errors import EntryPointError, MissingEntryPointError

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.storage import RepositoryLocation, StorageBackend
    from ricordi.config.profile import Profile

ENTRY_POINT_GROUP = 'ricordi.storage'

BUILT_IN = {
    'core.sqlite_dos': 'ricordi.storage.sqlite.dos:SqliteDosStorage',
    'core.psql_dos': 'ricordi.storage.psql.dos:PsqlDosStorage',
    'ricordi.sqlite_dos': 'ricordi.storage.sqlite.dos:SqliteDosStorage',
    'ricordi.psql_dos': 'ricordi.storage.psql.dos:PsqlDosStorage',
    'ricordi.psql_bucket': 'ricordi.storage.psql.bucket:PsqlBucketStorage',
    'core.sqlite_zip': 'ricordi.storage.sqlite.zip:SqliteZipStorage',
    'core.sqlite_temp': 'ricordi.storage.sqlite.temp:SqliteTempStorage',
}
"""The storages of this package, found without looking through the metadata of all that is installed."""

REPOSITORIES = {
    'container': 'ricordi.repository.container.container:Container',
    'bucket': 'ricordi.repository.bucket.bucket:BucketRepository',
    'zip': 'ricordi.repository.archive.zip:ZipRepository',
    'sandbox': 'ricordi.repository.sandbox:SandboxRepository',
}


def storage_class(profile: Profile) -> type[StorageBackend]:
    """The storage class of a profile, by its entry point name.

    :raises ricordi.errors.MissingEntryPointError: nothing of that name is installed; the message names what is.
    :raises ricordi.errors.EntryPointError: it cannot be imported.
    """
    name = profile.storage_backend
    target = BUILT_IN.get(name)
    if target is None:
        from importlib.metadata import entry_points

        found = entry_points(group=ENTRY_POINT_GROUP)
        if name not in found.names:
            known = ', '.join(sorted({*BUILT_IN, *found.names}))
            raise MissingEntryPointError(
                f'profile {profile.name!r} has the storage backend {name!r}, which is not installed '
                f'(installed: {known}); install the package that brings it, or correct storage.backend of the profile'
            )
        target = found[name].value
    try:
        loaded: type[StorageBackend] = _load(target)
    except (ImportError, AttributeError) as error:
        raise EntryPointError(
            f'the storage backend {name!r} of profile {profile.name!r} cannot be loaded from {target}: {error}'
        ) from error
    return loaded


def _load(target: str) -> Any:
    module, _, attribute = target.partition(':')
    return getattr(import_module(module), attribute)


def repository_at(location: RepositoryLocation) -> RepositoryBackend:
    """The object store at a location; it is not touched yet."""
    repository: RepositoryBackend = _load(REPOSITORIES[location.kind])(*location.arguments)
    return repository
