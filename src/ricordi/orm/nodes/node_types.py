"""Which class stands for which `node_type`: a table for AiiDA's own types, entry points for plug-ins.

A type string is a dotted path, then the class name, then a dot: `data.core.int.Int.`. The path decides; of a type that
nobody here knows, the closest known parent of the path does (`process.calculation.calcjob.x.` loads as CalcJobNode).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from ricordi.orm.nodes.node import Node

_DATA = 'ricordi.orm.data.'
_PROCESS = 'ricordi.orm.processes.'

CORE_TYPES: dict[str, str] = {
    'data': _DATA + 'data:Data',
    'data.base': _DATA + 'scalar:BaseType',
    'data.core.numeric': _DATA + 'scalar:NumericType',
    'data.core.int': _DATA + 'scalar:Int',
    'data.core.float': _DATA + 'scalar:Float',
    'data.core.str': _DATA + 'scalar:Str',
    'data.core.bool': _DATA + 'scalar:Bool',
    'data.core.list': _DATA + 'list:List',
    'data.core.dict': _DATA + 'dict:Dict',
    'data.core.enum': _DATA + 'enum:EnumData',
    'data.core.jsonable': _DATA + 'jsonable:JsonableData',
    'data.core.singlefile': _DATA + 'singlefile:SinglefileData',
    'data.core.folder': _DATA + 'folder:FolderData',
    'data.core.remote': _DATA + 'remote:RemoteData',
    'data.core.remote.stash': _DATA + 'stash:RemoteStashData',
    'data.core.remote.stash.folder': _DATA + 'stash:RemoteStashFolderData',
    'data.core.remote.stash.compress': _DATA + 'stash:RemoteStashCompressedData',
    'data.core.remote.stash.custom': _DATA + 'stash:RemoteStashCustomData',
    'data.core.array': _DATA + 'array:ArrayData',
    'data.core.array.xy': _DATA + 'xy:XyData',
    'data.core.array.kpoints': _DATA + 'materials:KpointsData',
    'data.core.array.bands': _DATA + 'materials:BandsData',
    'data.core.array.projection': _DATA + 'materials:ProjectionData',
    'data.core.array.trajectory': _DATA + 'materials:TrajectoryData',
    'data.core.structure': _DATA + 'materials:StructureData',
    'data.core.orbital': _DATA + 'materials:OrbitalData',
    'data.core.cif': _DATA + 'materials:CifData',
    'data.core.upf': _DATA + 'materials:UpfData',
    'data.core.code': _DATA + 'code:Code',
    'data.core.code.abstract': _DATA + 'code:AbstractCode',
    'data.core.code.installed': _DATA + 'code:InstalledCode',
    'data.core.code.portable': _DATA + 'code:PortableCode',
    'data.core.code.containerized': _DATA + 'code:ContainerizedCode',
    'process': _PROCESS + 'process:ProcessNode',
    'process.calculation': _PROCESS + 'calculation:CalculationNode',
    'process.calculation.calcfunction': _PROCESS + 'calculation:CalcFunctionNode',
    'process.calculation.calcjob': _PROCESS + 'calcjob:CalcJobNode',
    'process.workflow': _PROCESS + 'workflow:WorkflowNode',
    'process.workflow.workchain': _PROCESS + 'workflow:WorkChainNode',
    'process.workflow.workfunction': _PROCESS + 'workflow:WorkFunctionNode',
}
"""Path of a type string → where its class is."""

DATA_GROUP = 'ricordi.data'
NODE_GROUP = 'ricordi.node'
"""Entry point groups of plug-ins: a name in `ricordi.data` is a path after `data.`, in `ricordi.node` a whole path."""
_FAMILIES = ('data', 'process', 'process.calculation', 'process.workflow')
"""What a type string may be without a class: the base class of the family is meant."""

AIIDA_GROUPS = {DATA_GROUP: 'aiida.data', NODE_GROUP: 'aiida.node'}
"""The groups of AiiDA that hold the same names."""

_known: dict[str, type[Node]] = {}


def load_node_class(type_string: str) -> type[Node]:
    """The class that stands for nodes of this type; never fails, for a plug-in need not be installed.

    :param type_string: as in the database (`data.core.int.Int.`).
    """
    found = _known.get(type_string)
    if found is None:
        found = _known[type_string] = _find(type_string.removeprefix('node.'))
    return found


def _find(type_string: str) -> type[Node]:
    if not type_string:
        return _load('ricordi.orm.nodes.node:Node')
    path = type_string.rstrip('.').rpartition('.')[0]
    if type_string.rstrip('.') in _FAMILIES:
        path = type_string.rstrip('.')
    if path in CORE_TYPES:
        return _load(CORE_TYPES[path])
    plugin = _load_plugin(path)
    if plugin is not None:
        return plugin
    while path and path not in CORE_TYPES:
        path = path.rpartition('.')[0]
    return _load(CORE_TYPES[path or 'data'])


def load_data_class(name: str) -> type[Node] | None:
    """The class of data nodes of an entry point (`core.dict`), of the core or of a plug-in; None if there is none."""
    path = f'data.{name}'
    if path in CORE_TYPES and name.startswith('core.'):
        return _load(CORE_TYPES[path])
    return _load_plugin(path)


def _load(location: str) -> type[Node]:
    module, _, name = location.partition(':')
    cls: type[Node] = getattr(import_module(module), name)
    return cls


def _load_plugin(path: str) -> type[Node] | None:
    """The class that an installed plug-in registers for this path; None if there is none, or it cannot be imported."""
    group, name = _registered_as(path)
    for entry_point in _entry_points(group):
        if entry_point.name == name:
            try:
                loaded = entry_point.load()
            except (ImportError, AttributeError):
                return None  # a broken plug-in must not keep its users from their data
            return loaded if isinstance(loaded, type) else None
    return None


@cache
def _entry_points(group: str) -> tuple[Any, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group=group))


def plugin_type_string(cls: Any) -> str | None:
    """The type string of a class that a plug-in registers by entry point; None if none does."""
    location = f'{cls.__module__}:{cls.__qualname__}'
    for group, prefix in ((DATA_GROUP, 'data.'), (NODE_GROUP, '')):
        for entry_point in _entry_points(group):
            if entry_point.value.replace(' ', '') == location:
                return f'{prefix}{entry_point.name}.{cls.__name__}.'
    return None


def entry_point_of(cls: Any) -> EntryPoint | None:
    """The entry point of a class, in the group that AiiDA gives it; what it loads is the class here."""
    from importlib.metadata import EntryPoint

    location = f'{cls.__module__}:{cls.__qualname__}'
    for path, place in CORE_TYPES.items():
        if place == location:
            group, name = _registered_as(path)
            return EntryPoint(name, place, AIIDA_GROUPS[group])
    for group in (DATA_GROUP, NODE_GROUP):
        for entry_point in _entry_points(group):
            if entry_point.value.replace(' ', '') == location:
                return EntryPoint(entry_point.name, entry_point.value, AIIDA_GROUPS[group])
    return None


def _registered_as(path: str) -> tuple[str, str]:
    """Entry point group and name for the path of a type string."""
    return (DATA_GROUP, path.removeprefix('data.')) if path.startswith('data.') else (NODE_GROUP, path)


def get_type_string_from_class(module: str, name: str) -> str:
    """The type string of a class given by module and name."""
    return str(getattr(import_module(module), name).class_node_type)


def get_query_type_from_type_string(type_string: str) -> str:
    """What the type strings of a class and its subclasses start with: the path without the class name."""
    return type_string.rstrip('.').rpartition('.')[0] + '.' if type_string else ''
