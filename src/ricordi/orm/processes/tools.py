"""What plug-ins offer for the nodes of their processes: `node.tools`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ricordi.orm.processes.process import ProcessNode

CALCULATION_TOOLS = 'aiida.tools.calculations'
WORKFLOW_TOOLS = 'aiida.tools.workflows'
"""Entry point groups of the classes; the name is that of the process class in `aiida.calculations` or so."""


class ProcessTools:
    """The tools of a process whose plug-in offers none, or is not installed: nothing."""

    def __init__(self, node: ProcessNode) -> None:
        self._node = node


def load_tools(node: ProcessNode, group: str) -> Any:
    """The tools for a node, of the class that its plug-in registers in `group`; `ProcessTools` where there is none."""
    from importlib.metadata import entry_points

    _, _, name = (node.process_type or '').partition(':')
    for entry_point in entry_points(group=group, name=name) if name else ():
        try:
            return entry_point.load()(node)
        except (ImportError, AttributeError):
            break  # a broken plug-in must not keep its users from their nodes
    return ProcessTools(node)
