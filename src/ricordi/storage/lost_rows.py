"""Whether rows of a database may be lost, and names of objects with them: asked before one goes for want of a name.

A page of a table that is damaged may read like one with fewer rows: no statement fails. What tells of them is the check
of the database itself, an index that still knows them, and the rows that name them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.errors import CorruptStorage
from ricordi.storage.verification.declared import declared
from ricordi.storage.verification.reader import told

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.storage.session import Session

NODES = 'db_dbnode'


def distrust(session: Session, repository: RepositoryBackend) -> str:
    """Why what nodes name may not be all that they should: what was found last, or is found now; empty where nothing
    is."""
    known = repository.verification_state()
    if known is not None and known.of_rows:
        return f'the last verification has left open findings by which rows of the {session.dialect.place} may be lost'
    return lost_rows(session)


def lost_rows(session: Session) -> str:
    """Why rows of nodes may be lost, in words; empty where nothing tells of any."""
    try:
        with session.driver():
            return _unmatched(session) or session.dialect.lost_rows(session)
    except CorruptStorage as error:
        return f'the {session.dialect.place} is damaged ({told(error)})'


def _unmatched(session: Session) -> str:
    """How many rows name nodes that are not there, in words."""
    for table, references in declared(session.dialect.name).references.items():
        for column in (column for column, target in references.items() if target == NODES):
            joined = f'{table} AS r LEFT JOIN {NODES} AS n ON n.id = r.{column}'
            counted = f'SELECT count(*) FROM {joined} WHERE n.id IS NULL AND r.{column} IS NOT NULL'
            ((count,),) = session.execute(counted).fetchall()
            if count:
                return f'rows of {table} name nodes that are not in the {session.dialect.place} ({count:,} by {column})'
    return ''
