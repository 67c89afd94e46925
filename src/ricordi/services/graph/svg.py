"""A graph as SVG: text alone, nothing to load from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from math import hypot

from ricordi.services.graph.layout import GraphLayout, Point, Size, lay_out
from ricordi.services.graph.style import DASHED, LINK_COLOURS, Style, link_colour
from ricordi.services.graph.subgraph import Graph, GraphLink

_LETTER, _LINE, _PADDING = 6.6, 15.0, 12.0
"""Width of a letter, height of a line, room around the text, for the fonts that `_FONT` may mean."""
_FONT = 'font-family="DejaVu Sans, Verdana, sans-serif"'
_WIDE = {'ellipse': 1.3, 'hexagon': 1.0, 'box': 1.0}
_ARROW = 7.0


def svg_text(graph: Graph, styles: Mapping[int, Style]) -> str:
    """The graph as an SVG document."""
    return ''.join(svg_parts(graph, styles))


def svg_parts(graph: Graph, styles: Mapping[int, Style]) -> Iterator[str]:
    """The document in parts, to be written as they come."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    for line in svg_element(graph, styles):
        yield f'{line}\n'


def svg_element(graph: Graph, styles: Mapping[int, Style]) -> Iterator[str]:
    """The graph as the lines of an `svg` element.

    Nodes are groups of the class `node` with `data-pk`, their middle and size, and the name of their look; links are
    of the class `link` with `data-source`, `data-target`, `data-type`.
    """
    sizes = {pk: size_of(style) for pk, style in styles.items()}
    layout = lay_out(sizes, [(link.source, link.target) for link in graph.links])
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width}" height="{layout.height}" '
        f'viewBox="0 0 {layout.width} {layout.height}" {_FONT} font-size="11">'
    )
    yield '<style>.label{font-size:9px;paint-order:stroke;stroke:#fff;stroke-width:3px}'
    yield '.node text{text-anchor:middle}.link path{fill:none;stroke-width:1.2}</style>'
    yield '<defs>'
    for name, colour in LINK_COLOURS.items():
        yield (
            f'<marker id="arrow-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="{_ARROW}" '
            f'markerHeight="{_ARROW}" orient="auto"><path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
        )
    yield '</defs>'
    yield '<g class="links">'
    for link, way in zip(graph.links, layout.ways, strict=True):
        yield _link(link, way, layout, sizes)
    yield '</g>'
    yield '<g class="nodes">'
    for pk, style in styles.items():
        yield _node(pk, style, layout.places[pk], sizes[pk])
    yield '</g>'
    yield '</svg>'


def size_of(style: Style) -> Size:
    """Width and height of a node, so that its text has room."""
    width = max(map(len, style.lines), default=1) * _LETTER
    height = len(style.lines) * _LINE
    return (width + 2 * _PADDING) * _WIDE[style.shape], (height + _PADDING) * (1.2 if style.shape == 'ellipse' else 1.0)


def _node(pk: int, style: Style, place: Point, size: Size) -> str:
    x, y = place
    line = 'stroke="#c62828" stroke-width="3"' if style.root else 'stroke="#555555"'
    first = y - (len(style.lines) - 1) * _LINE / 2 + 4
    text = ''.join(
        f'<text x="{x:.1f}" y="{first + number * _LINE:.1f}">{_escaped(words)}</text>'
        for number, words in enumerate(style.lines)
    )
    root = ' data-root=""' if style.root else ''
    where = f'data-x="{x:.1f}" data-y="{y:.1f}" data-w="{size[0]:.1f}" data-h="{size[1]:.1f}"'
    return (
        f'<g class="node" data-pk="{pk}" data-look="{style.look}" {where}{root}>'
        f'{_shape(style.shape, place, size)} fill="{style.fill}" {line}/>{text}</g>'
    )


def _shape(shape: str, place: Point, size: Size) -> str:
    """The outline of a node, up to its attributes."""
    (x, y), (width, height) = place, size
    left, right, top, bottom = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    if shape == 'ellipse':
        return f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{width / 2:.1f}" ry="{height / 2:.1f}"'
    if shape == 'hexagon':
        cut = height / 3
        corners = (
            *((left, y), (left + cut, top), (right - cut, top)),
            *((right, y), (right - cut, bottom), (left + cut, bottom)),
        )
        return f'<polygon points="{" ".join(f"{one:.1f},{other:.1f}" for one, other in corners)}"'
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3"'


def _link(link: GraphLink, way: Sequence[Point], layout: GraphLayout, sizes: Mapping[int, Size]) -> str:
    source, target = layout.places[link.source], layout.places[link.target]
    points = [source, *way, target]
    points[0] = _edge_of(source, sizes[link.source], points[1])
    points[-1] = _edge_of(target, sizes[link.target], points[-2])
    colour = link_colour(link)
    dashes = ' stroke-dasharray="5 3"' if link.type in DASHED else ''
    x, y = _middle(points)
    return (
        f'<g class="link" data-source="{link.source}" data-target="{link.target}" data-type="{_escaped(link.type)}">'
        f'<title>{_escaped(f"{link.type}: {link.label}")}</title>'
        f'<path d="{_path(points)}" stroke="{colour}"{dashes} marker-end="url(#arrow-{_escaped(link.type)})"/>'
        f'<text class="label" x="{x:.1f}" y="{y:.1f}" fill="{colour}">{_escaped(link.label)}</text></g>'
    )


def _edge_of(place: Point, size: Size, towards: Point) -> Point:
    """Where a line from the middle of a node towards a point leaves it, taking it for an ellipse."""
    (x, y), (width, height) = place, size
    across, down = towards[0] - x, towards[1] - y
    length = hypot(across / (width / 2), down / (height / 2))
    return (x, y) if not length else (x + across / length, y + down / length)


def _path(points: Sequence[Point]) -> str:
    """A smooth line from top to bottom: between two points it leaves and arrives upright."""
    parts = [f'M{points[0][0]:.1f} {points[0][1]:.1f}']
    for (x, y), (next_x, next_y) in pairwise(points):
        half = (y + next_y) / 2
        parts.append(f'C{x:.1f} {half:.1f} {next_x:.1f} {half:.1f} {next_x:.1f} {next_y:.1f}')
    return ''.join(parts)


def _middle(points: Sequence[Point]) -> Point:
    """Where a label begins: right of the line, on the side that the line turns away from."""
    half = len(points) // 2
    (x, y), (next_x, next_y) = points[half - 1], points[half]
    return (x + next_x) / 2 + 5, (y + next_y) / 2 + (11 if next_x < x else -3)


def _escaped(text: str) -> str:
    return escape(''.join(char for char in text if char.isprintable()))
