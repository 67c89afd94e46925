"""Who we are at an object store: by the profile, the environment, or the shared credentials file, as the field has it.

The variables and files are those of Amazon's own tools, which clients of all such stores read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as NotIni
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ricordi.config.secrets import hide_in_text
from ricordi.errors import ConfigurationError
from ricordi.files import read_regular

KEY_ID, SECRET, TOKEN = 'aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'
"""What they are called in the files; in capitals they are the variables."""
REGION = 'us-east-1'
"""What a store that has no regions takes for one."""
_LONGEST_FILE = 1 << 20

Section = Mapping[str, str]
Sections = Mapping[str, Section]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key of an object store and its secret.

    :param access_key_id: None: nothing was found; a client may find the role of the machine by itself.
    :param source: where they were found, in words.
    """

    access_key_id: str | None
    secret_access_key: str | None = field(repr=False)
    session_token: str | None = field(repr=False, default=None)
    source: str = 'nowhere'


def credentials_of(config: Mapping[str, Any]) -> Credentials:
    """The credentials for the bucket of a profile: what the profile has; the section of the shared file that it names;
    the environment; the section of the shared file that `AWS_PROFILE` names, or `default`.

    Where the profile names a key without its secret, the secret of that very key is looked for.

    :param config: the `storage.config` of the profile.
    :raises ricordi.errors.ConfigurationError: the section or the secret that the profile asks for is nowhere; or a
        shared file cannot be read.
    """
    wanted = config.get('access_key_id') or None
    if wanted and config.get('secret_access_key'):
        token = config.get('session_token') or None
        return Credentials(str(wanted), str(config['secret_access_key']), token, 'the profile')
    if section := config.get('credentials_profile'):
        return _of_section(str(section))
    places = [one for one in (_of_environment(), *_of_files()) if one.access_key_id is not None]
    if wanted is None:
        return _unnamed(places)
    for one in places:
        if one.access_key_id == wanted:
            return one
    raise ConfigurationError(
        f'there is no secret for the access key {wanted} of the profile: neither in the environment '
        f'(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) nor in {_credentials_file()}'
    )


def _unnamed(places: Sequence[Credentials]) -> Credentials:
    """What counts where the profile names no key."""
    named = os.environ.get('AWS_PROFILE')
    for one in places:
        if one.source in (_ENVIRONMENT, _section_words(named or 'default')):
            return one
    return _of_section(named) if named else Credentials(None, None)


def bucket_in_words(config: Mapping[str, Any]) -> str:
    """The bucket of a profile, without what may be a secret."""
    name = '/'.join(part for part in (str(config.get('bucket_name')), str(config.get('prefix') or '')) if part)
    endpoint = config.get('endpoint_url')
    return hide_in_text(f's3://{name}' + (f' at {endpoint}' if endpoint else ''))


def region_of(config: Mapping[str, Any]) -> str:
    """The region of the bucket of a profile: of the profile, the environment, or the shared file; else a usual one."""
    told = config.get('region') or os.environ.get('AWS_REGION') or os.environ.get('AWS_DEFAULT_REGION')
    if told:
        return str(told)
    name = str(config.get('credentials_profile') or os.environ.get('AWS_PROFILE') or 'default')
    return _sections().get(name, {}).get('region') or REGION


def endpoint_of(config: Mapping[str, Any]) -> str:
    """The address of an object store that is not a profile's yet, or never: as it was said, of the environment, or the
    shared file; empty: that of AWS."""
    told = config.get('endpoint_url') or os.environ.get('AWS_ENDPOINT_URL_S3') or os.environ.get('AWS_ENDPOINT_URL')
    name = str(config.get('credentials_profile') or os.environ.get('AWS_PROFILE') or 'default')
    return str(told or _sections().get(name, {}).get('endpoint_url') or '')


def lists_folder() -> Path:
    """Where is kept on this machine what the packs of backups in buckets hold."""
    return _caches() / 'backups'


def cache_folder_of(config: Mapping[str, Any]) -> Path:
    """Where what was read of a bucket is kept on this machine: as the profile has it, else among the user's caches."""
    if named := config.get('cache_folder'):
        return Path(str(named)).expanduser()
    return _caches() / 'objects'


def _caches() -> Path:
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'ricordi'


_ENVIRONMENT = 'the environment'


def _section_words(name: str) -> str:
    return f'section {name} of {_credentials_file()}'


def _of_environment() -> Credentials:
    return _made(lambda key: os.environ.get(key.upper()), _ENVIRONMENT)


def _of_files() -> list[Credentials]:
    return [_made(section.get, _section_words(name)) for name, section in _sections().items()]


def _of_section(name: str) -> Credentials:
    found = _made(_sections().get(name, {}).get, _section_words(name))
    if found.access_key_id is None:
        raise ConfigurationError(f'there is no access key with its secret in the {found.source}')
    return found


def _made(get: Callable[[str], str | None], source: str) -> Credentials:
    """Credentials of one place; a key without a secret, or a secret without a key, is none."""
    key, secret = get(KEY_ID), get(SECRET)
    if not (key and secret):
        return Credentials(None, None, source=source)
    return Credentials(key, secret, get(TOKEN) or None, source)


def _credentials_file() -> Path:
    named = os.environ.get('AWS_SHARED_CREDENTIALS_FILE')
    return Path(named).expanduser() if named else Path.home() / '.aws' / 'credentials'


def _sections() -> Sections:
    """The sections of both shared files by name; what the file of credentials has goes before."""
    named = os.environ.get('AWS_CONFIG_FILE')
    settings = _read(Path(named).expanduser() if named else Path.home() / '.aws' / 'config')
    merged = {name.removeprefix('profile ').strip(): dict(section) for name, section in settings.items()}
    for name, section in _read(_credentials_file()).items():
        merged[name] = {**merged.get(name, {}), **section}
    return merged


def _read(path: Path) -> Sections:
    """The sections of a file; none where there is no file. No message repeats what stands in it."""
    try:
        text = read_regular(path, _LONGEST_FILE).decode()
        parser = ConfigParser(interpolation=None, strict=False, default_section='')
        parser.read_string(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f'cannot read {path}: {error.strerror or error}') from None
    except (NotIni, UnicodeDecodeError):
        raise ConfigurationError(f'{path} is no file of sections with `name = value` lines') from None
    return {name: dict(parser[name]) for name in parser.sections()}
