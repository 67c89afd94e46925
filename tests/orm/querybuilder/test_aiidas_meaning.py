"""Queries as AiiDA means them, where that differs: `describe(…, filters_rows, unknown)`."""

from __future__ import annotations

from typing import Any

from ricordi.backend.query import Comparison, Condition, Field, Junction, Negation
from ricordi.orm import QueryBuilder
from ricordi.orm.querybuilder.description import describe

HAS = Comparison(Field('attributes', ('a',)), 'contains', [1])
LABEL = Comparison(Field('label'), '==', 'b')
PRESENT_AND_NOT = Junction((Negation(HAS), Negation(Comparison(HAS.field, '==', None))))


def meaning(filters: dict[str, Any]) -> Condition:
    data = QueryBuilder(backend=object()).append(entity_type='node', tag='n', filters=filters).as_dict()  # type: ignore[arg-type]
    description = describe(data, filters_rows=True, unknown={'contains'})
    assert description.query.filters_rows
    ((_, condition),) = description.query.filters
    assert isinstance(condition, Junction)
    return condition.parts[-1]  # the first is that on the type


def test_what_is_denied_holds_only_of_keys_that_are_there() -> None:
    assert meaning({'attributes.a': {'!contains': [1]}}) == PRESENT_AND_NOT
    assert meaning({'attributes.a': {'contains': [1]}}) == HAS


def test_a_negation_is_carried_down_to_what_is_denied() -> None:
    either = {'attributes.a': {'contains': [1]}}, {'label': 'b'}
    assert meaning({'!or': list(either)}) == Junction((PRESENT_AND_NOT, Negation(LABEL)))
    assert meaning({'!and': list(either)}) == Junction((PRESENT_AND_NOT, Negation(LABEL)), any=True)
    assert meaning({'!and': [{'attributes.a': {'!contains': [1]}}]}) == HAS
