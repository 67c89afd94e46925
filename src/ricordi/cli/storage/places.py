"""The options that say how a place of backups in a bucket is reached, for all verbs that take one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ricordi.cli.parameters import PathName
from ricordi.cli.verb import Function, option
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.backend.backups import BackupAddress

PLACE = PathName()
SCHEME = 's3://'
GROUP = 'Bucket'
_TEXTS = {
    'endpoint_url': ('URL', 'Address of the object store. [default: AWS_ENDPOINT_URL, else that of AWS]'),
    'region': ('REGION', 'Region of the bucket. [default: as found, or us-east-1]'),
    'access_key_id': (
        'KEY',
        'Access key; its secret is looked for in the environment and in ~/.aws/credentials. [default: the key that is '
        'found there]',
    ),
    'credentials_profile': ('NAME', 'The section of ~/.aws/credentials in which key and secret are.'),
}


def bucket_place_options(make: bool = False) -> Callable[[Function], Function]:
    """`--endpoint-url` and so on; their values are those of `store_settings`.

    :param make: also `--make-bucket`.
    """

    def decorate(function: Function) -> Function:
        if make:
            text = 'Make the bucket if it is not there.'
            function = option('--make-bucket', is_flag=True, group=GROUP, help=text)(function)
        for name, (metavar, text) in reversed(_TEXTS.items()):
            function = option(f'--{name.replace("_", "-")}', metavar=metavar, group=GROUP, help=text)(function)
        return function

    return decorate


def store_settings(places: tuple[str, ...], given: dict[str, Any]) -> dict[str, str]:
    """What these options say, taken out of what was given.

    :param places: for which they are meant.
    :raises ricordi.errors.UsageError: they are given, and none of the places is in a bucket.
    """
    settings = told_settings(given)
    for name in _TEXTS:
        given.pop(name, None)
    told = [*settings, *(['make_bucket'] if given.get('make_bucket') else [])]
    if told and not any(map(is_bucket_place, places)):
        raise UsageError(f'--{told[0].replace("_", "-")} needs a place in a bucket: write s3://BUCKET/FOLDER')
    return settings


def told_settings(given: dict[str, Any]) -> dict[str, str]:
    """How a store is reached, as far as it was given."""
    return {name: value for name in _TEXTS if (value := given.get(name)) is not None}


def is_bucket_place(place: str) -> bool:
    """Whether a place that a person names is in a bucket."""
    return place.startswith(SCHEME)


def address_of(place: str, given: dict[str, Any]) -> BackupAddress:
    """Where a place is; errors as of `store_settings`."""
    from ricordi.services.backups.places import address_at

    return address_at(place, store_settings((place,), given))
