"""The tables a query reads, under which aliases, and where the fields of its vertices and edges lie in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ricordi.backend.query import (
    WALK_FIELDS,
    Comparison,
    Condition,
    Edge,
    EdgeKind,
    Field,
    Junction,
    Query,
)
from ricordi.errors import QueryError
from ricordi.model.fields import FIELDS, TABLES, EntityKind, ValueKind
from ricordi.storage.query.expressions import Place
from ricordi.storage.query.patterns import parse_pattern

PK = Field('pk')

_EDGE_TABLES = {EdgeKind.LINK: EntityKind.LINK, EdgeKind.MEMBER: EntityKind.GROUP_NODE}


@dataclass(slots=True)
class Source:
    """A table of the statement, for a vertex or an edge.

    :param pk: SQL of its primary key: where only this is asked of a vertex, a column of its edge spares the table.
    :param optional: whether it may be missing, in or behind an outer join.
    :param searched: whether indexes of its columns may be searched, or else those of which alone.
    :param sorted_apart: whether no index shall be walked for its order: few rows are found otherwise.
    :param columns: field of a walk → SQL: these are not columns of a table.
    """

    tag: str
    alias: str
    kind: EntityKind | None
    pk: str
    optional: bool = False
    joined: bool = True
    searched: bool | frozenset[str] = True
    sorted_apart: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)

    def place(self, field: Field, alias: str | None = None) -> Place:
        """Where a field lies.

        :param alias: of another copy of the same table.
        :raises ricordi.errors.QueryError: there is no such field.
        """
        name = '.'.join((field.column, *field.path))
        if field == PK and alias is None:
            return Place(self.pk, ValueKind.INT, name, self.optional)
        if self.columns:
            kind = WALK_FIELDS[field.column].kind
            return Place(self.columns[field.column], kind, name, self.optional, field.path)
        if self.kind is None:
            raise QueryError(f'there is nothing to filter or project on the edge {self.tag!r}')
        known = FIELDS[self.kind][field.column]
        nullable = known.nullable or (self.optional and alias is None)
        sql = f'{alias or self.alias}.{known.column}'
        searched = self.searched if isinstance(self.searched, bool) else field.column in self.searched
        return Place(sql, known.kind, name, nullable, field.path, searched)


class Sources:
    """All tables of a statement, by tag."""

    def __init__(self, query: Query) -> None:
        self.query = query
        # What must hold for each tag, condition by condition.
        self.filters = dict[str, list[Condition]]()
        kinds = {vertex.tag: vertex.kind for vertex in query.vertices}
        for tag in _optional_tags(query) if query.filters_rows else ():
            del kinds[tag]  # there is no condition that holds for a row which is not there
        for tag, condition in query.filters:
            parts = [part for part in _parts(condition) if not _is_void(part, kinds.get(tag))]
            if parts:
                self.filters.setdefault(tag, []).extend(parts)
        self.edges = {edge.end: edge for edge in query.edges}
        self._used = _fields_used(query)
        self._by_tag: dict[str, Source] = {}
        for number, vertex in enumerate(query.vertices):
            self._add(number, vertex.tag, vertex.kind)

    def __getitem__(self, tag: str) -> Source:
        return self._by_tag[tag]

    def uses(self, tag: str, name: str) -> bool:
        """Whether a field of an edge is filtered, projected or ordered by."""
        return name in self._used.get(tag, ())

    def _add(self, number: int, tag: str, kind: EntityKind) -> None:
        alias = f'{kind.value}_{number}'
        edge = self.edges.get(tag)
        if edge is None:
            self._by_tag[tag] = Source(tag, alias, kind, f'{alias}.id')
            return
        optional = edge.outer or self._by_tag[edge.start].optional
        pk, joined = f'{alias}.id', True
        if edge.kind is not EdgeKind.REFERENCE:
            edge_source = self._edge_source(edge, f'{edge.kind.value}_{number}', optional)
            self._by_tag[edge.tag] = edge_source
            if not self._used.get(tag, set()) - {'pk'} and tag not in self.filters:
                pk, joined = f'{edge_source.alias}.{far_column(edge)}', False
        else:
            self._by_tag[edge.tag] = Source(edge.tag, '', None, '')
        self._by_tag[tag] = Source(tag, alias, kind, pk, optional, joined)

    def _edge_source(self, edge: Edge, alias: str, optional: bool) -> Source:
        table = _EDGE_TABLES.get(edge.kind)
        if table is not None:
            # Rows of these tables are found by the pks at their ends; an index of labels or types would lead astray.
            return Source(edge.tag, alias, table, f'{alias}.id', optional, searched=False)
        start, end = (f'{alias}.start_id', f'{alias}.end_id')
        ancestor, descendant = (start, end) if edge.forward else (end, start)
        columns = {'ancestor_pk': ancestor, 'descendant_pk': descendant, 'depth': f'{alias}.depth'}
        columns['path'] = f'{alias}.path'
        return Source(edge.tag, alias, None, '', optional, columns=columns)


def near_column(edge: Edge) -> str:
    """The column of an edge's table that holds the pk of the vertex joined to."""
    return _ends(edge)[0]


def far_column(edge: Edge) -> str:
    """The column of an edge's table that holds the pk of the vertex that is added."""
    return _ends(edge)[1]


def _ends(edge: Edge) -> tuple[str, str]:
    if edge.kind is EdgeKind.WALK:
        return 'start_id', 'end_id'
    ends = ('input_id', 'output_id') if edge.kind is EdgeKind.LINK else ('dbgroup_id', 'dbnode_id')
    return ends if edge.forward else (ends[1], ends[0])


def edge_table(edge: Edge) -> str:
    """The table behind a link or a membership."""
    return TABLES[_EDGE_TABLES[edge.kind]]


def _parts(condition: Condition) -> Iterator[Condition]:
    """Conditions that all must hold for this one to hold."""
    if isinstance(condition, Junction) and not condition.any:
        for part in condition.parts:
            yield from _parts(part)
    else:
        yield condition


def _optional_tags(query: Query) -> set[str]:
    """The vertices in or behind an outer join."""
    optional: set[str] = set()
    for edge in query.edges:
        if edge.outer or edge.start in optional:
            optional.add(edge.end)
    return optional


def _is_void(condition: Condition, kind: EntityKind | None) -> bool:
    """Whether a condition holds for all rows, as the filter on the type of `Node` does."""
    if kind is None or not isinstance(condition, Comparison) or condition.operator != 'like':
        return False
    known = FIELDS[kind][condition.field.column]
    return known.kind is ValueKind.TEXT and not known.nullable and parse_pattern(condition.value).matches_all


def _fields_used(query: Query) -> dict[str, set[str]]:
    """For each tag, the fields that are projected, ordered by or joined on; those of filters too."""
    used: dict[str, set[str]] = {}
    for projection in query.projections:
        used.setdefault(projection.tag, set()).add(projection.field.column if projection.field else '*')
    for ordering in query.order_by:
        used.setdefault(ordering.tag, set()).add(ordering.field.column)
    for edge in query.edges:
        if edge.kind is EdgeKind.REFERENCE:
            used.setdefault(edge.start, set()).add(edge.columns[0])
    for tag, condition in query.filters:
        used.setdefault(tag, set()).update(_fields_of(condition))
    return used


def _fields_of(condition: Condition) -> set[str]:
    parts = getattr(condition, 'parts', None) or [getattr(condition, 'part', None)]
    if parts == [None]:
        return {condition.field.column}  # type: ignore[union-attr]
    return set().union(*map(_fields_of, parts))
