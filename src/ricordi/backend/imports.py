"""What the import of an archive asks of a storage: the contract alone, so that an archive comes into any storage.

A storage that knows a shorter way than its contract derives a class of its own from `ImportTarget` and gives that
(`StorageBackend.import_target`); the rules of merging are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import ROW_TYPES, EntityKind, LinkRow, NodeRow

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

Decoders = Mapping[str, Callable[[Any], Any]]
"""By field, what makes the Python value of one that is as SQLite keeps it; of other fields the two are the same."""
StoredLink = tuple[int, int, str, str]
"""Pks of source and target, type, label."""
StoredValues = tuple[Any, ...]
"""Those of one row, as SQLite keeps them."""


class ImportTarget:
    """A storage that is about to take the rows of an archive, all in one transaction."""

    def __init__(self, storage: StorageBackend) -> None:
        self.storage = storage
        self.place = f'storage of profile {storage.profile.name!r}'
        """The storage in words, after an article."""
        self.limits_texts = True
        """Whether it refuses long texts, and those with the character NUL; else it keeps whatever AiiDA keeps."""

    def take_turn(self) -> bool:
        """Whether an import may go on in the transaction that is open, for no other import is in one of its own."""
        return True

    def pks_of(self, kind: EntityKind, field: str, values: Sequence[str]) -> dict[str, int]:
        """The rows of which a field that tells them apart has one of some values: pk by value."""
        rows: Iterator[Any] = self.storage.find(ROW_TYPES[kind], {field: values})
        return {getattr(row, field): row.pk for row in rows}

    def labels(self, kind: EntityKind) -> set[str]:
        """The labels that computers or groups have."""
        rows: Iterator[Any] = self.storage.find(ROW_TYPES[kind])
        return {row.label for row in rows}

    def links_of(self, field: str, pks: Sequence[int]) -> list[StoredLink]:
        """The links out of nodes (`input_pk`) or into them (`output_pk`)."""
        rows = self.storage.find(LinkRow, {field: pks})
        return [(row.input_pk, row.output_pk, row.type, row.label) for row in rows]

    def locked_nodes(self, pks: Sequence[int]) -> Iterator[NodeRow]:
        """The rows of nodes, which nobody else changes until the transaction ends."""
        rows = (self.storage.get(NodeRow, pk, lock=True) for pk in pks)
        return (row for row in rows if row is not None)

    def insert(
        self, kind: EntityKind, fields: Sequence[str], rows: list[StoredValues], decoders: Decoders
    ) -> list[int]:
        """Insert rows of an archive; returns their pks in order.

        :param rows: values in the order of `fields`, as SQLite keeps them; references are pks of this storage.
        """
        # What is NULL in a column of JSON is an empty dictionary, as where it is read from there.
        return self.storage.insert(
            kind,
            [
                {
                    name: decoders[name]('{}' if value is None else value) if name in decoders else value
                    for name, value in zip(fields, row, strict=True)
                }
                for row in rows
            ],
        )

    def way_back(self, pairs: Iterable[tuple[int, int]], link_types: Sequence[str]) -> tuple[int, int] | None:
        """The first pair of source and target that links of some types lead back in, from the target to the source."""
        return next((pair for pair in pairs if self.storage.has_path(pair[1], pair[0], link_types)), None)
