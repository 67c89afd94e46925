"""Whether the rows of an archive can be those of a storage: references lead somewhere, values are of their kind."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from ricordi.errors import CorruptStorage, ValidationError
from ricordi.model.computers import settings_fault
from ricordi.model.fields import FIELDS, TABLES, UNIQUE_TOGETHER, EntityKind, RowField, ValueKind
from ricordi.model.file_trees import fault_of
from ricordi.model.links import LINK_RULES
from ricordi.model.node_types import BEGINNINGS
from ricordi.model.values import (
    has_half_characters,
    is_time_text,
    is_uuid_text,
    json_fault,
    may_hold_half_characters,
    size_fault,
)
from ricordi.storage.columns import column_name, json_columns, row_words
from ricordi.storage.values import texts


def check_rows(raw: sqlite3.Connection, archive: str) -> None:
    """Check all rows.

    :raises ricordi.errors.CorruptStorage: a row is not what a storage can hold.
    :raises ricordi.errors.ValidationError: links break a rule of the provenance graph.
    """
    raw.create_function('is_uuid', 1, _is_uuid, deterministic=True)
    raw.create_function('is_time', 1, is_time_text, deterministic=True)
    raw.create_function('is_dictionary', 1, _is_dictionary, deterministic=True)
    raw.create_function('are_settings', 1, _are_settings, deterministic=True)
    raw.create_function('is_tree', 1, _is_tree, deterministic=True)
    raw.create_function('is_utf8', 1, _is_utf8, deterministic=True)
    for kind in EntityKind:
        _check_texts(raw, archive, kind)
        _check_values(raw, archive, kind)
        _check_references(raw, archive, kind)
        _check_unique(raw, archive, kind)
    _check_settings(raw, archive)
    _check_trees(raw, archive)
    _check_links(raw, archive)


def check_lengths(raw: sqlite3.Connection, archive: str, place: str) -> None:
    """See that no text is longer than a database allows, or holds what it refuses; AiiDA on SQLite knows no such limit.

    :param place: the database in words.
    :raises ricordi.errors.ValidationError: one is.
    """
    for kind in EntityKind:
        table = TABLES[kind]
        for field in FIELDS[kind].values():
            column, limit = field.column, field.limit
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
        _refuse_nul(raw, archive, place, kind)


def _refuse_nul(raw: sqlite3.Connection, archive: str, place: str, kind: EntityKind) -> None:
    """See that no text holds the character NUL, for which PostgreSQL has no place."""
    raw.create_function('holds_nul', 1, _holds_nul, deterministic=True)
    table = TABLES[kind]
    for field in FIELDS[kind].values():
        column = field.column
        if field.kind is ValueKind.JSON:
            condition = f"instr({column}, '\\u0000') AND holds_nul({column})"
        elif field.kind is ValueKind.TEXT:
            condition = f"instr(CAST({column} AS BLOB), x'00')"
        else:
            continue
        found = raw.execute(f'SELECT id FROM {table} WHERE {condition} LIMIT 1').fetchone()
        if found is not None:
            raise ValidationError(
                f'in {archive} the {column} of the {row_words(table)} with pk {found[0]} holds the character NUL, for '
                f'which the {place} has no place; import the archive into a profile on SQLite'
            )


def _check_texts(raw: sqlite3.Connection, archive: str, kind: EntityKind) -> None:
    """See that all texts can be read: SQLite keeps any bytes as text. JSON is read as bytes."""
    table = TABLES[kind]
    plain = [field.column for field in FIELDS[kind].values() if field.kind is not ValueKind.JSON]
    texts = " || '|' || ".join(f"coalesce({column}, '')" for column in plain)
    found = raw.execute(f'SELECT id FROM {table} WHERE NOT is_utf8(CAST({texts} AS BLOB)) LIMIT 1').fetchone()
    if found is not None:
        raise CorruptStorage(
            f'in {archive} the {row_words(table)} with pk {found[0]} holds a text that is no UTF-8; the archive cannot '
            'be imported'
        )


def _check_values(raw: sqlite3.Connection, archive: str, kind: EntityKind) -> None:
    table = TABLES[kind]
    wrong = ' WHEN '.join(
        f"NOT coalesce({_sound(field)}, FALSE) THEN '{field.column}'" for field in FIELDS[kind].values()
    )
    found = raw.execute(
        f'SELECT id, field FROM (SELECT id, CASE WHEN {wrong} END AS field FROM {table}) '
        'WHERE field IS NOT NULL LIMIT 1'
    ).fetchone()
    if found is not None:
        pk, name = found
        raise CorruptStorage(
            f'in {archive} the {row_words(table)} with pk {pk} has a value that cannot be: {name}'
            f'{_reason(raw, table, pk, name)}; the archive cannot be imported'
        )


def _reason(raw: sqlite3.Connection, table: str, pk: Any, column: str) -> str:
    """What is wrong with a JSON value, in brackets; nothing for other values."""
    if (table, column) not in json_columns():
        return ''
    (content,) = raw.execute(f'SELECT CAST({column} AS BLOB) FROM {table} WHERE id = ?', (pk,)).fetchone()
    return f' ({"it is missing" if content is None else _fault(content)})'


def _sound(field: RowField) -> str:
    """The condition that a value is of the kind that its column holds."""
    kind, column = field.kind, field.column
    if kind is ValueKind.INT:
        condition = f"typeof({column}) = 'integer'"
    elif kind is ValueKind.UUID:
        condition = f'is_uuid({column})'
    elif kind is ValueKind.TIME:
        condition = f'is_time({column})'
    elif field.name == 'repository_metadata':
        condition = f"typeof({column}) = 'text'"  # `_check_trees` reads it
    elif kind is ValueKind.JSON:
        condition = f"({column} = '{{}}' OR is_dictionary(CAST({column} AS BLOB)))"
    elif kind is ValueKind.BOOL:
        condition = f'{column} IN (0, 1)'
    elif field.name == 'node_type':
        known = ' OR '.join(f"{column} GLOB '{beginning}*'" for beginning in BEGINNINGS)
        condition = f"typeof({column}) = 'text' AND ({known}) AND substr({column}, -1) = '.'"
    else:
        condition = f"typeof({column}) = 'text'"
    return f'({column} IS NULL OR {condition})' if field.nullable else condition


def _check_references(raw: sqlite3.Connection, archive: str, kind: EntityKind) -> None:
    table = TABLES[kind]
    for field in FIELDS[kind].values():
        if field.references is None:
            continue
        column, parent = field.column, TABLES[field.references]
        found = raw.execute(
            f'SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL '
            f'AND {column} NOT IN (SELECT id FROM {parent}) LIMIT 1'
        ).fetchone()
        if found is not None:
            raise CorruptStorage(
                f'in {archive} the {row_words(table)} with pk {found[0]} names the {row_words(parent)} {found[1]}, '
                'which is not in it; the archive cannot be imported'
            )


def _check_unique(raw: sqlite3.Connection, archive: str, kind: EntityKind) -> None:
    table, fields = TABLES[kind], FIELDS[kind]
    alone = [field.column for field in fields.values() if field.unique]
    together = ', '.join(fields[name].column for name in UNIQUE_TOGETHER.get(kind, ()))
    for names in filter(None, (*alone, together)):
        found = raw.execute(f'SELECT {names} FROM {table} GROUP BY {names} HAVING count(*) > 1 LIMIT 1').fetchone()
        if found is not None:
            value = ', '.join(map(str, found))
            raise CorruptStorage(
                f'in {archive} two rows of kind {row_words(table)} have the same {names} ({value}); the archive cannot '
                'be imported'
            )


def _check_settings(raw: sqlite3.Connection, archive: str) -> None:
    found = raw.execute('SELECT id, metadata FROM db_dbcomputer WHERE NOT are_settings(metadata) LIMIT 1').fetchone()
    if found is not None:
        raise CorruptStorage(
            f'in {archive} the computer with pk {found[0]} has a setting that cannot be: '
            f'{settings_fault(json.loads(found[1]))}; the archive cannot be imported'
        )


def _check_trees(raw: sqlite3.Connection, archive: str) -> None:
    found = raw.execute(
        "SELECT uuid FROM db_dbnode WHERE repository_metadata <> '{}' "
        'AND NOT is_tree(CAST(repository_metadata AS BLOB)) LIMIT 1'
    ).fetchone()
    if found is not None:
        raise CorruptStorage(
            f'in {archive} the file tree of node {found[0]} holds a name or a key that cannot be (such as `..` or a '
            'path); the archive cannot be imported'
        )


def _check_links(raw: sqlite3.Connection, archive: str) -> None:
    """The rules for links that can be told from the archive alone (formats/graph.md)."""
    allowed = ' OR '.join(
        f"(l.type = '{link_type.value}' AND a.node_type LIKE '{rule.source}.%' AND b.node_type LIKE '{rule.target}.%')"
        for link_type, rule in LINK_RULES.items()
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
    for link_type, rule in LINK_RULES.items():
        for fields in rule.unique:
            columns = ', '.join(column_name(EntityKind.LINK, name) for name in fields)
            found = raw.execute(
                f'SELECT {columns} FROM db_dblink WHERE type = ? GROUP BY {columns} HAVING count(*) > 1 LIMIT 1',
                (link_type.value,),
            ).fetchone()
            if found is not None:
                raise ValidationError(
                    f'in {archive} two links of type {link_type.value!r} have the same {columns} '
                    f'({", ".join(map(str, found))}), of which there can be one; the archive cannot be imported'
                )


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and is_uuid_text(value) is not None


def _is_dictionary(content: Any) -> bool:
    return _fault(content) is None


def _fault(content: bytes) -> str | None:
    """Why the bytes of a JSON text cannot be taken in; None if they can."""
    try:
        return json_fault(content.decode())
    except UnicodeDecodeError:
        return 'it is no UTF-8'


def _are_settings(text: str) -> bool:
    return settings_fault(json.loads(text)) is None


def _holds_nul(text: str) -> bool:
    return any('\x00' in part for _, part in texts(json.loads(text), ''))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_tree(content: bytes) -> bool:
    try:
        text = content.decode()
        if size_fault(text):
            return False
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return fault_of(tree) is None and not (may_hold_half_characters(text) and has_half_characters(tree))
