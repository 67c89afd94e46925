"""`QueryBuilder`: questions about the provenance graph, put together step by step and answered by the storage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from ricordi.backend.storage import TABLE_ROWS
from ricordi.errors import MultipleObjectsError, NotExistent, QueryError
from ricordi.orm.querybuilder.description import Description, describe
from ricordi.orm.querybuilder.path import QueryPath
from ricordi.orm.querybuilder.results import entity_makers, rows_as_dicts, rows_as_lists


class QueryBuilder(QueryPath):
    """Builds and runs a query: `QueryBuilder().append(Int, filters={'attributes.value': {'>': 3}}).all(flat=True)`.

    Nothing is asked of the database before `all`, `first`, `one`, `iterall`, `dict`, `iterdict`, `count` or
    `analyze_query`. The language of filters and projections is that of docs/guide-querying.md.
    """

    def inputs(self, **kwargs: Any) -> Self:
        """Append the inputs of the vertex appended last; arguments as of `append`."""
        return self._append_neighbour('with_outgoing', kwargs)

    def outputs(self, **kwargs: Any) -> Self:
        """Append the outputs of the vertex appended last; arguments as of `append`."""
        return self._append_neighbour('with_incoming', kwargs)

    def parents(self, **kwargs: Any) -> Self:
        """Append the ancestors of the vertex appended last; arguments as of `append`."""
        return self._append_neighbour('with_descendants', kwargs)

    def children(self, **kwargs: Any) -> Self:
        """Append the descendants of the vertex appended last; arguments as of `append`."""
        return self._append_neighbour('with_ancestors', kwargs)

    def _append_neighbour(self, keyword: str, kwargs: dict[str, Any]) -> Self:
        if not self._path:
            raise QueryError('there is no vertex yet to start from: append one first')
        if kwargs.get('cls') is None and kwargs.get('entity_type') is None:
            kwargs = {**kwargs, 'entity_type': 'node'}
        return self.append(**kwargs, **{keyword: self._path[-1]['tag']})

    # -- asking ---------------------------------------------------------------------------------------------

    def iterall(self, batch_size: int | None = 100) -> Iterator[list[Any]]:
        """The rows, one after the other, in constant memory; the storage can be used and changed meanwhile.

        :param batch_size: how many rows to fetch at a time.
        :returns: each row as a list, in the order of vertices, then edges, each in the order of its projections.
        """
        return self._iterate(self._describe(), batch_size)

    def iterdict(self, batch_size: int | None = 100) -> Iterator[dict[str, dict[str, Any]]]:
        """As `iterall`, each row as tag → field → value."""
        description = self._describe()
        return rows_as_dicts(self._iterate(description, batch_size), description.keys)

    def arrow(self, batch_size: int = TABLE_ROWS, nested: str = 'text') -> Iterator[Any]:
        """The rows as record batches of Arrow, one after the other, in constant memory; needs pyarrow.

        There is at least one: `pyarrow.Table.from_batches(query.arrow())` always has a schema. Columns are called by
        what is projected, with the tag and a dot before it where that alone would not tell them apart. A value inside
        JSON has the type that all of them have: integer, number, truth or text; where they have none in common, each is
        JSON text.

        :param batch_size: rows of a batch, at most.
        :param nested: `text`: what is nested is JSON text; `struct`: structs and lists, where all have one type.
        :raises ricordi.errors.InvalidOperation: pyarrow is not installed.
        """
        if nested not in ('text', 'struct'):
            raise QueryError(f"nested is 'text' or 'struct', not {nested!r}")
        _check_batch_size(batch_size)
        description = self._describe()
        names = [name for _, name in description.keys]
        if len(set(names)) < len(names):
            names = [f'{tag}.{name}' for tag, name in description.keys]
        return self._backend.query_tables(description.query, names, batch_size, nested == 'struct')

    def all(self, batch_size: int | None = None, flat: bool = False) -> list[Any]:
        """All rows.

        :param flat: one list of all values instead of a list for each row.
        """
        rows = self.iterall(batch_size)
        return [value for row in rows for value in row] if flat else list(rows)

    def dict(self, batch_size: int | None = None) -> list[dict[str, dict[str, Any]]]:
        """All rows, each as tag → field → value."""
        return list(self.iterdict(batch_size))

    def first(self, flat: bool = False) -> Any:
        """The first row, or None; which one that is, only `order_by` decides.

        :param flat: the value itself, where a row is of one value.
        """
        limit = 1 if self._limit is None else min(self._limit, 1)
        rows = self._iterate(self._describe(limit), 1)
        row = next(rows, None)
        if row is not None and flat and len(row) == 1:
            return row[0]
        return row

    def one(self) -> list[Any]:
        """The only row.

        :raises ricordi.errors.NotExistent: there is none.
        :raises ricordi.errors.MultipleObjectsError: there are more.
        """
        rows = list(self._iterate(self._describe(2 if self._limit is None else min(self._limit, 2)), None))
        if not rows:
            raise NotExistent('no result was found')
        if len(rows) > 1:
            raise MultipleObjectsError('more than one result was found')
        return rows[0]

    def count(self) -> int:
        """How many rows there are."""
        return self._backend.count_rows(self._describe().query)

    def as_sql(self, inline: bool = False) -> str:
        """The SQL that is sent, for a person to read.

        :param inline: with the values in it: a statement that can be run as it is.
        """
        return self._backend.query_sql(self._describe().query, inline)

    def analyze_query(self, execute: bool = True, verbose: bool = False) -> str:
        """The plan of the database for this query.

        :param execute: on PostgreSQL, run it and show the times it took.
        :param verbose: on PostgreSQL, show more about each step.
        """
        return self._backend.explain_query(self._describe().query, execute, verbose)

    def _describe(self, limit: int | None = None) -> Description:
        data = self.as_dict(copy=False)
        if limit is not None:
            data['limit'] = limit
        return describe(data)

    def _iterate(self, description: Description, batch_size: int | None) -> Iterator[list[Any]]:
        if batch_size is not None:
            _check_batch_size(batch_size)
        rows = self._backend.query_rows(description.query, batch_size)
        return rows_as_lists(rows, entity_makers(description.query, self._backend))


def _check_batch_size(size: Any) -> None:
    if type(size) is not int or size < 1:
        raise QueryError(f'batch_size is a number of rows, at least 1, not {size!r}')
