"""`ricordi storage report`: the page, and what it shows in a browser."""

from __future__ import annotations

import importlib.resources
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from browser import Browser

Run = Callable[..., subprocess.CompletedProcess[str]]
ARCHIVE = Path(__file__).parents[2] / 'data' / 'reference.aiida'


@pytest.fixture
def page(run_here: Run, reference_home: Path, tmp_path: Path) -> Path:
    """The report on a profile, with the label of a group that a stranger has written."""
    run_here('-p', 'mixed', 'group', 'create', '</script><b>bold</b>')
    file = tmp_path / 'report.html'
    done = run_here('-p', 'mixed', 'storage', 'report', '-O', file)
    assert (done.returncode, done.stdout) == (0, ''), done.stderr
    return file


def test_in_a_browser_it_shows_what_was_clicked_and_asks_for_nothing(
    page: Path, browser: Browser, run_here: Run
) -> None:
    told = json.loads(run_here('-p', 'mixed', 'storage', 'usage', '--by', 'file', '--format', 'json').stdout)
    for width, dark in ((390, True), (1000, False), (1600, True)):
        browser.open(page, width, 900, dark)
        assert (browser.complaints, browser.requests) == ([], [])
        assert browser.evaluate('document.documentElement.scrollWidth') == width
        back = browser.evaluate('getComputedStyle(document.body).backgroundColor')
        drawn = browser.evaluate("document.querySelector('#growth .main-svg').style.background")
        assert back == drawn == ('rgb(21, 24, 29)' if dark else 'rgb(255, 255, 255)')
    assert browser.evaluate("document.querySelectorAll('.main-svg').length") >= 5
    browser.click('[data-map="kind of file"]')
    names = browser.evaluate("[...document.querySelectorAll('#space .slicetext')].map((one) => one.textContent)")
    assert any(told['shares'][0]['name'] in name for name in names)
    shown = browser.evaluate("[...document.querySelectorAll('[data-table]')].filter((one) => !one.hidden).length")
    assert shown == 1
    browser.click('#space .slice:nth-of-type(2)')
    browser.click('#theme')
    assert browser.evaluate('getComputedStyle(document.body).backgroundColor') == 'rgb(255, 255, 255)'
    assert browser.evaluate("document.querySelectorAll('main b b').length") == 0
    assert (browser.complaints, browser.requests) == ([], [])


def test_an_archive_can_be_reported_on_and_a_file_that_is_there_stays(
    run_here: Run, reference_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'all.html'
    words = ('--archive', ARCHIVE, 'storage', 'report', '-O', file)
    assert run_here(*words).returncode == 0
    assert 'read only' in file.read_text()
    file.write_text('mine')
    done = run_here(*words)
    assert (done.returncode, file.read_text()) == (2, 'mine')
    assert f'{file} is there already' in done.stderr
    assert run_here(*words, '--overwrite').returncode == 0
    assert file.read_text().startswith('<!DOCTYPE html>')


def test_a_place_for_no_file_is_told_before_the_work(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    done = run_here('storage', 'report', '-O', tmp_path / 'none' / 'a.html')
    assert done.returncode == 2
    assert f'{tmp_path / "none" / "a.html"} cannot be written: there is no folder' in done.stderr


def test_without_plotly_it_says_how_to_install_it(
    run_here: Run, reference_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Path:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr('ricordi.cli.pages.charts.files', missing)
    done = run_here('storage', 'report', '-O', tmp_path / 'a.html')
    assert done.returncode == 1
    assert ' install ' in done.stderr
    assert not list(tmp_path.glob('*.html'))
    assert importlib.resources.files('plotly').is_dir()


def test_a_plan_and_a_report_of_maintenance_are_pages_too(
    run_here: Run, reference_home: Path, tmp_path: Path, browser: Browser
) -> None:
    plan, done = tmp_path / 'plan.html', tmp_path / 'done.html'
    maintain = ('-p', 'loose', 'storage', 'maintain', '--full')
    planned = json.loads(run_here(*maintain, '--dry-run', '--format', 'json').stdout)
    assert run_here(*maintain, '--dry-run', '-O', plan).stdout == ''
    answer = run_here(*maintain, '--yes', '--format', 'html', '-O', done)
    assert (answer.returncode, answer.stdout) == (0, ''), answer.stderr
    for file, words in ((plan, 'plan of a full maintenance'), (done, 'full maintenance')):
        browser.open(file, 390, 900)
        assert (browser.complaints, browser.requests) == ([], [])
        assert browser.evaluate('document.documentElement.scrollWidth') == 390
        assert words in browser.evaluate('document.title')
    steps = browser.evaluate("[...document.querySelectorAll('tr td:first-child')].map((cell) => cell.textContent)")
    assert [step['name'] for step in planned['steps']] == steps[: len(planned['steps'])]


def test_a_page_that_cannot_be_written_keeps_maintenance_from_beginning(
    run_here: Run, reference_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'a.html'
    file.write_text('mine')
    maintain = ('-p', 'loose', 'storage', 'maintain')
    for words in (('-O', file), ('-O', file, '--overwrite', '--format', 'json'), ('-O', tmp_path / 'none' / 'a.html')):
        assert run_here(*maintain, *words).returncode == 2
    assert file.read_text() == 'mine'
    assert json.loads(run_here(*maintain, '--dry-run', '--format', 'json').stdout)['nothing_to_do'] is False
    page = run_here(*maintain, '--dry-run', '--format', 'html').stdout
    assert page.startswith('<!DOCTYPE html>')


def test_where_there_is_no_file_yet_the_page_says_so(
    run_here: Run, empty_home: Path, tmp_path: Path, browser: Browser
) -> None:
    run_here('profile', 'setup', 'core.sqlite_dos', '--profile-name', 'new', '--email', 'a@b.c', '-n')
    file = tmp_path / 'new.html'
    assert run_here('storage', 'report', '-O', file).returncode == 0
    browser.open(file)
    assert (browser.complaints, browser.requests) == ([], [])
    assert 'No node has a file yet.' in browser.evaluate('document.body.innerText')
