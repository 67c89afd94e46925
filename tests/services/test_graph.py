"""Graphs: where nodes are drawn, and the texts that are made of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ricordi.services.graph.dot import dot_text
from ricordi.services.graph.html import html_text
from ricordi.services.graph.layout import GAP, lay_out
from ricordi.services.graph.style import style_nodes
from ricordi.services.graph.subgraph import Graph, GraphLink, GraphNode, Reach, grow_graph
from ricordi.services.graph.svg import svg_text
from ricordi.services.nodes.tree import grow_tree

LINKS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30)


@given(LINKS)
@settings(deadline=None)
def test_nodes_never_overlap_and_every_link_has_a_way(links: list[tuple[int, int]]) -> None:
    links = [(a, b) for a, b in links if a != b]
    sizes = {node: (60.0 + 10 * node, 30.0) for node in range(13)}
    layout = lay_out(sizes, links)
    assert set(layout.places) == set(sizes)
    assert len(layout.ways) == len(links)
    for one, other in combinations(sizes, 2):
        (x, y), (other_x, other_y) = layout.places[one], layout.places[other]
        apart = abs(x - other_x) >= (sizes[one][0] + sizes[other][0]) / 2 + GAP - 0.5
        assert apart or abs(y - other_y) >= 30
    for x, y in layout.places.values():
        assert 0 <= x <= layout.width
        assert 0 <= y <= layout.height


@given(st.sets(st.tuples(st.integers(0, 20), st.integers(0, 20)).filter(lambda link: link[0] < link[1]), max_size=40))
@settings(deadline=None)
def test_without_cycles_every_source_is_above_its_target(links: set[tuple[int, int]]) -> None:
    layout = lay_out(dict.fromkeys(range(21), (50.0, 30.0)), sorted(links))
    for source, target in links:
        assert layout.places[source][1] < layout.places[target][1]


def test_a_graph_of_nothing_and_a_single_node_can_be_drawn() -> None:
    assert lay_out({}, []).places == {}
    assert len(lay_out({1: (50.0, 30.0)}, []).places) == 1


@pytest.mark.timeout(600)
def test_thousands_of_nodes_are_laid_out_in_the_end_and_in_a_handy_shape() -> None:
    choose = random.Random(3)
    links = [(choose.randrange(max(1, node - 50), node + 1), node + 1) for node in range(1, 2000)]
    links += [(1, node) for node in range(5, 2000, 4)]
    layout = lay_out(dict.fromkeys(range(1, 2001), (150.0, 40.0)), links)
    assert layout.width < 30_000
    star = lay_out(dict.fromkeys(range(2000), (150.0, 40.0)), [(0, node) for node in range(1, 2000)])
    assert star.width < 15_000


# texts -----------------------------------------------------------------------------------------------------

NASTY = 'a "b" <c> & \\d\ne\x1b[31m ünï ]]>'


def graph_of(text: str) -> Graph:
    nodes = {
        1: GraphNode(1, 'u' * 36, 'data.core.str.Str.', text, 'Str', text, None, None),
        2: GraphNode(2, 'v' * 36, 'process.workflow.workchain.WorkChainNode.', '', text, 'finished [1]', 'finished', 1),
    }
    return Graph(nodes, (GraphLink(1, 2, 'input_work', text),), (2,))


@given(st.text(max_size=40))
def test_any_text_is_well_formed_in_svg(text: str) -> None:
    graph = graph_of(text)
    ElementTree.fromstring(svg_text(graph, style_nodes(graph, ['pk', 'label'])))


def test_quotes_and_backslashes_are_escaped_in_dot() -> None:
    graph = graph_of(NASTY)
    lines = dot_text(graph, style_nodes(graph, ['pk'])).splitlines()
    assert lines[0] == 'digraph provenance {'
    assert len([line for line in lines if ' -> ' in line]) == 1
    assert '\\"b\\"' in next(line for line in lines if 'N2 [' in line)
    assert not any('\x1b' in line for line in lines)


def test_the_state_of_a_process_is_its_colour() -> None:
    nodes = {
        number: GraphNode(number, '', 'process.calculation.calcjob.CalcJobNode.', '', 'x', '', state, status)
        for number, (state, status) in enumerate(
            [('finished', 0), ('finished', 1), ('excepted', None), ('running', None)]
        )
    }
    styles = style_nodes(Graph(nodes, (), ()), ['pk'])
    fills = [style.fill for style in styles.values()]
    assert fills[1] == fills[2]
    assert len(set(fills)) == 3


# from a storage --------------------------------------------------------------------------------------------


def test_a_page_holds_the_details_of_each_node(storage: Any, fill: Callable[[Any], Any]) -> None:
    data, job = fill(storage).nodes('data.core.dict.Dict.', 'process.calculation.calcjob.CalcJobNode.')
    fill(storage).links([(data, job, 'input_calc')])
    storage.update('node', data, {'attributes': {'text': '</script>', 'long': 'x' * 5000}, 'description': NASTY})
    graph = grow_graph(storage, [job])
    page = html_text(storage, graph, style_nodes(graph, ['pk']))
    assert page.count('</script>') == 2
    assert 'http://' not in page.replace('http://www.w3.org/2000/svg', '')
    assert 'https://' not in page
    assert 'x' * 200 not in page
    assert "default-src 'none'" in page


def test_a_long_chain_is_grown_without_recursion(storage: Any, fill: Callable[[Any], Any]) -> None:
    pks = fill(storage).nodes(*['data.core.int.Int.', 'process.calculation.calcjob.CalcJobNode.'] * 600)
    kinds = ['input_calc', 'create'] * 600
    fill(storage).links([(a, b, kind) for a, b, kind in zip(pks, pks[1:], kinds, strict=False)])
    lines = list(grow_tree(storage, pks[0], ('input_calc', 'create')))
    assert [line.node.pk for line in lines] == pks
    assert lines[-1].depth == 1199
    graph = grow_graph(storage, [pks[0]])
    assert len(ElementTree.fromstring(svg_text(graph, style_nodes(graph, ['pk'])))[3]) == 1200


@pytest.mark.parametrize('depth', [0, 1, 2])
def test_a_graph_goes_no_further_than_told(storage: Any, fill: Callable[[Any], Any], depth: int) -> None:
    pks = fill(storage).nodes(*['data.core.int.Int.', 'process.calculation.calcjob.CalcJobNode.'] * 4)
    fill(storage).links([(a, b, 'x') for a, b in pairwise(pks)])
    graph = grow_graph(storage, [pks[3]], Reach(('x',), ancestors=depth, descendants=depth))
    assert sorted(graph.nodes) == pks[3 - depth : 4 + depth]
