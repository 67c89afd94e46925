"""The frontend: entities, collections, node namespaces, the QueryBuilder.

Names are AiiDA's, and each is imported when it is first asked for: `from ricordi import orm` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES: dict[str, str] = {
    'entities': 'Entity',
    'collections': 'Collection',
    'users': 'User',
    'computers': 'Computer',
    'authinfos': 'AuthInfo',
    'groups': 'AutoGroup Group ImportGroup UpfFamily',
    'comments': 'Comment',
    'logs': 'ASCENDING DESCENDING Log OrderSpecifier',
    'log_handler': 'DBLogHandler',
    'extras': 'EntityExtras',
    'links': 'LinkManager LinkPair LinkTriple LinkType',
    'nodes.link_namespaces': 'NodeLinksManager',
    'loaders': 'load_code load_computer load_entity load_group load_node',
    'nodes.node_types': 'get_query_type_from_type_string get_type_string_from_class load_node_class',
    'nodes.repository_tree': 'File FileType',
    'nodes.node': 'Node',
    'nodes.attributes': 'NodeAttributes',
    'nodes.repository': 'NodeRepository',
    'nodes.link_rules': 'validate_link',
    'nodes.storing': 'store_nodes',
    'data.data': 'Data',
    'data.scalar': 'BaseType Bool Float Int NumericType Str to_aiida_type',
    'data.list': 'List',
    'data.dict': 'AttributeManager Dict',
    'data.enum': 'EnumData',
    'data.jsonable': 'JsonableData',
    'data.singlefile': 'SinglefileData',
    'data.folder': 'FolderData',
    'data.array': 'ArrayData',
    'data.xy': 'XyData',
    'data.remote': 'RemoteData',
    'data.stash': 'RemoteStashCompressedData RemoteStashCustomData RemoteStashData RemoteStashFolderData StashMode',
    'data.code': 'AbstractCode Code ContainerizedCode InstalledCode PortableCode',
    'data.materials': ('BandsData CifData KpointsData OrbitalData ProjectionData StructureData TrajectoryData UpfData'),
    'processes.process': 'ExitCode ProcessNode',
    'processes.calculation': 'CalcFunctionNode CalculationNode',
    'processes.calcjob': 'CalcJobNode',
    'processes.workflow': 'WorkChainNode WorkFunctionNode WorkflowNode',
    'processes.states': 'CalcJobState JobState ProcessState',
    'named_classes': 'trust_modules',
    'querybuilder.builder': 'QueryBuilder',
    'fields': 'QbField QbFieldFilters QbFields',
}

_MODULES: dict[str, str] = {name: module for module, names in _PLACES.items() for name in names.split()}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(import_module(f'{__name__}.{module}'), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
