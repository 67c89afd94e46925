"""`ricordi node graph generate`: the provenance around nodes, drawn."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers_or_end
from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.viewer import open_with_viewer
from ricordi.cli.verb import option, verb
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.graph.style import Style
    from ricordi.services.graph.subgraph import Graph

OWN_FORMATS = ('svg', 'html', 'dot')
"""Formats that need no Graphviz."""

_SUFFIXES = {'htm': 'html', 'gv': 'dot'}


@verb(
    'ricordi node graph generate 42',
    'ricordi node graph generate -a 2 -d 1 -O provenance.html 42',
    'ricordi node graph generate -f dot -O - 42 | dot -Tpng > 42.png',
)
@nodes_argument()
@option(
    '--link-types',
    '-l',
    type=click.Choice(['all', 'data', 'logic', 'call']),
    default='all',
    group='What is drawn',
    help='data: input_calc, create; logic: input_work, return; call: call_calc, call_work. [default: all]',
)
@option(
    '--ancestor-depth',
    '-a',
    type=click.IntRange(min=0),
    group='What is drawn',
    help='How many steps up. [default: all]',
)
@option(
    '--descendant-depth',
    '-d',
    type=click.IntRange(min=0),
    group='What is drawn',
    help='How many steps down. [default: all]',
)
@option('--process-out', '-o', is_flag=True, group='What is drawn', help='Also outputs of the processes above.')
@option('--process-in', '-i', is_flag=True, group='What is drawn', help='Also inputs of the processes below.')
@several(
    '--identifier',
    'identifiers',
    type=click.Choice(['pk', 'uuid', 'label']),
    group='How it is drawn',
    help='What names the nodes. [default: uuid]',
)
@option(
    '--highlight-classes',
    '-c',
    multiple=True,
    group='How it is drawn',
    help='Colour only nodes of this class or process label; may be given again.',
)
@option('--engine', '-e', group='How it is drawn', help='Draw with this program of Graphviz: dot, neato, circo …')
@option(
    '--output-format',
    '-f',
    group='Output',
    help='svg, html, dot, or what Graphviz can make (pdf, png …). [default: that of the file name, or svg]',
)
@option(
    '--output-file',
    '-O',
    type=PathName(dir_okay=False, allow_dash=True, path_type=Path),
    group='Output',
    help='The file, or - for stdout. [default: made of the pks]',
)
@option('--overwrite', is_flag=True, group='Output', help='Replace the file if it is there.')
@option('--show', '-s', is_flag=True, group='Output', help='Open the result with the program the desktop has for it.')
def generate(
    session: CommandSession,
    nodes: tuple[str, ...],
    link_types: str,
    ancestor_depth: int | None,
    descendant_depth: int | None,
    process_out: bool,
    process_in: bool,
    identifiers: tuple[str, ...],
    highlight_classes: tuple[str, ...],
    engine: str | None,
    output_format: str | None,
    output_file: Path | None,
    overwrite: bool,
    show: bool,
) -> int:
    """Draw the provenance around nodes.

    SVG, HTML (one page, with details and search) and DOT need nothing else; PDF, PNG and others need Graphviz.
    """
    from ricordi.services.graph.style import style_nodes
    from ricordi.services.graph.subgraph import LINK_TYPES, Reach, grow_graph
    from ricordi.services.nodes.finding import find_pks

    given = read_identifiers_or_end(session, nodes)
    _check_place(output_file, overwrite)
    output_format = (output_format or _format_of(output_file)).lower()
    with opened(session, 'node graph generate') as storage:
        roots = find_pks(storage, given)
        reach = Reach(LINK_TYPES[link_types], ancestor_depth, descendant_depth, process_in, process_out)
        graph = grow_graph(storage, roots, reach)
        styles = style_nodes(graph, identifiers or ('uuid',), highlight_classes)
        if output_file is None:
            output_file = _default_file(roots, engine, output_format)
            _check_place(output_file, overwrite)
        _write(_draw(storage, graph, styles, engine, output_format), output_file, overwrite)
    if str(output_file) == '-':
        return 0
    session.tell(f'Wrote {len(graph.nodes):,} nodes and {len(graph.links):,} links to {output_file}.')
    if show:
        open_with_viewer(session, output_file)
    return 0


def _check_place(file: Path | None, overwrite: bool) -> None:
    """See that the drawing can be put there, before it is drawn.

    :raises ricordi.errors.UsageError: there is a file already that may not be replaced.
    """
    if file is None or str(file) == '-':
        return
    from ricordi.folders import target_of
    from ricordi.services.output_files import check_output_file

    target = target_of(file)
    if target.is_file() and not overwrite:
        raise UsageError(f'{file} is there already: give another name, or --overwrite')
    if target.is_file() or not target.exists():
        check_output_file(target)


def _write(parts: Iterable[bytes], file: Path, overwrite: bool) -> None:
    """Write a drawing as it is made; a file has all of it or is not there."""
    if str(file) == '-':
        sys.stdout.buffer.writelines(parts)
        sys.stdout.buffer.flush()
        return
    from ricordi.files import new_file
    from ricordi.folders import target_of

    target = target_of(file)
    if target.exists() and not target.is_file():  # such as a named pipe
        with target.open('wb') as handle:
            handle.writelines(parts)
    else:
        with new_file(target, overwrite=overwrite) as handle:
            handle.writelines(parts)


def _draw(
    storage: StorageBackend, graph: Graph, styles: dict[int, Style], engine: str | None, output_format: str
) -> Iterable[bytes]:
    """The drawing in parts."""
    if output_format == 'html':
        if engine is not None:
            raise UsageError('the HTML page is drawn without Graphviz: leave --engine out')
        from ricordi.services.graph.html import html_parts

        return map(str.encode, html_parts(storage, graph, styles))
    if output_format == 'svg' and engine is None:
        from ricordi.services.graph.svg import svg_parts

        return map(str.encode, svg_parts(graph, styles))
    from ricordi.services.graph.dot import dot_text, render

    text = dot_text(graph, styles)
    if output_format == 'dot' and engine is None:
        return [text.encode()]
    return [render(text, engine or 'dot', output_format)]


def _format_of(file: Path | None) -> str:
    suffix = file.suffix.lstrip('.').lower() if file is not None else ''
    return _SUFFIXES.get(suffix, suffix) or 'svg'


def _default_file(roots: list[int], engine: str | None, output_format: str) -> Path:
    """`42.dot.svg`, as verdi calls it; of many nodes only the first few are named."""
    pks = '.'.join(map(str, roots[:10])) + ('.etc' if len(roots) > 10 else '')
    return Path(f'{pks}.{engine or "dot"}.{output_format}' if output_format != 'dot' else f'{pks}.dot')
