"""Workflows: processes that call others, and return what those created."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ricordi.model.links import LinkType
from ricordi.orm.nodes.link_namespaces import NodeLinksManager
from ricordi.orm.processes.function_source import FunctionSource
from ricordi.orm.processes.process import ProcessNode

if TYPE_CHECKING:
    from ricordi.orm.nodes.links import NodeLinks


class WorkflowNode(ProcessNode, node_type='process.workflow.WorkflowNode.'):
    """The record of a process that called others."""

    _family: ClassVar[str] = 'process.workflow'
    _storable = True

    @property
    def inputs(self) -> NodeLinksManager:
        """The data it was given, by label: `node.inputs.structure`."""
        return NodeLinksManager(self, LinkType.INPUT_WORK, incoming=True)

    @property
    def outputs(self) -> NodeLinksManager:
        """The data it returned, by label: `node.outputs.result`."""
        return NodeLinksManager(self, LinkType.RETURN, incoming=False)

    @classmethod
    def _links_class(cls) -> type[NodeLinks]:
        from ricordi.orm.processes.links import WorkflowNodeLinks

        return WorkflowNodeLinks


class WorkChainNode(WorkflowNode, node_type='process.workflow.workchain.WorkChainNode.'):
    """The record of a work chain."""

    STEPPER_STATE_INFO_KEY = 'stepper_state_info'
    _updatable_attributes: ClassVar[tuple[str, ...]] = (*WorkflowNode._updatable_attributes, 'stepper_state_info')

    @cached_property
    def tools(self) -> Any:
        """What the plug-in of this work chain offers for its nodes (entry point group `aiida.tools.workflows`)."""
        from ricordi.orm.processes.tools import WORKFLOW_TOOLS, load_tools

        return load_tools(self, WORKFLOW_TOOLS)

    @property
    def stepper_state_info(self) -> str | None:
        """The step of the outline that it is at."""
        return self._get(self.STEPPER_STATE_INFO_KEY)  # type: ignore[no-any-return]

    def set_stepper_state_info(self, stepper_state_info: str) -> None:
        """Set the step of the outline that it is at."""
        self._set(self.STEPPER_STATE_INFO_KEY, stepper_state_info)


class WorkFunctionNode(FunctionSource, WorkflowNode, node_type='process.workflow.workfunction.WorkFunctionNode.'):
    """The record of a Python function that called others."""
