"""Whether the rows of an archive can be those of a storage: references lead somewhere, values are of their kind."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime
from typing import Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import CorruptStorage, ValidationError
from ricordi.storage.columns import TEXT_LIMITS, ValueKind, columns, row_words, table_name, value_kind
from ricordi.storage.file_trees import fault_of_text

UUID = re.compile('[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}').fullmatch

NULLABLE = {'process_type', 'attributes', 'extras', 'computer_pk'}
REFERENCES = {
    'user_pk': 'db_dbuser',
    'computer_pk': 'db_dbcomputer',
    'node_pk': 'db_dbnode',
    'group_pk': 'db_dbgroup',
    'input_pk': 'db_dbnode',
    'output_pk': 'db_dbnode',
}
UNIQUE = (
    (EntityKind.USER, 'email'),
    (EntityKind.COMPUTER, 'uuid'),
    (EntityKind.COMPUTER, 'label'),
    (EntityKind.AUTHINFO, 'aiidauser_id, dbcomputer_id'),
    (EntityKind.NODE, 'uuid'),
    (EntityKind.GROUP, 'uuid'),
    (EntityKind.GROUP, 'label, type_string'),
    (EntityKind.GROUP_NODE, 'dbgroup_id, dbnode_id'),
    (EntityKind.COMMENT, 'uuid'),
    (EntityKind.LOG, 'uuid'),
)

LINK_ENDS = {
    'input_calc': ('data.', 'process.calculation.'),
    'input_work': ('data.', 'process.workflow.'),
    'create': ('process.calculation.', 'data.'),
    'return': ('process.workflow.', 'data.'),
    'call_calc': ('process.workflow.', 'process.calculation.'),
    'call_work': ('process.workflow.', 'process.workflow.'),
}
LINK_UNIQUE = {
    'input_calc': ('output_id, label',),
    'input_work': ('output_id, label',),
    'create': ('output_id', 'input_id, label'),
    'return': ('input_id, label',),
    'call_calc': ('output_id',),
    'call_work': ('output_id',),
}
"""The columns that two links of a type must not have in common (formats/graph.md, *Links*)."""


def check_rows(raw: sqlite3.Connection, archive: str) -> None:
    """Check all rows.

    :raises ricordi.errors.CorruptStorage: a row is not what a storage can hold.
    :raises ricordi.errors.ValidationError: links break a rule of the provenance graph.
    """
    raw.create_function('is_uuid', 1, _is_uuid, deterministic=True)
    raw.create_function('is_time', 1, _is_time, deterministic=True)
    raw.create_function('is_tree', 1, _is_tree, deterministic=True)
    raw.create_function('is_utf8', 1, _is_utf8, deterministic=True)
    for kind in EntityKind:
        _check_texts(raw, archive, kind)
        _check_values(raw, archive, kind)
        _check_references(raw, archive, kind)
    for kind, names in UNIQUE:
        _check_unique(raw, archive, kind, names)
    _check_trees(raw, archive)
    _check_links(raw, archive)


def check_lengths(raw: sqlite3.Connection, archive: str, place: str) -> None:
    """See that no text is longer than a database allows; AiiDA on SQLite, and so its archives, know no limit.

    :param place: the database in words.
    :raises ricordi.errors.ValidationError: one is.
    """
    for kind in EntityKind:
        table = table_name(kind)
        for field, column in columns(kind).items():
            limit = TEXT_LIMITS.get(field)
            if limit is None:
                continue
            found = raw.execute(
                f'SELECT id, length({column}) FROM {table} WHERE length({column}) > {limit} LIMIT 1'
            ).fetchone()
            if found is not None:
                raise ValidationError(
                    f'in {archive} the {column} of the {row_words(table)} with pk {found[0]} is too long for the '
                    f'{place}: {found[1]:,} characters, at most {limit}; shorten it in the profile that the archive is '
                    'from, or import the archive into a profile on SQLite'
                )


def _check_texts(raw: sqlite3.Connection, archive: str, kind: EntityKind) -> None:
    """See that all texts can be read: SQLite keeps any bytes as text."""
    table = table_name(kind)
    texts = " || '|' || ".join(f"coalesce({column}, '')" for column in columns(kind).values())
    found = raw.execute(f'SELECT id FROM {table} WHERE NOT is_utf8(CAST({texts} AS BLOB)) LIMIT 1').fetchone()
    if found is not None:
        raise CorruptStorage(
            f'in {archive} the {row_words(table)} with pk {found[0]} holds a text that is no UTF-8; the archive cannot '
            'be imported'
        )


def _check_values(raw: sqlite3.Connection, archive: str, kind: EntityKind) -> None:
    table = table_name(kind)
    wrong = ' WHEN '.join(
        f"NOT coalesce({_sound(field, column)}, FALSE) THEN '{column}'" for field, column in columns(kind).items()
    )
    found = raw.execute(
        f'SELECT id, field FROM (SELECT id, CASE WHEN {wrong} END AS field FROM {table}) '
        'WHERE field IS NOT NULL LIMIT 1'
    ).fetchone()
    if found is not None:
        raise CorruptStorage(
            f'in {archive} the {row_words(table)} with pk {found[0]} has a value that cannot be: {found[1]}; '
            'the archive cannot be imported'
        )


def _sound(field: str, column: str) -> str:
    """The condition that a value is of the kind that its column holds."""
    kind = value_kind(field)
    if field == 'pk' or field in REFERENCES:
        condition = f"typeof({column}) = 'integer'"
    elif kind is ValueKind.UUID:
        condition = f'is_uuid({column})'
    elif kind is ValueKind.TIME:
        condition = f'is_time({column})'
    elif kind is ValueKind.JSON:  # CASE, for json_type is an error of its own where there is no JSON
        is_object = f"CASE WHEN json_valid({column}) THEN json_type({column}) = 'object' ELSE FALSE END"
        condition = f"({column} = '{{}}' OR {is_object})"
    elif kind is ValueKind.BOOLEAN:
        condition = f'{column} IN (0, 1)'
    else:
        condition = f"typeof({column}) = 'text'"
    return f'({column} IS NULL OR {condition})' if field in NULLABLE else condition


def _check_references(raw: sqlite3.Connection, archive: str, kind: EntityKind) -> None:
    table = table_name(kind)
    for field, column in columns(kind).items():
        parent = REFERENCES.get(field)
        if parent is None:
            continue
        found = raw.execute(
            f'SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL '
            f'AND {column} NOT IN (SELECT id FROM {parent}) LIMIT 1'
        ).fetchone()
        if found is not None:
            raise CorruptStorage(
                f'in {archive} the {row_words(table)} with pk {found[0]} names the {row_words(parent)} {found[1]}, '
                'which is not in it; the archive cannot be imported'
            )


def _check_unique(raw: sqlite3.Connection, archive: str, kind: EntityKind, names: str) -> None:
    table = table_name(kind)
    found = raw.execute(f'SELECT {names} FROM {table} GROUP BY {names} HAVING count(*) > 1 LIMIT 1').fetchone()
    if found is not None:
        value = ', '.join(map(str, found))
        raise CorruptStorage(
            f'in {archive} two rows of kind {row_words(table)} have the same {names} ({value}); the archive cannot be '
            'imported'
        )


def _check_trees(raw: sqlite3.Connection, archive: str) -> None:
    found = raw.execute(
        "SELECT uuid FROM db_dbnode WHERE repository_metadata <> '{}' AND NOT is_tree(repository_metadata) LIMIT 1"
    ).fetchone()
    if found is not None:
        raise CorruptStorage(
            f'in {archive} the file tree of node {found[0]} holds a name or a key that cannot be (such as `..` or a '
            'path); the archive cannot be imported'
        )


def _check_links(raw: sqlite3.Connection, archive: str) -> None:
    """The rules for links that can be told from the archive alone (formats/graph.md)."""
    allowed = ' OR '.join(
        f"(l.type = '{name}' AND a.node_type LIKE '{source}%' AND b.node_type LIKE '{target}%')"
        for name, (source, target) in LINK_ENDS.items()
    )
    found = raw.execute(
        'SELECT l.type, a.uuid, a.node_type, b.uuid, b.node_type FROM db_dblink AS l '
        'JOIN db_dbnode AS a ON a.id = l.input_id JOIN db_dbnode AS b ON b.id = l.output_id '
        f'WHERE l.input_id = l.output_id OR NOT ({allowed}) LIMIT 1'
    ).fetchone()
    if found is not None:
        kind, source, source_type, target, target_type = found
        raise ValidationError(
            f'in {archive} a link of type {kind!r} leads from node {source} ({source_type}) to node {target} '
            f'({target_type}), which no link may; the archive cannot be imported'
        )
    for name, rules in LINK_UNIQUE.items():
        for rule in rules:
            found = raw.execute(
                f'SELECT {rule} FROM db_dblink WHERE type = ? GROUP BY {rule} HAVING count(*) > 1 LIMIT 1', (name,)
            ).fetchone()
            if found is not None:
                raise ValidationError(
                    f'in {archive} two links of type {name!r} have the same {rule} ({", ".join(map(str, found))}), of '
                    'which there can be one; the archive cannot be imported'
                )


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and UUID(value) is not None


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is None
    except ValueError:
        return False


def _is_tree(text: Any) -> bool:
    return fault_of_text(text) is None
