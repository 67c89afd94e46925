"""The attributes of a node: `node.base.attributes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    def _check(self, keys: tuple[str, ...] | None) -> None:
        self._entity._check_mutability_attributes(keys)
