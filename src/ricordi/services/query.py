"""Questions written as the dictionary of a `QueryBuilder`: read, checked place by place, answered as a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ricordi.backend.query import Query
from ricordi.backend.storage import StorageBackend
from ricordi.errors import QueryError, RicordiError
from ricordi.orm.querybuilder.builder import QueryBuilder
from ricordi.orm.querybuilder.description import describe

KEYS = ('path', 'filters', 'project', 'project_map', 'order_by', 'limit', 'offset', 'distinct')
"""The keys of the dictionary, as `QueryBuilder.as_dict` writes them."""

LONGEST = 16 << 20
"""Bytes of a query: room for 400,000 uuids."""

_MOST_PARTS = 200_000
"""Lists and objects in it: each takes many times the memory of its two characters."""

_ROWS = 1000


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A checked query.

    :param columns: for each value of a row the tag of its vertex or edge, and what it is called there.
    """

    query: Query
    columns: tuple[tuple[str, str], ...]


def read_question(
    storage: StorageBackend, text: str | bytes, name: str, limit: int | None = None, offset: int | None = None
) -> CheckedQuery:
    """Read and check a query.

    :param text: JSON.
    :param name: where the text comes from, for messages.
    :param limit: at most so many rows, in place of what the query says; None: as it says.
    :param offset: leave out so many rows at the start, likewise.
    :raises ricordi.errors.QueryError: what is wrong, and at which place of the text.
    """
    data = dict(_parsed(text, name))
    data |= {key: value for key, value in (('limit', limit), ('offset', offset)) if value is not None}
    with _at(name):
        described = _described(storage, data)
    return CheckedQuery(described.query, described.keys)


def answer(storage: StorageBackend, question: CheckedQuery) -> Iterator[tuple[Any, ...]]:
    """The rows, streamed in constant memory: a value for each of `columns`; a whole entity is a dictionary."""
    rows = storage.query_rows(question.query, _ROWS)
    whole = [place for place, one in enumerate(question.query.projections) if one.field is None and not one.function]
    return _with_dictionaries(rows, whole) if whole else rows


def tables(storage: StorageBackend, question: CheckedQuery, struct: bool = False) -> Iterator[Any]:
    """The rows as record batches of Arrow, at least one, streamed in constant memory; columns are called `TAG.NAME`.

    :param struct: whether nested JSON shall be structs and lists instead of text.
    :raises ricordi.errors.InvalidOperation: pyarrow is not installed.
    """
    names = [f'{tag}.{name}' for tag, name in question.columns]
    return storage.query_tables(question.query, names, struct=struct)


def count(storage: StorageBackend, question: CheckedQuery) -> int:
    """How many rows `answer` gives."""
    return storage.count_rows(question.query)


def sql(storage: StorageBackend, question: CheckedQuery) -> str:
    """The statement that `answer` sends, with the values in it; nothing is sent."""
    return storage.query_sql(question.query, inline=True).strip()


