"""Who uses or locks a profile, and clearing the records of those who cannot be checked."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.access import Holder, ProfileAccessManager
from ricordi.backend.storage import DatabaseSession
from ricordi.config import Profile
from ricordi.manager import storage_class


@dataclass(frozen=True, slots=True)
class Unlocking:
    """What clearing records does, or did.

    :param cleared: records of processes that have ended, or that are on another host or in another container.
    :param left: records of living processes, which are never cleared.
    """

    cleared: tuple[Holder, ...]
    left: tuple[Holder, ...]

    @property
    def uncheckable(self) -> tuple[Holder, ...]:
        """Those of `cleared` of whom nobody here can say whether they have ended."""
        return tuple(holder for holder in self.cleared if holder.state == 'foreign')


def list_holders(profile: Profile) -> list[Holder]:
    """All who have, or had, access or the lock according to the records."""
    return ProfileAccessManager(profile).holders()


def list_sessions(profile: Profile) -> list[DatabaseSession]:
    """Who else is connected to the database of a profile; empty where it has no server.

    :raises ricordi.errors.StorageError: the server cannot be reached.
    """
    return [session for session in storage_class(profile).sessions(profile) if not session.own]


def plan_unlocking(profile: Profile) -> Unlocking:
    """What `unlock` would clear and what it would leave; nothing is changed."""
    holders = list_holders(profile)
    return Unlocking(
        tuple(holder for holder in holders if holder.state != 'live'),
        tuple(holder for holder in holders if holder.state == 'live'),
    )


def unlock(profile: Profile) -> Unlocking:
    """Remove the records of processes that have ended and of those of other hosts and containers.

    Only for a person who knows that the latter have ended.
    """
    cleared = ProfileAccessManager(profile).clear_locks(foreign=True)
    left = tuple(holder for holder in list_holders(profile) if holder.state == 'live')
    return Unlocking(tuple(cleared), left)
