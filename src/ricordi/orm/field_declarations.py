"""Which fields each class of entities has: the columns of its rows, and the attributes its node type declares."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from ricordi.backend.query import COLUMNS, ValueKind
from ricordi.backend.rows import EntityKind
from ricordi.orm.fields import QbAttributesField, QbField, QbFields, make_field

_PYTHON_TYPES: dict[ValueKind, type] = {
    ValueKind.INT: int,
    ValueKind.TEXT: str,
    ValueKind.UUID: str,
    ValueKind.BOOL: bool,
    ValueKind.TIME: datetime,
    ValueKind.JSON: dict,
}

_REFERENCES = {'user_pk': 'user', 'computer_pk': 'computer', 'node_pk': 'node'}

ATTRIBUTES_OF_NODE_TYPES: dict[str, dict[str, type | None]] = {
    'data.Data.': {'source': dict},
    'data.core.int.Int.': {'value': int},
    'data.core.float.Float.': {'value': float},
    'data.core.str.Str.': {'value': str},
    'data.core.bool.Bool.': {'value': bool},
    'data.core.list.List.': {'list': list},
    'data.core.enum.EnumData.': {'name': str, 'value': None, 'identifier': str},
    'data.core.singlefile.SinglefileData.': {'filename': str},
    'data.core.array.ArrayData.': {'default_array_name': str},
    'data.core.remote.RemoteData.': {'remote_path': str},
    'data.core.code.abstract.AbstractCode.': {
        'input_plugin': str,
        'append_text': str,
        'prepend_text': str,
        'use_double_quotes': bool,
        'with_mpi': bool,
    },
    'data.core.code.installed.InstalledCode.': {'filepath_executable': str},
    'data.core.code.portable.PortableCode.': {'filepath_executable': str},
    'data.core.code.containerized.ContainerizedCode.': {
        'filepath_executable': str,
        'engine_command': str,
        'image_name': str,
        'wrap_cmdline_params': bool,
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
        'scheduler_lastchecktime': str,
        'last_job_info': dict,
        'detailed_job_info': dict,
        'retrieve_list': list,
        'retrieve_temporary_list': list,
        'imported': bool,
    },
}
"""Attributes that AiiDA's node types declare, by type string; subclasses have them too."""


@cache
def fields_of(entity_class: Any) -> QbFields:
    """The fields of a class of entities.

    A class may declare attributes of its own in a class attribute `attribute_fields`, name → type.
    """
    kind: EntityKind = entity_class.kind
    fields: dict[str, QbField] = {}
    for name, column in COLUMNS[kind].items():
        shown = _REFERENCES.get(name, name)
        fields[shown] = make_field(shown, _PYTHON_TYPES[column.kind], is_attribute=False)
    if kind is EntityKind.NODE:
        declared = _declared_attributes(entity_class)
        fields['attributes'] = QbAttributesField(declared)
        for name, field in declared.items():
            fields.setdefault(name, field)
    return QbFields(fields)


def _declared_attributes(entity_class: Any) -> dict[str, QbField]:
    declared: dict[str, type | None] = {}
    for ancestor in reversed(entity_class.__mro__):
        declared |= ATTRIBUTES_OF_NODE_TYPES.get(getattr(ancestor, 'class_node_type', None) or '', {})
        declared |= vars(ancestor).get('attribute_fields', {})
    return {name: make_field(name, dtype, is_attribute=True) for name, dtype in declared.items()}
