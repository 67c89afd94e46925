"""Having a profile alone, in a process that AiiDA works in as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ricordi.access import ProfileAccessManager
from ricordi.config.profile import Profile
from ricordi.manager import storage_class
from ricordi.plugin.profiles import config_folder


@contextmanager
def alone(profile: Profile, purpose: str) -> Iterator[Callable[[], None] | None]:
    """Have a profile and its database for this process alone, unless it has it already.

    What AiiDA in this process has of the profile, its own lock too, does not stand in the way. The block is given what
    raises where the lock has been lost; None where it is held by who called.

    :raises ricordi.errors.AccessError: the profile is locked or in use; the message tells by whom.
    """
    access, guard = ProfileAccessManager(profile, config_folder()), storage_class(profile).full_guard
    if access.holds_lock():
        yield None
        return
    with access.lock(purpose=purpose, guards=[lambda: guard(profile)]) as check:
        yield check
