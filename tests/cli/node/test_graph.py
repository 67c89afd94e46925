"""`ricordi node graph generate`: DOT, SVG, HTML without Graphviz, the rest with it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from browser import Browser
from deadlines import DEADLINE
from programs import needed
from ricordi.cli.terminal import viewer

Run = Callable[..., subprocess.CompletedProcess[str]]
SVG = '{http://www.w3.org/2000/svg}'
WORKFLOW = 'process.workflow.workchain.WorkChainNode.'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


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
    assert 'is there already' in run_here('node', 'graph', 'generate', 13, '-O', file).stderr
    assert run_here('node', 'graph', 'generate', 99999, '--overwrite', '-O', file).returncode == 1
    assert run_here('node', 'graph', 'generate', 13, '--overwrite', '-e', 'dot', '-O', file).returncode == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(('a', '.a'))] == ['a.html']
    assert file.read_bytes() == before
    assert run_here('node', 'graph', 'generate', 14, '--overwrite', '-O', file).returncode == 0
    assert file.read_bytes() != before


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


@pytest.fixture
def screening(reference_home: Path) -> list[int]:
    """The pks of a workflow that has called 30 others, each with 10 calculations: 331 processes, with 361 data."""
    from ricordi.config import load_config
    from ricordi.manager import use_storage

    links: list[tuple[int, int, str, str]] = []
    rows: list[dict[str, Any]] = []

    def add(kind: str, **attributes: object) -> int:
        rows.append({'node_type': kind, 'user_pk': 1, 'label': '', 'attributes': attributes})
        return len(rows) - 1

    def process(kind: str, label: str, status: int = 0) -> int:
        return add(kind, process_label=label, process_state='finished', exit_status=status)

    top = process(WORKFLOW, 'Screening')
    given = add('data.core.dict.Dict.', cutoff_of_all=42)
    links.append((given, top, 'input_work', 'parameters'))
    for _ in range(30):
        base = process(WORKFLOW, 'Base')
        links += [(top, base, 'call_work', 'CALL'), (given, base, 'input_work', 'parameters')]
        for number in range(10):
            job = process('process.calculation.calcjob.CalcJobNode.', 'Pw', 401 if number == 3 else 0)
            energy = add('data.core.float.Float.', value=1.5)
            links += [(base, job, 'call_calc', 'CALL'), (given, job, 'input_calc', 'parameters')]
            links.append((job, energy, 'create', 'energy'))
        links += [(base, energy, 'return', 'energy'), (top, energy, 'return', f'energy_{base}')]
    with use_storage(load_config().get_profile('mixed')) as storage:
        pks: list[int] = storage.insert('node', rows)
        storage.insert(
            'link',
            [{'input_pk': pks[a], 'output_pk': pks[b], 'type': kind, 'label': label} for a, b, kind, label in links],
        )
        storage.update(
            'node', pks[0], {'extras': {'colour': 'red'}, 'repository_metadata': {'o': {'in.txt': {'k': 'a' * 64}}}}
        )
        storage.insert('comment', [{'node_pk': pks[0], 'user_pk': 1, 'content': 'to be looked at again'}])
        storage.insert('log', [{'node_pk': pks[0], 'levelname': 'REPORT', 'message': 'all began well', 'time': NOW}])
    return pks


SHOWN = "document.querySelectorAll('.node:not(.away)').length"
DETAILS = "document.getElementById('details').textContent"
FOUND = "document.getElementById('found').textContent"


def test_in_a_browser_a_click_shows_what_a_node_is(
    run_here: Run, reference_home: Path, tmp_path: Path, browser: Browser
) -> None:
    page = tmp_path / 'a.html'
    run_here('node', 'graph', 'generate', 13, '-O', page)
    browser.open(page, 1600, 900)
    assert (browser.evaluate(SHOWN), browser.evaluate("document.querySelectorAll('.link').length")) == (8, 9)
    browser.click('.node[data-pk="13"]')
    details = browser.evaluate(DETAILS)
    assert 'add_multiply' in details
    assert 'process.workflow.workfunction.WorkFunctionNode.' in details
    assert 'call_calc: CALL' in details
    assert browser.evaluate("document.querySelectorAll('.node.near').length") == 7
    for width, dark in ((390, True), (1000, False)):
        browser.open(page, width, 900, dark)
        assert (browser.complaints, browser.requests) == ([], [])
        assert browser.evaluate('document.documentElement.scrollWidth') == width
        assert browser.evaluate('getComputedStyle(document.body).backgroundColor') == (
            'rgb(21, 24, 29)' if dark else 'rgb(255, 255, 255)'
        )
        assert browser.evaluate(OVERLAPS) == []


OVERLAPS = """(() => {
  const all = document.querySelectorAll('.node:not(.away) > :first-child, #legend, #bar, #details');
  const boxes = [...all].map((one) => {
    const box = one.getBoundingClientRect();
    return [one.id || one.parentNode.dataset.pk, box];
  });
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const under = (a, n) => boxes.slice(n + 1).filter(([, b]) => over(a, b));
  return boxes.flatMap(([name, a], n) => under(a, n).map(([other]) => [name, other]));
})()"""
"""The nodes and parts of the page that lie over one another."""


def test_in_a_browser_workflows_fold_and_what_is_searched_unfolds(
    run_here: Run, screening: list[int], tmp_path: Path, browser: Browser
) -> None:
    page = tmp_path / 'a.html'
    assert run_here('-p', 'mixed', 'node', 'graph', 'generate', screening[0], '-O', page).returncode == 0
    browser.open(page, 1600, 900)
    assert browser.evaluate(SHOWN) == 32  # the workflow, what it was given and gave back
    assert '+ ' in browser.evaluate("document.querySelector('.node.folded .more').textContent")
    assert browser.evaluate(OVERLAPS) == []
    browser.click(f'.node[data-pk="{screening[0]}"]')
    details = browser.evaluate(DETAILS)
    assert all(words in details for words in ('in.txt', 'colour', 'to be looked at again', 'all began well'))

    browser.press(' ')  # unfolds what is chosen: the workflows that it has called come into sight, folded
    assert browser.evaluate(SHOWN) == 62
    browser.press('0')
    assert browser.evaluate(OVERLAPS) == []

    browser.press('/')
    browser.type('cutoff_of_all')
    assert browser.evaluate(FOUND) == '1 found'
    browser.evaluate("document.getElementById('search').select()")
    browser.type('finished [401]')
    assert browser.evaluate(FOUND) == '30 found'
    first, second = (pk for pk in screening if pk in browser.evaluate('hits.slice(0, 2)'))
    for shift, place, pk in ((False, '1 of 30', first), (False, '2 of 30', second), (True, '1 of 30', first)):
        browser.press('Enter', shift)
        assert (browser.evaluate(FOUND), browser.evaluate('chosen')) == (place, pk)
        assert browser.evaluate(f'nodes.get({pk}).getBoundingClientRect().height') > 30
    browser.click('#before')
    assert browser.evaluate(FOUND) == '30 of 30'


def test_in_a_browser_types_and_states_are_filtered_and_keys_lead_along_links(
    run_here: Run, screening: list[int], tmp_path: Path, browser: Browser
) -> None:
    page = tmp_path / 'a.html'
    assert run_here('-p', 'mixed', 'node', 'graph', 'generate', screening[2], '-O', page).returncode == 0
    browser.open(page, 1600, 900)
    before = browser.evaluate(SHOWN)
    browser.click('#filters summary')
    browser.click('[data-filter="type Float"]')
    assert browser.evaluate(SHOWN) == before - 10
    browser.click('[data-filter="state finished [401]"]')
    assert browser.evaluate(SHOWN) == before - 11
    browser.click('[data-filter="type Float"]')
    browser.press('Escape')
    browser.click(f'.node[data-pk="{screening[2]}"]')
    browser.press('ArrowDown')
    assert 'Pw' in browser.evaluate(DETAILS)
    assert browser.evaluate('document.activeElement.getAttribute("aria-label")').startswith('Pw ')
    browser.press('ArrowUp')
    assert browser.evaluate('chosen') == screening[2]
    assert (browser.complaints, browser.requests) == ([], [])


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
    monkeypatch.setattr(viewer._opened, '__defaults__', (DEADLINE,))
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
    monkeypatch.setattr(viewer._opened, '__defaults__', (DEADLINE,))
    done = run_here('-p', 'mixed', 'node', 'graph', 'generate', '1', '-s', '-O', tmp_path / 'a.svg')
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / 'shown').read_text() == f'{tmp_path}/a.svg\n'
