"""The nodes of a storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ricordi.backend.rows import LinkRow
from ricordi.errors import InvalidOperation
from ricordi.model.file_trees import named_in
from ricordi.orm.collections import Collection, EntityT


class NodeCollection(Collection[EntityT]):
    """The nodes of a class in a storage."""

    def delete(self, pk: int) -> None:
        """Delete a node that no link touches, with its comments, logs and memberships.

        :raises ricordi.errors.NotExistent: there is none with this pk.
        :raises ricordi.errors.InvalidOperation: a link leads to it or from it.
        """
        self.get(pk=pk)
        for side in ('input_pk', 'output_pk'):
            for _ in self.backend.find(LinkRow, {side: pk}, limit=1):
                raise InvalidOperation(
                    f'node {pk} has links, and deleting it alone would break the provenance of others'
                )
        self.backend.delete_nodes_and_connections([pk])

    def iter_repo_keys(
        self, filters: Mapping[str, Any] | None = None, subclassing: bool = True, batch_size: int = 1000
    ) -> Iterator[str]:
        """The keys of all files of these nodes; a key comes once for every file that has it."""
        query = self.query(filters, project=['repository_metadata'], subclassing=subclassing)
        for (metadata,) in query.iterall(batch_size=batch_size):
            for _, key in named_in(metadata or {}):
                yield key
