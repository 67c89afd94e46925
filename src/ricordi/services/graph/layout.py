"""Where the nodes of a graph are drawn: in layers from top to bottom, with few crossings and short links.

The steps are those of layered drawing (Sugiyama, Tagawa and Toda, 1981): links that close a cycle are turned round,
nodes put into layers, long links led through the layers between by way points, layers sorted by the mean place of
neighbours, and nodes moved towards their neighbours as far as their order and size allow. A layer of very many nodes
becomes several. Time grows with the number of links.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isqrt

Size = tuple[float, float]
Point = tuple[float, float]

GAP = 24.0
"""Least distance between neighbours in a layer."""
LAYER_GAP = 70.0
"""Distance between layers."""
_MARGIN = 20.0
_WIDEST = 40
_SWEEPS = 8
_MOST_WAY_POINTS = 40_000
"""In a graph that would need more, long links are drawn straight."""


@dataclass(frozen=True, slots=True)
class GraphLayout:
    """Where everything is.

    :param places: node → its middle.
    :param ways: for each link, in order, the points between its ends.
    """

    places: dict[int, Point]
    ways: tuple[tuple[Point, ...], ...]
    width: float
    height: float


@dataclass(slots=True)
class _LayeredGraph:
    """The layers while they are being sorted. Way points are numbered downwards from -1."""

    sizes: dict[int, Size]
    layers: list[list[int]]
    above: dict[int, list[int]] = field(default_factory=dict)
    below: dict[int, list[int]] = field(default_factory=dict)
    x: dict[int, float] = field(default_factory=dict)

    def join(self, upper: int, lower: int) -> None:
        self.below.setdefault(upper, []).append(lower)
        self.above.setdefault(lower, []).append(upper)

    def width(self, item: int) -> float:
        return self.sizes[item][0] if item in self.sizes else 0.0


def lay_out(sizes: Mapping[int, Size], links: Sequence[tuple[int, int]]) -> GraphLayout:
    """Find places for nodes.

    :param sizes: node → width and height.
    :param links: source and target of each link; the source is above the target wherever there is no cycle.
    """
    downward = _without_cycles(list(sizes), links)
    layer_of = _layers(list(sizes), [(a, b) for a, b in downward if a != b])
    graph = _LayeredGraph(dict(sizes), [[] for _ in range(max(layer_of.values(), default=-1) + 1)])
    for node, layer in layer_of.items():
        graph.layers[layer].append(node)
    chains = _insert_way_points(graph, downward, layer_of)
    _sort_layers(graph)
    _assign_coordinates(graph)
    return _finish(graph, layer_of, chains, links)


# layers ----------------------------------------------------------------------------------------------------


def _without_cycles(nodes: Iterable[int], links: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The links, those turned round that lead back to a node on the way on which they were found."""
    targets: dict[int, list[int]] = {}
    for source, target in links:
        targets.setdefault(source, []).append(target)
    state: dict[int, int] = {}  # 1: on the way, 2: done
    backward: set[tuple[int, int]] = set()
    for start in nodes:
        if start in state:
            continue
        state[start] = 1
        way = [(start, iter(targets.get(start, ())))]
        while way:
            node, following = way[-1]
            for target in following:
                if state.get(target) == 1:
                    backward.add((node, target))
                elif target not in state:
                    state[target] = 1
                    way.append((target, iter(targets.get(target, ()))))
                    break
            else:
                state[node] = 2
                way.pop()
    return [(b, a) if (a, b) in backward else (a, b) for a, b in links]


