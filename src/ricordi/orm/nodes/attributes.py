"""The attributes of a node: `node.base.attributes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ricordi.orm.extras import JsonField

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node


class NodeAttributes(JsonField):
    """The attributes of a node: frozen once it is stored, but for what a process node may change until it is sealed."""

    _field = 'attributes'
    _noun = 'attribute'
    _entity: Node

    def __init__(self, node: Node) -> None:
        super().__init__(node)

    def set_many(self, attributes: Mapping[str, Any]) -> None:
        """Set several values at once; other keys stay."""
        self._set_many(attributes)

    def reset(self, attributes: Mapping[str, Any]) -> None:
        """Replace all values by these."""
        self._reset(attributes)

    def _check(self, keys: tuple[str, ...] | None) -> None:
        self._entity._check_mutability_attributes(keys)
