"""Copies of the PostgreSQL database of a profile, and the process of its server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def settings(home: Path) -> dict[str, Any] | None:
    """The storage settings of the one profile under a configuration folder; None for one on SQLite."""
    config = json.loads(_config(home).read_text())
    (profile,) = config['profiles'].values()
    found: dict[str, Any] = profile['storage']['config']
    return found if 'database_name' in found else None


@contextmanager
def connection(home: Path, database: str | None = None) -> Iterator[Any]:
    """A connection to the profile's server, to its own database unless another is named."""
    import psycopg

    known = settings(home)
    if known is None:
        raise ValueError(f'the profile in {home} is not on PostgreSQL')
    opened = psycopg.connect(
        host=known['database_hostname'],
        port=known['database_port'],
        user=known['database_username'],
        password=known['database_password'],
        dbname=database or known['database_name'],
        autocommit=True,
    )
    with opened:
        yield opened


def server_pid(home: Path) -> int | None:
    """The main process of the server, if the profile has one and it runs on this host."""
    if settings(home) is None:
        return None
    with connection(home) as opened:
        (backend,) = opened.execute('SELECT pg_backend_pid()').fetchone()
        try:
            status = Path(f'/proc/{backend}/stat').read_text()
        except OSError:
            return None
    name, _, rest = status.rpartition(')')
    return int(rest.split()[1]) if 'postgres' in name else None


def copy_database(home: Path, suffix: str) -> None:
    """Give the profile of a copied configuration folder a copy of the database; nothing to do on SQLite.

    Nobody may be connected to the original. The planner is told of the copy's tables, so that no first query waits
    for that.
    """
    known = settings(home)
    if known is None:
        return
    original = known['database_name']
    copy = f'{original}_{suffix}'
    with connection(home, 'postgres') as opened:
        opened.execute(f'DROP DATABASE IF EXISTS "{copy}"')
        opened.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
    path = _config(home)
    config = json.loads(path.read_text())
    (profile,) = config['profiles'].values()
    profile['storage']['config']['database_name'] = copy
    path.write_text(json.dumps(config))
    with connection(home) as opened:
        opened.execute('VACUUM ANALYZE')


def drop_copy(home: Path, suffix: str) -> None:
    """Remove the database that `copy_database` made."""
    known = settings(home)
    if known is None or not known['database_name'].endswith(f'_{suffix}'):
        return
    with connection(home, 'postgres') as opened:
        opened.execute(f'DROP DATABASE "{known["database_name"]}"')


def _config(home: Path) -> Path:
    return home / '.aiida' / 'config.json'
