"""A graph as one HTML page that needs nothing else: drawing, details, search. It asks for nothing over the network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from ricordi.backend.query import Comparison, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.services.graph import style as graph_style
from ricordi.services.graph.style import LINK_COLOURS, Style
from ricordi.services.graph.subgraph import Graph
from ricordi.services.graph.svg import svg_element

_MOST_ATTRIBUTE_CHARACTERS = 2000
"""Attributes that take more as JSON are told by their keys alone: the page is to stay small."""

_MARK = '\0'

_LEGEND = (
    ('data', graph_style.DATA),
    ('code', graph_style.CODE),
    ('finished', graph_style.GOOD),
    ('failed', graph_style.BAD),
    ('not ended', graph_style.WAITING),
)


def html_text(storage: StorageBackend, graph: Graph, styles: Mapping[int, Style]) -> str:
    """The graph as an HTML document; see `html_parts`."""
    return ''.join(html_parts(storage, graph, styles))


def html_parts(storage: StorageBackend, graph: Graph, styles: Mapping[int, Style]) -> Iterator[str]:
    """The graph as an HTML document in parts, to be written as they come.

    :param storage: where details of the nodes are read, meanwhile.
    """
    title = f'Provenance of {", ".join(map(str, graph.roots[:5]))}{" …" if len(graph.roots) > 5 else ""}'
    folder = files('ricordi.services') / 'data'
    page = Template((folder / 'graph.html').read_text(encoding='utf-8'))
    script = (folder / 'graph.js').read_text(encoding='utf-8')
    # The long parts are left out at first: what stands between the marks is written around them.
    text = page.substitute(title=escape(title), svg=_MARK, legend=_legend(), data=_MARK, script=script)
    head, middle, tail = text.split(_MARK)
    yield head
    for line in svg_element(graph, styles):
        yield f'{line}\n'
    yield middle
    yield f'{{"title":{_for_script(title)},"nodes":{{'
    for number, (pk, details) in enumerate(_details(storage, graph)):
        yield f'{"," if number else ""}"{pk}":{_for_script(details)}'
    yield '}}'
    yield tail


def _for_script(data: Any) -> str:
    """JSON that can stand inside a `script` element: nothing in it can end the element or begin a comment."""
    return json.dumps(data, separators=(',', ':'), default=str).replace('<', '\\u003c').replace('>', '\\u003e')


def _legend() -> str:
    fills = [f'<span><b style="background:{colour}">&nbsp;&nbsp;&nbsp;</b> {name}</span>' for name, colour in _LEGEND]
    lines = [f'<span style="color:{colour}">━ {escape(name)}</span>' for name, colour in LINK_COLOURS.items()]
    return ''.join(fills + lines)


def _details(storage: StorageBackend, graph: Graph) -> Iterator[tuple[int, dict[str, Any]]]:
    names = ('pk', 'description', 'ctime', 'mtime', 'process_type', 'attributes')
    query = Query(
        (Vertex('node', EntityKind.NODE),),
        filters=(('node', Comparison(Field('pk'), 'in', tuple(graph.nodes))),),
        projections=tuple(Projection('node', Field(name)) for name in names),
    )
    for pk, description, ctime, mtime, process_type, attributes in storage.query_rows(query, 500):
        node = graph.nodes[pk]
        fields = {
            'pk': str(pk),
            'uuid': node.uuid,
            'type': node.node_type,
            'process type': process_type,
            'state': node.detail if node.is_process else None,
            'label': node.label,
            'description': description,
            'created': ctime.astimezone().isoformat(' ', 'seconds'),
            'modified': mtime.astimezone().isoformat(' ', 'seconds'),
        }
        yield (
            pk,
            {
                'name': node.name,
                'fields': {name: value for name, value in fields.items() if value},
                'attributes': _short(attributes or {}),
            },
        )


def _short(attributes: dict[str, Any]) -> Any:
    if len(json.dumps(attributes, default=str)) <= _MOST_ATTRIBUTE_CHARACTERS:
        return attributes
    return {key: value if len(json.dumps(value, default=str)) <= 100 else '…' for key, value in attributes.items()}
