"""A working profile at once: a new storage, a default user, and this machine as a computer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.config import Config, load_config
from ricordi.services.person import Person
from ricordi.services.profiles.broker import broker_config
from ricordi.services.profiles.database import (
    ENGINE,
    Administrator,
    chosen_database,
    default_repository_uri,
    provided_database,
)
from ricordi.services.profiles.setup import Created, Request, create_profile, sqlite_config

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

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


def default_profile_name() -> str | None:
    """The profile that is used now where none is named."""
    return load_config(create=True).default_profile_name


def presto(
    name: str,
    person: Person,
    broker: str | None = None,
    administrator: Administrator | None = None,
    set_as_default: bool = True,
) -> Created:
    """Create a profile, make it the default, and set up this machine as its computer `localhost`: all, or nothing.

    :param broker: the message broker that AiiDA shall use, by entry point name.
    :param administrator: makes a database for it on a PostgreSQL server; None: it is on SQLite.
    :param set_as_default: whether it becomes the default profile also where there is another.
    :raises ricordi.errors.WrongValue: the name cannot be one.
    :raises ricordi.errors.ProfileConfigurationError: the name is taken.
    :raises ricordi.errors.StorageError: the storage cannot be created.
    """
    workdir = Path(load_config(create=True).dirpath) / 'scratch' / name
    options = {'runner.poll.interval': 1}
    furnish = partial(_add_localhost, str(workdir))
    backend, storage_config = _storage_of(name, administrator)
    request = Request(
        *(name, backend, storage_config, person, set_as_default, broker_config(broker)),
        options=options,
        furnish=furnish,
    )
    with provided_database(administrator, storage_config) as finish:
        return create_profile(replace(request, finish=finish))


def _storage_of(name: str, administrator: Administrator | None) -> tuple[str, dict[str, Any]]:
    """The backend of the profile and its `storage.config`."""
    if administrator is None:
        return 'core.sqlite_dos', sqlite_config(None)
    repository = {'repository_uri': default_repository_uri(name)}
    return 'core.psql_dos', {'database_engine': ENGINE, **chosen_database(administrator, name), **repository}


def _add_localhost(workdir: str, storage: StorageBackend) -> None:
    from ricordi.orm.computers import Computer

    computer = Computer(
        label='localhost',
        hostname='localhost',
        description='This machine, added with the profile',
        transport_type='core.local',
        scheduler_type='core.direct',
        workdir=workdir,
        backend=storage,
    ).store()
    computer.configure(safe_interval=0)
    computer.set_minimum_job_poll_interval(1)
    computer.set_default_mpiprocs_per_machine(1)
