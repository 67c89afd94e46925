"""The links of process nodes: which may still be made, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ricordi.errors import ModificationNotAllowed, ValidationError
from ricordi.model.links import LinkType
from ricordi.orm.nodes.links import NodeLinks

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node
    from ricordi.orm.processes.process import ProcessNode


class ProcessNodeLinks(NodeLinks):
    """Links of a process: inputs and callers before it is stored, none after it is sealed."""

    @property
    def _process(self) -> ProcessNode:
        return cast('ProcessNode', self._node)

    def validate_incoming(self, source: Node, link_type: LinkType, link_label: str) -> None:
        """Refuse a link into a process that is stored or sealed, or one that would break a rule."""
        if self._process.is_sealed:
            raise ModificationNotAllowed(f'{self._node!r} is sealed: no link can be made to it')
        if self._node.is_stored:
            raise ValidationError(f'{self._node!r} is stored: links into a process are made before it is stored')
        super().validate_incoming(source, link_type, link_label)

    def validate_outgoing(self, target: Node, link_type: LinkType, link_label: str) -> None:
        """Refuse a link out of a process that is sealed."""
        if self._process.is_sealed:
            raise ModificationNotAllowed(f'{self._node!r} is sealed: no link can be made from it')
        super().validate_outgoing(target, link_type, link_label)


class CalcFunctionNodeLinks(ProcessNodeLinks):
    """Links of a calculation function: what it creates is new."""

    def validate_outgoing(self, target: Node, link_type: LinkType, link_label: str) -> None:
        """Refuse data that is stored already: a calculation function creates its outputs."""
        super().validate_outgoing(target, link_type, link_label)
        if link_type is LinkType.CREATE and target.is_stored:
            raise ValidationError(
                f'{target!r} is stored already, so it was not created by {self._node!r}; a workflow can return it'
            )


class WorkflowNodeLinks(ProcessNodeLinks):
    """Links of a workflow: it returns data that calculations have made."""

    def validate_outgoing(self, target: Node, link_type: LinkType, link_label: str) -> None:
        """Refuse data that is not stored: a workflow creates none, or its origin would be lost."""
        super().validate_outgoing(target, link_type, link_label)
        if link_type is LinkType.RETURN and not target.is_stored:
            raise ValidationError(
                f'{target!r} is not stored: a workflow returns data that is stored, calculations create it'
            )
