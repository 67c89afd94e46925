"""From the dictionary of a `QueryBuilder` (AiiDA's layout) to the query description that a storage answers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ricordi.backend.query import (
    Comparison,
    Condition,
    Edge,
    EdgeKind,
    Field,
    Junction,
    Negation,
    Ordering,
    Projection,
    Query,
    Vertex,
    shown,
)
from ricordi.backend.rows import EntityKind
from ricordi.errors import QueryError, QueryTypeError
from ricordi.orm.querybuilder.joins import make_edge
from ricordi.orm.querybuilder.names import fields_of_kind, parse_field
from ricordi.orm.querybuilder.values import plain_value

OPERATORS = {
    *('==', '<', '<=', '>', '>=', 'in', 'like', 'ilike'),
    *('has_key', 'contains', 'of_length', 'longer', 'shorter', 'of_type'),
}
_OTHER_SPELLINGS = {'=': '==', '=<': '<=', '=>': '>='}
JSON_TYPES = ('object', 'array', 'string', 'number', 'boolean', 'null')
FUNCTIONS = ('min', 'max', 'count', 'avg')
CASTS = ('f', 'i', 'b', 't', 'j', 'd')
_JUNCTIONS = ('and', 'or')
_MANY = 20


@dataclass(frozen=True, slots=True)
class Description:
    """A query and how its rows are laid out.

    :param keys: for each value of a row: the tag and the key under which `dict` gives it.
    """

    query: Query
    keys: tuple[tuple[str, str], ...]


def describe(data: Mapping[str, Any], filters_rows: bool = False, unknown: Container[str] = ()) -> Description:
    """Translate and check the dictionary of a query.

    :param data: as `QueryBuilder.as_dict` gives it.
    :param filters_rows: whether filters of outer joins leave rows out, as AiiDA's do (`Query.filters_rows`).
    :param unknown: operators that neither hold nor can be denied of a key of JSON that is missing.
    :raises ricordi.errors.QueryError: it names what is not there, or asks what cannot be meant.
    """
    try:
        return _described(data, filters_rows, unknown)
    except RecursionError:
        raise QueryError('the query is nested too deeply') from None


def _described(data: Mapping[str, Any], filters_rows: bool, unknown: Container[str]) -> Description:
    path = data['path']
    if not path:
        raise QueryError('this query has no vertex yet: append one first')
    vertices = tuple(Vertex(item['tag'], EntityKind(item['orm_base'])) for item in path)
    kinds: dict[str, EntityKind | EdgeKind] = {vertex.tag: vertex.kind for vertex in vertices}
    edges = tuple(_edge(item, kinds) for item in path[1:])
    kinds |= {edge.tag: edge.kind for edge in edges}
    projections, keys = _projections(data, kinds)
    query = Query(
        vertices,
        edges,
        tuple((tag, _present(condition, unknown)) for tag, condition in _filters(data['filters'], kinds)),
        projections,
        tuple(_orderings(data['order_by'], kinds)),
        data['limit'],
        data['offset'],
        data['distinct'],
        filters_rows,
    )
    return Description(query, keys)


def _edge(item: Mapping[str, Any], kinds: Mapping[str, Any]) -> Edge:
    start, end = item['joining_value'], item['tag']
    return make_edge(
        item['edge_tag'], (start, kinds[start]), (end, kinds[end]), item['joining_keyword'], bool(item['outerjoin'])
    )


# filters ---------------------------------------------------------------------------------------------------


def _filters(
    filters: Mapping[str, Mapping[str, Any]], kinds: Mapping[str, EntityKind | EdgeKind]
) -> Iterable[tuple[str, Condition]]:
    for tag, spec in filters.items():
        condition = _all_of(tag, kinds[tag], spec)
        if condition is not None:
            yield tag, condition


def _all_of(tag: str, kind: EntityKind | EdgeKind, spec: Any) -> Condition | None:
    """What a dictionary of filters asks: all of its entries."""
    if not isinstance(spec, Mapping):
        raise QueryTypeError(f'a filter of {tag!r} is a dictionary, not {shown(spec)}')
    parts: list[Condition | None] = []
    for name, operations in spec.items():
        junction, negated = _stripped(name)
        if junction in _JUNCTIONS:
            subparts = [_all_of(tag, kind, part) for part in _listed(junction, operations)]
            parts.append(_negated(_join(subparts, junction == 'or'), negated))
        else:
            parts.append(_field_filter(tag, kind, name, operations))
    return _join(parts)


def _field_filter(tag: str, kind: EntityKind | EdgeKind, name: str, operations: Any) -> Condition | None:
    """What must hold for one field: a value, or operators with their values."""
    if not isinstance(operations, Mapping):
        operations = {'==': operations}
    parts: list[Condition | None] = []
    for spelled, value in operations.items():
        operator, negated = _stripped(spelled)
        if operator in _JUNCTIONS:
            subparts = [_field_filter(tag, kind, name, part) for part in _listed(operator, value)]
            condition = _join(subparts, operator == 'or')
        else:
            operator = _OTHER_SPELLINGS.get(operator, operator)
            if operator not in OPERATORS:
                raise QueryError(
                    f'{spelled!r} is not an operator; there are {" ".join(sorted(OPERATORS))}, and or, with ! in front '
                    f'for the negation; to compare {name!r} with a dictionary, write {{"==": …}}'
                )
            condition = Comparison(parse_field(tag, kind, name), operator, _operand(operator, value))
        parts.append(_negated(condition, negated))
    return _join(parts)


def _present(condition: Condition, unknown: Container[str], negated: bool = False) -> Condition:
    """The condition, or its negation, where the operators that are denied hold of keys only that are there."""
    if not unknown:
        return condition
    if isinstance(condition, Negation):
        return _present(condition.part, unknown, not negated)
    if isinstance(condition, Junction):
        parts = tuple(_present(part, unknown, negated) for part in condition.parts)
        return Junction(parts, condition.any is not negated)
    if negated and condition.operator in unknown:
        return Junction((Negation(condition), Negation(Comparison(condition.field, '==', None))))
    return Negation(condition) if negated else condition


def _stripped(operator: Any) -> tuple[str, bool]:
    if not isinstance(operator, str):
        raise QueryTypeError(f'{operator!r} is neither the name of a field nor an operator')
    name = operator.lstrip('!~')
    return name, name != operator


def _listed(junction: str, value: Any) -> Iterable[Any]:
    if not isinstance(value, list | tuple):
        raise QueryTypeError(f'{junction!r} takes a list of filters, not {shown(value)}')
    return value


def _join(parts: Iterable[Condition | None], any: bool = False) -> Condition | None:
    present = [part for part in parts if part is not None]
    if len(present) > _MANY:
        present = _gathered(present, any)
    if len(present) > 1:
        return Junction(tuple(present), any)
    return present[0] if present else None


def _gathered(parts: list[Condition], any: bool) -> list[Condition]:
    """Many comparisons of one field with single values, joined by OR, as one with a list; negations joined by AND."""
    values: dict[Field, list[Any]] = {}
    others: list[Condition] = []
    for part in parts:
        inner = part if any else part.part if isinstance(part, Negation) else None
        if isinstance(inner, Comparison) and inner.operator == '==':
            values.setdefault(inner.field, []).append(inner.value)
        else:
            others.append(part)
    gathered = [Comparison(field, 'in', tuple(listed)) for field, listed in values.items()]
    return [*(gathered if any else map(Negation, gathered)), *others]


def _negated(condition: Condition | None, negated: bool) -> Condition | None:
    return Negation(condition) if negated and condition is not None else condition


def _operand(operator: str, value: Any) -> Any:
    """The right side of an operator, of the type it needs."""
    if operator == 'in':
        if isinstance(value, str | Mapping) or not hasattr(value, '__iter__'):
            raise QueryTypeError(f"'in' takes a list of values, not {shown(value)}")
        return tuple(map(plain_value, value))
    value = plain_value(value)
    if operator in ('of_length', 'longer', 'shorter') and type(value) is not int:
        raise QueryTypeError(f'{operator!r} takes a whole number, not {shown(value)}')
    if operator in ('like', 'ilike', 'has_key') and not isinstance(value, str):
        raise QueryTypeError(f'{operator!r} takes a text, not {shown(value)}')
    if operator == 'of_type' and value not in JSON_TYPES:
        raise QueryError(f'{shown(value)} is not a type of JSON; there are {", ".join(JSON_TYPES)}')
    return value


# projections and order -------------------------------------------------------------------------------------


def _projections(
    data: Mapping[str, Any], kinds: Mapping[str, EntityKind | EdgeKind]
) -> tuple[tuple[Projection, ...], tuple[tuple[str, str], ...]]:
    """The projections of all vertices, then of all edges; the last vertex whole if nothing is projected."""
    project = data['project']
    if not any(project.values()):
        project = {data['path'][-1]['tag']: [{'*': {}}]}
    projections: list[Projection] = []
    names: list[str] = []
    for tag, kind in kinds.items():
        for spec in project.get(tag, ()):
            for name, options in spec.items():
                for key, projection in _expanded(tag, kind, name, options):
                    if projection in projections:
                        raise QueryError(f'{name!r} of {tag!r} is projected more than once')
                    projections.append(projection)
                    names.append(key)
    return tuple(projections), tuple(_keys(projections, names, data.get('project_map') or {}))


def _expanded(
    tag: str, kind: EntityKind | EdgeKind, name: str, options: Mapping[str, str]
) -> Iterable[tuple[str, Projection]]:
    """The projections that one name stands for: several of `**`."""
    cast, function = options.get('cast'), options.get('func')
    if cast is not None and cast not in CASTS:
        raise QueryError(f'cannot cast {name!r} to {cast!r}; there are {", ".join(CASTS)}')
    if function is not None and function not in FUNCTIONS:
        raise QueryError(f'{function!r} is not a function for a projection; there are {", ".join(FUNCTIONS)}')
    if name == '**':
        for field in fields_of_kind(kind).values():  # under the names of AiiDA's columns
            yield field.column, Projection(tag, Field(field.name), cast, function)
    elif name == '*':
        if function not in (None, 'count') or cast is not None:
            raise QueryError(f"of whole entities ('*') there is only count; apply {function or cast!r} to a field")
        if isinstance(kind, EdgeKind) and kind is not EdgeKind.LINK and kind is not EdgeKind.MEMBER:
            raise QueryError(f'the edge {tag!r} is not an entity: project its fields, or ** for all of them')
        yield name, Projection(tag, None, None, function)
    else:
        yield name, Projection(tag, parse_field(tag, kind, name), cast, function)


def _keys(
    projections: list[Projection], names: list[str], project_map: Mapping[str, Mapping[str, str]]
) -> Iterable[tuple[str, str]]:
    """Tag and key of each value; a function is named where a field alone would not tell values apart."""
    places = [(projection.tag, name) for projection, name in zip(projections, names, strict=True)]
    for projection, (tag, name) in zip(projections, places, strict=True):
        key = project_map.get(tag, {}).get(name, name)
        if places.count((tag, name)) > 1:
            key = f'{projection.function or projection.cast or "value"}({key})'
        yield tag, key


def _orderings(order_by: Iterable[Any], kinds: Mapping[str, EntityKind | EdgeKind]) -> Iterable[Ordering]:
    for entry in order_by:
        for tag, fields in entry.items():
            for field in fields:
                for name, options in field.items():
                    yield _ordering(tag, kinds[tag], name, options)


def _ordering(tag: str, kind: EntityKind | EdgeKind, name: str, options: Mapping[str, str]) -> Ordering:
    field, cast = parse_field(tag, kind, name), options.get('cast')
    if field.path and cast is None:
        raise QueryError(f"to order by {name!r}, say as what: {{'{name}': {{'cast': 'f'}}}} ({', '.join(CASTS)})")
    if cast is not None and cast not in CASTS:
        raise QueryError(f'cannot cast {name!r} to {cast!r}; there are {", ".join(CASTS)}')
    return Ordering(tag, field, cast, options.get('order') == 'desc')
