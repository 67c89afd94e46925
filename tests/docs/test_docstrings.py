"""Docstrings, of which the reference of the site is made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / 'src' / 'ricordi'
DOCS = ROOT / 'docs'
_CITED = re.compile(r'((?:[\w-]+/)*[\w-]+\.md)(?:, \*([^*]+)\*)?')
"""A page, with a heading of it in asterisks after a comma; lines may end anywhere in between."""
_BARE_TEXT = re.compile(r'^ *(?:r?"""|#) ?', re.MULTILINE)
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings() -> Iterator[tuple[str, ast.AST, str]]:
    """File and name, the definition, and its docstring."""
    for path in sorted(SOURCE.rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, DEFINITIONS) and (text := ast.get_docstring(node)):
                yield f'{path.relative_to(SOURCE)}:{getattr(node, "name", "")}', node, text


def parameters_of(node: ast.AST, constructor: ast.FunctionDef | None) -> set[str]:
    """What may be told of with `:param`: arguments, and the fields of a class."""
    names: set[str] = set()
    function = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else constructor
    if function is not None:
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        names |= {argument.arg for argument in every if argument is not None}
    if isinstance(node, ast.ClassDef):
        fields = [line.target for line in node.body if isinstance(line, ast.AnnAssign)]
        names |= {field.id for field in fields if isinstance(field, ast.Name)}
    return names


def constructor_of(node: ast.AST) -> ast.FunctionDef | None:
    body = node.body if isinstance(node, ast.ClassDef) else []
    return next((one for one in body if isinstance(one, ast.FunctionDef) and one.name == '__init__'), None)


def test_each_parameter_and_error_is_told_on_a_line_of_its_own() -> None:
    found = [place for place, _, text in docstrings() if re.search(r'\S.*[ (]:(param|raises|returns)\b', text)]
    assert found == []


def test_what_a_docstring_tells_of_is_a_parameter_or_a_field() -> None:
    lost = [
        f'{place} {name}'
        for place, node, text in docstrings()
        for name in re.findall(r'^\s*:param (\w+):', text, re.MULTILINE)
        if name not in parameters_of(node, constructor_of(node))
    ]
    assert lost == []


def cited() -> Iterator[tuple[str, str, str]]:
    """File, page and heading (or an empty text) of each place in the sources that cites a page of docs/."""
    for path in sorted(SOURCE.rglob('*.py')):
        text = ' '.join(_BARE_TEXT.sub('', path.read_text(encoding='utf-8')).split())
        for page, heading in _CITED.findall(text):
            yield str(path.relative_to(SOURCE)), page.removeprefix('docs/'), heading


def headings_of(page: Path) -> set[str]:
    """What stands over the sections of a page; a page that is not there has none."""
    if not page.is_file():
        return set()
    return set(re.findall(r'^#+ (.+)$', page.read_text(encoding='utf-8'), re.MULTILINE))


def test_every_page_and_heading_that_is_cited_exists() -> None:
    found = list(cited())
    assert {page for _, page, _ in found} >= {f'formats/{path.name}' for path in (DOCS / 'formats').glob('[!i]*.md')}
    assert {heading for _, _, heading in found} > {'', 'Types', 'Meeting point', 'File tree of a node'}
    lost = [
        f'{file}: {page} {heading}'
        for file, page, heading in found
        if not (headings := headings_of(DOCS / page)) or (heading and heading not in headings)
    ]
    assert lost == []
