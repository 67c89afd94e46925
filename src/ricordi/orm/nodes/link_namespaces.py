"""Neighbours of a process by label: `node.inputs.structure`, `node.outputs['result']`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ricordi.errors import NotExistentAttributeError, NotExistentKeyError
from ricordi.model.links import LinkType
from ricordi.orm.links import NAMESPACE_SEPARATOR

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node


class Namespace(dict[str, Any]):
    """Nodes and inner namespaces by label, as keys and as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f'there is no {name!r} here, only {", ".join(self) or "nothing"}') from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self})


def _namespace(nested: dict[str, Any]) -> Namespace:
    return Namespace({key: _namespace(item) if isinstance(item, dict) else item for key, item in nested.items()})


class NodeLinksManager:
    """The nodes at the other ends of a node's links of one type, by label; namespaces of labels are nested.

    The links are read once, when they are first asked for.
    """

    def __init__(self, node: Node, link_type: LinkType, incoming: bool) -> None:
        self._node = node
        self._link_type = link_type
        self._incoming = incoming
        self._found: Namespace | None = None

    @property
    def _nodes(self) -> Namespace:
        if self._found is None:
            links = self._node.base.links
            get = links.get_incoming if self._incoming else links.get_outgoing
            self._found = _namespace(get(link_type=self._link_type).nested())
        return self._found

    def _get(self, label: str) -> Any:
        """The node or namespace under `label`, which may be nested (`a__b`); KeyError if there is none."""
        nodes: Any = self._nodes
        if label in nodes:
            return nodes[label]
        for name in label.split(NAMESPACE_SEPARATOR):
            if not isinstance(nodes, Namespace):
                raise KeyError(label)
            nodes = nodes[name]
        return nodes

    def _explain(self, label: str) -> str:
        noun = 'input' if self._incoming else 'output'
        known = ', '.join(self._nodes) or 'none'
        return f'{self._node!r} has no {noun} with label {label!r}; it has: {known}'

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)
        try:
            return self._get(name)
        except KeyError:
            raise NotExistentAttributeError(self._explain(name)) from None

    def __getitem__(self, name: str) -> Any:
        try:
            return self._get(name)
        except KeyError:
            raise NotExistentKeyError(self._explain(name)) from None

    def __contains__(self, name: str) -> bool:
        try:
            self._get(name)
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._nodes})

    def __repr__(self) -> str:
        direction = 'incoming' if self._incoming else 'outgoing'
        return f'<NodeLinksManager: {direction} {self._link_type.value} links of {self._node!r}>'
