"""Each row by itself: whether its values can be read, what it names is there, and it is what its table is for."""

from __future__ import annotations

from collections.abc import Iterator

from ricordi.backend.verification import Finding
from ricordi.model.links import LINK_RULES
from ricordi.model.node_types import FINAL_STATES
from ricordi.model.values import json_fault
from ricordi.storage.columns import row_words
from ricordi.storage.verification.declared import Column
from ricordi.storage.verification.look import Look, RowRule, RowSource, examine, shown

NODES = 'db_dbnode'
LINKS = 'db_dblink'
FAMILIES = ('data', 'process')


def check_rows(look: Look, table: str) -> Iterator[Finding]:
    """Look at all rows of a table, in one pass."""
    yield from examine(look, _source(look, table), list(_rules(look, table)))


def _source(look: Look, table: str) -> RowSource:
    """The rows with the nodes that they name, each as `n_` and the name of the column."""
    named = [name for name, target in _references(look, table) if target == NODES]
    joins = (f'LEFT JOIN {NODES} AS n_{name} ON n_{name}.id = r.{name}' for name in named)
    return RowSource(table, ' '.join(joins))


def _references(look: Look, table: str) -> Iterator[tuple[str, str]]:
    for name, target in look.reader.schema.references[table].items():
        if look.has(table, name) and look.has(target, 'id'):
            yield name, target


def _rules(look: Look, table: str) -> Iterator[RowRule]:
    nodes = _nodes_of(look, table)
    screened = [(column, f'r.{column.name}') for column in look.columns(table) if column.sort in ('uuid', 'time')]
    texts = _texts(look, table)
    screen = look.reader.screen(screened, [f'r.{name}' for name in texts])
    targets = dict(_references(look, table))
    for column in look.columns(table):
        rules, behind = list(_value_rules(look, column)), screen
        if column.sort not in ('uuid', 'time'):
            target = targets.get(column.name)
            behind = look.reader.suspect(column, f'r.{column.name}', _is_there(column.name, target) if target else '')
            rules += [_reference_rule(column.name, target)] if target else []
        yield from (rule._replace(nodes=nodes, screen=behind) for rule in rules)
        yield from (rule._replace(nodes=nodes) for rule in _key_rule(look, column))
    yield from (rule._replace(nodes=nodes, screen=screen) for rule in _text_rule(look, texts))
    if table == NODES and look.has(table, 'node_type', 'attributes'):
        yield from (rule._replace(nodes=nodes) for rule in _node_rules(look))
    if table == LINKS and look.has(table) and look.has(NODES, 'id', 'node_type'):
        yield _link_rule()._replace(nodes=nodes)


def _nodes_of(look: Look, table: str) -> tuple[str, ...]:
    """SQL of the nodes that a row is about."""
    if table == NODES:
        return ('r.id',)
    return tuple(f'r.{name}' for name, target in _references(look, table) if target == NODES)


# -- values -------------------------------------------------------------------------------------------------


def _value_rules(look: Look, column: Column) -> Iterator[RowRule]:
    name, reader = f'r.{column.name}', look.reader
    if not column.nullable:
        yield RowRule('missing value', f'{name} IS NULL', lambda: f'the {column.name} is missing (NULL)')
    if column.name == 'repository_metadata':
        return  # the check of file trees reads it
    if unsound := reader.unsound(column, name):
        kind = {'integer': 'number', 'any json': 'JSON', 'json': 'JSON'}.get(column.sort, column.sort)
        yield RowRule(
            f'unreadable {kind}',
            f'{name} IS NOT NULL AND {unsound}',
            lambda content: f'the {column.name} {_fault(column, content)}',
            (reader.content(name),),
        )
    if column.limit and reader.dialect.keeps_any_type:
        yield RowRule(
            'long text',
            f'coalesce(length({name}), 0) > {column.limit}',
            lambda length: f'the {column.name} has {length:,} characters, and {column.limit} are allowed elsewhere',
            (f'length({name})',),
        )


def _key_rule(look: Look, column: Column) -> Iterator[RowRule]:
    """What a name in a dictionary may be; of dictionaries that are sound."""
    name, reader = f'r.{column.name}', look.reader
    if look.thorough and column.name in ('attributes', 'extras'):
        unsound = reader.unsound(column, name)
        sound = f'NOT ({unsound})' if unsound else 'TRUE'
        yield RowRule(
            'odd key',
            f"CASE WHEN {name} IS NOT NULL AND {sound} AND {name} <> 'null' THEN {reader.odd_key(name)} ELSE FALSE END",
            lambda: f'the {column.name} have a name that is empty or has a period in it',
        )


