"""The class of `aiida.orm` that a node of ours becomes, looked up once for each type of node.

AiiDA makes its own object of each node that it was given, and goes through its entry points for the class of each of
them: more work than all the rest of a query. Its function for that, a `singledispatch`, is told of our class of nodes.
"""

from __future__ import annotations

from typing import Any

from aiida.orm.convert import get_orm_entity
from aiida.orm.entities import from_backend_entity
from aiida.plugins import entry_point

from ricordi.plugin.entities.nodes import RicordiNode


class NodeClasses:
    """The classes of nodes by their types, as long as the entry points of the process are the same."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}
        self._entry_points: object = None

    def of(self, node_type: str) -> Any:
        """The class of a type of nodes; where its plug-in is not installed, what AiiDA takes in its place."""
        entry_points = entry_point.eps()
        if entry_points is not self._entry_points:
            self._entry_points, self._found = entry_points, {}
        return self._found.get(node_type) or self._look_up(node_type)

    def _look_up(self, node_type: str) -> Any:
        from aiida.orm.utils.node import load_node_class

        found = load_node_class(node_type)
        if found.class_node_type == node_type:  # else AiiDA may have a warning to give, each time
            self._found[node_type] = found
        return found


_classes = NodeClasses()


@get_orm_entity.register(RicordiNode)
def make_node(node: RicordiNode) -> Any:
    """The object of `aiida.orm` for a node."""
    return from_backend_entity(_classes.of(node.node_type), node)