def by_tag(question: CheckedQuery, row: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """A row as tag → name → value, as `QueryBuilder.dict` gives it."""
    result: dict[str, dict[str, Any]] = {}
    for (tag, name), value in zip(question.columns, row, strict=True):
        result.setdefault(tag, {})[name] = value
    return result


# reading ---------------------------------------------------------------------------------------------------


def _parsed(text: str | bytes, name: str) -> Mapping[str, Any]:
    whole = _decoded(text, name)
    if whole.count('[') + whole.count('{') > _MOST_PARTS:
        raise QueryError(f'{name} holds more than {_MOST_PARTS:,} lists and objects: ask for less at a time')
    try:
        data = json.loads(whole)
    except json.JSONDecodeError as error:
        place = f'line {error.lineno}, column {error.colno}'
        raise QueryError(f'{name}, {place}: not JSON: {error.msg[:1].lower()}{error.msg[1:]}') from None
    except RecursionError:
        raise QueryError(f'{name}: nested too deeply') from None
    except ValueError:  # of Python's own, beyond some thousand digits
        raise QueryError(f'{name}: a number has too many digits') from None
    if not isinstance(data, dict):
        raise QueryError(f'{name}: a query is an object with the keys {", ".join(KEYS)}, not {_short(data)}')
    for key in data:
        if key not in KEYS:
            from ricordi.services.suggestion import did_you_mean

            hint = did_you_mean(key, KEYS).rstrip('.')
            raise QueryError(f'{name}: a query has no key {key!r}{hint} (keys: {", ".join(KEYS)})')
    return data


def _decoded(text: str | bytes, name: str) -> str:
    if len(text) > LONGEST:
        raise QueryError(f'{name} is longer than {LONGEST:,} bytes: ask for less at a time')
    if not text.strip():
        raise QueryError(f'{name} is empty: a query is an object with the keys {", ".join(KEYS)}')
    try:
        return text if isinstance(text, str) else text.decode(json.detect_encoding(text))
    except UnicodeDecodeError as error:
        raise QueryError(f'{name} is not text in UTF-8: byte {error.start + 1}') from None


def _described(storage: StorageBackend, data: Mapping[str, Any]) -> Any:
    """Build the query part by part, so that an error can be told with the part it is in."""
    renamed = _mapping(data, 'project_map')
    for tag, names in renamed.items():
        if not isinstance(names, dict):
            raise QueryError(f'project_map.{tag} is an object, field → name, not {_short(names)}')
    builder = QueryBuilder(storage, project_map=renamed)
    for place, item in enumerate(_list(data, 'path')):
        with _at(f'path[{place}]'):
            _append(builder, item)
    _set_each(builder.add_projection, _mapping(data, 'project'), 'project')
    _set_each(builder.add_filter, _mapping(data, 'filters'), 'filters')
    for key, method in (('limit', builder.limit), ('offset', builder.offset)):
        method(data.get(key))
    builder.distinct(data.get('distinct') or False)
    if data.get('order_by'):
        with _at('order_by'):
            builder.order_by(data['order_by'])
    built = builder.as_dict(copy=False)
    _check_parts(storage, built)
    return describe(built)


def _append(builder: QueryBuilder, item: Any) -> None:
    if isinstance(item, str):
        builder.append(entity_type=item)
    elif not isinstance(item, dict):
        raise QueryError(f'a vertex is an object, such as {{"entity_type": "node", "tag": "n"}}, not {_short(item)}')
    elif 'cls' in item:
        raise QueryError('JSON holds no classes: say "entity_type": "node", "group.core", "data.core.int.Int." …')
    elif 'entity_type' not in item:
        raise QueryError(f'a vertex needs the key "entity_type", such as "node" or "group"; here are {_keys(item)}')
    else:
        builder.append(**item)


def _set_each(method: Callable[[str, Any], Any], parts: Mapping[str, Any], name: str) -> None:
    for tag, spec in parts.items():
        with _at(f'{name}.{tag}'):
            method(tag, spec)


def _check_parts(storage: StorageBackend, built: Mapping[str, Any]) -> None:
    """Check filters, projections and order one by one: what each would be in SQL, for the place of an error."""
    bare: dict[str, Any] = {**built, 'filters': {}, 'project': {}, 'order_by': []}
    describe(bare)
    for key in ('filters', 'project'):
        for tag, spec in built[key].items():
            with _at(f'{key}.{tag}'):
                storage.query_sql(describe({**bare, key: {tag: spec}}).query)
    with _at('order_by'):
        storage.query_sql(describe({**bare, 'order_by': built['order_by']}).query)


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key) or {}
    if not isinstance(value, dict):
        raise QueryError(f'{key} is an object of tags, not {_short(value)}')
    return value


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key) or []
    if not isinstance(value, list):
        raise QueryError(f'{key} is a list of vertices, not {_short(value)}')
    if not value:
        raise QueryError('the query has no path: give at least one vertex, {"path": [{"entity_type": "node"}]}')
    return value


@contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except (RicordiError, TypeError) as error:
        if isinstance(error, RicordiError) and not isinstance(error, QueryError):
            raise
        raise QueryError(f'{place}: {error}') from error


def _keys(item: Mapping[str, Any]) -> str:
    return ', '.join(item) or 'none'


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + '…'


# answering -------------------------------------------------------------------------------------------------


def _with_dictionaries(rows: Iterator[tuple[Any, ...]], whole: list[int]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        values = list(row)
        for place in whole:
            values[place] = _as_dictionary(values[place])
        yield tuple(values)


def _as_dictionary(entity: Any) -> Any:
    """The fields of a row class by name, in their order; None where an outer join found nothing."""
    if not is_dataclass(entity):
        return entity
    return {field.name: getattr(entity, field.name) for field in fields(entity)}