def _fault(column: Column, content: bytes | str) -> str:
    if column.sort == 'json':
        try:
            text = content.decode() if isinstance(content, bytes) else content
        except UnicodeDecodeError:
            text = None
        fault = json_fault(text) if text is not None else None
        return f'cannot be read: {fault or "it is no text"}'
    words = {'integer': 'is no integer', 'boolean': 'is neither true nor false', 'text': 'is no text'}
    return f'{words.get(column.sort) or f"is no {column.sort}"}: {shown(content)}'


def _texts(look: Look, table: str) -> list[str]:
    """The columns of texts that may be no UTF-8. (Links have few labels: see `names`.)"""
    sorts = ('text', 'json', 'any json')  # of the others, what is no UTF-8 is no uuid and no time either
    return [column.name for column in look.columns(table) if column.sort in sorts and table != LINKS]


def _text_rule(look: Look, names: list[str]) -> Iterator[RowRule]:
    """One rule for all texts of a row: SQLite keeps any bytes as text."""
    if names and (undecodable := look.reader.undecodable([f'r.{name}' for name in names])):
        yield RowRule(
            'unreadable text',
            undecodable,
            lambda *contents: f'the {_first_undecodable(names, contents)} is no UTF-8',
            [look.reader.content(f'r.{name}') for name in names],
        )


def _first_undecodable(names: list[str], contents: tuple[bytes | None, ...]) -> str:
    for name, content in zip(names, contents, strict=True):
        try:
            (content or b'').decode()
        except UnicodeDecodeError:
            return name
    return 'text'


# -- what they name and what they are -------------------------------------------------------------------------


def _is_there(name: str, target: str) -> str:
    """The condition that what a column names is there, of a value that is not NULL."""
    return f'n_{name}.id IS NOT NULL' if target == NODES else f'r.{name} IN (SELECT id FROM {target})'


def _reference_rule(name: str, target: str) -> RowRule:
    return RowRule(
        'dangling reference',
        f'r.{name} IS NOT NULL AND NOT ({_is_there(name, target)})',
        lambda pk: f'it names the {row_words(target)} {_number(pk)}, which is not there',
        (f'r.{name}',),
    )


def _node_rules(look: Look) -> Iterator[RowRule]:
    known = ' OR '.join(f"r.node_type LIKE '{family}.%.'" for family in FAMILIES)
    yield RowRule(
        'node type',
        f'({known}) IS NOT TRUE',
        lambda node_type: f'the type {shown(node_type)} is neither that of data nor that of a process',
        ('r.node_type',),
    )
    state = look.reader.member('r.attributes', 'process_state')
    sealed = f'CAST({look.reader.member("r.attributes", "sealed")} AS TEXT)'
    states = ', '.join(map(repr, FINAL_STATES))
    yield RowRule(
        'unsealed process',
        f"CASE WHEN CASE WHEN r.node_type LIKE 'process.%' THEN {look.reader.is_json('r.attributes')} ELSE FALSE END "
        f"THEN {state} IN ({states}) AND ({sealed} IN ('true', '1')) IS NOT TRUE ELSE FALSE END",
        lambda found: f'the process is {found} and not sealed',
        (state,),
    )


def _link_rule() -> RowRule:
    """Where both nodes are there, a link is between such as its type may join, and not from one to itself."""
    source, target = 'n_input_id', 'n_output_id'  # as `_source` calls them
    allowed = ' OR '.join(
        f"(r.type = '{link_type.value}' AND {source}.node_type LIKE '{rule.source}.%' "
        f"AND {target}.node_type LIKE '{rule.target}.%')"
        for link_type, rule in LINK_RULES.items()
    )
    return RowRule(
        'forbidden link',
        f'{source}.id IS NOT NULL AND {target}.id IS NOT NULL '
        f'AND (r.input_id = r.output_id OR ({allowed}) IS NOT TRUE)',
        _describe_link,
        ('r.type', 'r.input_id', 'r.output_id', f'{source}.node_type', f'{target}.node_type'),
    )


def _describe_link(link_type: object, source: object, target: object, of_source: object, of_target: object) -> str:
    if source == target:
        return f'a link of type {shown(link_type)} leads from node {_number(source)} to itself'
    return (
        f'a link of type {shown(link_type)} leads from node {_number(source)} (of type {shown(of_source)}) '
        f'to node {_number(target)} (of type {shown(of_target)}), which none may'
    )


def _number(pk: object) -> str:
    """A primary key in a message, which may be anything on SQLite."""
    return str(pk) if isinstance(pk, int) else shown(pk)
