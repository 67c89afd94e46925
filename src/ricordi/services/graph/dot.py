"""A graph in the language of Graphviz, and through its programs where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping

from ricordi.errors import InvalidOperation, UsageError
from ricordi.remedies import Remedy
from ricordi.services.graph.style import DASHED, Style, link_colour
from ricordi.services.graph.subgraph import Graph


def dot_text(graph: Graph, styles: Mapping[int, Style]) -> str:
    """The graph as DOT."""
    return '\n'.join(['digraph provenance {', *(f'  {line}' for line in _statements(graph, styles)), '}', ''])


def render(text: str, engine: str, output_format: str) -> bytes:
    """What a program of Graphviz makes of DOT.

    :param engine: `dot`, `neato`, `circo` …
    :param output_format: `pdf`, `png`, `svg` …
    :raises ricordi.errors.UsageError: Graphviz knows no such format.
    :raises ricordi.errors.InvalidOperation: Graphviz is not installed, or refuses.
    """
    program = shutil.which(engine)
    if program is None:
        raise InvalidOperation(
            f'{output_format.upper()} is made by the program `{engine}` of Graphviz, which is not installed: install '
            'the package graphviz, or choose svg, html or dot, which need nothing else',
            remedy=Remedy('choose another format'),
        )
    done = subprocess.run([program, f'-T{output_format}'], input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode(errors='replace').strip().splitlines() or ['no reason given']
        if f'"{output_format}" not recognized' in words[0]:
            raise UsageError(f'there is no format {output_format!r}: `{engine} -T{output_format}` says: {words[0]}')
        raise InvalidOperation(f'`{engine} -T{output_format}` failed: {words[0]}')
    return done.stdout


def _statements(graph: Graph, styles: Mapping[int, Style]) -> Iterator[str]:
    yield 'rankdir=TB;'
    yield 'node [style=filled, fontname="sans-serif", fontsize=11, color="#555555"];'
    yield 'edge [fontname="sans-serif", fontsize=9];'
    for pk, style in styles.items():
        attributes = {'label': '\n'.join(style.lines), 'shape': style.shape, 'fillcolor': style.fill}
        if style.root:
            attributes |= {'color': '#c62828', 'penwidth': '3'}
        yield f'N{pk} [{_attributes(attributes)}];'
    for link in graph.links:
        attributes = {'label': f'{link.type}\n{link.label}', 'color': link_colour(link), 'fontcolor': link_colour(link)}
        if link.type in DASHED:
            attributes['style'] = 'dashed'
        yield f'N{link.source} -> N{link.target} [{_attributes(attributes)}];'


def _attributes(values: Mapping[str, str]) -> str:
    return ', '.join(f'{name}={_quoted(value)}' for name, value in values.items())


def _quoted(text: str) -> str:
    escaped = text.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')
    return f'"{"".join(char for char in escaped if char.isprintable())}"'
