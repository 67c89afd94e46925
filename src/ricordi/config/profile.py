"""A profile: the named configuration of one storage, as `config.json` holds it (formats/config.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from ricordi.config.names import check_profile_name
from ricordi.config.secrets import discreet
from ricordi.config.shape import check_profile
from ricordi.errors import ConfigurationError


class Profile:
    """One profile. What is set here reaches the disk by `Config.store`; unknown keys stay as they are."""

    KEY_UUID = 'PROFILE_UUID'
    KEY_DEFAULT_USER_EMAIL = 'default_user_email'
    KEY_STORAGE = 'storage'
    KEY_PROCESS = 'process_control'
    KEY_BACKEND = 'backend'
    KEY_CONFIG = 'config'
    KEY_OPTIONS = 'options'
    KEY_TEST_PROFILE = 'test_profile'

    def __init__(self, name: str, config: Mapping[str, Any], validate: bool = True) -> None:
        """
        :param config: what `config.json` holds for this profile; it is copied.
        :param validate: check name and shape.
        :raises ricordi.errors.ProfileConfigurationError: a bad name, or the shape is not that of a profile.
        """
        if validate:
            check_profile_name(name)
            check_profile(config, f'profile {name!r}')
        self._name = name
        self._attributes: dict[str, Any] = discreet(config)
        if self._attributes.get(self.KEY_UUID) is None:
            from uuid import uuid4

            self._attributes[self.KEY_UUID] = uuid4().hex

    def __repr__(self) -> str:
        return f'Profile<uuid={self.uuid!r} name={self.name!r}>'

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):
            return NotImplemented
        return self._name == other._name and self._attributes == other._attributes

    __hash__ = object.__hash__

    def copy(self) -> Self:
        """A profile of the same name and content that can be changed on its own."""
        return type(self)(self._name, self._attributes, validate=False)

    @property
    def name(self) -> str:
        """The name under which it stands in the configuration."""
        return self._name

    @property
    def dictionary(self) -> dict[str, Any]:
        """All that `config.json` holds for it. Holds passwords: `hide_secrets` makes a copy fit for output."""
        return self._attributes

    @property
    def uuid(self) -> str:
        """The identifier of the profile, 32 hex digits."""
        return str(self._attributes[self.KEY_UUID])

    @uuid.setter
    def uuid(self, value: str) -> None:
        self._attributes[self.KEY_UUID] = value

    @property
    def default_user_email(self) -> str | None:
        """Who is the author of what is stored, unless said otherwise."""
        email: str | None = self._attributes.get(self.KEY_DEFAULT_USER_EMAIL)
        return email

    @default_user_email.setter
    def default_user_email(self, value: str | None) -> None:
        self._attributes[self.KEY_DEFAULT_USER_EMAIL] = value

    @property
    def is_test_profile(self) -> bool:
        """Whether its content may be thrown away; only a plain `true` in the file says so."""
        return self._attributes.get(self.KEY_TEST_PROFILE) is True

    @is_test_profile.setter
    def is_test_profile(self, value: bool) -> None:
        self._attributes[self.KEY_TEST_PROFILE] = value

    # -- storage --------------------------------------------------------------------------------------------

    @property
    def storage_backend(self) -> str:
        """The entry point name of the storage class, such as `core.sqlite_dos`."""
        return str(self._section(self.KEY_STORAGE)[self.KEY_BACKEND])

    @property
    def storage_config(self) -> dict[str, Any]:
        """What the storage class needs to know; changes go into the profile. May hold a password."""
        config: dict[str, Any] = self._section(self.KEY_STORAGE)[self.KEY_CONFIG]
        return config

    def set_storage(self, name: str, config: Mapping[str, Any]) -> None:
        """Set the storage class, by entry point name, and what it needs to know."""
        section = self._attributes.setdefault(self.KEY_STORAGE, discreet({}))
        section[self.KEY_BACKEND] = name
        section[self.KEY_CONFIG] = discreet(config)

    @property
    def repository_path(self) -> Path:
        """The absolute path in `repository_uri` of the storage configuration.

        :raises ricordi.errors.ConfigurationError: there is none, or it is not an absolute `file://` URI.
        """
        return repository_path_in(self.storage_config, self.name)

    # -- process control ------------------------------------------------------------------------------------

    @property
    def process_control_backend(self) -> str | None:
        """The entry point name of the message broker, or None if there is none."""
        backend: str | None = self._section(self.KEY_PROCESS).get(self.KEY_BACKEND)
        return backend

    @property
    def process_control_config(self) -> dict[str, Any]:
        """What the message broker needs to know. May hold a password."""
        return self._section(self.KEY_PROCESS).get(self.KEY_CONFIG) or {}

    def set_process_controller(self, name: str | None, config: Mapping[str, Any] | None) -> None:
        """Set the message broker, by entry point name (None: there is none), and what it needs to know."""
        section = self._attributes.setdefault(self.KEY_PROCESS, discreet({}))
        section[self.KEY_BACKEND] = name
        section[self.KEY_CONFIG] = discreet(config)

    # -- options --------------------------------------------------------------------------------------------

    @property
    def options(self) -> dict[str, Any]:
        """The options set for this profile, by name; changes go into the profile."""
        options = self._attributes.get(self.KEY_OPTIONS)
        if options is None:
            options = self._attributes[self.KEY_OPTIONS] = discreet({})
        return options  # type: ignore[no-any-return]

    @options.setter
    def options(self, value: Mapping[str, Any]) -> None:
        self._attributes[self.KEY_OPTIONS] = discreet(value)

    def get_option(self, option_key: str, default: Any = None) -> Any:
        """The value set for this profile, or `default`."""
        return (self._attributes.get(self.KEY_OPTIONS) or {}).get(option_key, default)

    def set_option(self, option_key: str, value: Any, override: bool = True) -> None:
        """Set a known option.

        :param override: False: leave it if it is set already.
        :raises ricordi.errors.ConfigurationError: there is no such option, or the value is not of its type.
        """
        from ricordi.config.options import get_option

        parsed = get_option(option_key).parse(value)
        if override or option_key not in self.options:
            self.options[option_key] = parsed

    def unset_option(self, option_key: str) -> None:
        """Unset an option; nothing happens if it is not set."""
        self.options.pop(option_key, None)

    # -- files ----------------------------------------------------------------------------------------------

    @property
    def filepaths(self) -> dict[str, Any]:
        """The files that AiiDA's programs keep for this profile in the current configuration folder."""
        from ricordi.config.folder import get_config_folder, profile_filepaths

        return profile_filepaths(get_config_folder(), self.name, self.uuid)

    def _section(self, key: str) -> dict[str, Any]:
        section = self._attributes.get(key)
        return section if isinstance(section, dict) else {}


def repository_path_in(storage_config: Mapping[str, Any], name: str) -> Path:
    """The absolute path in the `repository_uri` of a storage configuration.

    :param name: of the profile it belongs to, for messages.
    :raises ricordi.errors.ConfigurationError: there is none, or it is not an absolute `file://` URI.
    """
    from urllib.parse import unquote, urlsplit

    uri = storage_config.get('repository_uri')
    if not isinstance(uri, str):
        raise ConfigurationError(f'profile {name!r} has no repository_uri in its storage configuration')
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    if parts.scheme != 'file' or parts.netloc not in ('', 'localhost') or not path.is_absolute():
        raise ConfigurationError(f'profile {name!r}: repository_uri must be file:// and an absolute path, not {uri!r}')
    return path.expanduser()
