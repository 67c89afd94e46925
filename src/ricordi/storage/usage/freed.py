"""What deleting some nodes would give back: the objects that no other node names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ricordi.backend.usage import Dimension, Freed, UsageQuestion
from ricordi.model.fields import ValueKind
from ricordi.progress import Progress
from ricordi.storage.usage.usage import usage, usage_sql

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.storage.rows import Rows
    from ricordi.storage.session import Session
    from ricordi.storage.usage.sql import UsageSql


class FreedLimits(NamedTuple):
    """How far it is looked up what deleting nodes gives back.

    :param most_keys: of more objects it is found by the sums over all, which do not grow in memory.
    :param most_scanned: nodes of which all can be asked what they name, without that anybody waits for it.
    :param worthwhile_part: a plan for one in so many nodes of the storage, or more, is worth a look at all.
    """

    most_keys: int = 10_000
    most_scanned: int = 10_000
    worthwhile_part: int = 20


USUAL = FreedLimits()


def freed_by(
    session: Session,
    rows: Rows,
    repository: RepositoryBackend,
    pks: Sequence[int],
    limits: FreedLimits = USUAL,
) -> Freed:
    """What is given back when nodes are deleted, and full maintenance has run.

    Whether other nodes name the same objects is asked of all nodes. That takes a time of its own, so for few nodes out
    of very many it is left out: then what they name is told, which is the most that it can be.
    """
    if not pks:
        return Freed()
    keys = _keys(session, '', (), pks, among=True, most=limits.most_keys + 1)
    if len(keys) > limits.most_keys:
        question = UsageQuestion(Dimension.TYPE, 0, ((Dimension.NODE, tuple(pks)),))
        total = usage(session, rows, repository, question, Progress()).total
        return Freed(total.freed_objects, total.freed_bytes)
    last = session.execute('SELECT coalesce(max(id), 0) FROM db_dbnode').fetchone()[0]
    exact = not keys or last <= limits.most_scanned or len(pks) * limits.worthwhile_part >= last
    if keys and exact:
        keys -= _named_by_others(session, keys, pks)
    sizes = list(repository.sizes_of(sorted(keys)))
    return Freed(len(sizes), sum(size.stored for size in sizes), exact)


def _named_by_others(session: Session, keys: set[str], pks: Sequence[int]) -> set[str]:
    values = session.dialect.table_of_values(ValueKind.TEXT)
    return _keys(
        session, f' AND {{key}} IN {values}', [session.dialect.pack(sorted(keys))], pks, among=False, most=len(keys)
    )


def _keys(
    session: Session, condition: str, parameters: Sequence[object], pks: Sequence[int], among: bool, most: int
) -> set[str]:
    """Keys that some nodes name, or that all but these do; so many at most."""
    sql = usage_sql(session)
    try:
        return _ask(session, sql, condition, parameters, pks, among, most)
    except session.dialect.unclear_errors:
        guarded = sql.guarded()
        if guarded is sql:
            raise
        return _ask(session, guarded, condition, parameters, pks, among, most)


def _ask(
    session: Session,
    sql: UsageSql,
    condition: str,
    parameters: Sequence[object],
    pks: Sequence[int],
    among: bool,
    most: int,
) -> set[str]:
    nodes = session.dialect.table_of_values(ValueKind.INT)
    statement = (
        f'SELECT DISTINCT {sql.key} FROM db_dbnode AS n{sql.keys.replace("{joins}", "")}'
        f'{condition.replace("{key}", sql.compared_key)} AND n.id {"IN" if among else "NOT IN"} {nodes} LIMIT {most}'
    )
    found = session.execute(statement, [*parameters, session.dialect.pack(pks)]).fetchall()
    return {key.decode('latin-1') if isinstance(key, bytes) else key for (key,) in found}
