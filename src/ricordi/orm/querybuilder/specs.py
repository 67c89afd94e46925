"""Filters, projections and orders as users write them, brought into the one form that `QueryBuilder.as_dict` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ricordi.errors import QueryError, QueryTypeError
from ricordi.orm.entities import Entity
from ricordi.orm.fields import QbBoolField, QbField, QbFieldFilters, QbFields

FilterSpec = Mapping[str, Any] | QbFieldFilters | QbBoolField
ProjectionSpec = str | QbField | QbFields | Mapping[Any, Any] | Sequence[Any]
OrderSpec = Mapping[Any, Any] | Sequence[Mapping[Any, Any]]

_PROJECTION_OPTIONS = ('func', 'cast')
_ORDER_OPTIONS = ('order', 'cast')


def normal_filters(spec: Any) -> dict[str, Any]:
    """Filters of one tag as a dictionary: fields become their names, an entity becomes its pk.

    :raises ricordi.errors.QueryTypeError: this is no filter.
    """
    if isinstance(spec, QbBoolField):
        spec = spec.as_filter()
    if not isinstance(spec, Mapping | QbFieldFilters):
        raise QueryTypeError(f'a filter is a dictionary or made of fields, not {spec!r}')
    filters: dict[str, Any] = {}
    for key, value in spec.items():
        name = key.backend_key if isinstance(key, QbField) else key
        if isinstance(value, Entity):
            filters[f'{name}_id'] = value.pk
        elif isinstance(name, str) and name.lstrip('!~') in ('and', 'or') and isinstance(value, list | tuple):
            filters[name] = _normal_parts(value)
        else:
            filters[name] = value
    return filters


def _normal_parts(parts: Iterable[Any]) -> list[dict[str, Any]]:
    try:
        return [normal_filters(part) for part in parts]
    except RecursionError:
        raise QueryError('the filters are nested too deeply') from None


def normal_projections(spec: ProjectionSpec, renamed: Callable[[QbField], str]) -> list[dict[str, dict[str, str]]]:
    """Projections of one tag as a list of dictionaries: name → options (`cast`, `func`).

    :param renamed: gives the name of a field and remembers under which key its value shall be shown.
    :raises ricordi.errors.QueryError: an unknown option, or something that cannot be projected.
    """
    parts = spec if isinstance(spec, list | tuple) else [spec]
    return [one for part in parts for one in _normal_projection(part, renamed)]


def _normal_projection(part: Any, renamed: Callable[[QbField], str]) -> list[dict[str, dict[str, str]]]:
    if isinstance(part, str):
        return [{part: {}}]
    if isinstance(part, QbField):
        return [{renamed(part): {}}]
    if isinstance(part, QbFields):
        return [{renamed(part[name]): {} for name in part}]
    if not isinstance(part, Mapping):
        raise QueryError(f'cannot project {part!r}: give a name, a field, or a dictionary of name and options')
    projection: dict[str, dict[str, str]] = {}
    for name, options in part.items():
        if not isinstance(options, Mapping):
            raise QueryTypeError(f'options of a projection are a dictionary, not {options!r}')
        for option, value in options.items():
            if option not in _PROJECTION_OPTIONS:
                raise QueryError(f'{option!r} is no option of a projection; there are {", ".join(_PROJECTION_OPTIONS)}')
            if not isinstance(value, str):
                raise QueryTypeError(f'{option!r} of a projection is a text, not {value!r}')
        projection[renamed(name) if isinstance(name, QbField) else name] = dict(options)
    return [projection]


def normal_order(spec: OrderSpec, find_tag: Callable[[Any], str]) -> list[dict[str, list[dict[str, dict[str, str]]]]]:
    """What to order by: a list of tag → list of name → options (`order`, `cast`).

    :param find_tag: gives the tag that a tag or a class stands for.
    :raises ricordi.errors.QueryError: an unknown option or order.
    """
    entries = spec if isinstance(spec, list | tuple) else [spec]
    normal: list[dict[str, list[dict[str, dict[str, str]]]]] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise QueryTypeError(f'order_by takes {{tag: field}} or {{tag: [field, …]}}, not {entry!r}')
        normal.append({find_tag(tag): _normal_order_fields(fields) for tag, fields in entry.items()})
    return normal


def _normal_order_fields(fields: Any) -> list[dict[str, dict[str, str]]]:
    normal: list[dict[str, dict[str, str]]] = []
    for field in fields if isinstance(fields, list | tuple) else [fields]:
        if isinstance(field, str | QbField):
            field = {field: {}}
        if not isinstance(field, Mapping):
            raise QueryError(f'cannot order by {field!r}: give a name, a field, or a dictionary of name and options')
        normal.append({_name(name): _order_options(options) for name, options in field.items()})
    return normal


def _name(name: Any) -> str:
    return name.backend_key if isinstance(name, QbField) else name


def _order_options(options: Any) -> dict[str, str]:
    if isinstance(options, str):
        options = {'order': options}
    if not isinstance(options, Mapping):
        raise QueryTypeError(f'options of an order are a text or a dictionary, not {options!r}')
    for option in options:
        if option not in _ORDER_OPTIONS:
            raise QueryError(f'{option!r} is no option of an order; there are {", ".join(_ORDER_OPTIONS)}')
    order = options.get('order', 'asc')
    if order not in ('asc', 'desc'):
        raise QueryError(f"the order is 'asc' or 'desc', not {order!r}")
    return {**options, 'order': order}
