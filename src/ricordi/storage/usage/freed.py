"""What deleting some nodes would give back: the objects that no other node names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ricordi.backend.usage import Dimension, Freed, UsageQuestion
from ricordi.progress import Progress
from ricordi.storage.columns import ValueKind
from ricordi.storage.usage.usage import usage, usage_sql

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.storage.rows import Rows
    from ricordi.storage.session import Session
    from ricordi.storage.usage.sql import UsageSql

MOST_KEYS = 10_000
"""Of more objects it is found by the sums over all, which do not grow in memory."""
MOST_SCANNED = 10_000
"""Nodes of which all can be asked what they name, without that anybody waits for it."""
WORTHWHILE_PART = 20
"""A plan for one in so many nodes of the storage, or more, is worth a look at all."""


def freed_by(session: Session, rows: Rows, repository: RepositoryBackend, pks: Sequence[int]) -> Freed:
    """What is given back when nodes are deleted, and full maintenance has run.

    Whether other nodes name the same objects is asked of all nodes. That takes a time of its own, so for few nodes out
    of very many it is left out: then what they name is told, which is the most that it can be.
    """
    if not pks:
        return Freed()
    keys = _keys(session, '', (), pks, among=True)
    if len(keys) > MOST_KEYS:
        question = UsageQuestion(Dimension.TYPE, 0, ((Dimension.NODE, tuple(pks)),))
        total = usage(session, rows, repository, question, Progress()).total
        return Freed(total.freed_objects, total.freed_bytes)
    last = session.execute('SELECT coalesce(max(id), 0) FROM db_dbnode').fetchone()[0]
    exact = not keys or last <= MOST_SCANNED or len(pks) * WORTHWHILE_PART >= last
    if keys and exact:
        keys -= _named_by_others(session, keys, pks)
    sizes = list(repository.sizes_of(sorted(keys)))
    return Freed(len(sizes), sum(size.stored for size in sizes), exact)


def _named_by_others(session: Session, keys: set[str], pks: Sequence[int]) -> set[str]:
    values = session.dialect.table_of_values(ValueKind.PLAIN, integers=False)
    return _keys(session, f' AND {{key}} IN {values}', [session.dialect.pack(sorted(keys))], pks, among=False)


def _keys(session: Session, condition: str, parameters: Sequence[object], pks: Sequence[int], among: bool) -> set[str]:
    """Keys that some nodes name, or that all but these do; one more than `MOST_KEYS` at most."""
    sql = usage_sql(session)
    try:
        return _ask(session, sql, condition, parameters, pks, among)
    except session.dialect.unclear_errors:
        guarded = sql.guarded()
        if guarded is sql:
            raise
        return _ask(session, guarded, condition, parameters, pks, among)


def _ask(
    session: Session, sql: UsageSql, condition: str, parameters: Sequence[object], pks: Sequence[int], among: bool
) -> set[str]:
    nodes = session.dialect.table_of_values(ValueKind.PLAIN, integers=True)
    statement = (
        f'SELECT DISTINCT {sql.key} FROM db_dbnode AS n{sql.keys.replace("{joins}", "")}'
        f'{condition.replace("{key}", sql.key)} AND n.id {"IN" if among else "NOT IN"} {nodes} LIMIT {MOST_KEYS + 1}'
    )
    found = session.execute(statement, [*parameters, session.dialect.pack(pks)]).fetchall()
    return {key.decode('latin-1') if isinstance(key, bytes) else key for (key,) in found}
