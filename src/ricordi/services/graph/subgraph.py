"""A part of the provenance graph, to be drawn: what is reached from some nodes, up and down, by links of some types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ricordi.backend.query import Comparison, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import ComputerRow, EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.model.links import CALLS, DATA_PROVENANCE, INPUTS, LINK_RULES, LOGICAL_PROVENANCE, OUTPUTS, names_of
from ricordi.model.node_types import CODE, REMOTE, SINGLE_FILE, is_process, name_of, state_in_words
from ricordi.services.traversal import check_nodes, links_at

LINK_TYPES: dict[str, tuple[str, ...]] = {
    'all': names_of(LINK_RULES),
    'data': names_of(DATA_PROVENANCE),
    'logic': names_of(LOGICAL_PROVENANCE),
    'call': names_of(CALLS),
}
"""Names for sets of link types, to choose from."""

_IN, _OUT = names_of(INPUTS), names_of(OUTPUTS)
_ROWS = 1000
_LINK = ('pk', 'input_pk', 'output_pk', 'type', 'label')


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node as it is drawn.

    :param name: of a process its label, else the name of the class.
    :param detail: a short line about what it holds; empty if there is nothing to say.
    :param state: of a process: `created`, `running`, `waiting`, `finished`, `excepted`, `killed`.
    """

    pk: int
    uuid: str
    node_type: str
    label: str
    name: str
    detail: str
    state: str | None
    exit_status: int | None

    @property
    def is_process(self) -> bool:
        """Whether it is a calculation or workflow, rather than data."""
        return is_process(self.node_type)


@dataclass(frozen=True, slots=True)
class GraphLink:
    """A link between two nodes of the graph, from source to target."""

    source: int
    target: int
    type: str
    label: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by pk, the links between them, and the nodes it was grown from."""

    nodes: dict[int, GraphNode]
    links: tuple[GraphLink, ...]
    roots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far to go from the roots.

    :param link_types: which links to follow.
    :param ancestors: how many steps against the links; None: to the end.
    :param descendants: how many steps along the links; None: to the end.
    :param process_in: also the inputs of processes that were reached going down.
    :param process_out: also the outputs of processes that were reached going up.
    """

    link_types: tuple[str, ...] = LINK_TYPES['all']
    ancestors: int | None = None
    descendants: int | None = None
    process_in: bool = False
    process_out: bool = False


@dataclass(slots=True)
class _Walk:
    """What was reached so far."""

    nodes: set[int]
    links: set[tuple[int, int, int, str, str]] = field(default_factory=set)


def grow_graph(storage: StorageBackend, roots: Sequence[int], reach: Reach = Reach()) -> Graph:
    """The graph around some nodes; one query for each step in each direction.

    :raises ricordi.errors.NotExistent: one of the roots is not in the storage.
    """
    check_nodes(storage, roots)
    up = _walk(storage, roots, reach.link_types, False, reach.ancestors)
    down = _walk(storage, roots, reach.link_types, True, reach.descendants)
    if reach.process_out:
        _one_step(storage, up, _OUT, forward=True)
    if reach.process_in:
        _one_step(storage, down, _IN, forward=False)
    # In the order in which the links were made, so that the same graph is always drawn alike.
    links = tuple(
        GraphLink(source, target, kind, label) for _, source, target, kind, label in sorted(up.links | down.links)
    )
    return Graph(load_nodes(storage, up.nodes | down.nodes), links, tuple(dict.fromkeys(roots)))


def load_nodes(storage: StorageBackend, pks: Iterable[int]) -> dict[int, GraphNode]:
    """Nodes as they are drawn, by pk, in ascending order."""
    computers = {row.pk: row.label for row in storage.find(ComputerRow)}
    fields = [Field(name) for name in ('pk', 'uuid', 'node_type', 'label', 'computer_pk')]
    fields += [Field('attributes', (key,)) for key in ('process_label', 'process_state', 'exit_status')]
    fields += [Field('attributes', (key,)) for key in ('value', 'filename')]
    query = Query(
        (Vertex('node', EntityKind.NODE),),
        filters=(('node', Comparison(Field('pk'), 'in', tuple(pks))),),
        projections=tuple(Projection('node', one) for one in fields),
        order_by=(Ordering('node', Field('pk')),),
    )
    nodes = {}
    for pk, uuid, kind, label, computer_pk, process, state, status, value, filename in storage.query_rows(query, _ROWS):
        ends = is_process(kind)
        computer = computers.get(computer_pk)
        detail = state_in_words(state, status) if ends else _content(kind, label, value, filename, computer)
        nodes[pk] = GraphNode(
            pk,
            uuid,
            kind,
            label,
            name_of(kind, process),
            detail,
            state if ends else None,
            status if ends else None,
        )
    return nodes


def _walk(
    storage: StorageBackend, roots: Iterable[int], link_types: Sequence[str], forward: bool, depth: int | None
) -> _Walk:
    walk = _Walk(set(roots))
    reached = set(walk.nodes)
    steps = 0
    while reached and (depth is None or steps < depth):
        following: set[int] = set()
        for link in links_at(storage, reached, link_types, forward, _LINK):
            walk.links.add(link)
            following.add(link[2] if forward else link[1])
        reached = following - walk.nodes
        walk.nodes |= reached
        steps += 1
    return walk


def _one_step(storage: StorageBackend, walk: _Walk, link_types: Sequence[str], forward: bool) -> None:
    for link in links_at(storage, walk.nodes, link_types, forward, _LINK):
        walk.links.add(link)
    walk.nodes |= {pk for link in walk.links for pk in link[1:3]}


# details ---------------------------------------------------------------------------------------------------


def _content(kind: str, label: str, value: Any, filename: Any, computer: str | None) -> str:
    """A few words on what a data node holds."""
    if kind.startswith(CODE):
        return f'{label}@{computer}' if computer else label
    if kind.startswith(SINGLE_FILE):
        return str(filename or '')
    if kind.startswith(REMOTE):
        return f'@{computer}' if computer else ''
    if isinstance(value, str | int | float):
        text = str(value).replace('\n', ' ')
        return text if len(text) <= 30 else f'{text[:29]}…'
    return label
