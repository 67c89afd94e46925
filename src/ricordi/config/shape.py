"""The shape of `config.json`: what is wrong is told with the place where it is, never with its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ricordi.config.names import check_profile_name
from ricordi.errors import (
    ConfigurationError,
    ConfigurationVersionError,
    DamagedConfiguration,
    ProfileConfigurationError,
)

OLDEST_VERSION = 9
NEWEST_VERSION = 10

_TYPE_NAMES = {
    'dict': 'an object',
    'list': 'a list',
    'str': 'a text',
    'bool': 'true or false',
    'int': 'a whole number',
    'float': 'a number',
    'NoneType': 'null',
}


def check_config(config: Any, source: str) -> None:
    """Check version and shape of the content of a configuration file.

    :param source: what the errors begin with: the path of the file.
    :raises ricordi.errors.ConfigurationVersionError: too old, or too new.
    :raises ricordi.errors.DamagedConfiguration: the shape is wrong; the message tells where, as a JSON path.
    """
    _expect(config, (dict,), source, '$')
    check_version(config, source)
    _expect_key(config, 'default_profile', (str, type(None)), source, '$')
    _expect_key(config, 'options', (dict, type(None)), source, '$')
    _expect_key(config, 'profiles', (dict,), source, '$')
    for name, profile in config.get('profiles', {}).items():
        try:
            check_profile_name(name)
        except ProfileConfigurationError as error:
            raise DamagedConfiguration(f'{source}: $.profiles: {error}') from None
        check_profile(profile, source, f'$.profiles.{name}', DamagedConfiguration)


def check_version(config: Mapping[str, Any], source: str) -> None:
    """Refuse what this program cannot read: versions below 9, and above 10 unless declared compatible."""
    _expect_key(config, 'CONFIG_VERSION', (dict,), source, '$')
    version = config.get('CONFIG_VERSION', {})
    for key in ('CURRENT', 'OLDEST_COMPATIBLE'):
        _expect_key(version, key, (int,), source, '$.CONFIG_VERSION')
    current = version.get('CURRENT', 0)
    oldest = version.get('OLDEST_COMPATIBLE', current)
    if current < OLDEST_VERSION:
        named = f'has version {current}' if current else 'has no version ($.CONFIG_VERSION.CURRENT)'
        raise ConfigurationVersionError(
            f'{source} {named}, which is older than {OLDEST_VERSION}; run `verdi profile list` of aiida-core 2.1 or '
            'newer once: it migrates the file'
        )
    if current > NEWEST_VERSION and oldest > NEWEST_VERSION:
        raise ConfigurationVersionError(
            f'{source} has version {current} and asks for a program that reads at least version {oldest}; this one '
            f'reads up to {NEWEST_VERSION}: install a newer ricordi'
        )


def check_profile(
    profile: Any, source: str, path: str = '$', error: type[ConfigurationError] = ProfileConfigurationError
) -> None:
    """Check the shape of one profile.

    :param path: JSON path of the profile in `source`.
    :param error: the class to raise.
    """
    _expect(profile, (dict,), source, path, error)
    _expect_key(profile, 'PROFILE_UUID', (str, type(None)), source, path, error)
    _expect_key(profile, 'default_user_email', (str, type(None)), source, path, error)
    _expect_key(profile, 'test_profile', (bool, type(None)), source, path, error)
    _expect_key(profile, 'options', (dict, type(None)), source, path, error)
    _expect_key(profile, 'storage', (dict,), source, path, error, required=True)
    _expect_key(profile['storage'], 'backend', (str,), source, f'{path}.storage', error, required=True)
    _expect_key(profile['storage'], 'config', (dict,), source, f'{path}.storage', error, required=True)
    _expect_key(profile, 'process_control', (dict, type(None)), source, path, error)
    process = profile.get('process_control') or {}
    _expect_key(process, 'backend', (str, type(None)), source, f'{path}.process_control', error)
    _expect_key(process, 'config', (dict, type(None)), source, f'{path}.process_control', error)


def _expect_key(
    mapping: Mapping[str, Any],
    key: str,
    types: tuple[type, ...],
    source: str,
    path: str,
    error: type[ConfigurationError] = DamagedConfiguration,
    required: bool = False,
) -> None:
    if key in mapping:
        _expect(mapping[key], types, source, f'{path}.{key}', error)
    elif required:
        raise error(f'{source}: {path}.{key} is missing; add it, or restore a copy of the file from a backup')


def _expect(
    value: Any,
    types: tuple[type, ...],
    source: str,
    path: str,
    error: type[ConfigurationError] = DamagedConfiguration,
) -> None:
    fits = isinstance(value, Mapping) if dict in types and isinstance(value, Mapping) else isinstance(value, types)
    if isinstance(value, bool) and bool not in types:
        fits = False
    if not fits:
        expected = ' or '.join(_TYPE_NAMES[kind.__name__] for kind in types)
        found = _TYPE_NAMES.get(type(value).__name__, f'a {type(value).__name__}')
        raise error(
            f'{source}: {path} must be {expected}, not {found}; correct it, or restore a copy of the file from a backup'
        )
