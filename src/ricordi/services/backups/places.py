"""From what a person writes to where a backup repository is: a folder, or a folder of a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ricordi.backend.backups import BackupAddress
from ricordi.backend.bucket import BucketLocation
from ricordi.config.object_store import credentials_of, endpoint_of, lists_folder, region_of
from ricordi.errors import RicordiError, WrongValue
from ricordi.model.addresses import check_folder_name
from ricordi.services.profiles.bucket import check_prefix, endpoint_found

SCHEME = 's3://'


def is_in_bucket(text: str) -> bool:
    """Whether a text names a folder of a bucket."""
    return text.startswith(SCHEME)


def is_store_named_around() -> bool:
    """Whether the environment names an object store."""
    return bool(endpoint_of({}))


def folder_at(text: str) -> Path:
    """The folder that a text names.

    :raises ricordi.errors.WrongValue: it reads like a place on another machine.
    """
    check_folder_name(text)
    return Path(text).expanduser()


def address_at(text: str, object_store: Mapping[str, Any] | None = None) -> BackupAddress:
    """The place that a text names.

    :param text: the path of a folder, or `s3://BUCKET[/FOLDER]`.
    :param object_store: how the store is reached: `endpoint_url`, `region`, `access_key_id`, `credentials_profile`;
        what is not said is found as for a profile, the address of the store also in `AWS_ENDPOINT_URL`.
    :raises ricordi.errors.WrongValue: it cannot be meant.
    :raises ricordi.errors.ConfigurationError: there is no secret for a key that was named.
    """
    if not is_in_bucket(text):
        return folder_at(text)
    parts = urlsplit(text)
    if not parts.netloc or parts.query or parts.fragment or parts.username is not None:
        raise WrongValue('write the place as s3://BUCKET or s3://BUCKET/FOLDER')
    prefix = parts.path.strip('/')
    if prefix:
        check_prefix(prefix)
    return _location(parts.netloc, prefix, {key: value for key, value in (object_store or {}).items() if value})


def _location(bucket: str, prefix: str, config: Mapping[str, Any]) -> BucketLocation:
    endpoint = endpoint_found(config)
    credentials = credentials_of(config)
    return BucketLocation(
        database={},
        bucket=bucket,
        prefix=prefix,
        endpoint=endpoint,
        region=region_of(config),
        access_key_id=credentials.access_key_id or '',
        secret_access_key=credentials.secret_access_key or '',
        session_token=credentials.session_token or '',
        cache_folder=lists_folder(),
    )


@contextmanager
def provided_place(address: BackupAddress, make: bool) -> Iterator[None]:
    """Work with a place of which the bucket is made, unless it is there; what was made goes again if the work fails.

    :param make: whether it may be made.
    :raises ricordi.errors.WrongValue: the place is a folder.
    :raises ricordi.errors.UnreachableStorage: the store does not answer, or refuses.
    """
    if not make:
        yield
        return
    if isinstance(address, Path):
        raise WrongValue(f'{address} is a folder: no bucket can be made for it')
    from ricordi.repository.bucket.making import make_bucket, remove_bucket

    made = make_bucket(address)
    try:
        yield
    except BaseException:
        if made:
            with suppress(RicordiError):
                remove_bucket(address)
        raise
