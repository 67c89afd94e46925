"""How the pages become a site: `nox -s docs` writes it to build/docs, and fails at a broken link or docstring."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import ricordi

DOCS = Path(__file__).parent

project = 'Ricordi'
copyright = 'The Ricordi developers'
release = version = ricordi.__version__

extensions = ['myst_parser', 'sphinx.ext.autodoc']
exclude_patterns: list[str] = []

# -- pages ----------------------------------------------------------------------------------------------------

myst_heading_anchors = 3
myst_enable_extensions = ['colon_fence']

PARTS = {
    'Use': ('guide-storing', 'guide-querying', 'guide-groups', 'python-names', 'own-sql', 'attribute-indexes', 'aiida'),
    'The command line': (
        *(
            'buckets',
            'storage-maintain',
            'monitoring',
            'storage-backup',
            'storage-restore',
            'verify',
            'storage-repair',
            'verify-database',
            'space',
            'node',
            'process',
            'data',
            'computer',
            'group',
            'dump',
            'archive',
        ),
        *('terminal', 'exit-codes', 'json-output', 'coming-from-verdi'),
    ),
    'Every verb': ('commands/*',),
    'Python reference': ('api/*',),
    'Formats': tuple(
        f'formats/{page}'
        for page in ('index', 'config', 'access', 'database', 'repository', 'archive', 'graph', 'backups', 'bucket')
    ),
    'Inside': ('architecture', 'storage-backends', 'aiida-tests', 'decisions/*'),
}
"""The navigation: heading → pages. It stands here since index.md is read on code hosts, too, as it is."""

REFERENCE = {
    'api/ricordi': ('ricordi',),
    'api/orm': ('ricordi.orm',),
    'api/manager': ('ricordi.manager',),
    'api/config': ('ricordi.config',),
    'api/access': ('ricordi.access',),
    'api/services': ('ricordi.services.*',),
    'api/errors': ('ricordi.errors', 'ricordi.remedies'),
}
"""Page → the modules whose public names it documents, from their docstrings; `.*`: all modules of a package."""


def navigation() -> str:
    """The tables of contents that index.md gets at its end, unseen in the page and shown at its side."""
    parts = []
    for heading, pages in PARTS.items():
        names = '\n'.join(pages)
        parts.append(f'\n```{{toctree}}\n:hidden:\n:caption: {heading}\n:glob:\n\n{names}\n```\n')
    return ''.join(parts)


def modules_of(name: str) -> list[str]:
    """The module of a name of `REFERENCE`, or those below a package, whatever folders they are in."""
    if not name.endswith('.*'):
        return [name]
    package = importlib.import_module(name.removesuffix('.*'))
    found = pkgutil.walk_packages(package.__path__, f'{package.__name__}.')
    return sorted(one.name for one in found if not one.ispkg)


def reference(names: tuple[str, ...]) -> str:
    """What makes the documentation of modules, with a heading for each: of a package for each name that it exports."""
    text = ''
    for name in (module for one in names for module in modules_of(one)):
        module = importlib.import_module(name)
        if hasattr(module, '__path__'):
            text += ''.join(f'\n## {exported}\n{autodoc_of(name, exported)}' for exported in module.__all__)
        else:
            text += f'\n## {name}\n{autodoc("automodule", name)}'
    return text


def autodoc_of(module: str, name: str) -> str:
    """The directive for a name that a package exports."""
    value = getattr(importlib.import_module(module), name)
    kind = 'autoclass' if isinstance(value, type) else 'autofunction' if callable(value) else 'autodata'
    return autodoc(kind, f'{module}.{name}')


def autodoc(directive: str, name: str) -> str:
    options = {
        'autoclass': '   :members:\n',
        # what a module has of another is documented there
        'automodule': '   :members:\n   :ignore-module-all:\n',
    }.get(directive, '')
    return f'\n```{{eval-rst}}\n.. {directive}:: {name}\n{options}```\n'


def add_to_page(app: Any, page: str, source: list[str]) -> None:
    """Complete a page as it is read."""
    if page == 'index':
        source[0] += navigation()
    elif page in REFERENCE:
        source[0] += reference(REFERENCE[page])


# -- docstrings -------------------------------------------------------------------------------------------------

default_role = 'literal'
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
autodoc_inherit_docstrings = False
python_use_unqualified_type_names = True
# Headings lead to classes; an entry for every method in the navigation of every page takes half of the time.
toc_object_entries = False
python_maximum_signature_line_length = 100

# An error that a docstring says it raises must exist; of types, many are private and some of other packages.
nitpicky = True
nitpick_ignore_regex = [('py:(class|data|obj|attr|meth|func)', '.*'), ('py:exc', r'\w+')]

# -- looks --------------------------------------------------------------------------------------------------------

html_theme = 'furo'
html_title = f'Ricordi {release}'
html_copy_source = False
html_show_sphinx = False


def setup(app: Any) -> None:
    app.connect('source-read', add_to_page)
