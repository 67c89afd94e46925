"""The storage `ricordi.psql_bucket`: a PostgreSQL database and a bucket of an object store, for any number of hosts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from ricordi.backend.bucket import BucketLocation
from ricordi.backend.storage import RepositoryLocation
from ricordi.config.object_store import cache_folder_of, credentials_of, region_of
from ricordi.errors import ConfigurationError, CorruptStorage, IntegrityError
from ricordi.remedies import Remedy
from ricordi.storage.psql.dialect import connection_arguments
from ricordi.storage.psql.dos import PsqlDosStorage
from ricordi.storage.psql.sessions import application_name

if TYPE_CHECKING:
    from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
    from ricordi.config.profile import Profile
    from ricordi.progress import Run

CACHE_BYTES = 1 << 30
"""How much of what was read is kept on this machine, unless the profile says otherwise."""


class PsqlBucketStorage(PsqlDosStorage):
    """Nodes in a PostgreSQL database, objects in a bucket, the index of these in a schema beside the nodes.

    The database keeps what nodes name by foreign keys. So full maintenance needs nobody to leave.
    """

    full_alone = False
    repair_alone = False
    grace_seconds: ClassVar[float] = 3600.0
    """How long objects that no node names stay, unless it is said: their nodes may be on the way, from any host."""

    def _validate(self) -> None:
        super()._validate()
        if not self.unwritable:
            # A setup may have been killed, or the tables have been put back from a dump, before they were guarded.
            # Where objects are missing nothing is removed, and a repair makes up for it.
            with suppress(IntegrityError):
                self._repository.guard_nodes()

    def _maintain(self, options: MaintenanceOptions, run: Run) -> MaintenanceReport:
        if not options.dry_run:
            self._check_guard()
        grace = self.grace_seconds if options.grace_seconds is None else options.grace_seconds
        report = super()._maintain(options._replace(grace_seconds=grace), run)
        return report._replace(options=options)

    def _check_guard(self) -> None:
        """See that the database notes what nodes name: what it does not know of would be taken for garbage.

        :raises ricordi.errors.CorruptStorage: somebody has switched that off, or the database was put back in parts.
        """
        if fault := self._repository.guard_fault():
            raise CorruptStorage(
                f'the {self.dialect.place} does not note any more what nodes name, for {fault}; nothing was removed. '
                'Restore it from a backup',
                remedy=Remedy('repair storage'),
            )

    def _doubt_in(self, options: MaintenanceOptions) -> str:
        """Asked live as well: packs that are merged leave the bucket, and a copy of the database may name them."""
        return '' if options.adopt else self.repository_doubt()

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        return RepositoryLocation('bucket', bucket=bucket_of(profile.storage_config, profile.name))


def bucket_of(config: Mapping[str, Any], name: str) -> BucketLocation:
    """Where the bucket of a profile is, and how it is reached; credentials are those that are found now.

    :param config: the `storage.config` of the profile.
    :param name: of the profile, for messages.
    :raises ricordi.errors.ConfigurationError: no bucket is named; a number is none; see also `credentials_of`.
    """
    bucket = config.get('bucket_name')
    if not isinstance(bucket, str) or not bucket:
        raise ConfigurationError(f'profile {name!r} has no bucket_name in its storage configuration')
    credentials, cache_bytes = credentials_of(config), _cache_bytes(config.get('cache_bytes'), name)
    return BucketLocation(
        database={**connection_arguments(config), 'application_name': application_name()},
        bucket=bucket,
        prefix=str(config.get('prefix') or '').strip('/'),
        endpoint=str(config.get('endpoint_url') or ''),
        region=region_of(config),
        access_key_id=credentials.access_key_id or '',
        secret_access_key=credentials.secret_access_key or '',
        session_token=credentials.session_token or '',
        cache_folder=cache_folder_of(config) if cache_bytes else None,
        cache_bytes=cache_bytes,
        virtual_hosted=bool(config.get('virtual_hosted')),
    )


def _cache_bytes(told: object, name: str) -> int:
    if told is None:
        return CACHE_BYTES
    try:
        count = int(str(told))
    except ValueError:
        count = -1
    if count < 0:
        raise ConfigurationError(f'profile {name!r}: cache_bytes must be a number of bytes, not {told!r}')
    return count
