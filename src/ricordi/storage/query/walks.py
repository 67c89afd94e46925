"""Ancestors and descendants: recursive common table expressions that end at cycles and reach each node once.

Where the path is asked for, there is a row for each way that visits no node twice. Else there is one row for each pair
of nodes, with the depth of the shortest way where that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ricordi.backend.query import WALK_LINK_TYPES, Comparison, Condition, Edge, EdgeKind, Junction
from ricordi.backend.rows import EntityKind
from ricordi.model.fields import TABLES
from ricordi.storage.columns import column_name
from ricordi.storage.dialect import quoted
from ricordi.storage.query.conditions import condition_sql
from ricordi.storage.query.expressions import Expressions
from ricordi.storage.query.sources import Sources, edge_table, far_column, near_column

_TYPES = quoted(WALK_LINK_TYPES)
_SURELY_SHALLOW = 100


class Walks:
    """Collects the common table expressions of the walks of one statement."""

    def __init__(self, sources: Sources, sql: Expressions) -> None:
        self._sources = sources
        self._sql = sql
        self._tables: list[str] = []

    @property
    def sql(self) -> str:
        """`WITH RECURSIVE …` with a blank after it, or nothing."""
        return f'WITH RECURSIVE {", ".join(self._tables)} ' if self._tables else ''

    def add(self, edge: Edge, name: str) -> str:
        """Add the walk behind an edge; returns the name of its table, with `start_id`, `end_id`, `depth`, `path`."""
        if self._sources.uses(edge.tag, 'path'):
            return self._add_paths(edge, name)
        if self._sources.uses(edge.tag, 'depth'):
            return self._add_depths(edge, name)
        return self._add_reach(edge, name)

    def _add_reach(self, edge: Edge, name: str) -> str:
        """Pairs of nodes: a UNION, which drops what is there already, and so ends at cycles."""
        near, far, columns = self._direction(edge)
        table = f'{name}_rows'
        self._tables.append(
            f'{table}({", ".join(columns)}) AS ('
            f'SELECT link.{near}, link.{far} FROM db_dblink AS link WHERE {self._first_links(edge, near, far)} '
            f'UNION SELECT step.{columns[0]}, link.{far} FROM {table} AS step '
            f'{self._links_from(edge, near, far, columns[1])} '
            f'WHERE {self._of_type()} AND link.{far} <> step.{columns[0]})'
        )
        return table

    def _add_depths(self, edge: Edge, name: str) -> str:
        """Pairs of nodes with the least depth; no way is followed further than there are nodes to reach."""
        near, far, columns = self._direction(edge)
        bound = depth_bound(self._sources.filters.get(edge.tag, ()))
        limits = [] if bound is None else [f'step.depth < {bound}']
        if bound is None or bound > _SURELY_SHALLOW:
            reach = self._add_reach(edge, f'{name}_reach')
            limits.append(f'step.depth < (SELECT count(DISTINCT {columns[1]}) FROM {reach})')
        steps = f'{name}_steps'
        self._tables.append(
            f'{steps}({", ".join(columns)}, depth) AS ('
            f'SELECT link.{near}, link.{far}, 0 FROM db_dblink AS link WHERE {self._first_links(edge, near, far)} '
            f'UNION SELECT step.{columns[0]}, link.{far}, step.depth + 1 FROM {steps} AS step '
            f'{self._links_from(edge, near, far, columns[1])} '
            f'WHERE {self._of_type()} AND link.{far} <> step.{columns[0]} AND {" AND ".join(limits)})'
        )
        table = f'{name}_rows'
        self._tables.append(
            f'{table} AS (SELECT start_id, end_id, min(depth) AS depth FROM {steps} GROUP BY start_id, end_id)'
        )
        return table

    def _add_paths(self, edge: Edge, name: str) -> str:
        """All ways that visit no node twice, from the vertex joined to."""
        near, far, _ = self._direction(edge, from_start=True)
        bound = depth_bound(self._sources.filters.get(edge.tag, ()))
        limit = '' if bound is None else f' AND step.depth < {bound}'
        steps, sql = f'{name}_steps', self._sql
        self._tables.append(
            f'{steps}(start_id, end_id, depth, path) AS ('
            f'SELECT link.{near}, link.{far}, 0, {sql.path_of(f"link.{near}", f"link.{far}")} '
            f'FROM db_dblink AS link WHERE {self._first_links(edge, near, far, from_start=True)} '
            f'UNION SELECT step.start_id, link.{far}, step.depth + 1, {sql.longer_path("step.path", f"link.{far}")} '
            f'FROM {steps} AS step {self._links_from(edge, near, far, "end_id")} '
            f'WHERE {self._of_type()} AND {sql.not_on_path("step.path", f"link.{far}")}{limit})'
        )
        table = f'{name}_rows'
        self._tables.append(
            f'{table} AS (SELECT start_id, end_id, depth, {sql.path_as_json("path")} AS path FROM {steps})'
        )
        return table

    # -- parts ----------------------------------------------------------------------------------------------

    def _links_from(self, edge: Edge, near: str, far: str, column: str) -> str:
        few = max(self._narrowness(edge.start), self._narrowness(edge.end)) == 2
        return self._sql.links_from(near, far, f'step.{column}', few)

    def _of_type(self) -> str:
        return f'{self._sql.unsearched("link.type")} IN ({_TYPES})'

    def _direction(self, edge: Edge, from_start: bool = False) -> tuple[str, str, tuple[str, str]]:
        """Columns of the link to come from and to go to; the columns of the walk for its origin and its goal."""
        down = ('input_id', 'output_id')
        if from_start or not self._from_end(edge):
            near, far = down if edge.forward else down[::-1]
            return near, far, ('start_id', 'end_id')
        near, far = down[::-1] if edge.forward else down
        return near, far, ('end_id', 'start_id')

    def _from_end(self, edge: Edge) -> bool:
        """Whether to walk back from the vertex that is added, for it is the narrower one."""
        return not edge.outer and self._narrowness(edge.end) > self._narrowness(edge.start)

    def _narrowness(self, tag: str) -> int:
        """2: one row or a few; 1: some filter, or a join to something with a filter; 0: all rows."""
        conditions = self._sources.filters.get(tag, ())
        if any(_names_rows(condition) for condition in conditions):
            return 2
        edge = self._sources.edges.get(tag)
        behind = edge is not None and edge.kind is not EdgeKind.WALK and self._narrowness(edge.start) > 0
        return 1 if conditions or behind else 0

    def _first_links(self, edge: Edge, near: str, far: str, from_start: bool = False) -> str:
        """What holds of the links with which the walk begins."""
        origin = edge.start if from_start or not self._from_end(edge) else edge.end
        tests = [self._of_type(), f'link.{far} <> link.{near}']
        chosen = self._origins(origin)
        if chosen:
            tests.insert(0, f'link.{near} IN ({chosen})')
        return ' AND '.join(tests)

    def _origins(self, tag: str) -> str:
        """A SELECT of the pks of a vertex, narrowed by its filters and those of what it is joined to; empty for all.

        More pks than needed do no harm: the walk is joined to the vertex all the same.
        """
        if self._narrowness(tag) == 0:
            return ''
        sources, tests = self._sources, list[str]()
        kind = sources[tag].kind or EntityKind.NODE
        tables = [f'{TABLES[kind]} AS origin']
        alias, pk = 'origin', 'origin.id'
        for number in range(len(sources.query.vertices)):
            tests += self._filters(tag, alias)
            edge = sources.edges.get(tag)
            if edge is None or edge.outer or edge.kind is EdgeKind.WALK or self._narrowness(edge.start) == 0:
                break
            if any(_names_rows(condition) for condition in sources.filters.get(tag, ())):
                break
            following = f'origin_{number}'
            start = sources[edge.start].kind or EntityKind.NODE
            if edge.kind is EdgeKind.REFERENCE:
                of_start, of_end = (
                    column_name(kind, name) for kind, name in zip((start, kind), edge.columns, strict=True)
                )
                on = f'{following}.{of_start} = {alias}.{of_end}'
            else:
                between = f'origin_edge_{number}'
                tables.append(f'JOIN {edge_table(edge)} AS {between} ON {between}.{far_column(edge)} = {pk}')
                tests += self._filters(edge.tag, between)
                on = f'{following}.id = {between}.{near_column(edge)}'
            tables.append(f'JOIN {TABLES[start]} AS {following} ON {on}')
            tag, alias, pk, kind = edge.start, following, f'{following}.id', start
        where = f' WHERE {" AND ".join(tests)}' if tests else ''
        return f'SELECT origin.id FROM {" ".join(tables)}{where}'

    def _filters(self, tag: str, alias: str) -> list[str]:
        source = self._sources[tag]
        return [
            condition_sql(condition, lambda field: source.place(field, alias), self._sql)
            for condition in self._sources.filters.get(tag, ())
        ]


def depth_bound(conditions: Sequence[Condition]) -> int | None:
    """The greatest depth that the filters of a walk let through, where they say so plainly; else None."""
    bounds: list[int] = []
    for condition in conditions:
        if isinstance(condition, Comparison) and condition.field.column == 'depth' and type(condition.value) is int:
            if condition.operator in ('==', '<='):
                bounds.append(condition.value)
            elif condition.operator == '<':
                bounds.append(condition.value - 1)
    return min(bounds) if bounds else None


def _names_rows(condition: Condition) -> bool:
    """Whether a condition can only hold for rows that it names by pk or uuid."""
    if isinstance(condition, Junction):
        return (all if condition.any else any)(_names_rows(part) for part in condition.parts)
    if not isinstance(condition, Comparison):
        return False
    return (
        condition.field.column in ('pk', 'uuid') and condition.operator in ('==', 'in') and condition.value is not None
    )
