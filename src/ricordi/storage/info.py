"""What a storage holds and how large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import EntityKind
from ricordi.model.fields import TABLES
from ricordi.model.values import damaged_bytes

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.storage.session import Session


def get_info(session: Session, repository: RepositoryBackend, detailed: bool) -> dict[str, Any]:
    """Counts of entities, sizes in bytes.

    :param detailed: also who and what there is, by name or by type, sizes of tables, and what costs the repository time
        to find.
    :returns: `entities`: number of rows by kind; `database`: `bytes`, when detailed `tables` (None where the database
        cannot tell); when detailed: `users`: addresses, `computers`: labels, `node_types`, `process_types`,
        `group_types`: numbers by type; `repository`: what that store tells of itself.
    """
    counts = ', '.join(f'(SELECT count(*) FROM {TABLES[kind]})' for kind in EntityKind)
    numbers = session.execute(f'SELECT {counts}').fetchone()
    entities = {kind.value: number for kind, number in zip(EntityKind, numbers, strict=True)}
    database: dict[str, Any] = {'bytes': session.dialect.size(session)}
    info: dict[str, Any] = {'entities': entities, 'database': database}
    if detailed:
        database['tables'] = session.dialect.table_sizes(session)
        info['users'] = _column(session, 'db_dbuser', 'email')
        info['computers'] = _column(session, 'db_dbcomputer', 'label')
        info['node_types'] = _numbers(session, 'db_dbnode', 'node_type')
        info['process_types'] = _numbers(session, 'db_dbnode', 'process_type')
        info['group_types'] = _numbers(session, 'db_dbgroup', 'type_string')
    info['repository'] = repository.get_info(detailed)
    return info


def _column(session: Session, table: str, column: str) -> list[str]:
    """All values of a column that has each once, sorted."""
    return sorted(_text(value) for (value,) in session.execute(f'SELECT {column} FROM {table}').fetchall())


def _numbers(session: Session, table: str, column: str) -> dict[str, int]:
    """How many rows there are of each value of a column, those without one left out."""
    statement = f"SELECT {column}, count(*) FROM {table} WHERE {column} <> '' GROUP BY {column} ORDER BY {column}"
    return {_text(value): number for value, number in session.execute(statement).fetchall()}


def _text(value: Any) -> str:
    return damaged_bytes(value) if isinstance(value, bytes) else str(value)
