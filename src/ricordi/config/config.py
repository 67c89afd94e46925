"""The configuration: the content of `config.json`, changed in memory and stored without losing anybody's change."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ricordi.config.folder import FILE_NAME, create_config_folder, get_config_folder, profile_filepaths
from ricordi.config.names import check_profile_name
from ricordi.config.profile import Profile
from ricordi.config.shape import NEWEST_VERSION, check_config
from ricordi.errors import ConfigurationError, MissingConfigurationError, ProfileConfigurationError
from ricordi.remedies import Remedy

if TYPE_CHECKING:
    from ricordi.config.options import Option


def load_config(create: bool = False, folder: Path | None = None) -> Config:
    """Read the configuration of the current configuration folder.

    :param create: create folder and file if they are missing.
    :param folder: another configuration folder.
    :raises ricordi.errors.MissingConfigurationError: there is none and `create` is False.
    :raises ricordi.errors.ConfigurationError: it cannot be read, or it is not a configuration this program knows.
    """
    return Config.from_file((folder or get_config_folder()) / FILE_NAME, create=create)


class Config:
    """Profiles and options. Changes are in memory until `store`; unknown keys stay as they are, at every level."""

    KEY_VERSION = 'CONFIG_VERSION'
    KEY_VERSION_CURRENT = 'CURRENT'
    KEY_VERSION_OLDEST_COMPATIBLE = 'OLDEST_COMPATIBLE'
    KEY_DEFAULT_PROFILE = 'default_profile'
    KEY_PROFILES = 'profiles'
    KEY_OPTIONS = 'options'

    def __init__(self, filepath: str | Path, config: Mapping[str, Any], validate: bool = True) -> None:
        """
        :param config: the content of the file; it is copied. An empty one becomes that of a new file, version 10.
        :param validate: check version and shape.
        """
        self._filepath = Path(filepath)
        self._stored: dict[str, Any] = deepcopy(dict(config))  # what the file held: the base of the next merge
        self._take(config if config else self._new_content(), validate)

    def _take(self, config: Mapping[str, Any], validate: bool = True) -> None:
        if validate:
            self.validate(config, self._filepath)
        self._attributes = deepcopy(dict(config))
        profiles = self._attributes.pop(self.KEY_PROFILES, None) or {}
        self._profiles = {name: Profile(name, profile, validate=False) for name, profile in profiles.items()}

    @classmethod
    def _new_content(cls) -> dict[str, Any]:
        version = {cls.KEY_VERSION_CURRENT: NEWEST_VERSION, cls.KEY_VERSION_OLDEST_COMPATIBLE: NEWEST_VERSION}
        return {cls.KEY_VERSION: version, cls.KEY_PROFILES: {}, cls.KEY_OPTIONS: {}}

    @classmethod
    def from_file(cls, filepath: str | Path, create: bool = False) -> Self:
        """Read a configuration file.

        :param create: create the file (version 10, no profiles) and its folder if they are missing.
        :raises ricordi.errors.MissingConfigurationError: there is no such file and `create` is False.
        :raises ricordi.errors.ConfigurationError: it cannot be read, or it is not a configuration this program knows.
        """
        from ricordi.config.file import read_json

        path = Path(filepath)
        try:
            content = read_json(path)
        except MissingConfigurationError:
            if create:
                create_config_folder(path.parent)
                config = cls(path, {})
                config.store()
                return config
            raise MissingConfigurationError(
                f'there is no configuration file {path}: set AIIDA_PATH to the folder that holds it',
                remedy=Remedy('make profile'),
            ) from None
        cls.validate(content, path)
        return cls(path, content, validate=False)

    @staticmethod
    def validate(config: Any, filepath: str | Path | None = None) -> None:
        """Check version and shape of the content of a configuration file.

        :raises ricordi.errors.ConfigurationError: telling what is wrong and where, as a JSON path.
        """
        check_config(config, str(filepath or FILE_NAME))

    def __repr__(self) -> str:
        return f'Config<{str(self._filepath)!r}, {len(self._profiles)} profiles>'

    def __eq__(self, other: object) -> bool:
        return self.dictionary == other.dictionary if isinstance(other, Config) else NotImplemented

    __hash__ = object.__hash__

    # -- what it holds --------------------------------------------------------------------------------------

    @property
    def filepath(self) -> str:
        """The path of the file."""
        return str(self._filepath)

    @property
    def dirpath(self) -> str:
        """The path of the configuration folder."""
        return str(self._filepath.parent)

    @property
    def dictionary(self) -> dict[str, Any]:
        """All that `store` writes. Holds passwords: `hide_secrets` makes a copy fit for output."""
        profiles = {name: profile.dictionary for name, profile in self._profiles.items()}
        return {**self._attributes, self.KEY_PROFILES: profiles}

    @property
    def version(self) -> int:
        """The version of the file; it is never changed."""
        return int(self.version_settings[self.KEY_VERSION_CURRENT])

    @property
    def version_oldest_compatible(self) -> int:
        """The oldest version a program must know to use the file."""
        return int(self.version_settings.get(self.KEY_VERSION_OLDEST_COMPATIBLE, self.version))

    @property
    def version_settings(self) -> dict[str, int]:
        """The version block of the file."""
        settings: dict[str, int] = self._attributes[self.KEY_VERSION]
        return settings

    def filepaths(self, profile: Profile) -> dict[str, Any]:
        """The files that AiiDA's programs keep for a profile."""
        return profile_filepaths(self._filepath.parent, profile.name, profile.uuid)

    # -- profiles -------------------------------------------------------------------------------------------

    @property
    def profiles(self) -> list[Profile]:
        """The profiles, in the order of the file."""
        return list(self._profiles.values())

    @property
    def profile_names(self) -> list[str]:
        """The names of the profiles, in the order of the file."""
        return list(self._profiles)

    @property
    def default_profile_name(self) -> str | None:
        """The name of the profile used where none is named."""
        name: str | None = self._attributes.get(self.KEY_DEFAULT_PROFILE)
        return name

    def get_profile(self, name: str | None = None) -> Profile:
        """A profile by name, or the default one.

        :raises ricordi.errors.ProfileConfigurationError: there is no such profile, or no default one.
        """
        if not self._profiles:
            raise ProfileConfigurationError(f'{self.filepath} has no profiles yet', remedy=Remedy('make first profile'))
        if name is None:
            name = self.default_profile_name
            if name is None:
                raise ProfileConfigurationError(
                    f'{self.filepath} names no default profile; {self._known_profiles()}',
                    remedy=Remedy('name profile'),
                )
            if name not in self._profiles:
                raise ProfileConfigurationError(
                    f'the default profile {name!r} of {self.filepath} does not exist; {self._known_profiles()}'
                )
        self.validate_profile(name)
        return self._profiles[name]

    def validate_profile(self, name: str) -> None:
        """Check that a profile exists.

        :raises ricordi.errors.ProfileConfigurationError: it does not.
        """
        if name not in self._profiles:
            raise ProfileConfigurationError(
                f'there is no profile {name!r} in {self.filepath}; {self._known_profiles()}'
            )

    def _known_profiles(self) -> str:
        return f'profiles: {", ".join(self._profiles)}' if self._profiles else 'it has no profiles'

    def create_profile(
        self,
        name: str,
        storage_backend: str,
        storage_config: Mapping[str, Any],
        broker_backend: str | None = None,
        broker_config: Mapping[str, Any] | None = None,
        is_test_profile: bool = False,
    ) -> Profile:
        """Add a profile; its storage is not touched (`ricordi.manager.initialise_storage` creates it).

        :raises ricordi.errors.ProfileConfigurationError: the name is taken, or cannot be one.
        """
        if name in self._profiles:
            raise ProfileConfigurationError(
                f'there is a profile {name!r} in {self.filepath} already; choose another name'
            )
        profile = Profile(
            name,
            {
                Profile.KEY_STORAGE: {Profile.KEY_BACKEND: storage_backend, Profile.KEY_CONFIG: storage_config},
                Profile.KEY_PROCESS: {Profile.KEY_BACKEND: broker_backend, Profile.KEY_CONFIG: broker_config},
                Profile.KEY_TEST_PROFILE: is_test_profile,
                Profile.KEY_OPTIONS: {},
            },
        )
        self.add_profile(profile)
        return profile

    def add_profile(self, profile: Profile) -> Self:
        """Add a profile, or replace the one of its name."""
        check_profile_name(profile.name)
        self._profiles[profile.name] = profile
        return self

    def update_profile(self, profile: Profile) -> Self:
        """Replace the profile of this name."""
        return self.add_profile(profile)

    def remove_profile(self, name: str) -> Self:
        """Remove a profile from the configuration; its storage stays. If it was the default, there is none then.

        :raises ricordi.errors.ProfileConfigurationError: there is no such profile.
        """
        self.validate_profile(name)
        del self._profiles[name]
        if self.default_profile_name == name:
            del self._attributes[self.KEY_DEFAULT_PROFILE]
        return self

    def set_default_profile(self, name: str, overwrite: bool = False) -> Self:
        """Set the profile to use where none is named.

        :param overwrite: False: leave it if there is one already.
        :raises ricordi.errors.ProfileConfigurationError: there is no such profile.
        """
        self.validate_profile(name)
        if overwrite or not self.default_profile_name:
            self._attributes[self.KEY_DEFAULT_PROFILE] = name
        return self

    def set_default_user_email(self, profile: Profile, user_email: str) -> None:
        """Set who is the author of what is stored in a profile, and store the configuration."""
        profile.default_user_email = user_email
        self.update_profile(profile)
        self.store()

    # -- options --------------------------------------------------------------------------------------------

    @property
    def options(self) -> dict[str, Any]:
        """The options set for all profiles; changes go into the configuration."""
        options = self._attributes.get(self.KEY_OPTIONS)
        if options is None:
            options = self._attributes[self.KEY_OPTIONS] = {}
        return options

    @options.setter
    def options(self, value: Mapping[str, Any]) -> None:
        self._attributes[self.KEY_OPTIONS] = dict(value)

    def get_option(self, option_name: str, scope: str | None = None, default: bool = True) -> Any:
        """The value of an option.

        :param scope: the name of a profile; None: what is set for all profiles.
        :param default: False: None, not the default, where it is not set.
        :raises ricordi.errors.ConfigurationError: there is no such option.
        """
        from ricordi.config.options import get_option, read_option

        option = get_option(option_name)
        return read_option(option, self._values(scope), deepcopy(option.default) if default else None)

    def get_options(self, scope: str | None = None) -> dict[str, tuple[Option, str, Any]]:
        """All options that have a value: name → (option, where it is set: `profile`, `global`, `default`; value)."""
        from ricordi.config.options import get_option, get_option_names, is_set, read_option

        found: dict[str, tuple[Option, str, Any]] = {}
        for option in map(get_option, get_option_names()):
            if scope is not None and is_set(option, self._values(scope)):
                found[option.name] = (option, 'profile', read_option(option, self._values(scope)))
            elif is_set(option, self._values(None)):
                found[option.name] = (option, 'global', read_option(option, self._values(None)))
            elif option.default is not None:
                found[option.name] = (option, 'default', deepcopy(option.default))
        return found

    def set_option(self, option_name: str, option_value: Any, scope: str | None = None, override: bool = True) -> Any:
        """Set an option.

        :param scope: the name of a profile; None: for all profiles.
        :param override: False: leave it if it is set already.
        :returns: the value in the type of the option.
        :raises ricordi.errors.ConfigurationError: there is no such option, the value is not of its type, or it has no
            meaning for a single profile.
        """
        from ricordi.config.options import get_option, is_set, write_option

        option = get_option(option_name)
        value = option.parse(option_value)
        if scope is not None and option.global_only:
            raise ConfigurationError(f'the option {option.name} cannot be set for one profile; set it for all')
        values = self.options if scope is None else self.get_profile(scope).options
        if override or not is_set(option, values):
            write_option(option, values, value, self.version)
        return value

    def unset_option(self, option_name: str, scope: str | None = None) -> None:
        """Unset an option; nothing happens if it is not set."""
        from ricordi.config.options import get_option, remove_option

        remove_option(get_option(option_name), self._values(scope))

    def _values(self, scope: str | None) -> dict[str, Any]:
        holder = self._attributes if scope is None else self.get_profile(scope).dictionary
        return holder.get(self.KEY_OPTIONS) or {}

    # -- file -----------------------------------------------------------------------------------------------

    def store(self) -> Self:
        """Write what was changed since the file was read.

        The file is read again first, and what other programs changed meanwhile is kept; afterwards this object holds it
        too. The version block of an existing file stays as it is.

        :raises ricordi.errors.ConfigurationError: the file cannot be written, or has become unreadable meanwhile;
            nothing is changed.
        """
        from ricordi.config.file import update_json
        from ricordi.config.merge import merge

        mine = self.dictionary

        def change(theirs: Any) -> dict[str, Any]:
            if theirs is None:
                return mine
            self.validate(theirs, self._filepath)
            merged = merge(self._stored, mine, theirs)
            merged[self.KEY_VERSION] = theirs[self.KEY_VERSION]
            return merged

        create_config_folder(self._filepath.parent)
        stored = update_json(self._filepath, change)
        self._stored = deepcopy(stored)
        self._adopt(stored)
        return self

    def _adopt(self, content: dict[str, Any]) -> None:
        """Take over what is on disk, into the profile objects that callers may hold."""
        known = self._profiles
        self._take(content, validate=False)
        for name, profile in self._profiles.items():
            if name in known:
                known[name].dictionary.clear()
                known[name].dictionary.update(profile.dictionary)
                self._profiles[name] = known[name]
