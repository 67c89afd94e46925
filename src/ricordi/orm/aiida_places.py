"""Where AiiDA keeps the classes that have a twin here: what is stored names AiiDA's, so that AiiDA finds them."""

from __future__ import annotations

_NODE_MODULES: dict[str, str] = {
    'data': 'data.data',
    'data.base': 'data.base',
    'data.core.remote': 'data.remote.base',
    'data.core.remote.stash': 'data.remote.stash.base',
    'data.core.array': 'data.array.array',
    'data.core.code': 'data.code.legacy',
    'process': 'process.process',
    'process.calculation': 'process.calculation.calculation',
    'process.workflow': 'process.workflow.workflow',
}
"""Where AiiDA keeps a class, below `aiida.orm.nodes`, when that is not the path of its type string without `core`."""

ENUMS: dict[str, str] = {
    'ricordi.model.links:LinkType': 'aiida.common.links:LinkType',
    'ricordi.orm.processes.states:ProcessState': 'plumpy.process_states:ProcessState',
    'ricordi.orm.processes.states:CalcJobState': 'aiida.common.datastructures:CalcJobState',
    'ricordi.orm.processes.states:JobState': 'aiida.schedulers.datastructures:JobState',
    'ricordi.orm.data.stash:StashMode': 'aiida.common.datastructures:StashMode',
    'ricordi.orm.nodes.repository_tree:FileType': 'aiida.repository.common:FileType',
}
"""Enums here, and the same of AiiDA."""

_OWN_ENUMS = {theirs: own for own, theirs in ENUMS.items()}


def own_enum(identifier: str) -> str:
    """Where the enum is here, given where AiiDA has it; the same place for one that has no twin."""
    return _OWN_ENUMS.get(identifier, identifier)


def node_class_place(node_type: str) -> tuple[str, str] | None:
    """Module and name of AiiDA's class of a type of node; None for a plug-in's type, which is not known here."""
    from ricordi.orm.nodes.node_types import CORE_TYPES

    path, _, name = node_type.rstrip('.').rpartition('.')
    if path not in CORE_TYPES:
        return None
    module = _NODE_MODULES.get(path) or path.replace('data.core.', 'data.')
    return f'aiida.orm.nodes.{module}', name
