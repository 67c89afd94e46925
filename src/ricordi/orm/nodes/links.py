"""The links of a node: `node.base.links`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

from ricordi.backend.rows import EntityKind, LinkRow, NodeRow
from ricordi.model.links import LinkType
from ricordi.model.patterns import as_regular_expression
from ricordi.orm.entity_classes import entity_class
from ricordi.orm.links import LinkManager, LinkTriple
from ricordi.orm.nodes.link_rules import lock_unsealed, validate_link

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node

LinkTypes = LinkType | Sequence[LinkType]


class NodeLinks:
    """Links into a node and out of it. A link waits until both its nodes are stored."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.incoming_cache: list[LinkTriple] = []
        self._outgoing: list[tuple[Node | ref[Node], LinkType, str]] = []

    # -- make -----------------------------------------------------------------------------------------------

    def add_incoming(self, source: Node, link_type: LinkType, link_label: str) -> None:
        """Make a link from `source` to this node; it is stored at once if both are, else along with the later one.

        :raises ValueError: the link would break a rule of the provenance graph.
        :raises ricordi.errors.ModificationNotAllowed: one of the nodes is a sealed process.
        """
        node = self._node
        if node.pk is not None and getattr(source, 'pk', None) is not None and source.backend is node.backend:
            with node.backend.transaction():
                lock_unsealed(source)
                lock_unsealed(node)
                self._validate(source, link_type, link_label)
                row = {'input_pk': source.pk, 'output_pk': node.pk, 'label': link_label, 'type': link_type.value}
                node.backend.insert(EntityKind.LINK, [row])
            return
        self._validate(source, link_type, link_label)
        self.incoming_cache.append(LinkTriple(source, link_type, link_label))
        if not source.is_stored:
            source.base.links._expect(node, link_type, link_label)

    def _validate(self, source: Node, link_type: LinkType, link_label: str) -> None:
        self.validate_incoming(source, link_type, link_label)
        source.base.links.validate_outgoing(self._node, link_type, link_label)

    def validate_incoming(self, source: Node, link_type: LinkType, link_label: str) -> None:
        """Refuse a link into this node that would break a rule.

        :raises ValueError: telling which.
        """
        validate_link(source, self._node, link_type, link_label)

    def validate_outgoing(self, target: Node, link_type: LinkType, link_label: str) -> None:
        """Refuse a link out of this node for reasons of its class; the target's `validate_incoming` checks the rest."""

    def _expect(self, target: Node, link_type: LinkType, link_label: str) -> None:
        """Remember a link out of this unstored node: a stored target would not ask for it again."""
        self._outgoing.append((target if target.is_stored else ref(target), link_type, link_label))

    def pending_outgoing(self) -> list[LinkTriple]:
        """Links out of this node that wait for it to be stored."""
        found = []
        for target, link_type, link_label in self._outgoing:
            node = target() if isinstance(target, ref) else target
            if node is not None:
                found.append(LinkTriple(node, link_type, link_label))
        return found

    # -- look -----------------------------------------------------------------------------------------------

    def get_incoming(
        self,
        node_class: Any = None,
        link_type: LinkTypes = (),
        link_label_filter: str | None = None,
        only_uuid: bool = False,
    ) -> LinkManager:
        """Links into this node, also those that wait to be stored.

        :param node_class: only from nodes of this class, or one of these.
        :param link_type: only of this type, or one of these.
        :param link_label_filter: only with such a label; `%` stands for any characters, `_` for any one.
        :param only_uuid: give the uuid in place of the node.
        """
        stored = self.get_stored_link_triples(node_class, link_type, link_label_filter, 'incoming', only_uuid)
        return LinkManager(
            stored + self._waiting(self.incoming_cache, node_class, link_type, link_label_filter, only_uuid)
        )

    def get_outgoing(
        self,
        node_class: Any = None,
        link_type: LinkTypes = (),
        link_label_filter: str | None = None,
        only_uuid: bool = False,
    ) -> LinkManager:
        """Links out of this node, also those that wait for it to be stored; arguments as of `get_incoming`."""
        stored = self.get_stored_link_triples(node_class, link_type, link_label_filter, 'outgoing', only_uuid)
        waiting = self.pending_outgoing() if self._outgoing else []
        return LinkManager(stored + self._waiting(waiting, node_class, link_type, link_label_filter, only_uuid))

    def get_stored_link_triples(
        self,
        node_class: Any = None,
        link_type: LinkTypes = (),
        link_label_filter: str | None = None,
        link_direction: str = 'incoming',
        only_uuid: bool = False,
    ) -> list[LinkTriple]:
        """Links in the database, in the order they were made: one query for them, one for the nodes.

        :param link_direction: `incoming` or `outgoing`; the other arguments as of `get_incoming`.
        """
        if self._node.pk is None:
            return []
        here, there = ('output_pk', 'input_pk') if link_direction == 'incoming' else ('input_pk', 'output_pk')
        equal: dict[str, Any] = {here: self._node.pk}
        types = _link_types(link_type)
        if types:
            equal['type'] = [one.value for one in types]
        backend = self._node.backend
        rows = list(backend.find(LinkRow, equal))
        if link_label_filter is not None:
            pattern = as_regular_expression(link_label_filter)
            rows = [row for row in rows if pattern.fullmatch(row.label)]
        if not rows:
            return []
        nodes = load_nodes(self._node, {getattr(row, there) for row in rows})
        triples = [LinkTriple(nodes[getattr(row, there)], LinkType(row.type), row.label) for row in rows]
        return _select(triples, node_class, only_uuid)

    def _waiting(
        self,
        triples: Iterable[LinkTriple],
        node_class: Any,
        link_type: LinkTypes,
        link_label_filter: str | None,
        only_uuid: bool,
    ) -> list[LinkTriple]:
        types = _link_types(link_type)
        pattern = None if link_label_filter is None else as_regular_expression(link_label_filter)
        chosen = [
            triple
            for triple in triples
            if (not types or triple.link_type in types) and (pattern is None or pattern.fullmatch(triple.link_label))
        ]
        return _select(chosen, node_class, only_uuid)


def load_nodes(like: Node, pks: Iterable[int]) -> dict[int, Node]:
    """Nodes of the storage of `like` by pk, read with one query."""
    backend, from_row = like.backend, entity_class(EntityKind.NODE).from_row
    return {row.pk: from_row(row, backend) for row in backend.find(NodeRow, {'pk': list(pks)})}


def _select(triples: list[LinkTriple], node_class: Any, only_uuid: bool) -> list[LinkTriple]:
    if node_class is not None:
        classes = tuple(node_class) if isinstance(node_class, list | tuple) else node_class
        triples = [triple for triple in triples if isinstance(triple.node, classes)]
    if only_uuid:
        return [LinkTriple(triple.node.uuid, *triple[1:]) for triple in triples]  # type: ignore[arg-type]
    return triples


def _link_types(link_type: LinkTypes) -> tuple[LinkType, ...]:
    types = (link_type,) if isinstance(link_type, LinkType) else tuple(link_type)
    for one in types:
        if not isinstance(one, LinkType):
            raise TypeError(f'link_type is a LinkType or several, got {link_type!r}')
    return types
