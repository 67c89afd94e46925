"""Which entities can be joined to which, and by what keyword of `QueryBuilder.append`."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.backend.query import Edge, EdgeKind
from ricordi.backend.rows import EntityKind
from ricordi.errors import QueryError


@dataclass(frozen=True, slots=True)
class JoinRule:
    """What a joining keyword means for the entity it is given to.

    :param other: what it is joined to.
    :param columns: of a reference: the fields that are equal, of the other and of the entity.
    """

    other: EntityKind
    kind: EdgeKind = EdgeKind.REFERENCE
    forward: bool = True
    columns: tuple[str, str] = ('', '')


def _points_to(other: EntityKind, field: str) -> JoinRule:
    """The entity has a field with the pk of the other."""
    return JoinRule(other, columns=('pk', field))


def _is_pointed_to(other: EntityKind, field: str) -> JoinRule:
    """The other has a field with the pk of the entity."""
    return JoinRule(other, columns=(field, 'pk'))


JOIN_RULES: dict[EntityKind, dict[str, JoinRule]] = {
    EntityKind.NODE: {
        'with_incoming': JoinRule(EntityKind.NODE, EdgeKind.LINK),
        'with_outgoing': JoinRule(EntityKind.NODE, EdgeKind.LINK, forward=False),
        'with_ancestors': JoinRule(EntityKind.NODE, EdgeKind.WALK),
        'with_descendants': JoinRule(EntityKind.NODE, EdgeKind.WALK, forward=False),
        'with_group': JoinRule(EntityKind.GROUP, EdgeKind.MEMBER),
        'with_computer': _points_to(EntityKind.COMPUTER, 'computer_pk'),
        'with_user': _points_to(EntityKind.USER, 'user_pk'),
        'with_comment': _is_pointed_to(EntityKind.COMMENT, 'node_pk'),
        'with_log': _is_pointed_to(EntityKind.LOG, 'node_pk'),
    },
    EntityKind.GROUP: {
        'with_node': JoinRule(EntityKind.NODE, EdgeKind.MEMBER, forward=False),
        'with_user': _points_to(EntityKind.USER, 'user_pk'),
    },
    EntityKind.COMPUTER: {
        'with_node': _is_pointed_to(EntityKind.NODE, 'computer_pk'),
        'with_authinfo': _is_pointed_to(EntityKind.AUTHINFO, 'computer_pk'),
    },
    EntityKind.USER: {
        'with_node': _is_pointed_to(EntityKind.NODE, 'user_pk'),
        'with_group': _is_pointed_to(EntityKind.GROUP, 'user_pk'),
        'with_comment': _is_pointed_to(EntityKind.COMMENT, 'user_pk'),
        'with_authinfo': _is_pointed_to(EntityKind.AUTHINFO, 'user_pk'),
    },
    EntityKind.AUTHINFO: {
        'with_computer': _points_to(EntityKind.COMPUTER, 'computer_pk'),
        'with_user': _points_to(EntityKind.USER, 'user_pk'),
    },
    EntityKind.COMMENT: {
        'with_node': _points_to(EntityKind.NODE, 'node_pk'),
        'with_user': _points_to(EntityKind.USER, 'user_pk'),
    },
    EntityKind.LOG: {'with_node': _points_to(EntityKind.NODE, 'node_pk')},
    EntityKind.LINK: {},
}


def default_keyword(kind: EntityKind) -> str:
    """How an entity is joined to the one before it when nothing is said."""
    return 'with_incoming' if kind is EntityKind.NODE else 'with_node'


def check_keyword(kind: EntityKind, keyword: str) -> None:
    """Refuse a keyword that this kind of entity does not take.

    :raises ricordi.errors.QueryError: with the keywords it takes.
    """
    rules = JOIN_RULES.get(kind, {})
    if keyword not in rules:
        known = ', '.join(rules) or 'none'
        raise QueryError(f'{keyword!r} is not a joining keyword of a {kind}; it takes: {known}')


def make_edge(tag: str, start: tuple[str, EntityKind], end: tuple[str, EntityKind], keyword: str, outer: bool) -> Edge:
    """The edge of the query description for a join.

    :param start: tag and kind of what is joined to.
    :param end: tag and kind of what `keyword` was given to.
    :raises ricordi.errors.QueryError: these two cannot be joined in this way.
    """
    check_keyword(end[1], keyword)
    rule = JOIN_RULES[end[1]][keyword]
    if rule.other is not start[1]:
        raise QueryError(
            f'{keyword!r} joins a {end[1]} to a {rule.other}, but {start[0]!r} is a {start[1]}; '
            'name the vertex to join to: append(…, with_…=tag)'
        )
    return Edge(tag, start[0], end[0], rule.kind, rule.forward, rule.columns, outer)
