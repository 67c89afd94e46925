"""Sealing: when a process is over, its node is closed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from ricordi.errors import ModificationNotAllowed
from ricordi.orm.nodes.node import Node

if TYPE_CHECKING:
    from ricordi.backend.rows import NodeRow


class Sealable(Node):
    """A node of which some attributes may change after it is stored, until it is sealed."""

    SEALED_KEY = 'sealed'
    _updatable_attributes: ClassVar[tuple[str, ...]] = ('sealed',)

    @property
    def sealed(self) -> bool:
        """Whether the node is sealed."""
        return bool(self.row.attributes.get(self.SEALED_KEY, False))

    @property
    def is_sealed(self) -> bool:
        """Whether the node is sealed."""
        return self.sealed

    def seal(self) -> Self:
        """Close the node: attributes and links cannot be changed any more."""
        if not self.is_sealed:
            self.base.attributes.set(self.SEALED_KEY, True)
        return self

    def _check_mutability_attributes(self, keys: tuple[str, ...] | None = None) -> None:
        if self.is_sealed:
            raise ModificationNotAllowed(f'{self!r} is sealed: its attributes cannot be changed')
        if not self.is_stored:
            return
        if keys is None:
            raise ModificationNotAllowed(f'{self!r} is stored: its attributes cannot be replaced as a whole')
        frozen = [key for key in keys if key not in self._updatable_attributes]
        if frozen:
            raise ModificationNotAllowed(
                f'{self!r} is stored: {", ".join(map(repr, frozen))} cannot be changed; until it is sealed, these can: '
                f'{", ".join(self._updatable_attributes)}'
            )

    def _check_rewrite(self, field: str, row: Any) -> None:
        """Look at the row as it is now: another process may have sealed the node."""
        current: NodeRow = row
        if field == 'attributes' and current.attributes.get(self.SEALED_KEY, False):
            self._row = current
            raise ModificationNotAllowed(f'{self!r} was sealed meanwhile: its attributes cannot be changed')
