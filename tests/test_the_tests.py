"""What tests may not do: patch a constant, lean on the machine's speed or on luck, assert what cannot be wrong.

A constant that is patched may be one that nobody reads any more; sizes and times are records that are handed in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted(path for path in HERE.rglob('*.py') if path != Path(__file__) and HERE / 'data' not in path.parents)
CONSTANT = re.compile(r'_?[A-Z][A-Z0-9_]+')
PATH_OF_CONSTANT = re.compile(rf'ricordi\..*\.{CONSTANT.pattern}')
NEVER_FALSE = (ast.Constant, ast.Tuple, ast.List, ast.JoinedStr, ast.GeneratorExp)
SHORTEST_WAIT = 60.0
"""Seconds that a wait has to allow on a busy machine."""
CLOCKS = {'monotonic', 'perf_counter', 'time'}

STILL_PATCHED = {
    'archive_source.MEMBERS_OF_GROUPS',
    'archive_web.LONGEST_PAGE',
    'archive_web.PAGE_SECONDS',
    'connection.LONGEST_ANSWER',
    'connection.LONGEST_COMPLAINT',
    'dump_log._FLUSH_EVERY',
    'dump_sync._WRITTEN_AT_ONCE',
}
"""Of services: read where they are patched; they become records when their rooms are put in order."""

Rule = Callable[[ast.Module], Iterator[tuple[int, str]]]


# the rules -------------------------------------------------------------------------------------------------


def patched_constants(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Constants of modules of ours that are set: by `setattr`, by an assignment, by one in a program in a string."""
    ours = imported_from_ricordi(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func).endswith('setattr'):
            words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            place = name_of(node.args[0]).split('.')[-1]
            yield from ((node.lineno, f'{place}.{word}') for word in words if CONSTANT.fullmatch(word))
            yield from ((node.lineno, word) for word in words if PATH_OF_CONSTANT.fullmatch(word))
        elif isinstance(node, ast.Assign):
            for target in (one for each in node.targets for one in ast.walk(each) if isinstance(one, ast.Attribute)):
                name = name_of(target)
                if name.split('.')[0] in ours and CONSTANT.fullmatch(target.attr):
                    yield node.lineno, name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and 'ricordi' in node.value:
            try:
                program = ast.parse(node.value)
            except (SyntaxError, ValueError):
                continue
            yield from ((node.lineno, name) for _, name in patched_constants(program))


