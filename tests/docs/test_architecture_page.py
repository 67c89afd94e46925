"""docs/architecture.md and CONTRIBUTING.md name what is there."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / 'src' / 'ricordi'
PAGES = [ROOT / 'docs' / 'architecture.md', ROOT / 'CONTRIBUTING.md']

_NAMED = re.compile(r'`([\w./*-]+\.(?:py|sql|md|toml|yaml|txt)|[\w./-]+/)(?::([\w.]+))?`')
"""A path in backticks, with a name in it after a colon."""


def named_in(page: Path) -> list[tuple[str, str]]:
    """Each path of a page, with the name in that file or an empty text."""
    return [(path, name or '') for path, name in _NAMED.findall(page.read_text(encoding='utf-8'))]


def find(path: str) -> Path | None:
    """The file or folder of a path as the pages write it: below the package, else below the repository."""
    return next((place / path for place in (SOURCE, ROOT) if (place / path).exists()), None)


@cache
def names_of(path: Path) -> frozenset[str]:
    """What a module defines: functions, constants and classes, with `Class.method`."""
    return frozenset(_defined(ast.parse(path.read_text(encoding='utf-8')).body))


def _defined(body: list[ast.stmt], above: str = '') -> list[str]:
    found: list[str] = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            found += [f'{above}{node.name}', *_defined(node.body, f'{above}{node.name}.')]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(f'{above}{node.name}')
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [f'{above}{target.id}' for target in targets if isinstance(target, ast.Name)]
    return found


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    paths = {path for path, _ in named_in(page)}
    assert paths
    assert sorted(path for path in paths if find(path) is None) == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_name_that_a_page_puts_into_a_file_is_defined_there(page: Path) -> None:
    named = {(path, name) for path, name in named_in(page) if name}
    assert named
    lost = [f'{path}:{name}' for path, name in named if (file := find(path)) and name not in names_of(file)]
    assert sorted(lost) == []


def test_every_room_stands_on_the_floor_that_the_linter_holds() -> None:
    text = PAGES[0].read_text(encoding='utf-8')
    contracts = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['tool']['importlinter']
    layers = contracts['contracts'][0]['layers']
    heights = {
        room.strip().removeprefix('ricordi.'): height
        for height, layer in enumerate(reversed(layers))
        for room in layer.split('|')
    }
    floors = re.findall(r'^\| (\d) \| ([^|]+) \|', text, re.MULTILINE)
    shown = {
        room.removesuffix('/').removesuffix('.py'): int(floor)
        for floor, rooms in floors
        for room in re.findall(r'`([^`]+)`', rooms)
    }
    assert shown.keys() == heights.keys()
    for room, floor in shown.items():
        for other, other_floor in shown.items():
            if heights[room] > heights[other]:
                assert floor >= other_floor, f'{room} may import {other}, which is shown above it'
