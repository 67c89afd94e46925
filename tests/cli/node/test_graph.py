"""`ricordi node graph generate`: DOT, SVG, HTML without Graphviz, the rest with it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from programs import needed

Run = Callable[..., subprocess.CompletedProcess[str]]
SVG = '{http://www.w3.org/2000/svg}'


@pytest.fixture
def generate(run_here: Run, each_profile: str, tmp_path: Path, monkeypatch) -> Callable[..., object]:
    """Runs `node graph generate` in a folder of its own, without Graphviz on the PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PATH', str(tmp_path / 'nothing'))
    return lambda *words: run_here('-p', each_profile, 'node', 'graph', 'generate', *words)


@pytest.fixture
def workflow(run_here: Run, each_profile: str) -> str:
    """The pk of a work function: 3 inputs, 2 calculations, 2 results; 9 links."""
    where = "attributes.process_label == 'add_multiply'"
    return run_here('-p', each_profile, 'node', 'list', '-q', '--where', where).stdout.split()[0]


def elements(svg: Path, name: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.parse(svg).iter(f'{SVG}g') if one.get('class') == name]


def test_svg_is_the_default_and_named_after_the_nodes(generate: Run, workflow: str, tmp_path: Path) -> None:
    done = generate(workflow)
    assert (done.returncode, done.stdout) == (0, '')
    svg = tmp_path / f'{workflow}.dot.svg'
    assert workflow in {one.get('data-pk') for one in elements(svg, 'node')}
    assert len(elements(svg, 'node')) == 8
    assert len(elements(svg, 'link')) == 9


def test_the_format_follows_the_name_of_the_file(generate: Run, workflow: str, tmp_path: Path) -> None:
    generate(workflow, '-O', 'a.dot')
    assert (tmp_path / 'a.dot').read_text().startswith('digraph')
    generate(workflow, '-O', 'a.html')
    assert (tmp_path / 'a.html').read_text().startswith('<!DOCTYPE html>')


@pytest.mark.parametrize(
    ('words', 'nodes', 'links'),
    [
        (('-a', 0, '-d', 1), 4, 3),
        (('-a', 1, '-d', 0), 4, 3),
        (('-a', 0, '-d', 0), 1, 0),
        (('-l', 'call'), 3, 2),
        (('-l', 'logic'), 5, 4),
        (('-a', 0, '-d', 1, '-i'), 8, 10),
    ],
)
def test_how_far_and_along_which_links_can_be_told(
    generate: Run, workflow: str, tmp_path: Path, words: tuple[object, ...], nodes: int, links: int
) -> None:
    assert generate(workflow, *words, '-O', 'a.svg').returncode == 0
    svg = tmp_path / 'a.svg'
    assert (len(elements(svg, 'node')), len(elements(svg, 'link'))) == (nodes, links)


def test_nodes_are_named_as_asked_and_coloured_by_class(generate: Run, workflow: str, tmp_path: Path) -> None:
    generate(workflow, '--identifier', 'pk', 'label', '-c', 'add', '-O', 'a.dot')
    lines = (tmp_path / 'a.dot').read_text().splitlines()
    assert f'label="add_multiply ({workflow}|add_multiply)' in next(line for line in lines if f'N{workflow} [' in line)
    coloured = [line for line in lines if 'fillcolor' in line and '#f4f4f4' not in line]
    assert len(coloured) == 1
    assert 'label="add (' in coloured[0]


def test_text_goes_to_standard_output(each_profile: str, workflow: str, run_cli: Run) -> None:
    done = run_cli('-p', each_profile, 'node', 'graph', 'generate', workflow, '-f', 'dot', '-O', '-')
    assert done.stdout.startswith('digraph')
    assert done.stdout.count(' -> ') == 9


def test_without_graphviz_other_formats_name_what_is_missing(generate: Run, workflow: str, tmp_path: Path) -> None:
    done = generate(workflow, '-f', 'pdf')
    assert done.returncode == 1
    assert '`dot` of Graphviz, which is not installed' in done.stderr
    assert not list(tmp_path.glob('*.pdf'))


@pytest.mark.parametrize(('kind', 'start'), [('png', b'\x89PNG'), ('pdf', b'%PDF')])
def test_graphviz_draws_the_rest(run_here: Run, reference_home: Path, tmp_path: Path, kind: str, start: bytes) -> None:
    needed('dot')
    file = tmp_path / f'a.{kind}'
    assert run_here('node', 'graph', 'generate', 13, '-O', file).returncode == 0
    assert file.read_bytes().startswith(start)
    done = run_here('node', 'graph', 'generate', 13, '-f', 'nonsense')
    assert (done.returncode, '-Tnonsense' in done.stderr) == (2, True)


def test_a_drawing_that_cannot_be_made_leaves_the_older_one(
    run_here: Run, reference_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'a.html'
    assert run_here('node', 'graph', 'generate', 13, '-O', file).returncode == 0
    before = file.read_bytes()
    assert run_here('node', 'graph', 'generate', 99999, '-O', file).returncode == 1
    assert run_here('node', 'graph', 'generate', 13, '-e', 'dot', '-O', file).returncode == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(('a', '.a'))] == ['a.html']
    assert file.read_bytes() == before


