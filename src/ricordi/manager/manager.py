"""The profile that is loaded in this process, and its storage, opened at first use."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.backend.context import default_backend
from ricordi.config.config import Config, load_config
from ricordi.config.folder import FILE_NAME, get_config_folder
from ricordi.config.profile import Profile
from ricordi.errors import ConfigurationError, InvalidOperation

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend


class Manager:
    """One loaded profile per process. Usable from several threads; a forked child opens the storage anew."""

    def __init__(self) -> None:
        self._mutex = threading.RLock()
        self._config: Config | None = None
        self._profile: Profile | None = None
        self._storage: StorageBackend | None = None
        _watch_forks()
        _managers.add(self)

    def __repr__(self) -> str:
        return f'Manager<profile={self._profile!r}>'

    # -- configuration --------------------------------------------------------------------------------------

    def get_config(self, create: bool = False) -> Config:
        """The configuration of the current configuration folder, read once.

        :param create: create it if there is none.
        :raises ricordi.errors.ConfigurationError: there is none, or it cannot be read.
        """
        with self._mutex:
            path = get_config_folder() / FILE_NAME
            if self._config is None or Path(self._config.filepath) != path:
                self._config = load_config(create=create)
            return self._config

    def reset_config(self) -> None:
        """Have the configuration read anew at its next use."""
        self._config = None

    def get_option(self, option_name: str) -> Any:
        """The value of an option: of the loaded profile, else for all profiles, else the default.

        :raises ricordi.errors.ConfigurationError: there is no such option.
        """
        from ricordi.config.options import get_option, is_set, read_option

        option = get_option(option_name)
        if self._profile is not None and is_set(option, self._profile.options):
            return read_option(option, self._profile.options)
        try:
            return self.get_config().get_option(option.name)
        except ConfigurationError:
            return option.default

    def set_default_user_email(self, profile: Profile, user_email: str) -> None:
        """Set who is the author of what is stored in a profile, and store the configuration."""
        self.get_config().set_default_user_email(profile, user_email)
        if self._profile is not None and self._profile.uuid == profile.uuid:
            self._profile.default_user_email = user_email

    # -- profile --------------------------------------------------------------------------------------------

    def get_profile(self) -> Profile | None:
        """The loaded profile, or None."""
        return self._profile

    def load_profile(self, profile: str | Profile | None = None, allow_switch: bool = False) -> Profile:
        """Load a profile; its storage is opened at first use.

        :param profile: a name, a profile, or None: the loaded one, else the default one.
        :param allow_switch: allow to leave a profile whose storage is open.
        :raises ricordi.errors.InvalidOperation: the storage of another profile is open and `allow_switch` is False.
        :raises ricordi.errors.ConfigurationError: there is no such profile.
        """
        with self._mutex:
            if profile is None and self._profile is not None:
                return self._profile
            if not isinstance(profile, Profile):
                profile = self._find_profile(profile)
            if self._profile is not None and self._profile.uuid == profile.uuid:
                return self._profile
            if self._profile is not None and self._storage is not None and not allow_switch:
                raise InvalidOperation(
                    f'profile {self._profile.name!r} is loaded and its storage is open: unload it before you load '
                    f'{profile.name!r}, or pass allow_switch=True'
                )
            self.unload_profile()
            self._profile = profile
            default_backend[:] = [self.get_profile_storage]
            return profile

    def _find_profile(self, name: str | None) -> Profile:
        if name is not None and not isinstance(name, str):
            raise TypeError(f'profile must be a name, a Profile or None, not {type(name).__name__}')
        if name is not None and name not in self.get_config().profile_names:
            self.reset_config()  # it may have been made since
        return self.get_config().get_profile(name)

    def unload_profile(self) -> None:
        """Close the storage and forget the profile; nothing happens if there is none."""
        with self._mutex:
            self.reset_profile_storage()
            self._profile = None
            if default_backend == [self.get_profile_storage]:
                default_backend.clear()

    def reset_profile(self) -> None:
        """Close what is open for the profile; it stays loaded."""
        self.reset_profile_storage()

    # -- storage --------------------------------------------------------------------------------------------

    @property
    def profile_storage_loaded(self) -> bool:
        """Whether the storage is open."""
        return self._storage is not None

    def get_profile_storage(self) -> StorageBackend:
        """The storage of the loaded profile; the first call asks for access and opens it.

        :raises ricordi.errors.ConfigurationError: no profile is loaded.
        :raises ricordi.errors.LockedProfileError: the profile is locked.
        :raises ricordi.errors.StorageError: it cannot be opened.
        """
        storage = self._storage
        if storage is not None and not storage.is_closed:
            return storage
        from ricordi.manager.opening import open_storage

        with self._mutex:
            if self._profile is None:
                raise ConfigurationError('no profile is loaded: call ricordi.load_profile() first')
            if self._storage is not None and self._storage.is_closed:
                self.reset_profile_storage()
            if self._storage is None:
                self._storage = open_storage(self._profile)
            return self._storage

    def get_backend(self) -> StorageBackend:
        """The old name of `get_profile_storage`."""
        warnings.warn('use get_profile_storage() in place of get_backend()', DeprecationWarning, stacklevel=2)
        return self.get_profile_storage()

    def reset_profile_storage(self) -> None:
        """Close the storage and end the access to the profile; the next use opens it again."""
        with self._mutex:
            storage, self._storage = self._storage, None
            if storage is not None:
                from ricordi.manager.opening import close_storage

                close_storage(storage)

    def _after_fork_in_child(self) -> None:
        self._mutex = threading.RLock()
        if self._storage is not None:
            # Neither closed nor collected: that would speak over connections that are the parent's.
            _inherited.append(self._storage)
            self._storage = None


_managers: weakref.WeakSet[Manager] = weakref.WeakSet()
_inherited: list[StorageBackend] = []
_manager_mutex = threading.Lock()
_manager: Manager | None = None


def get_manager() -> Manager:
    """The manager of this process."""
    global _manager
    if _manager is None:
        with _manager_mutex:
            if _manager is None:
                _manager = Manager()
    return _manager


@cache
def _watch_forks() -> None:
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _after_fork_in_child() -> None:
    global _manager_mutex
    _manager_mutex = threading.Lock()
    for manager in list(_managers):
        manager._after_fork_in_child()


def get_config(create: bool = False) -> Config:
    """The configuration of the current configuration folder; see `Manager.get_config`."""
    return get_manager().get_config(create)


def load_profile(profile: str | Profile | None = None, allow_switch: bool = False) -> Profile:
    """Load a profile in this process; see `Manager.load_profile`."""
    return get_manager().load_profile(profile, allow_switch)


def get_profile() -> Profile | None:
    """The profile that is loaded in this process, or None."""
    return get_manager().get_profile()


def unload_profile() -> None:
    """Close the storage of the loaded profile and forget it."""
    get_manager().unload_profile()


@contextmanager
def profile_context(profile: str | Profile | None = None, allow_switch: bool = False) -> Iterator[Profile]:
    """Have a profile loaded for the length of a `with` block; afterwards what was loaded before is loaded again."""
    manager = get_manager()
    before = manager.get_profile()
    loaded = manager.load_profile(profile, allow_switch)
    try:
        yield loaded
    finally:
        if before is None:
            manager.unload_profile()
        else:
            manager.load_profile(before, allow_switch=True)
