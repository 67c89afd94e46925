"""Whether rows of a database may be lost, and names of objects with them: asked before one goes for want of a name.

A page of a table that is damaged may read like one with fewer rows: no statement fails. What tells of them is the check
of the database itself, an index that still knows them, and the rows that name them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.errors import CorruptStorage
from ricordi.storage.object_keys import unclear_trees
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


def lost_names(session: Session) -> str:
    """Why names of objects may be lost, with rows of nodes or in their file trees, in words; empty where nothing tells
    of any.

    Full maintenance asks the two one by one, for it tells of each tree.
    """
    return lost_rows(session) or _unclear(session)


def _unclear(session: Session) -> str:
    """Which file trees name what nobody can tell, in words."""
    try:
        with session.driver():
            trees = unclear_trees(session)
            if (first := next(trees, None)) is None:
                return ''
            count = 1 + sum(1 for _ in trees)
    except CorruptStorage as error:
        return f'the {session.dialect.place} is damaged ({told(error)})'
    pk, uuid, fault = first
    more = f', and {count - 1:,} more' if count > 1 else ''
    return (
        'nobody can tell which objects are named where a file tree is damaged: '
        f'that of node {pk} ({uuid}), for {fault}{more}'
    )


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
