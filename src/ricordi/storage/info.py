"""What a storage holds and how large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import EntityKind
from ricordi.storage.columns import table_name

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.storage.session import Session


def get_info(session: Session, repository: RepositoryBackend, detailed: bool) -> dict[str, Any]:
    """Counts of entities, sizes in bytes.

    :param detailed: also nodes by type, sizes of tables, and what costs the repository time to find.
    :returns: `entities`: number of rows by kind; `database`: `bytes`, when detailed `tables` (None where the database
        cannot tell); `node_types` when detailed; `repository`: what that store tells of itself.
    """
    entities = {
        kind.value: session.execute(f'SELECT count(*) FROM {table_name(kind)}').fetchone()[0] for kind in EntityKind
    }
    database: dict[str, Any] = {'bytes': session.dialect.size(session)}
    info: dict[str, Any] = {'entities': entities, 'database': database}
    if detailed:
        database['tables'] = session.dialect.table_sizes(session)
        info['node_types'] = dict(
            session.execute(
                'SELECT node_type, count(*) FROM db_dbnode GROUP BY node_type ORDER BY node_type'
            ).fetchall()
        )
    info['repository'] = repository.get_info(detailed)
    return info