def short_waits(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Waits for something that has to happen, with a limit that a busy machine may exceed."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With) and is_refused(node)]
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    in_vain = {item.context_expr for block in blocks for item in block.items}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        words = ('timeout',) if node in in_vain else ('timeout', 'wait')
        limits = [word.value for word in node.keywords if word.arg in words]
        if name_of(node.func).split('.')[-1] in ('wait', 'join'):
            limits += node.args[:1]
        for limit in limits:
            limit = constants.get(name_of(limit), limit)
            number = limit.value if isinstance(limit, ast.Constant) else None
            if isinstance(number, int | float) and 0 < number < SHORTEST_WAIT:
                yield node.lineno, ast.unparse(node)


def upper_bounds_on_time(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Assertions that something took less than some time."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        for compare in (one for one in ast.walk(node.test) if isinstance(one, ast.Compare)):
            sides = [compare.left, *compare.comparators]
            for left, operator, right in zip(sides, compare.ops, sides[1:], strict=False):
                longer = {ast.Lt: left, ast.LtE: left, ast.Gt: right, ast.GtE: right}.get(type(operator))
                if isinstance(longer, ast.BinOp) and any(is_clock(one) for one in ast.walk(longer)):
                    yield node.lineno, ast.unparse(node)


def assertions_that_hold_always(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Assertions of a text, of a tuple, or with a comparison where the message stands."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        if isinstance(node.test, NEVER_FALSE) or isinstance(node.msg, ast.Compare | ast.BoolOp):
            yield node.lineno, ast.unparse(node)


def ports_let_go(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Ports that the system chose, looked up and let go: a connection may have them by the time they are used."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func).split('.')[-1] == 'bind' and node.args:
            address = node.args[0]
            if isinstance(address, ast.Tuple) and [ast.unparse(part) for part in address.elts[1:2]] == ['0']:
                yield node.lineno, ast.unparse(node)


RULES = (patched_constants, short_waits, upper_bounds_on_time, assertions_that_hold_always, ports_let_go)


# reading trees ---------------------------------------------------------------------------------------------


def name_of(node: ast.expr) -> str:
    """`a.b.c` of the tree of it; nothing for what is not made of names alone."""
    if isinstance(node, ast.Name):
        return node.id
    return f'{name_of(node.value)}.{node.attr}' if isinstance(node, ast.Attribute) else ''


def imported_from_ricordi(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or '').split('.')[0] == 'ricordi':
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.asname or 'ricordi' for alias in node.names if alias.name.split('.')[0] == 'ricordi'}
    return found


def is_refused(block: ast.With) -> bool:
    """Whether an error is expected of a `with` block."""
    return any(
        isinstance(item.context_expr, ast.Call) and name_of(item.context_expr.func).endswith('raises')
        for item in block.items
    )


def is_clock(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) in {f'time.{clock}' for clock in CLOCKS}


@cache
def found_in_tests() -> dict[Rule, dict[str, list[str]]]:
    """What each of the rules finds: place → what stands there."""
    found: dict[Rule, dict[str, list[str]]] = {rule: {} for rule in RULES}
    for path in FILES:
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for rule in RULES:
            for line, text in rule(tree):
                found[rule].setdefault(text, []).append(f'{path.relative_to(HERE)}:{line}')
    return found


# the tests -------------------------------------------------------------------------------------------------


def test_no_test_patches_a_constant() -> None:
    found = found_in_tests()[patched_constants]
    assert {name: places for name, places in found.items() if name not in STILL_PATCHED} == {}


def test_no_test_waits_so_short_that_a_busy_machine_is_too_slow() -> None:
    assert found_in_tests()[short_waits] == {}


def test_no_test_asserts_how_long_something_takes_at_most() -> None:
    found = found_in_tests()[upper_bounds_on_time]
    assert found == {}, 'count what it does, or measure the time of the processor'


def test_no_test_takes_a_port_that_it_has_let_go() -> None:
    found = [place for places in found_in_tests()[ports_let_go].values() for place in places]
    assert [place for place in found if not place.startswith('ports.py:')] == [], 'see `ports.py`'


def test_no_assertion_holds_whatever_happens() -> None:
    assert found_in_tests()[assertions_that_hold_always] == {}


@pytest.mark.parametrize(
    ('rule', 'text', 'count'),
    [
        (patched_constants, 'monkeypatch.setattr(module, "SIZE", 3)', 1),
        (patched_constants, 'monkeypatch.setattr("ricordi.files._SIZE", 3)', 1),
        (patched_constants, 'monkeypatch.setattr(module, "size", 3)', 0),
        (patched_constants, 'from ricordi import files as f\nf.SIZE, f.TIME = 1, 2', 2),
        (patched_constants, 'import files\nfiles.SIZE = 1', 0),
        (patched_constants, 'run("from ricordi import files; files.SIZE = 1")', 1),
        (short_waits, 'process.wait(5); process.communicate(timeout=10)', 2),
        (short_waits, 'process.wait(); process.wait(240); connect(timeout=0)', 0),
        (short_waits, 'SECONDS = 5\nbegun.wait(SECONDS)', 1),
        (short_waits, 'with access.lock(wait=5): pass', 1),
        (short_waits, 'with access.lock(wait=800): pass\nwith raises(Error), access.lock(wait=0.1): pass', 0),
        (upper_bounds_on_time, 'assert 1 < time.monotonic() - begin < 5', 1),
        (upper_bounds_on_time, 'assert 5 > time.perf_counter() - begin', 1),
        (upper_bounds_on_time, 'assert time.monotonic() - begin > 1; assert time.monotonic() < deadline', 0),
        (ports_let_go, "probe.bind(('127.0.0.1', 0))", 1),
        (ports_let_go, "probe.bind(('127.0.0.1', port)); probe.bind(path); weakref.bind()", 0),
        (assertions_that_hold_always, 'assert "a", "b" in users', 1),
        (assertions_that_hold_always, 'assert (a == b, "message")', 1),
        (assertions_that_hold_always, 'assert a == b, (a, b in users)', 0),
    ],
)
def test_the_rules_see_what_they_forbid(rule: Rule, text: str, count: int) -> None:
    assert len(list(rule(ast.parse(text)))) == count
