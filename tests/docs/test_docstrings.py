"""Docstrings, of which the reference of the site is made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / 'src' / 'ricordi'
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
