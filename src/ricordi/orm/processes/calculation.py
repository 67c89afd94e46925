"""Calculations: processes that create data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ricordi.model.links import LinkType
from ricordi.orm.nodes.link_namespaces import NodeLinksManager
from ricordi.orm.processes.function_source import FunctionSource
from ricordi.orm.processes.process import ProcessNode

if TYPE_CHECKING:
    from ricordi.orm.nodes.links import NodeLinks


class CalculationNode(ProcessNode, node_type='process.calculation.CalculationNode.'):
    """The record of a process that created data."""

    _family: ClassVar[str] = 'process.calculation'
    _storable = True
    _cachable = True

    @property
    def inputs(self) -> NodeLinksManager:
        """The data it read, by label: `node.inputs.structure`."""
        return NodeLinksManager(self, LinkType.INPUT_CALC, incoming=True)

    @property
    def outputs(self) -> NodeLinksManager:
        """The data it created, by label: `node.outputs.result`."""
        return NodeLinksManager(self, LinkType.CREATE, incoming=False)


class CalcFunctionNode(FunctionSource, CalculationNode, node_type='process.calculation.calcfunction.CalcFunctionNode.'):
    """The record of a Python function that created data."""

    @classmethod
    def _links_class(cls) -> type[NodeLinks]:
        from ricordi.orm.processes.links import CalcFunctionNodeLinks

        return CalcFunctionNodeLinks
