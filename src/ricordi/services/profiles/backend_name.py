"""Over and back: the name under which AiiDA finds the storage of a profile, its own or that of ours."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, NamedTuple

from ricordi.config import load_config
from ricordi.errors import InvalidOperation
from ricordi.manager.opening import lock_profile
from ricordi.services.profiles.profiles import find_profile

if TYPE_CHECKING:
    from ricordi.progress import Stop

Family = Literal['core', 'ricordi']
"""Whose code works in the storage where AiiDA uses it: `core`, AiiDA's own, or ours."""

SHARED = ('sqlite_dos', 'psql_dos')
"""What is the same on disk in both families."""


class BackendName(NamedTuple):
    """What the storage of a profile is called.

    :param before: the name until now.
    :param after: the name from now on.
    :param aiida: whether AiiDA is installed beside this program, so that it finds our storages.
    """

    profile: str
    before: str
    after: str
    aiida: bool


def use_backend(name: str, family: Family, wait: float | None = None, stop: Stop | None = None) -> BackendName:
    """Have AiiDA work with its own storage class or with ours; on disk nothing changes but the name.

    The profile is locked meanwhile: a process that has it open would go on with what it has loaded.

    :param wait: seconds to wait for others to leave the profile; None: do not wait.
    :raises ricordi.errors.InvalidOperation: its storage is none that both know.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    """
    profile = find_profile(name)
    before = profile.storage_backend
    owner, _, kind = before.partition('.')
    if owner not in ('core', 'ricordi') or kind not in SHARED:
        known = ', '.join(f'core.{one}' for one in SHARED)
        raise InvalidOperation(f'profile {name!r} has the storage {before}; only {known} can be used by both programs')
    after = f'{family}.{kind}'
    if after != before:
        with lock_profile(profile, 'profile use-backend', wait=wait, stop=stop):
            config = load_config()
            changed = find_profile(name, config)
            changed.set_storage(after, changed.storage_config)
            config.store()
    return BackendName(profile.name, before, after, find_spec('aiida') is not None)
