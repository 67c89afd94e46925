"""What a label, an address, a uuid, an identifier and a link may be is said in `model` alone; all others ask there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ricordi.model.links import LinkType

SOURCE = Path(__file__).parents[1] / 'src' / 'ricordi'
MODULES = sorted(SOURCE.rglob('*.py'))

UUID = 'abcdef01-2345-4678-9abc-def012345678'
LINK_NAMES = {link_type.value for link_type in LinkType}
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    'a uuid': ((UUID,), (UUID.replace('a', 'g'), 'other text')),
    'the start of a uuid': (('abcdef', '012345'), ('abcdeg', 'zz')),
    'an address': (('ada@example.org',), ('ada', 'example.org')),
    'a link label': (('a', 'a_b', 'A1'), ('1a', 'a.b')),
}
"""What a pattern is for that matches all of the first and none of the second."""

OTHER_PATTERNS = {
    'repository/container/erasing.py': 'names of folders of loose objects',
}
SPLITTERS = {'partition', 'rpartition', 'split', 'rsplit', 'endswith', 'startswith', 'removesuffix', 'removeprefix'}
MARKS = {'@': 'an address or the label of a code', '#!': 'a shebang'}
OTHER_MARKS = {('services/computers/ssh.py', '@'): 'user and host of SSH'}
CATEGORIES = {'services/dump/names.py': 'names of folders, where bad characters are replaced and not refused'}
LINK_LISTS = {'services/graph/style.py': 'colours'}
UUID_STARTS = {
    'backend/identifiers.py': 'the one resolver',
    'services/names.py': 'completion, which offers whatever starts so',
}
"""Who may look for the start of a uuid, beside the storages themselves."""


def calls(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """The name of every method or function that is called, with its first argument where that is a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, 'id', '')
            first = node.args[0] if node.args else None
            yield name, first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def kinds_of(pattern: str) -> list[str]:
    """What a regular expression tells from other texts."""
    try:
        matches = re.compile(pattern).fullmatch
    except re.error:
        return []
    return [
        kind
        for kind, (good, bad) in KINDS.items()
        if all(map(matches, good)) and not any(matches(text) for text in bad)
    ]


def lists_of_links(tree: ast.Module) -> Iterator[ast.expr]:
    """What holds the names of several link types; `create` and `return` alone are words of the language."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "'input_calc'" in node.value:
            yield node
        items = node.keys if isinstance(node, ast.Dict) else getattr(node, 'elts', ())
        names = {item.value for item in items if isinstance(item, ast.Constant)} & LINK_NAMES
        if len(names) > 1 and names - {'create', 'return'}:
            yield node


def rules_of(name: str, tree: ast.Module) -> Iterator[str]:
    """The rules of `model` that a module has copies of."""
    if name not in LINK_LISTS:
        yield from ('which types of links there are' for _ in lists_of_links(tree))
    for called, text in calls(tree):
        if called in ('compile', 'fullmatch', 'match', 'search') and text and name not in OTHER_PATTERNS:
            yield from (f'a pattern of {kind}' for kind in kinds_of(text))
        if called in SPLITTERS and text in MARKS and (name, text) not in OTHER_MARKS:
            yield f'what takes {MARKS[text]} apart'
        if called in SPLITTERS - {'removeprefix', 'startswith'} and text == '!':
            yield 'the mark of a label'
        if called == 'category' and name not in CATEGORIES:
            yield 'which characters a text may hold'
        if called == 'find_uuid_prefix' and not name.startswith('storage/') and name not in UUID_STARTS:
            yield 'a way to look for a uuid'


def test_no_rule_of_names_and_identifiers_stands_twice() -> None:
    found = {}
    for path in MODULES:
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith('model/') and (rules := list(rules_of(name, ast.parse(path.read_text('utf-8'))))):
            found[name] = rules
    assert found == {}


def test_the_rules_stand_where_they_are_looked_for() -> None:
    found = {
        rule
        for path in MODULES
        if path.parent.name == 'model'
        for rule in rules_of(path.name, ast.parse(path.read_text('utf-8')))
    }
    assert found >= {
        'a pattern of a uuid',
        'a pattern of a link label',
        'what takes an address or the label of a code apart',
        'what takes a shebang apart',
        'which characters a text may hold',
    }


@pytest.mark.parametrize(
    ('line', 'rule'),
    [
        ("re.fullmatch('[0-9a-fA-F-]+', text)", 'a pattern of the start of a uuid'),
        ("re.compile(r'[a-f\\d]{8}(-[a-f\\d]{4}){3}-[a-f\\d]{12}')", 'a pattern of a uuid'),
        ("re.match(r'\\S+@\\S+', text)", 'a pattern of an address'),
        ("re.compile('[a-zA-Z][a-zA-Z0-9_]*')", 'a pattern of a link label'),
        ("email.split('@')", 'what takes an address or the label of a code apart'),
        ("text.removesuffix('!')", 'the mark of a label'),
        ("line.startswith('#!')", 'what takes a shebang apart'),
        ("storage.find_uuid_prefix(kind, 'a')", 'a way to look for a uuid'),
        ('unicodedata.category(letter)', 'which characters a text may hold'),
        ("CALLS = ('call_calc', 'call_work')", 'which types of links there are'),
        ("RULES = {'input_calc': 1, 'create': 2}", 'which types of links there are'),
        ('sql = "type IN (\'input_calc\')"', 'which types of links there are'),
    ],
)
def test_a_copy_of_a_rule_is_seen_however_it_is_written(line: str, rule: str) -> None:
    assert rule in list(rules_of('orm/x.py', ast.parse(line)))


def test_other_patterns_are_left_alone() -> None:
    for line in (
        "verbs = ['create', 'return']",
        "re.compile('[0-9a-f]{64}')",
        "re.compile('.*')",
        "re.match('a|b', text)",
        "a.partition('/')",
    ):
        assert list(rules_of('orm/x.py', ast.parse(line))) == []


def test_every_exception_is_still_needed() -> None:
    for name in (*OTHER_PATTERNS, *(name for name, _ in OTHER_MARKS), *CATEGORIES, *UUID_STARTS, *LINK_LISTS):
        tree = ast.parse((SOURCE / name).read_text('utf-8'))
        assert list(rules_of('orm/x.py', tree)), name
