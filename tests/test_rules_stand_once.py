"""What a field, label, address, identifier, link or file tree may be is said in `model` alone; all ask there."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from ricordi.model.fields import FIELDS, TABLES
from ricordi.model.file_trees import FILE, FOLDER
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
    'the key of an object': (('a' * 64, '0' * 64), ('a' * 63, 'a' * 65, 'A' * 64, 'g' * 64)),
}
"""What a pattern is for that matches all of the first and none of the second."""

OTHER_PATTERNS = {
    'repository/container/erasing.py': 'names of folders of loose objects',
}
SPLITTERS = {'partition', 'rpartition', 'split', 'rsplit', 'endswith', 'startswith', 'removesuffix', 'removeprefix'}
MARKS = {'@': 'an address or the label of a code', '#!': 'a shebang'}
OTHER_MARKS = {('services/computers/ssh.py', '@'): 'user and host of SSH'}
CATEGORIES = {'services/dump/names.py': 'names of folders, where bad characters are replaced and not refused'}
WORDS_OF_TREES = {FOLDER, FILE}
IN_A_TREE = re.compile(r"""['"][ok]['"]|[$@][.*]*\.[ok]\b""")
"""A folder or a file in JSON or in SQL."""
DEGREES = {'out', 'into'}
LINK_LISTS = {'services/graph/style.py': 'colours'}
FIELD_LISTS = {
    'backend/rows.py': 'the classes of rows, which tests/model/test_fields.py holds against the table',
    'services/dump/content.py': 'what AiiDA writes about a node, its user and its computer',
    'services/graph/subgraph.py': 'a link as walks take it apart',
    'services/person.py': 'what a user to be tells',
    'services/user.py': 'what a list of users shows',
}
FIELD_NAMES = {name for fields in FIELDS.values() for name in fields}
COLUMN_NAMES = {field.column for fields in FIELDS.values() for field in fields.values()}
RENAMED = {
    (field.name, field.column) for fields in FIELDS.values() for field in fields.values() if field.name != field.column
}
WHOLE_KINDS = [
    names
    for fields in FIELDS.values()
    for names in ({*fields} - {'pk'}, {field.column for field in fields.values()} - {'id'})
    if len(names) > 2
]
"""All names of the fields, or of the columns, of a kind of row that has more than two."""
UUID_STARTS = {
    'backend/identifiers.py': 'the one resolver',
    'services/names.py': 'completion, which offers whatever starts so',
}
"""Who may look for the start of a uuid, beside the storages themselves."""


