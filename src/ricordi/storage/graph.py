"""Changes and questions that span rows: membership in groups, paths of links, deletion of nodes with all they have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ricordi.model.fields import TABLES, EntityKind, ValueKind
from ricordi.storage.rows import Rows
from ricordi.storage.session import Session


def add_nodes_to_group(session: Session, group_pk: int, node_pks: Iterable[int]) -> int:
    """Make nodes members; those that are already stay. Returns how many were added."""
    pks = list(dict.fromkeys(node_pks))
    if not pks:
        return 0
    dialect = session.dialect
    values = dialect.table_of_values(ValueKind.INT)
    parameters = [group_pk, dialect.pack(pks)]
    alone = ''
    if dialect.lock_row:
        # One at a time for each group: two that add the same nodes in another order would wait for one another.
        alone = (
            f', (SELECT count(*) FROM (SELECT id FROM db_dbgroup WHERE id = {dialect.mark}{dialect.lock_row}) AS one) '
            'AS locked'
        )
        parameters.append(group_pk)
    # `WHERE true` keeps SQLite from reading ON CONFLICT as the condition of a join.
    statement = (
        f'INSERT INTO db_dbgroup_dbnodes (dbgroup_id, dbnode_id) SELECT {dialect.mark}, chosen.value FROM {values} '
        f'AS chosen{alone} WHERE true ON CONFLICT DO NOTHING'
    )
    return int(session.execute(statement, parameters).rowcount)


def remove_nodes_from_group(session: Session, rows: Rows, group_pk: int, node_pks: Iterable[int] | None) -> int:
    """End membership of the given nodes, or of all for None. Returns how many were removed."""
    chosen = {'group_pk': group_pk} if node_pks is None else {'group_pk': group_pk, 'node_pk': list(node_pks)}
    return rows.delete_where(session, EntityKind.GROUP_NODE, chosen)


def has_path(session: Session, source_pk: int, target_pk: int, link_types: Sequence[str]) -> bool:
    """Whether links of these types lead from one node to the other; UNION makes the walk stop at cycles."""
    if source_pk == target_pk:
        return True
    if not link_types:
        return False
    dialect = session.dialect
    mark, types = dialect.mark, ', '.join(dialect.mark for _ in link_types)
    statement = f"""
        WITH RECURSIVE reached (id) AS (
            SELECT output_id FROM db_dblink WHERE input_id = {mark} AND type IN ({types})
            UNION
            SELECT link.output_id FROM reached JOIN {dialect.links_out_of('reached.id')}
            WHERE link.type IN ({types})
        )
        SELECT 1 FROM reached WHERE id = {mark} LIMIT 1
    """
    return session.execute(statement, (source_pk, *link_types, *link_types, target_pk)).fetchone() is not None


def nodes_by_day(session: Session, user_pk: int | None) -> dict[str, int]:
    """How many nodes were created on each local day on which there were any."""
    where = '' if user_pk is None else f' WHERE user_id = {session.dialect.mark}'
    statement = (
        f'SELECT {session.dialect.local_day("ctime")} AS day, count(*) FROM db_dbnode{where} GROUP BY 1 ORDER BY 1'
    )
    return dict(session.execute(statement, () if user_pk is None else (user_pk,)).fetchall())


def delete_nodes_and_connections(session: Session, rows: Rows, pks: Iterable[int]) -> None:
    """Delete nodes with their links, memberships, comments and logs, in one transaction."""
    chosen = list(pks)
    if not chosen:
        return
    with session.transaction():
        rows.delete_where(session, EntityKind.LINK, {'input_pk': chosen})
        rows.delete_where(session, EntityKind.LINK, {'output_pk': chosen})
        for kind in (EntityKind.GROUP_NODE, EntityKind.COMMENT, EntityKind.LOG):
            rows.delete_where(session, kind, {'node_pk': chosen})
        rows.delete_where(session, EntityKind.NODE, {'pk': chosen})


def delete_rows(session: Session) -> None:
    """Delete all rows but the settings, in one transaction."""
    with session.transaction():
        for kind in reversed(TABLES):
            session.execute(f'DELETE FROM {TABLES[kind]}')
