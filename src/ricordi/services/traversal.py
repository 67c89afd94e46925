"""Which nodes go along when others are deleted or exported: the rule sets, and the walk over links by them.

The rules are those of AiiDA (formats/graph.md, *Which nodes go along*). A rule follows links of one type, from source
to target (forward) or from target to source (backward).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ricordi.backend.query import Comparison, Field, Junction, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent, UsageError


@dataclass(frozen=True, slots=True)
class Rule:
    """Follow links of one type in one direction.

    :param default: whether it is followed when nothing is said.
    :param switchable: whether it may be said otherwise.
    """

    link_type: str
    forward: bool
    default: bool
    switchable: bool = False

    @property
    def name(self) -> str:
        """As in AiiDA's options: `create_forward`."""
        return f'{self.link_type}_{"forward" if self.forward else "backward"}'


def _always(link_type: str, forward: bool) -> Rule:
    return Rule(link_type, forward, default=True)


def _switch(link_type: str, forward: bool, default: bool) -> Rule:
    return Rule(link_type, forward, default, switchable=True)


DELETE_RULES: tuple[Rule, ...] = (
    _always('input_calc', forward=True),
    _switch('create', forward=True, default=True),
    _always('create', forward=False),
    _always('return', forward=False),
    _always('input_work', forward=True),
    _switch('call_calc', forward=True, default=True),
    _always('call_calc', forward=False),
    _switch('call_work', forward=True, default=True),
    _always('call_work', forward=False),
)
"""What must go when a node is deleted, so that no result is left without its origin."""

EXPORT_RULES: tuple[Rule, ...] = (
    _switch('input_calc', forward=True, default=False),
    _always('input_calc', forward=False),
    _always('create', forward=True),
    _switch('create', forward=False, default=True),
    _always('return', forward=True),
    _switch('return', forward=False, default=False),
    _switch('input_work', forward=True, default=False),
    _always('input_work', forward=False),
    _always('call_calc', forward=True),
    _switch('call_calc', forward=False, default=True),
    _always('call_work', forward=True),
    _switch('call_work', forward=False, default=True),
)
"""What is exported with a node, so that an archive tells where everything in it comes from."""


def choose_rules(rules: Iterable[Rule], switches: Mapping[str, bool | None] | None = None) -> tuple[Rule, ...]:
    """The rules to follow: those of a set that are on by default or switched on.

    :param switches: name of a rule → on or off; None: as by default.
    :raises ricordi.errors.UsageError: there is no such rule in the set, or it cannot be switched.
    """
    rules = tuple(rules)
    wanted = {name: value for name, value in (switches or {}).items() if value is not None}
    switchable = {rule.name for rule in rules if rule.switchable}
    for name in wanted:
        if name not in switchable:
            raise UsageError(
                f'the traversal rule {name!r} cannot be switched; these can: {", ".join(sorted(switchable))}'
            )
    return tuple(rule for rule in rules if wanted.get(rule.name, rule.default))


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
            for _, pk, link_type in links_from(storage, reached, tuple(by_type), forward):
                if pk not in found.nodes:
                    found.nodes.add(pk)
                    following.add(pk)
                    rule = by_type[link_type]
                    found.by_rule[rule] = found.by_rule.get(rule, 0) + 1
        reached = following
    return found


def links_from(
    storage: StorageBackend, pks: Iterable[int], link_types: Iterable[str], forward: bool
) -> Iterator[tuple[int, int, str]]:
    """The links that leave (forward) or enter (backward) nodes, by one query: (node, node at the other end, type).

    :param pks: the nodes; any number.
    """
    types, chosen = tuple(link_types), tuple(pks)
    if not types or not chosen:
        return iter(())
    near, far = ('input_pk', 'output_pk') if forward else ('output_pk', 'input_pk')
    query = Query(
        (Vertex('link', EntityKind.LINK),),
        filters=(
            (
                'link',
                Junction((Comparison(Field(near), 'in', chosen), Comparison(Field('type'), 'in', types))),
            ),
        ),
        projections=tuple(Projection('link', Field(name)) for name in (near, far, 'type')),
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