@lru_cache(maxsize=1)
def nodes_of(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a module, gone through once for all rules."""
    return tuple(ast.walk(tree))


def calls(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """The name of every method or function that is called, with its first argument where that is a text."""
    for node in nodes_of(tree):
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
    for node in nodes_of(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "'input_calc'" in node.value:
            yield node
        items = node.keys if isinstance(node, ast.Dict) else getattr(node, 'elts', ())
        names = {item.value for item in items if isinstance(item, ast.Constant)} & LINK_NAMES
        if len(names) > 1 and names - {'create', 'return'}:
            yield node


def texts_in(items: Iterable[ast.expr | None]) -> set[str]:
    """The constant texts among the items of a list, a set, or the keys of a dictionary."""
    return {item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)}


def is_made_of_names(node: ast.expr | None) -> bool:
    """Whether a value stands for what is known beforehand: it holds constants and names of constants and classes."""
    return node is not None and all(
        one.id.lstrip('_')[:1].isupper() for one in ast.walk(node) if isinstance(one, ast.Name)
    )


def names_every_field(node: ast.AST) -> bool:
    """Whether a list, a class or a dictionary has all fields, or columns, of a kind of row that has more than a few."""
    if isinstance(node, ast.ClassDef):
        targets = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
        there = {target.id for target in targets if isinstance(target, ast.Name)}
    elif isinstance(node, ast.Dict):
        there = texts_in(node.keys) if all(map(is_made_of_names, node.values)) else set()
    else:
        there = texts_in(getattr(node, 'elts', ()))
    return len(there) > 2 and any(names <= there for names in WHOLE_KINDS)


def sorts_fields(node: ast.AST) -> bool:
    """Whether a set of fields, or of columns, tells what several of them have in common."""
    there = texts_in(node.elts) if isinstance(node, ast.Set) else set()
    return len(there) > 2 and (there <= FIELD_NAMES or there <= COLUMN_NAMES)


def says_of_fields(node: ast.AST) -> bool:
    """Whether a dictionary says of several fields what they are: a kind, a limit, another name, what they refer to."""
    pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
    return sum(is_of_the_table(name, value) for key, value in pairs for name in texts_in([key])) > 1


def is_of_the_table(name: str, value: ast.expr) -> bool:
    """Whether the table of fields says this of a field or a column."""
    if name not in FIELD_NAMES | COLUMN_NAMES:
        return False
    if not isinstance(value, ast.Constant):
        return is_kind(value)
    if isinstance(value.value, str):
        return value.value in TABLES.values() or bool(RENAMED & {(name, value.value), (value.value, name)})
    return type(value.value) is int and value.value > 1


def is_kind(value: ast.expr | None) -> bool:
    """Whether a value is a kind of row or of value."""
    return isinstance(value, ast.Attribute) and getattr(value.value, 'id', '') in ('EntityKind', 'ValueKind')


def says_of_kinds(node: ast.AST) -> bool:
    """Whether pairs tell which table holds a kind of row, or which of its fields are meant, of several kinds."""
    pairs = list(zip(node.keys, node.values, strict=True)) if isinstance(node, ast.Dict) else []
    for each in getattr(node, 'elts', ()):
        if isinstance(each, ast.Tuple):
            pairs += [(each.elts[0], other) for other in each.elts[1:]]
    told = [text for kind, value in pairs if is_kind(kind) for text in texts_in([value])]
    return (
        bool({*told} & {*TABLES.values()})
        or sum({*text.split(', ')} <= FIELD_NAMES | COLUMN_NAMES for text in told) > 2
    )


def lists_kinds(node: ast.AST) -> bool:
    """Whether a class has the names of the kinds of rows, or of values, as its constants."""
    if not isinstance(node, ast.ClassDef):
        return False
    there = texts_in(each.value for each in node.body if isinstance(each, ast.Assign))
    return {'node', 'group', 'log'} <= there or {'json', 'time', 'uuid'} <= there


def makes_a_table(node: ast.AST) -> bool:
    """Whether a text is SQL that makes a table of rows."""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ''
    return 'CREATE TABLE db_db' in text


RULES_OF_FIELDS: dict[str, Callable[[ast.AST], bool]] = {
    'which fields there are': names_every_field,
    'which fields are alike': sorts_fields,
    'what a field is': says_of_fields,
    'what a kind of row has': says_of_kinds,
    'which kinds there are': lists_kinds,
    'what a table is made of': makes_a_table,
}


def words_of_trees(tree: ast.Module) -> Iterator[ast.AST]:
    """What reads or writes `o` and `k` of a file tree, in Python or in SQL; what is said of them in words aside."""
    told = {id(node.value) for node in nodes_of(tree) if isinstance(node, ast.Expr)}
    for node in nodes_of(tree):
        asked: list[ast.expr | None] = []
        if isinstance(node, ast.Subscript):
            asked = [node.slice]
        elif isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            asked = [*node.keys]
        elif isinstance(node, ast.Call) and getattr(node.func, 'attr', '') in ('get', 'setdefault', 'pop'):
            asked = [*node.args[:1]]
        elif isinstance(node, ast.Assign):
            asked = [*getattr(node.value, 'elts', [node.value])]
        elif isinstance(node, ast.Constant) and id(node) not in told and IN_A_TREE.search(str(node.value)):
            yield node
        if any(isinstance(one, ast.Constant) and one.value in WORDS_OF_TREES for one in asked):
            yield node


def degrees_read(tree: ast.Module) -> Iterator[ast.Compare]:
    """What compares how many links there may be, in place of asking which fields have to differ."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Compare) and getattr(node.left, 'attr', '') in DEGREES:
            yield node


def rules_of(name: str, tree: ast.Module) -> Iterator[str]:
    """The rules of `model` that a module has copies of."""
    if name not in FIELD_LISTS:
        for node in nodes_of(tree):
            yield from (rule for rule, is_copied in RULES_OF_FIELDS.items() if is_copied(node))
    if name not in LINK_LISTS:
        yield from ('which types of links there are' for _ in lists_of_links(tree))
    yield from ('what a file tree is' for _ in words_of_trees(tree))
    yield from ('how many links there may be' for _ in degrees_read(tree))
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
        'which kinds there are',
        'what a kind of row has',
        'a pattern of the key of an object',
        'what a file tree is',
        'how many links there may be',
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
        (
            "USER = {'pk': _INT, 'email': _TEXT, 'first_name': _TEXT, 'last_name': _TEXT, 'institution': _TEXT}",
            'which fields there are',
        ),
        ("['input_id', 'output_id', 'label', 'type']", 'which fields there are'),
        (
            'class Row:\n    email: str\n    first_name: str\n    last_name: str\n    institution: str',
            'which fields there are',
        ),
        ("NULLABLE = {'process_type', 'attributes', 'extras', 'computer_pk'}", 'which fields are alike'),
        ("NUMBERS = frozenset({'id', 'user_id', 'dbnode_id'})", 'which fields are alike'),
        ("RENAMED = {'pk': 'id', 'user_pk': 'user_id'}", 'what a field is'),
        ("KINDS = {'uuid': ValueKind.UUID, 'ctime': ValueKind.TIME}", 'what a field is'),
        ("REFERENCES = {'user_pk': 'db_dbuser', 'node_pk': 'db_dbnode'}", 'what a field is'),
        ("MAPPED = {'user_pk': EntityKind.USER, 'node_pk': EntityKind.NODE}", 'what a field is'),
        ("LIMITS = {'email': 254, 'label': 255}", 'what a field is'),
        (
            "UNIQUE = ((EntityKind.USER, 'email'), (EntityKind.LOG, 'uuid'), (EntityKind.GROUP, 'label, type_string'))",
            'what a kind of row has',
        ),
        (
            "MATCHED_BY = {EntityKind.USER: 'email', EntityKind.NODE: 'uuid', EntityKind.LOG: 'uuid'}",
            'what a kind of row has',
        ),
        ("TABLES = {EntityKind.USER: 'db_dbuser', EntityKind.NODE: 'db_dbnode'}", 'what a kind of row has'),
        ("[(EntityKind.NODE, 'db_dbnode', 'user_id')]", 'what a kind of row has'),
        ("class Kind(Enum):\n    UUID = 'uuid'\n    TIME = 'time'\n    JSON = 'json'", 'which kinds there are'),
        ("sql = 'CREATE TABLE db_dbuser (id INTEGER)'", 'what a table is made of'),
        ("if rule.into == 'pair': pass", 'how many links there may be'),
        ("re.compile('[0-9a-f]{64}')", 'a pattern of the key of an object'),
        ("key = entry['k']", 'what a file tree is'),
        ("below = entry.get('o', {})", 'what a file tree is'),
        ("FILE = 'k'", 'what a file tree is'),
        ("if 'k' in entry: pass", 'what a file tree is'),
        ("tree = {'o': {}}", 'what a file tree is'),
        ('sql = "SELECT atom FROM json_tree(?) WHERE key = \'k\'"', 'what a file tree is'),
        ("sql = f'{column} @? $.**.k'", 'what a file tree is'),
        ("sql = f'exists(@.o.*) {sql}'", 'what a file tree is'),
    ],
)
def test_a_copy_of_a_rule_is_seen_however_it_is_written(line: str, rule: str) -> None:
    assert rule in list(rules_of('orm/x.py', ast.parse(line)))