def _layers(nodes: Sequence[int], links: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The layer of each node: below all its sources; what has no source, just above its nearest target."""
    sources: dict[int, int] = dict.fromkeys(nodes, 0)
    targets: dict[int, list[int]] = {}
    for source, target in links:
        sources[target] += 1
        targets.setdefault(source, []).append(target)
    layer = {node: 0 for node in nodes if not sources[node]}
    has_no_source = set(layer)
    waiting = list(layer)
    for node in waiting:  # it grows while it is gone through
        for target in targets.get(node, ()):
            layer[target] = max(layer.get(target, 0), layer[node] + 1)
            sources[target] -= 1
            if not sources[target]:
                waiting.append(target)
    for node in has_no_source:
        if targets.get(node):
            layer[node] = min(layer[target] for target in targets[node]) - 1
    return _split(layer)


def _split(layer_of: Mapping[int, int]) -> dict[int, int]:
    """Layers of a width that can be looked at: one of too many nodes becomes several, one below the other."""
    most = max(_WIDEST, isqrt(len(layer_of)))
    members: dict[int, list[int]] = {}
    for node, layer in layer_of.items():
        members.setdefault(layer, []).append(node)
    split: dict[int, int] = {}
    first = 0
    for layer in sorted(members):
        for number, node in enumerate(members[layer]):
            split[node] = first + number // most
        first += -(-len(members[layer]) // most)
    return split


def _insert_way_points(
    graph: _LayeredGraph, links: Sequence[tuple[int, int]], layer_of: Mapping[int, int]
) -> list[list[int]]:
    """Join what each link passes from layer to layer; returns for each link the way points between its ends."""
    needed = sum(max(0, abs(layer_of[b] - layer_of[a]) - 1) for a, b in set(links))
    with_way_points = needed <= _MOST_WAY_POINTS
    known: dict[tuple[int, int], list[int]] = {}
    number = 0
    for upper, lower in links:
        if (upper, lower) in known or upper == lower:
            continue
        chain: list[int] = []
        if with_way_points:
            for layer in range(layer_of[upper] + 1, layer_of[lower]):
                number -= 1
                chain.append(number)
                graph.layers[layer].append(number)
        if with_way_points or layer_of[lower] - layer_of[upper] == 1:
            steps = [upper, *chain, lower]
            for one, next_one in pairwise(steps):
                graph.join(one, next_one)
        known[upper, lower] = chain
    return [known.get(link, []) for link in links]


# order and places ------------------------------------------------------------------------------------------


def _sort_layers(graph: _LayeredGraph) -> None:
    """Sort each layer by the mean place of its neighbours in the layer before, down and up in turn."""
    place = {item: float(number) for layer in graph.layers for number, item in enumerate(layer)}
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        neighbours = graph.above if downward else graph.below
        for layer in graph.layers if downward else reversed(graph.layers):
            wanted = {item: _mean([place[one] for one in neighbours.get(item, ())], place[item]) for item in layer}
            layer.sort(key=wanted.__getitem__)
            for number, item in enumerate(layer):
                place[item] = float(number)


def _assign_coordinates(graph: _LayeredGraph) -> None:
    """Give every item its x: near its neighbours, in the order of its layer, without overlap."""
    for layer in graph.layers:
        x = 0.0
        for item in layer:
            graph.x[item] = x + graph.width(item) / 2
            x += graph.width(item) + GAP
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        for layer in graph.layers if downward else reversed(graph.layers):
            wanted = [_barycentre(graph, item, downward) for item in layer]
            for item, x in zip(layer, _separated(wanted, [graph.width(item) for item in layer]), strict=True):
                graph.x[item] = x


def _barycentre(graph: _LayeredGraph, item: int, downward: bool) -> float:
    """The mean x of the neighbours on the side that was placed last; of those on the other side if there are none."""
    first, second = (graph.above, graph.below) if downward else (graph.below, graph.above)
    near = first.get(item) or second.get(item) or []
    return _mean([graph.x[one] for one in near], graph.x[item])


def _separated(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The places nearest to those wanted, in the sense of least squares, that keep order and distance.

    Isotonic regression by pooling neighbours that are too near: each pool stands where its mean wants to be.
    """
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + GAP)
    pools: list[tuple[float, int]] = []  # mean of what its items want, less their offsets; number of items
    for place, offset in zip(wanted, offsets, strict=False):
        mean, count = place - offset, 1
        while pools and pools[-1][0] > mean:
            before, number = pools.pop()
            mean, count = (before * number + mean * count) / (number + count), number + count
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _finish(
    graph: _LayeredGraph, layer_of: Mapping[int, int], chains: Sequence[Sequence[int]], links: Sequence[tuple[int, int]]
) -> GraphLayout:
    """Heights of the layers, and everything moved to begin at the margin."""
    heights = [
        max((graph.sizes[item][1] for item in layer if item in graph.sizes), default=0) for layer in graph.layers
    ]
    middle, y = [], _MARGIN
    for height in heights:
        middle.append(y + height / 2)
        y += height + LAYER_GAP
    left = min((graph.x[item] - graph.width(item) / 2 for item in graph.x), default=0.0) - _MARGIN
    right = max((graph.x[item] + graph.width(item) / 2 for item in graph.x), default=0.0) + _MARGIN
    level = {item: number for number, layer in enumerate(graph.layers) for item in layer}
    point = {item: (round(x - left, 1), round(middle[level[item]], 1)) for item, x in graph.x.items()}
    ways = []
    for (source, target), chain in zip(links, chains, strict=True):
        turned = layer_of[source] > layer_of[target]
        ways.append(tuple(point[item] for item in (reversed(chain) if turned else chain)))
    places = {item: place for item, place in point.items() if item in graph.sizes}
    return GraphLayout(places, tuple(ways), round(right - left, 1), round(y - LAYER_GAP + _MARGIN, 1))
