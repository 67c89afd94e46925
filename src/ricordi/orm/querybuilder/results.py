"""From the rows that a storage gives to what `QueryBuilder` returns: lists and dictionaries, with entities in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.backend.changes import clock
from ricordi.backend.rows import EntityKind, LinkRow
from ricordi.orm.entity_classes import NAMES, entity_class

if TYPE_CHECKING:
    from ricordi.backend.query import Query
    from ricordi.backend.storage import StorageBackend

Maker = Callable[[Any], Any]


class LinkQuadruple(NamedTuple):
    """A link: the pks of its source and target, its type and label."""

    source_id: int
    target_id: int
    link_type: str
    link_label: str


def entity_makers(query: Query, backend: StorageBackend) -> list[tuple[int, Maker]]:
    """For each projection of a whole entity, its place in the row and what makes the entity of a row class."""
    kinds = {vertex.tag: vertex.kind for vertex in query.vertices}
    return [
        (place, _maker(kinds.get(projection.tag), backend))
        for place, projection in enumerate(query.projections)
        if projection.field is None and projection.function is None
    ]


def _maker(kind: EntityKind | None, backend: StorageBackend) -> Maker:
    if kind is None or kind not in NAMES:
        return _make_link
    from_row = entity_class(kind).from_row
    began = clock.now  # rows are those of the moment the query began: what is changed while they come, is newer

    def make(row: Any) -> Any:
        return None if row is None else from_row(row, backend, began)

    return make


def _make_link(row: Any) -> Any:
    if isinstance(row, LinkRow):
        return LinkQuadruple(row.input_pk, row.output_pk, row.type, row.label)
    return row


def rows_as_lists(rows: Iterable[tuple[Any, ...]], makers: list[tuple[int, Maker]]) -> Iterator[list[Any]]:
    """Each row as a list, with entities in place of row classes."""
    if not makers:
        return map(list, rows)
    if len(makers) == 1 and makers[0][0] == 0:
        return _with_first_made(rows, makers[0][1])
    return _with_made(rows, makers)


def _with_first_made(rows: Iterable[tuple[Any, ...]], make: Maker) -> Iterator[list[Any]]:
    for first, *others in rows:
        yield [make(first), *others]


def _with_made(rows: Iterable[tuple[Any, ...]], makers: list[tuple[int, Maker]]) -> Iterator[list[Any]]:
    for row in rows:
        values = list(row)
        for place, make in makers:
            values[place] = make(values[place])
        yield values


def rows_as_dicts(rows: Iterable[list[Any]], keys: tuple[tuple[str, str], ...]) -> Iterator[dict[str, dict[str, Any]]]:
    """Each row as tag → key → value."""
    tags = list(dict.fromkeys(tag for tag, _ in keys))
    for row in rows:
        result: dict[str, dict[str, Any]] = {tag: {} for tag in tags}
        for (tag, key), value in zip(keys, row, strict=True):
            result[tag][key] = value
        yield result
