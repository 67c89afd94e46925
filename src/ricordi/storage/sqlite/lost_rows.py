"""Whether a SQLite database has lost rows of nodes: an index still knows them, or the file is not in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.storage.verification.on_sqlite import MOST_FAULTS, is_damage

if TYPE_CHECKING:
    from ricordi.storage.session import Session

_UNIQUE_INDEXES = (
    "SELECT i.name FROM pragma_index_list('db_dbnode') AS i JOIN pragma_index_info(i.name) AS c "
    'WHERE i."unique" AND NOT i.partial AND c.name = \'uuid\''
)


def lost_rows(session: Session) -> str:
    """Why rows may be lost, in words; empty where nothing tells of any. The whole file is looked at."""
    return _missed_by_table(session) or _damage(session)


def _missed_by_table(session: Session) -> str:
    for (name,) in session.execute(_UNIQUE_INDEXES).fetchall():
        counts = f'(SELECT count(*) FROM db_dbnode NOT INDEXED), (SELECT count(*) FROM db_dbnode INDEXED BY "{name}")'
        ((in_table, in_index),) = session.execute(f'SELECT {counts}').fetchall()
        if in_table != in_index:
            return (
                f'the {session.dialect.place} has {in_table:,} nodes in its table and {in_index:,} in the index of it'
            )
    return ''


def _damage(session: Session) -> str:
    for (text,) in session.execute(f'PRAGMA quick_check({MOST_FAULTS})').fetchall():
        for line in str(text).splitlines():
            if is_damage(line):
                return f'the {session.dialect.place} is damaged ({line})'
    return ''
