"""The namespaces of a node: `node.base.…`, each made when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ricordi.orm.extras import EntityExtras
from ricordi.orm.nodes.attributes import NodeAttributes

if TYPE_CHECKING:
    from ricordi.orm.nodes.caching import NodeCaching
    from ricordi.orm.nodes.comments import NodeComments
    from ricordi.orm.nodes.links import NodeLinks
    from ricordi.orm.nodes.node import Node
    from ricordi.orm.nodes.repository import NodeRepository


class NodeBase:
    """What can be done with a node, by subject."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @cached_property
    def attributes(self) -> NodeAttributes:
        """Named values; frozen once the node is stored."""
        return NodeAttributes(self._node)

    @cached_property
    def extras(self) -> EntityExtras:
        """Named values that can be changed at any time."""
        return EntityExtras(self._node)

    @cached_property
    def repository(self) -> NodeRepository:
        """Files and folders; frozen once the node is stored."""
        from ricordi.orm.nodes.repository import NodeRepository

        return NodeRepository(self._node)

    @cached_property
    def links(self) -> NodeLinks:
        """Links from and to other nodes."""
        return self._node._links_class()(self._node)

    @cached_property
    def comments(self) -> NodeComments:
        """What users wrote about the node."""
        from ricordi.orm.nodes.comments import NodeComments

        return NodeComments(self._node)

    @cached_property
    def caching(self) -> NodeCaching:
        """The hash by which AiiDA's caching finds equal calculations."""
        return self._node._caching_class()(self._node)