def test_other_patterns_are_left_alone() -> None:
    for line in (
        "verbs = ['create', 'return']",
        "re.compile('[0-9a-f]{32}')",
        "modes = {('k', 'n', 'l'): 'none'}",
        'def f():\n    """A file is `{\'k\': key}`."""',
        "re.compile('.*')",
        "re.match('a|b', text)",
        "a.partition('/')",
        "shown = ('pk', 'uuid', 'label')",
        "HEADINGS = {'pk': 'PK', 'uuid': 'UUID', 'ctime': 'Created'}",
        "row = {'input_pk': source.pk, 'output_pk': target.pk, 'label': label, 'type': kind}",
        "new = {'label': 'a', 'user_pk': 1}",
        "joins = {EntityKind.NODE: 'nodes', EntityKind.GROUP: 'groups'}",
        "types = {EntityKind.NODE: 'node_type', EntityKind.GROUP: 'type_string'}",
    ):
        assert list(rules_of('orm/x.py', ast.parse(line))) == []


def test_every_exception_is_still_needed() -> None:
    for name in (
        *OTHER_PATTERNS,
        *(name for name, _ in OTHER_MARKS),
        *CATEGORIES,
        *UUID_STARTS,
        *LINK_LISTS,
        *FIELD_LISTS,
    ):
        tree = ast.parse((SOURCE / name).read_text('utf-8'))
        assert list(rules_of('orm/x.py', tree)), name
