"""The table of fields is whole, and the classes of rows have the fields that it tells."""

from __future__ import annotations

from dataclasses import fields

import pytest

from ricordi.backend.query import WALK_FIELDS
from ricordi.backend.rows import ROW_TYPES
from ricordi.model.fields import FIELDS, OTHER_NAMES, TABLES, UNIQUE_TOGETHER, EntityKind, RowField, ValueKind

PYTHON_TYPES = {
    ValueKind.INT: 'int',
    ValueKind.TEXT: 'str',
    ValueKind.UUID: 'str',
    ValueKind.BOOL: 'bool',
    ValueKind.TIME: 'datetime',
    ValueKind.JSON: 'JsonDict',
}
"""How a field is annotated."""

ALL = [(kind, field) for kind, known in FIELDS.items() for field in known.values()]


def annotation(field: RowField) -> str:
    """The annotation of a field in a row class; JSON that is NULL in the database is an empty dictionary."""
    text = PYTHON_TYPES[field.kind]
    return f'{text} | None' if field.nullable and field.kind is not ValueKind.JSON else text


@pytest.mark.parametrize('kind', EntityKind)
def test_the_row_class_has_the_fields_of_the_table_in_its_order_and_of_its_kinds(kind: EntityKind) -> None:
    known = [(name, annotation(field)) for name, field in FIELDS[kind].items()]
    assert [(field.name, field.type) for field in fields(ROW_TYPES[kind])] == known


def test_every_kind_of_row_has_its_table_and_fields() -> None:
    assert FIELDS.keys() == TABLES.keys() == ROW_TYPES.keys() == set(EntityKind)
    assert len(set(TABLES.values())) == len(TABLES)


@pytest.mark.parametrize('known', [*FIELDS.values(), WALK_FIELDS], ids=[*FIELDS, 'walk'])
def test_a_field_is_found_by_its_name_and_has_a_column_of_its_own(known: dict[str, RowField]) -> None:
    assert [field.name for field in known.values()] == list(known)
    assert len({field.column for field in known.values()}) == len(known)


@pytest.mark.parametrize(('kind', 'field'), ALL, ids=[f'{kind}.{field.name}' for kind, field in ALL])
def test_a_field_has_only_what_its_kind_can_have(kind: EntityKind, field: RowField) -> None:
    assert field.limit is None or field.kind is ValueKind.TEXT
    assert (field.references is not None) == (field.kind is ValueKind.INT and field.name != 'pk')
    assert field.on_delete in (None, 'CASCADE', 'RESTRICT')
    assert field.on_delete is None or field.references is not None


def test_what_is_unique_together_are_fields() -> None:
    assert {name for kind, names in UNIQUE_TOGETHER.items() for name in names if name not in FIELDS[kind]} == set()


def test_another_name_stands_for_one_field_and_is_that_of_no_other() -> None:
    known = {name for _, field in ALL for name in [field.name]}
    assert set(OTHER_NAMES.values()) <= known
    assert OTHER_NAMES.keys() & known == set()
    assert all(OTHER_NAMES.get(field.column, field.name) == field.name for _, field in ALL)


@pytest.mark.parametrize('field', [field for _, field in ALL if field.references], ids=lambda field: field.column)
def test_what_a_row_refers_to_is_found_by_an_index(field: RowField) -> None:
    assert field.indexed
