"""Profiles: found, listed, shown, made the default. No database is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ricordi.config import Config, Profile, hide_secrets, load_config
from ricordi.errors import ProfileConfigurationError


class ProfileSummary(NamedTuple):
    """A profile as it stands in a list.

    :param backend: the entry point name of the storage class, such as `core.sqlite_dos`.
    """

    name: str
    default: bool
    backend: str
    uuid: str
    default_user_email: str | None
    test_profile: bool


class ArchiveName(str):
    """The path of an archive, where else the name of a profile stands (`--archive FILE`)."""


def find_profile(name: str | None, config: Config | None = None) -> Profile:
    """The profile of this name, or the default one for None; for an `ArchiveName` one that is in no configuration.

    :raises ricordi.errors.ConfigurationError: no configuration, no such profile (telling what may have been meant),
        or no default one.
    """
    if isinstance(name, ArchiveName):
        from ricordi.services.archive.info import archive_profile

        return archive_profile(Path(name))
    config = config or load_config()
    if name is not None and config.profile_names and name not in config.profile_names:
        from ricordi.services.suggestion import did_you_mean

        known = ', '.join(config.profile_names)
        hint = did_you_mean(name, config.profile_names).rstrip('.')
        raise ProfileConfigurationError(f'there is no profile {name!r} in {config.filepath}{hint} (profiles: {known})')
    return config.get_profile(name)


def location(profile: Profile) -> str:
    """Where the data of a profile is, in words, without passwords."""
    config = profile.storage_config
    if 'database_name' in config:
        from ricordi.config.object_store import bucket_in_words

        server = f'{config.get("database_hostname") or "localhost"}:{config.get("database_port") or 5432}'
        objects = bucket_in_words(config) if config.get('bucket_name') else config.get('repository_uri')
        return f'database {config["database_name"]} on {server}, {objects}'
    return str(config.get('filepath', 'nowhere'))


def profile_names() -> list[str]:
    """The names of all profiles, in the order of the configuration."""
    return load_config().profile_names


def list_profiles() -> list[ProfileSummary]:
    """All profiles, in the order of the configuration."""
    config = load_config()
    return [
        ProfileSummary(
            profile.name,
            profile.name == config.default_profile_name,
            profile.storage_backend,
            profile.uuid,
            profile.default_user_email,
            profile.is_test_profile,
        )
        for profile in config.profiles
    ]


def show_profile(name: str | None) -> dict[str, Any]:
    """All that the configuration holds for a profile, with its name, and stars in place of passwords."""
    config = load_config()
    profile = find_profile(name, config)
    shown = {'name': profile.name, 'default': profile.name == config.default_profile_name}
    return {**shown, **hide_secrets(profile.dictionary)}


def set_default_profile(name: str) -> str | None:
    """Make a profile the default; returns the name of the one that was it before."""
    config = load_config()
    before = config.default_profile_name
    config.set_default_profile(find_profile(name, config).name, overwrite=True)
    config.store()
    return before
