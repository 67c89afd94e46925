"""Which nodes go along when others are deleted or exported: the walk over links by the rules of `model.traversal`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ricordi.backend.query import Comparison, Field, Junction, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent
from ricordi.model.traversal import Rule


@dataclass(slots=True)
class Traversal:
    """Where a walk has led.

    :param start: pks of the nodes it began with.
    :param nodes: pks of all nodes, those of the start among them.
    :param by_rule: rule → how many nodes it was the first to reach.
    """

    start: frozenset[int]
    nodes: set[int]
    by_rule: dict[Rule, int] = field(default_factory=dict)


def traverse(storage: StorageBackend, pks: Iterable[int], rules: Iterable[Rule]) -> Traversal:
    """Follow the rules from some nodes until nothing new is reached.

    Each step asks two questions of the database, for all nodes that the step before has reached.

    :param pks: nodes to begin with.
    :raises ricordi.errors.NotExistent: one of them is not in the storage.
    """
    start = frozenset(pks)
    check_nodes(storage, start)
    directions = {
        forward: {rule.link_type: rule for rule in rules if rule.forward is forward} for forward in (True, False)
    }
    found = Traversal(start, set(start))
    reached = set(start)
    while reached:
        following: set[int] = set()
        for forward, by_type in directions.items():
            far = 'output_pk' if forward else 'input_pk'
            for pk, link_type in links_at(storage, reached, by_type, forward, (far, 'type')):
                if pk not in found.nodes:
                    found.nodes.add(pk)
                    following.add(pk)
                    rule = by_type[link_type]
                    found.by_rule[rule] = found.by_rule.get(rule, 0) + 1
        reached = following
    return found


def links_at(
    storage: StorageBackend, pks: Iterable[int], link_types: Iterable[str], forward: bool, fields: Iterable[str]
) -> Iterator[tuple[Any, ...]]:
    """The links that leave (forward) or enter (backward) nodes, by one query: the fields of each that are asked for.

    :param pks: the nodes; any number.
    """
    types, chosen = tuple(link_types), tuple(pks)
    if not types or not chosen:
        return iter(())
    near = Comparison(Field('input_pk' if forward else 'output_pk'), 'in', chosen)
    query = Query(
        (Vertex('link', EntityKind.LINK),),
        filters=(('link', Junction((near, Comparison(Field('type'), 'in', types)))),),
        projections=tuple(Projection('link', Field(name)) for name in fields),
    )
    return storage.query_rows(query, batch_size=1000)


def check_nodes(storage: StorageBackend, pks: Iterable[int]) -> None:
    """See that nodes are in the storage.

    :raises ricordi.errors.NotExistent: naming those that are not.
    """
    wanted = set(pks)
    query = Query(
        (Vertex('node', EntityKind.NODE),),
        filters=(('node', Comparison(Field('pk'), 'in', tuple(wanted))),),
        projections=(Projection('node', Field('pk')),),
    )
    if not wanted:
        return
    missing = sorted(wanted - {pk for (pk,) in storage.query_rows(query, batch_size=1000)})
    if missing:
        shown = ', '.join(map(str, missing[:10])) + (' …' if len(missing) > 10 else '')
        raise NotExistent(f'there is no node with pk {shown}')
