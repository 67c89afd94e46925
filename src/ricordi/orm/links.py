"""Links between nodes, and lists of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.errors import MultipleObjectsError, NotExistent
from ricordi.model.links import LinkType

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node

NAMESPACE_SEPARATOR = '__'


class LinkPair(NamedTuple):
    """Type and label of a link."""

    link_type: LinkType
    link_label: str


class LinkTriple(NamedTuple):
    """The node at the other end of a link, with type and label."""

    node: Node
    link_type: LinkType
    link_label: str


class LinkManager:
    """The links that go into a node, or out of it."""

    def __init__(self, link_triples: list[LinkTriple]) -> None:
        self.link_triples = link_triples

    def __iter__(self) -> Iterator[LinkTriple]:
        return iter(self.link_triples)

    def __len__(self) -> int:
        return len(self.link_triples)

    def __bool__(self) -> bool:
        return bool(self.link_triples)

    def next(self) -> Iterator[LinkTriple]:
        """An iterator over the links."""
        return iter(self.link_triples)

    def one(self) -> LinkTriple:
        """The only link.

        :raises ValueError: there is none, or more than one.
        """
        if len(self.link_triples) != 1:
            raise ValueError(f'one link expected, found {len(self.link_triples)}')
        return self.link_triples[0]

    def first(self) -> LinkTriple | None:
        """The first link, or None."""
        return self.link_triples[0] if self.link_triples else None

    def all(self) -> list[LinkTriple]:
        """All links."""
        return self.link_triples

    def all_nodes(self) -> list[Node]:
        """The nodes at the other ends."""
        return [triple.node for triple in self.link_triples]

    def all_link_pairs(self) -> list[LinkPair]:
        """Type and label of each link."""
        return [LinkPair(triple.link_type, triple.link_label) for triple in self.link_triples]

    def all_link_labels(self) -> list[str]:
        """The labels."""
        return [triple.link_label for triple in self.link_triples]

    def get_node_by_label(self, label: str) -> Node:
        """The node at the other end of the link with this label.

        :raises ricordi.errors.NotExistent: no link has it.
        :raises ricordi.errors.MultipleObjectsError: more than one link has it.
        """
        found = [triple.node for triple in self.link_triples if triple.link_label == label]
        if not found:
            raise NotExistent(f'no link has the label {label!r}')
        if len(found) > 1:
            raise MultipleObjectsError(f'{len(found)} links have the label {label!r}')
        return found[0]

    def nested(self, sort: bool = True) -> dict[str, Any]:
        """Nodes by label, with the namespaces of the labels (`a__b`) as dictionaries.

        :param sort: namespaces first, then by name.
        :raises KeyError: two links have one label.
        """
        nested: dict[str, Any] = {}
        for triple in self.link_triples:
            *namespaces, name = triple.link_label.split(NAMESPACE_SEPARATOR)
            inner = nested
            for namespace in namespaces:
                inner = inner.setdefault(namespace, {})
                if not isinstance(inner, dict):
                    raise KeyError(f'{triple.link_label!r}: {namespace!r} is a node as well as a namespace')
            if name in inner:
                raise KeyError(f'more than one link has the label {triple.link_label!r}')
            inner[name] = triple.node
        if sort:
            return dict(sorted(nested.items(), key=lambda item: (not isinstance(item[1], dict), item[0])))
        return nested
