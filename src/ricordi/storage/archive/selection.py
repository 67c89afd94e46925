"""What of a storage goes into an archive, and the SQL that finds it, the same for all databases."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.model.fields import FIELDS, TABLES, EntityKind


@dataclass(frozen=True, slots=True)
class ArchiveSelection:
    """What an archive shall hold.

    :param everything: all rows; then the pks and link types are not looked at.
    :param nodes: pks to begin with.
    :param groups: their members are begun with, too.
    :param computers: pks.
    :param forward: link types to follow from source to target.
    :param backward: from target to source.
    """

    everything: bool = False
    nodes: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    computers: tuple[int, ...] = ()
    forward: tuple[str, ...] = ()
    backward: tuple[str, ...] = ()
    authinfos: bool = False
    comments: bool = True
    logs: bool = True

    @property
    def kinds(self) -> tuple[EntityKind, ...]:
        """The kinds of row that go along, in an order in which references point backwards."""
        left_out = {
            EntityKind.AUTHINFO: not self.authinfos,
            EntityKind.COMMENT: not self.comments,
            EntityKind.LOG: not self.logs,
        }
        return tuple(kind for kind in ORDER if not left_out.get(kind, False))


ORDER = (
    EntityKind.USER,
    EntityKind.COMPUTER,
    EntityKind.AUTHINFO,
    EntityKind.GROUP,
    EntityKind.NODE,
    EntityKind.COMMENT,
    EntityKind.LOG,
    EntityKind.LINK,
    EntityKind.GROUP_NODE,
)

PICKED = ('seed', 'picked_node', 'picked_group', 'picked_computer', 'picked_user')
"""Temporary tables of pks, each with the one column `id`."""

MEMBERS_OF_GROUPS = (
    'INSERT INTO seed SELECT DISTINCT m.dbnode_id FROM {s}db_dbgroup_dbnodes AS m '
    'WHERE m.dbgroup_id IN (SELECT id FROM picked_group) AND m.dbnode_id NOT IN (SELECT id FROM seed)'
)
COMPUTERS_OF_NODES = (
    'INSERT INTO picked_computer SELECT DISTINCT n.dbcomputer_id FROM {s}db_dbnode AS n '
    'WHERE n.id IN (SELECT id FROM picked_node) AND n.dbcomputer_id IS NOT NULL '
    'AND n.dbcomputer_id NOT IN (SELECT id FROM picked_computer)'
)

CONDITIONS = {
    EntityKind.USER: 'id IN (SELECT id FROM picked_user)',
    EntityKind.COMPUTER: 'id IN (SELECT id FROM picked_computer)',
    EntityKind.AUTHINFO: 'dbcomputer_id IN (SELECT id FROM picked_computer)',
    EntityKind.GROUP: 'id IN (SELECT id FROM picked_group)',
    EntityKind.NODE: 'id IN (SELECT id FROM picked_node)',
    EntityKind.COMMENT: 'dbnode_id IN (SELECT id FROM picked_node)',
    EntityKind.LOG: 'dbnode_id IN (SELECT id FROM picked_node)',
    EntityKind.LINK: 'input_id IN (SELECT id FROM picked_node) AND output_id IN (SELECT id FROM picked_node)',
    EntityKind.GROUP_NODE: 'dbgroup_id IN (SELECT id FROM picked_group)',
}
"""Which rows of a kind go along when not all do. Every link between two nodes that go along goes along."""


def users_of(selection: ArchiveSelection) -> str:
    """The INSERT that finds the users of everything else; `{s}` stands for the schema of the source."""
    parts = [
        f'SELECT {FIELDS[kind]["user_pk"].column} FROM {{s}}{TABLES[kind]} WHERE {CONDITIONS[kind]}'
        for kind in selection.kinds
        if 'user_pk' in FIELDS[kind]
    ]
    return f'INSERT INTO picked_user {" UNION ".join(parts)}'
