"""What follows from a node, or what led to it, as a tree: a node that is reached twice is opened only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ricordi.backend.storage import StorageBackend
from ricordi.services.graph.subgraph import Graph, GraphNode, Reach, grow_graph


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A node in its place in the tree.

    :param depth: 0 for the root.
    :param parent_pk: the node above; None for the root.
    :param link_type: of the link to the node above, and its label; None for the root.
    :param last: whether no other node follows below the same parent.
    :param seen: whether the node was opened further up already, or is being opened: what is below it is not repeated.
    """

    depth: int
    parent_pk: int | None
    link_type: str | None
    link_label: str | None
    node: GraphNode
    last: bool
    seen: bool


def grow_tree(
    storage: StorageBackend, pk: int, link_types: Sequence[str], forward: bool = True, depth: int | None = None
) -> Iterator[TreeLine]:
    """The tree below a node, from top to bottom.

    :param forward: along the links (what follows), or against them (what led to it).
    :param depth: how many levels below the root; None: all.
    """
    types = tuple(link_types)
    reach = Reach(types, ancestors=0, descendants=depth) if forward else Reach(types, ancestors=depth, descendants=0)
    return _lines(grow_graph(storage, [pk], reach), pk, forward, depth)


def _lines(graph: Graph, root: int, forward: bool, depth: int | None) -> Iterator[TreeLine]:
    below: dict[int, list[tuple[int, str, str]]] = {}
    for link in graph.links:
        near, far = (link.source, link.target) if forward else (link.target, link.source)
        below.setdefault(near, []).append((far, link.type, link.label))
    opened: set[int] = set()
    # A stack and no recursion: a chain of thousands of calculations is nothing unusual.
    waiting: list[tuple[int, int | None, str | None, str | None, int, bool]] = [(0, None, None, None, root, True)]
    while waiting:
        level, parent, link_type, label, pk, last = waiting.pop()
        seen = pk in opened
        yield TreeLine(level, parent, link_type, label, graph.nodes[pk], last, seen and bool(below.get(pk)))
        if seen or (depth is not None and level >= depth):
            continue
        opened.add(pk)
        children = below.get(pk, [])
        for number, (child, kind, name) in reversed(list(enumerate(children))):
            waiting.append((level + 1, pk, kind, name, child, number == len(children) - 1))
