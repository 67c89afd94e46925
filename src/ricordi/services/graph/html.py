"""A graph as one HTML page that needs nothing else: drawing, details, search. It asks for nothing over the network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from ricordi.backend.storage import StorageBackend
from ricordi.services.graph import style
from ricordi.services.graph.details import details
from ricordi.services.graph.style import Style
from ricordi.services.graph.subgraph import Graph
from ricordi.services.graph.svg import svg_element

_SCRIPTS = ('layout.js', 'page.js', 'folding.js', 'start.js')
_MARK = '\0'
_DASHES = ' stroke-dasharray="5 3"'

_LEGEND = (
    ('data', style.DATA),
    ('code', style.CODE),
    ('finished', style.GOOD),
    ('failed', style.BAD),
    ('not ended', style.WAITING),
)


def html_text(storage: StorageBackend, graph: Graph, styles: Mapping[int, Style]) -> str:
    """The graph as an HTML document; see `html_parts`."""
    return ''.join(html_parts(storage, graph, styles))


def html_parts(storage: StorageBackend, graph: Graph, styles: Mapping[int, Style]) -> Iterator[str]:
    """The graph as an HTML document in parts, to be written as they come.

    :param storage: where details of the nodes are read, meanwhile.
    """
    title = f'Provenance of {", ".join(map(str, graph.roots[:5]))}{" …" if len(graph.roots) > 5 else ""}'
    script = '\n'.join(map(_file, _SCRIPTS))
    # The long parts are left out at first: what stands between the marks is written around them.
    text = Template(_file('page.html')).substitute(
        title=escape(title), style=_file('page.css'), svg=_MARK, legend=_legend(), data=_MARK, script=script
    )
    head, middle, tail = text.split(_MARK)
    yield head
    for line in svg_element(graph, styles):
        yield f'{line}\n'
    yield middle
    yield f'{{"title":{_for_script(title)},"nodes":{{'
    for number, (pk, told) in enumerate(details(storage, graph)):
        yield f'{"," if number else ""}"{pk}":{_for_script(told)}'
    yield '}}'
    yield tail


def _file(name: str) -> str:
    return (files('ricordi.services') / 'data' / 'graph' / name).read_text(encoding='utf-8')


def _for_script(data: Any) -> str:
    """JSON that can stand inside a `script` element: nothing in it can end the element or begin a comment."""
    return json.dumps(data, separators=(',', ':'), default=str).replace('<', '\\u003c').replace('>', '\\u003e')


def _legend() -> str:
    fills = [
        f'<span><svg data-look="{style.LOOKS[colour]}"><rect width="24" height="11" rx="2" fill="{colour}" '
        f'stroke="#777"/></svg> {name}</span>'
        for name, colour in _LEGEND
    ]
    lines = [
        f'<span><svg data-type="{escape(name)}"><path d="M0 6H24" stroke="{colour}" stroke-width="3"'
        f'{_DASHES if name in style.DASHED else ""}/></svg> {escape(name)}</span>'
        for name, colour in style.LINK_COLOURS.items()
    ]
    return ''.join(fills + lines)
