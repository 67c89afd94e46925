"""What CONTRIBUTING.md tells to do, done."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

from ricordi.backend.rows import ROW_TYPES, EntityKind
from ricordi.cli import tree
from ricordi.cli.main import run
from ricordi.cli.reference import pages
from ricordi.model.fields import FIELDS, TABLES
from ricordi.model.links import ACYCLIC, LINK_RULES, LinkType
from ricordi.model.traversal import DELETE_RULES, EXPORT_RULES
from ricordi.orm.field_declarations import ATTRIBUTES_OF_NODE_TYPES
from ricordi.services.graph.style import LINK_COLOURS
from ricordi.services.graph.subgraph import LINK_TYPES
from ricordi.storage.schema import definitions
from ricordi.storage.tables import table_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
NOXFILE = (ROOT / 'noxfile.py').read_text(encoding='utf-8')


def section(title: str) -> str:
    """The text under a heading."""
    return TEXT.split(f'## {title}\n')[1].split('\n## ')[0]


def python_in(title: str) -> str:
    """The only piece of Python under a heading."""
    (code,) = re.findall(r'^( *)```python\n(.*?)^\1```', section(title), re.MULTILINE | re.DOTALL)
    return textwrap.dedent(code[1])


@pytest.fixture
def verb_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The verb that the page shows, put into the tree as it says; its words."""
    (tmp_path / 'verb_of_the_page.py').write_text(python_in('How to add a verb'))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'verb_of_the_page', raising=False)
    verbs = tree.find(['user'])
    assert isinstance(verbs, dict)
    monkeypatch.setitem(verbs, 'count', ('Count the users of the storage.', 'verb_of_the_page:count'))
    return 'user count'


def test_the_verb_of_the_page_runs_and_is_in_help_and_pages(
    verb_of_the_page: str, reference_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('AIIDA_PATH', str(reference_home))
    assert run(['-p', 'mixed', *verb_of_the_page.split(), '--format', 'json']) == 0
    assert json.loads(capsys.readouterr().out)['users'] >= 1
    assert 'Count the users' in tree.overview(['user'])
    assert '## ricordi user count' in pages()['user']


@pytest.mark.parametrize('kind', EntityKind)
def test_a_field_is_known_to_all_whom_the_page_names(kind: EntityKind) -> None:
    columns = [field.column for field in FIELDS[kind].values()]
    assert [field.name for field in fields(ROW_TYPES[kind])] == list(FIELDS[kind])
    assert table_of(kind).c.keys() == columns
    for name in ('sqlite', 'postgresql'):
        (definition,) = (text for text in definitions(name) if text.startswith(f'CREATE TABLE {TABLES[kind]} '))
        assert re.findall(r'^    ([a-z_]+) ', definition, re.MULTILINE) == columns


def test_a_declared_attribute_is_a_field_of_its_class() -> None:
    from ricordi import orm

    declared = ATTRIBUTES_OF_NODE_TYPES['data.core.singlefile.SinglefileData.']
    assert declared
    assert {f'attributes.{name}' for name in declared} <= set(orm.SinglefileData.fields.keys())


def test_a_type_of_link_is_known_to_all_whom_the_page_names() -> None:
    known = {each.value for each in LinkType}
    assert {each.value for each in LINK_RULES} == known
    assert {rule.link_type for rule in DELETE_RULES} == {rule.link_type for rule in EXPORT_RULES} == known
    assert set(LINK_TYPES['all']) == known
    assert LINK_COLOURS.keys() == known
    assert {each.value for each in ACYCLIC} <= known


def test_the_backend_of_the_page_is_one_whose_test_runs() -> None:
    test = ROOT / 'tests' / 'contract' / 'test_sqlite_temp.py'
    assert python_in('How to add a backend') == test.read_text(encoding='utf-8')
    assert len(test.read_text(encoding='utf-8').splitlines()) <= 25


def sessions() -> set[str]:
    """The sessions that noxfile.py defines, told from its text: nox need not be installed here."""
    table = NOXFILE.split('CHECKS: dict')[1].split('\n}\n')[0]
    decorated = re.findall(r'@nox\.session\([^)]*\)\ndef (\w+)', NOXFILE)
    return {*re.findall(r"^    '(\w+)':", table, re.MULTILINE), *decorated}


def test_every_session_that_is_called_anywhere_is_one_of_noxfile() -> None:
    assert {'checks', 'tests', 'docs', 'types'} <= sessions()
    run_script = (ROOT / '.ci' / 'run').read_text(encoding='utf-8')
    called = re.findall(r'^ *run_session ([\w ]+)$', run_script, re.MULTILINE)
    assert called
    named = re.findall(r'nox -s ([\w]+)', TEXT)
    assert named
    hooks = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text(encoding='utf-8'))['repos'][0]['hooks']
    hooked = [hook['entry'].partition(' --session ')[2] for hook in hooks]
    assert {*' '.join(called).split(), *named, *hooked} <= sessions()


def test_no_check_is_spelt_out_a_second_time() -> None:
    others = [ROOT / '.ci' / 'run', ROOT / '.pre-commit-config.yaml']
    programs = ('ruff', 'mypy', 'lint-imports', 'sphinx-build', 'ricordi.cli.completion.scripts')
    assert [(path.name, word) for path in others for word in programs if word in path.read_text(encoding='utf-8')] == []


def test_the_example_of_a_single_test_selects_one() -> None:
    path, word = re.findall(r'pytest (tests/\S+) -k (\w+)`', TEXT)[0]
    assert re.search(rf'def test_\w*{word}', (ROOT / path).read_text(encoding='utf-8'))


def test_the_command_of_the_page_is_a_click_command(verb_of_the_page: str) -> None:
    from ricordi.cli.main import load_command

    assert isinstance(load_command('verb_of_the_page:count'), click.Command)
