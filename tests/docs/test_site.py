"""What the site is made of: each page has its place in the navigation, the reference has all public names."""

from __future__ import annotations

import importlib.util
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / 'docs'
PUBLIC = ('ricordi', 'ricordi.orm', 'ricordi.manager', 'ricordi.config', 'ricordi.access', 'ricordi.errors')


@pytest.fixture(scope='module')
def conf() -> ModuleType:
    """The configuration of the site, which needs nothing that makes it."""
    spec = importlib.util.spec_from_file_location('conf', DOCS / 'conf.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_navigation_once(conf: ModuleType) -> None:
    pages = [path.relative_to(DOCS).with_suffix('').as_posix() for path in sorted(DOCS.rglob('*.md'))]
    patterns = [pattern for part in conf.PARTS.values() for pattern in part]
    found = {page: sum(fnmatch(page, pattern) for pattern in patterns) for page in pages if page != 'index'}
    assert {page: number for page, number in found.items() if number != 1} == {}
    assert [pattern for pattern in patterns if not any(fnmatch(page, pattern) for page in pages)] == []


def test_every_page_of_the_reference_is_there_and_says_what_it_is_about(conf: ModuleType) -> None:
    pages = {f'api/{path.stem}' for path in (DOCS / 'api').glob('*.md')}
    assert pages == conf.REFERENCE.keys()
    assert {page for page in pages if len((DOCS / f'{page}.md').read_text(encoding='utf-8').splitlines()) < 3} == set()


def test_the_reference_has_every_public_name(conf: ModuleType) -> None:
    text = ''.join(conf.reference(names) for names in conf.REFERENCE.values())
    for package in PUBLIC:
        for name in getattr(importlib.import_module(package), '__all__', ()):
            assert f':: {package}.{name}\n' in text
    assert ':: ricordi.errors\n   :members:' in text
    for module in conf.modules_of('ricordi.services.*'):
        assert f'.. automodule:: {module}\n' in text


def test_the_front_page_gets_the_navigation_and_others_do_not(conf: ModuleType) -> None:
    source = {page: ['# Title\n'] for page in ('index', 'node')}
    for page, text in source.items():
        conf.add_to_page(None, page, text)
    assert source['node'] == ['# Title\n']
    assert all(f':caption: {heading}\n' in source['index'][0] for heading in conf.PARTS)
