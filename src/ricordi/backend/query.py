"""The description of a query: what `orm` asks and `storage` answers. Plain frozen data, no work.

Names of fields are those of `ricordi.model.fields` (`pk`, `user_pk`, …). Values are plain Python: `int`, `float`,
`str`, `bool`, `None`, timezone-aware `datetime`, and lists and dicts of JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ricordi.model.fields import EntityKind, RowField, ValueKind
from ricordi.model.links import DATA_PROVENANCE, names_of


class EdgeKind(StrEnum):
    """How two vertices are joined."""

    REFERENCE = 'reference'
    """A field of one holds the pk of the other; there is nothing to filter or project on the edge."""
    LINK = 'link'
    """A link of the provenance graph; the edge has the fields of `LinkRow`."""
    MEMBER = 'member'
    """Membership in a group; the edge has the fields of `GroupNodeRow`."""
    WALK = 'walk'
    """Any number of `create` and `input_calc` links; the edge has the fields of `WALK_FIELDS`."""


WALK_FIELDS = {
    field.name: field
    for field in (
        RowField('ancestor_pk', 'ancestor_id', ValueKind.INT),
        RowField('descendant_pk', 'descendant_id', ValueKind.INT),
        RowField('depth', 'depth', ValueKind.INT),
        RowField('path', 'path', ValueKind.JSON),
    )
}
"""The fields of a walk: both ends; how many nodes lie between them (on the shortest way, or on `path` where that is
asked for); the pks on the way, from the vertex joined to up to the one added."""

WALK_LINK_TYPES = tuple(sorted(names_of(DATA_PROVENANCE)))
"""The links a walk follows: those of data provenance."""


SHOWN = 80
"""Characters of a value that a message tells."""


def shown(value: Any) -> str:
    """A value of a query as messages tell it: not all of a long one."""
    text = repr(value)
    return text if len(text) <= SHOWN else f'{text[: SHOWN - 2]} …'


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a vertex or an edge, or what lies at a path inside a JSON column.

    :param path: keys of objects; in an array, an index (`0` the first, `-1` the last).
    """

    column: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`.

    :param operator: `== < <= > >= in like ilike has_key contains of_length longer shorter of_type`.
    :param value: of `in`: a tuple.
    """

    field: Field
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Junction:
    """All of the parts (`any` False) or at least one of them; never empty."""

    parts: tuple[Condition, ...]
    any: bool = False


@dataclass(frozen=True, slots=True)
class Negation:
    """Not the part. In JSON: true where the part is not true, as of a key that is missing; of a column that is NULL a
    comparison is unknown, and stays so, as in SQL."""

    part: Condition


Condition = Comparison | Junction | Negation


@dataclass(frozen=True, slots=True)
class Vertex:
    """A kind of entity on the path of the query."""

    tag: str
    kind: EntityKind


@dataclass(frozen=True, slots=True)
class Edge:
    """How the vertex `end` is joined to the vertex `start`, which stands before it.

    :param forward: link, walk: from `start` (source, ancestor) to `end` (target, descendant); member: `start` is the
        group.
    :param columns: of a reference: the fields of `start` and of `end` that are equal.
    :param outer: keep rows of `start` for which there is no `end`; filters of edge and `end` then say what counts
        (but see `Query.filters_rows`).
    """

    tag: str
    start: str
    end: str
    kind: EdgeKind
    forward: bool = True
    columns: tuple[str, str] = ('', '')
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Projection:
    """A value of each row of the result.

    :param field: None: the whole entity, as its row class (None where an outer join found nothing).
    :param cast: `f i b t j d`: the value inside JSON as float, int, bool, text, JSON, date; None if it is not one.
    :param function: `min max count avg`: over all rows that agree in what is projected without a function.
    """

    tag: str
    field: Field | None
    cast: str | None = None
    function: str | None = None


@dataclass(frozen=True, slots=True)
class Ordering:
    """A key to sort by. What is missing comes last, first when descending."""

    tag: str
    field: Field
    cast: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """All that a storage needs to know to answer.

    :param vertices: at least one; each but the first is the `end` of one edge.
    :param filters: tag of a vertex or edge and what must hold for it.
    :param projections: at least one; their order is that of the values in a row of the result.
    :param distinct: rows that agree in all projections come once.
    :param filters_rows: of outer joins: what does not hold for a row leaves it out of the result, as in AiiDA, so that
        a filter of `end` also refuses rows without an `end`; False: filters say what counts as a partner.
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...] = ()
    filters: tuple[tuple[str, Condition], ...] = ()
    projections: tuple[Projection, ...] = ()
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None
    distinct: bool = False
    filters_rows: bool = False
