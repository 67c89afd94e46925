"""Which process nodes may be cached from: those that ended well, as far as can be told without their class."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ricordi.orm.nodes.caching import NodeCaching

if TYPE_CHECKING:
    from ricordi.orm.processes.process import ProcessNode

_SCRIPT = '__main__'


class ProcessNodeCaching(NodeCaching):
    """The hash of a process node, which covers its inputs; it may be cached from once it is finished and sealed."""

    @property
    def _process(self) -> ProcessNode:
        return cast('ProcessNode', self._node)

    def _may_be_cached_from(self) -> bool:
        """Whether the process is over and its class, which alone knows what its exit codes mean, has no objection."""
        node = self._process
        if not (node.is_finished and node.is_sealed):
            return False
        try:
            process_class = node.process_class
        except ValueError:
            return self._would_be_where_its_class_is()
        ask = getattr(process_class, 'is_valid_cache', None)  # functions have none
        return True if ask is None else bool(ask(node))

    def _would_be_where_its_class_is(self) -> bool:
        """Success, of a class that another environment can import: what a script defined is gone with it."""
        process_type = self._process.process_type
        if not process_type or process_type.partition('.')[0] == _SCRIPT:
            return False
        return not self._process.exit_status
