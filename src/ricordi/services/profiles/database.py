"""A PostgreSQL database for a new profile: who makes it, and what is chosen where a person names nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import unquote, urlsplit

from ricordi.config import load_config
from ricordi.errors import WrongValue
from ricordi.storage.psql.administrator import Administrator as Administrator

ENGINE = 'postgresql_psycopg'
"""How AiiDA reaches the database."""
_PASSWORD_BYTES = 24


def administrator_at(uri: str | None) -> Administrator | None:
    """The administrator at an address, `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; None for none.

    :raises ricordi.errors.WrongValue: it is no address of a PostgreSQL server; the message does not repeat it.
    """
    if uri is None:
        return None
    wrong = WrongValue('the address of an administrator must look like postgresql://USER:PASSWORD@HOST:PORT/DATABASE')
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - fails here, and not below, where it is no port
        uri.encode()
    except ValueError:  # whose message would hold the password
        raise wrong from None
    if parts.scheme not in ('postgresql', 'postgres') or not uri.isprintable() or '%00' in uri:
        raise wrong
    return Administrator(
        hostname=parts.hostname,
        port=parts.port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        database=parts.path.lstrip('/') or 'postgres',
    )


def chosen_database(administrator: Administrator, profile_name: str) -> dict[str, Any]:
    """What the `storage.config` of a profile says of a database that is made for it, with a new password each time."""
    return {
        'database_hostname': administrator.hostname or 'localhost',
        'database_port': administrator.port or 5432,
        'database_username': f'ricordi_{profile_name}',
        'database_password': token_urlsafe(_PASSWORD_BYTES),
        'database_name': f'ricordi_{profile_name}',
    }


def default_repository_uri(profile_name: str) -> str:
    """The repository of a `core.psql_dos` profile where none is named: a folder in the configuration folder."""
    return (Path(load_config(create=True).dirpath) / 'repository' / profile_name).as_uri()


@contextmanager
def provided_database(
    administrator: Administrator | None, storage_config: Mapping[str, Any]
) -> Iterator[Callable[[], None]]:
    """A setup with a role and a database made for it, if there is an administrator; both go again if it fails.

    Yields what `Request.finish` shall call.
    """
    if administrator is None:
        yield lambda: None
        return
    from ricordi.storage.psql import provision as psql_provision

    names = (storage_config[f'database_{key}'] for key in ('name', 'username', 'password'))
    with psql_provision.provided_database(administrator, *names) as finish:
        yield finish
