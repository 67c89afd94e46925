"""A working profile at once: a new storage, a default user, and this machine as a computer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ricordi.config import Config, load_config
from ricordi.manager import use_storage
from ricordi.services.person import Person
from ricordi.services.setup import Created, create_profile

PREFIX = 'presto'
FALLBACK_EMAIL = 'aiida@localhost'


def default_name(config: Config | None = None) -> str:
    """The first of `presto`, `presto-1`, `presto-2`, … that is not taken."""
    taken = set((config or load_config(create=True)).profile_names)
    name, number = PREFIX, 0
    while name in taken:
        number += 1
        name = f'{PREFIX}-{number}'
    return name


def default_person(config: Config | None = None) -> Person:
    """The person in the options `autofill.user.…`, or a stand-in."""
    config = config or load_config(create=True)

    def option(key: str) -> str:
        return str(config.get_option(f'autofill.user.{key}') or '')

    return Person(option('email') or FALLBACK_EMAIL, option('first_name'), option('last_name'), option('institution'))


def presto(name: str, person: Person, backend: str, storage_config: Mapping[str, Any]) -> Created:
    """Create a profile, make it the default, and set up this machine as its computer `localhost`.

    :raises ricordi.errors.WrongValue: the name cannot be one.
    :raises ricordi.errors.ProfileConfigurationError: the name is taken.
    :raises ricordi.errors.StorageError: the storage cannot be created.
    """
    done = create_profile(name, backend, storage_config, person, set_as_default=True)
    config = load_config()
    config.set_option('runner.poll.interval', 1, scope=name)
    config.store()
    if not done.adopted:
        _add_localhost(config, name)
    return done


def _add_localhost(config: Config, name: str) -> None:
    from ricordi.orm.computers import Computer

    with use_storage(config.get_profile(name), purpose='presto') as storage:
        computer = Computer(
            label='localhost',
            hostname='localhost',
            description='This machine, added by `ricordi presto`',
            transport_type='core.local',
            scheduler_type='core.direct',
            workdir=str(Path(config.dirpath) / 'scratch' / name),
            backend=storage,
        ).store()
        computer.configure(safe_interval=0)
        computer.set_minimum_job_poll_interval(1)
        computer.set_default_mpiprocs_per_machine(1)
