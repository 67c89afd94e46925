"""How the nodes and links of a graph look: words, colours, shapes. The same in DOT, SVG and HTML."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from textwrap import wrap

from ricordi.model import node_types
from ricordi.services.graph.subgraph import Graph, GraphLink, GraphNode

DATA, CODE, WAITING, GOOD, BAD, FADED = '#dbe9f6', '#e6dcf5', '#fbe3c0', '#cdebcf', '#f6c9c4', '#f4f4f4'
"""Fill colours: data, codes, processes that have not ended, that ended well, that did not; what is not highlighted."""

LINK_COLOURS = {
    'input_calc': '#3b6ea5',
    'create': '#2e7d32',
    'input_work': '#7f9fc0',
    'return': '#8bb58d',
    'call_calc': '#b26a00',
    'call_work': '#8a4fa3',
}
LOOKS = {DATA: 'data', CODE: 'code', WAITING: 'waiting', GOOD: 'good', BAD: 'bad', FADED: 'faded'}
"""What fill colours stand for."""

DASHED = frozenset({'input_work', 'return'})
"""Links of logical provenance: what a workflow was given and gave back, not what was computed."""

_LONGEST_LINE = 34
_MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Style:
    """How a node looks.

    :param lines: the text, line by line.
    :param shape: `ellipse` for data, `box` for calculations, `hexagon` for workflows.
    :param root: whether the graph was grown from it.
    """

    lines: tuple[str, ...]
    shape: str
    fill: str
    root: bool

    @property
    def look(self) -> str:
        """What the fill colour stands for."""
        return LOOKS[self.fill]


def style_nodes(graph: Graph, identifiers: Sequence[str], highlight: Collection[str] = ()) -> dict[int, Style]:
    """The look of each node, by pk.

    :param identifiers: what names a node, of `pk`, `uuid` (its first eight digits), `label`.
    :param highlight: names of classes or processes; others are drawn without colour; empty: all have their colour.
    """
    roots = set(graph.roots)
    return {
        pk: Style(_lines(node, identifiers), _shape(node), _fill(node, highlight), pk in roots)
        for pk, node in graph.nodes.items()
    }


def link_colour(link: GraphLink) -> str:
    """The colour of a link."""
    return LINK_COLOURS.get(link.type, '#777777')


def _lines(node: GraphNode, identifiers: Sequence[str]) -> tuple[str, ...]:
    names = {'pk': str(node.pk), 'uuid': node.uuid[:8], 'label': node.label}
    shown = '|'.join(names[kind] for kind in identifiers if names[kind])
    first = f'{node.name} ({shown})' if shown else node.name
    told = f'{first} {node.detail}'
    label = '' if node.label in told else node.label
    return tuple(line for words in (first, label, node.detail) for line in _wrapped(words))


def _wrapped(words: str) -> list[str]:
    """Words in lines of a width that can be looked at, cut where there are very many."""
    return wrap(' '.join(words.split()), _LONGEST_LINE, max_lines=_MOST_LINES, placeholder='…')


def _shape(node: GraphNode) -> str:
    if not node.is_process:
        return 'ellipse'
    return 'hexagon' if node.node_type.startswith(node_types.WORKFLOW) else 'box'


def _fill(node: GraphNode, highlight: Collection[str]) -> str:
    if highlight and node.name not in highlight:
        return FADED
    if not node.is_process:
        return CODE if node.node_type.startswith(node_types.CODE) else DATA
    if node_types.has_ended_well(node.state, node.exit_status):
        return GOOD
    return BAD if node.state in node_types.FINAL_STATES else WAITING