def test_text_of_a_person_cannot_break_out_of_the_page(
    generate: Run, run_here: Run, each_profile: str, tmp_path: Path
) -> None:
    label = '</script><script>alert("x")</script>'
    run_here('-p', each_profile, 'node', 'label', 3, '-L', label)
    assert generate(3, '--identifier', 'label', '-O', 'a.html', '--').returncode == 0
    assert '<script>alert' not in (tmp_path / 'a.html').read_text()
    generate(3, '--identifier', 'label', '-O', 'a.svg', '--')
    ElementTree.parse(tmp_path / 'a.svg')


# in a browser ----------------------------------------------------------------------------------------------

PROBE = """
<script>
window.addEventListener('load', () => {
  const before = performance.now();
  const node = document.querySelector('.node[data-pk="%(pk)s"]');
  node.querySelector('text').dispatchEvent(new MouseEvent('click', {bubbles: true}));
  const seconds = (performance.now() - before) / 1000;
  const search = document.getElementById('search');
  search.value = '%(pk)s';
  const details = document.getElementById('details').textContent;
  const near = document.querySelectorAll('.node.near').length;
  search.dispatchEvent(new Event('input'));
  const asked = performance.getEntriesByType('resource').length;
  document.title = JSON.stringify({
    nodes: document.querySelectorAll('.node').length, links: document.querySelectorAll('.link').length,
    near, asked, seconds, details,
    hits: document.querySelectorAll('.node.hit').length,
  });
});
</script>
"""


def open_in_browser(page: Path, pk: str) -> dict:
    """What a page shows after a click on a node and a search, found out inside Chromium."""
    browser = needed('chromium', 'chromium-browser', 'google-chrome')
    probed = page.with_name('probed.html')
    probed.write_text(page.read_text().replace('</body>', PROBE % {'pk': pk} + '</body>'))
    done = subprocess.run(
        [
            browser,
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--virtual-time-budget=5000',
            '--dump-dom',
            probed.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, 'HOME': str(page.parent)},
    )
    import html

    title = done.stdout.split('<title>')[1].split('</title>')[0]
    return json.loads(html.unescape(title))


def test_in_a_browser_a_click_shows_what_a_node_is(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    page = tmp_path / 'a.html'
    run_here('node', 'graph', 'generate', 13, '-O', page)
    seen = open_in_browser(page, '13')
    assert (seen['nodes'], seen['links'], seen['asked']) == (8, 9, 0)
    assert 'add_multiply' in seen['details']
    assert 'process.workflow.workfunction.WorkFunctionNode.' in seen['details']
    assert 'call_calc: CALL' in seen['details']
    assert seen['near'] == 7  # itself, inputs, calculations, the result
    assert seen['hits'] >= 1


def test_in_a_browser_two_thousand_nodes_stay_usable(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    from ricordi.config import load_config
    from ricordi.manager import use_storage

    with use_storage(load_config().get_profile('mixed')) as storage:
        types = ['data.core.int.Int.', 'process.calculation.calcjob.CalcJobNode.'] * 1000
        pks = storage.insert('node', [{'node_type': name, 'user_pk': 1} for name in types])
        links = [(pks[max(0, number - 7 - number % 9 * 2)], pks[number]) for number in range(1, 2000)]
        rows = [{'input_pk': source, 'output_pk': target, 'label': 'x', 'type': 'create'} for source, target in links]
        storage.insert('link', rows)
    page = tmp_path / 'a.html'
    assert run_here('-p', 'mixed', 'node', 'graph', 'generate', pks[0], '-O', page).returncode == 0
    seen = open_in_browser(page, str(pks[0]))
    assert seen['nodes'] > 1900
    assert seen['seconds'] < 1.0


@pytest.mark.parametrize('opener', ['#!/bin/sh\necho "links: not found" >&2\nexit 3\n', None])
def test_without_a_viewer_one_line_says_what_to_install(
    run_here: Run, reference_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opener: str | None
) -> None:
    programs = tmp_path / 'programs'
    programs.mkdir()
    if opener is not None:
        (programs / 'xdg-open').write_text(opener)
        (programs / 'xdg-open').chmod(0o755)
    monkeypatch.setenv('PATH', f'{programs}')
    monkeypatch.setattr('sys.platform', 'linux')
    done = run_here('-p', 'mixed', 'node', 'graph', 'generate', '1', '-s', '-O', tmp_path / 'a.svg')
    assert done.returncode == 0
    (_, warning) = done.stderr.splitlines()
    assert warning.startswith(f'ricordi: warning: nothing here opens {tmp_path / "a.svg"}: install ')


def test_a_viewer_that_is_there_is_handed_the_file(
    run_here: Run, reference_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = tmp_path / 'xdg-open'
    opener.write_text(f'#!/bin/sh\necho "$1" >{tmp_path}/shown\n')
    opener.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:/usr/bin:/bin')
    monkeypatch.setattr('sys.platform', 'linux')
    done = run_here('-p', 'mixed', 'node', 'graph', 'generate', '1', '-s', '-O', tmp_path / 'a.svg')
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / 'shown').read_text() == f'{tmp_path}/a.svg\n'
