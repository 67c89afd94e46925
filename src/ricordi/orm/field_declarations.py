"""Which fields each class of entities has: the columns of its rows, and the attributes its node type declares."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from ricordi.model.fields import FIELDS, EntityKind, ValueKind
from ricordi.orm.fields import QbAttributesField, QbField, QbFields, make_field

_PYTHON_TYPES: dict[ValueKind, type] = {
    ValueKind.INT: int,
    ValueKind.TEXT: str,
    ValueKind.UUID: str,
    ValueKind.BOOL: bool,
    ValueKind.TIME: datetime,
    ValueKind.JSON: dict,
}

Declared = type | tuple[str, type] | None
"""What a field holds, None for anything; with the name of the attribute where that is another."""

_ANY: None = None
_LATTICE: dict[str, Declared] = {'pbc1': bool, 'pbc2': bool, 'pbc3': bool, 'cell': list}
_STASH: dict[str, Declared] = {'stash_mode': _ANY, 'target_basepath': str, 'source_list': list}

ATTRIBUTES_OF_NODE_TYPES: dict[str, dict[str, Declared]] = {
    'data.Data.': {'source': dict},
    'data.base.BaseType.': {'value': _ANY},
    'data.core.numeric.NumericType.': {'value': float},
    'data.core.int.Int.': {'value': int},
    'data.core.float.Float.': {'value': float},
    'data.core.str.Str.': {'value': str},
    'data.core.bool.Bool.': {'value': bool},
    'data.core.list.List.': {'value': ('list', list), 'list': list},
    'data.core.enum.EnumData.': {'name': str, 'value': _ANY, 'identifier': str},
    'data.core.jsonable.JsonableData.': {'the_module': ('@module', str), 'the_class': ('@class', str)},
    'data.core.singlefile.SinglefileData.': {'filename': str},
    'data.core.cif.CifData.': {
        'formulae': list,
        'spacegroup_numbers': list,
        'md5': str,
        'scan_type': str,
        'parse_policy': str,
    },
    'data.core.structure.StructureData.': {**_LATTICE, 'kinds': list, 'sites': list},
    'data.core.array.ArrayData.': {'default_array_name': str},
    'data.core.array.xy.XyData.': {'x_name': str, 'x_units': str, 'y_names': list, 'y_units': list},
    'data.core.array.kpoints.KpointsData.': {
        **_LATTICE,
        'labels': list,
        'label_numbers': list,
        'mesh': list,
        'offset': list,
    },
    'data.core.array.bands.BandsData.': {'array_labels': list, 'units': str},
    'data.core.array.trajectory.TrajectoryData.': {'symbols': list, 'pbc': list},
    'data.core.remote.RemoteData.': {'remote_path': str},
    'data.core.remote.stash.RemoteStashData.': {'stash_mode': _ANY},
    'data.core.remote.stash.folder.RemoteStashFolderData.': {**_STASH, 'fail_on_missing': bool},
    'data.core.remote.stash.compress.RemoteStashCompressedData.': {
        **_STASH,
        'dereference': bool,
        'fail_on_missing': bool,
    },
    'data.core.remote.stash.custom.RemoteStashCustomData.': _STASH,
    'data.core.code.abstract.AbstractCode.': {
        'default_calc_job_plugin': ('input_plugin', str),
        'input_plugin': str,
        'append_text': str,
        'prepend_text': str,
        'use_double_quotes': bool,
        'with_mpi': bool,
        'wrap_cmdline_params': bool,
    },
    'data.core.code.Code.': {'local_executable': str, 'remote_exec_path': str, 'is_local': bool},
    'data.core.code.installed.InstalledCode.': {'filepath_executable': str},
    'data.core.code.portable.PortableCode.': {'filepath_executable': str},
    'data.core.code.containerized.ContainerizedCode.': {
        'filepath_executable': str,
        'engine_command': str,
        'image_name': str,
    },
    'process.ProcessNode.': {
        'sealed': bool,
        'process_label': str,
        'process_state': str,
        'process_status': str,
        'exit_status': int,
        'exit_message': str,
        'exception': str,
        'paused': bool,
        'checkpoints': str,
    },
    'process.calculation.calcjob.CalcJobNode.': {
        'scheduler_state': str,
        'state': str,
        'remote_workdir': str,
        'job_id': str,
        'scheduler_lastchecktime': datetime,
        'last_job_info': dict,
        'detailed_job_info': dict,
        'retrieve_list': list,
        'retrieve_temporary_list': list,
        'imported': bool,
    },
}
"""Attributes that AiiDA's node types declare, by type string; subclasses have them too.

A pair: the attribute has another name than the field."""


@cache
def fields_of(entity_class: Any) -> QbFields:
    """The fields of a class of entities.

    A class may declare attributes of its own in a class attribute `attribute_fields`, name → type.
    """
    kind: EntityKind = entity_class.kind
    fields: dict[str, QbField] = {}
    for name, field in FIELDS[kind].items():
        shown = name if field.references is None else name.removesuffix('_pk')
        fields[shown] = make_field(shown, _PYTHON_TYPES[field.kind], is_attribute=False)
    if kind is EntityKind.NODE:
        declared = _declared_attributes(entity_class)
        fields['attributes'] = QbAttributesField(declared)
        for name, attribute in declared.items():
            fields.setdefault(name, attribute)
    return QbFields(fields)


def _declared_attributes(entity_class: Any) -> dict[str, QbField]:
    declared: dict[str, Declared] = {}
    for ancestor in reversed(entity_class.__mro__):
        declared |= ATTRIBUTES_OF_NODE_TYPES.get(getattr(ancestor, 'class_node_type', None) or '', {})
        declared |= vars(ancestor).get('attribute_fields', {})
    return {name: _attribute_field(name, what) for name, what in declared.items()}


def _attribute_field(name: str, declared: Declared) -> QbField:
    alias, dtype = declared if isinstance(declared, tuple) else (name, declared)
    return make_field(name, dtype, is_attribute=True, alias=alias)
