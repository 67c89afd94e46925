"""The bucket of a new profile: what can be meant by its address and names, and who makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from ricordi.config.object_store import REGION, credentials_of, endpoint_of, region_of
from ricordi.errors import ConfigurationError, RicordiError, UnreachableStorage, WrongValue
from ricordi.remedies import Remedy

LONGEST_NAME = 255


def check_endpoint(address: str) -> None:
    """Refuse what is no address of an object store.

    :raises ricordi.errors.WrongValue: the message does not repeat it where a password may stand in it.
    """
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ('http', 'https') and parts.hostname and parts.port != 0 and address.isprintable()
    except ValueError:
        sound = False
    if not sound or parts.username is not None or parts.query or parts.fragment:
        raise WrongValue('the address of an object store must look like https://s3.example.org:8333, without user')


def check_bucket_name(name: str) -> None:
    """Refuse what no store would take for the name of a bucket.

    :raises ricordi.errors.WrongValue: it holds a slash or a blank, or is too long.
    """
    if '/' in name or not name.isprintable() or ' ' in name or len(name) > LONGEST_NAME:
        raise WrongValue(f'{name!r} is no name of a bucket: letters, digits, dots and hyphens, without s3://')


def check_prefix(prefix: str) -> None:
    """Refuse what is no folder in a bucket.

    :raises ricordi.errors.WrongValue: a part of it is empty or dots.
    """
    if not prefix.isprintable() or any(part in ('', '.', '..') for part in prefix.strip('/').split('/')):
        raise WrongValue(f'{prefix!r} is no folder in a bucket: write it like group/project')


def endpoint_found(config: Mapping[str, Any]) -> str:
    """The address of the store, as it is found now; empty: that of AWS.

    :param config: the `storage.config`, as far as it is known.
    :raises ricordi.errors.WrongValue: what was found is no address.
    """
    found = endpoint_of(config)
    if found:
        check_endpoint(found)
    return found


def where_found(config: Mapping[str, Any]) -> dict[str, str]:
    """Address and region of the store, as they are found now: a profile has one bucket, whatever the environment
    says at another time.

    :param config: the `storage.config`, as far as it is known.
    :raises ricordi.errors.WrongValue: what was found is no address.
    """
    found = {'endpoint_url': endpoint_found(config), 'region': region_of(config)}
    return {key: value for key, value in found.items() if value not in ('', REGION)}


def kept_secret(config: Mapping[str, Any]) -> dict[str, str]:
    """The key and the secret, as they are found now, for who wants them in the configuration.

    :raises ricordi.errors.ConfigurationError: none are found.
    """
    found = credentials_of(config)
    if not (found.access_key_id and found.secret_access_key):
        raise ConfigurationError('there is no secret access key to be kept: none was given, and none was found')
    if found.session_token:
        raise ConfigurationError(
            f'the credentials of {found.source} are for a while only: it is of no use to keep them'
        )
    return {'access_key_id': found.access_key_id, 'secret_access_key': found.secret_access_key}


@contextmanager
def provided_bucket(storage_config: Mapping[str, Any], name: str, make: bool) -> Iterator[None]:
    """A setup with a bucket made for it, unless it is there; what was made goes again if it fails.

    :param name: of the profile.
    :param make: whether it may be made.
    :raises ricordi.errors.UnreachableStorage: the store does not answer, or refuses; there is no bucket.
    """
    from ricordi.repository.bucket.making import is_bucket, make_bucket, remove_bucket
    from ricordi.storage.psql.bucket import bucket_of

    location = bucket_of(storage_config, name)
    if not make and not is_bucket(location):  # some stores make one at the first put, whatever its name
        raise UnreachableStorage(f'there is no {location.place}', remedy=Remedy('make bucket'))
    made = make and make_bucket(location)
    try:
        yield
    except BaseException:
        if made:
            with suppress(RicordiError):
                remove_bucket(location)
        raise
