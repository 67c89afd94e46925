"""The settings of a code, to be shown, and as a set-up that makes another one like it."""

from __future__ import annotations

from typing import Any

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Projection, Query, Vertex
from ricordi.backend.rows import ComputerRow, EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import CorruptStorage
from ricordi.model.values import is_damaged
from ricordi.services.codes.list import entry_point_of

PORTABLE = 'core.code.portable'
_DEFAULTS: dict[str, Any] = {
    'default_calc_job_plugin': None,
    'use_double_quotes': False,
    'with_mpi': None,
    'wrap_cmdline_params': False,
    'prepend_text': '',
    'append_text': '',
    'filepath_executable': None,
}
"""The settings that every code has, in the order in which they are shown."""
_OF_CONTAINERS = ('engine_command', 'image_name')


def describe_code(storage: StorageBackend, row: NodeRow) -> dict[str, Any]:
    """All settings of a code by name, with what it is and where; a computer has label, host name and pk.

    :raises ricordi.errors.CorruptStorage: its attributes cannot be read.
    """
    computer = _computer(storage, row)
    where = None
    if computer is not None:
        where = {'label': computer.label, 'hostname': computer.hostname, 'pk': computer.pk}
    return {
        'pk': row.pk,
        'uuid': row.uuid,
        'type': entry_point_of(row.node_type),
        'label': row.label,
        'description': row.description,
        'computer': where,
        **_settings(row),
        'calculations': _uses(storage, row),
    }


def setup_of(storage: StorageBackend, row: NodeRow) -> dict[str, Any]:
    """What `verdi code create --config` reads to make a code like this one; what is not set is left out.

    The files of a portable code are not in it: `filepath_files` is to be added, the folder that they are in.
    """
    computer = _computer(storage, row)
    settings = _settings(row)
    plugin = settings.pop('default_calc_job_plugin')
    executable = settings.pop('filepath_executable')
    of_container = {name: settings.pop(name) for name in _OF_CONTAINERS if name in settings}
    found = {
        'label': row.label,
        'description': row.description,
        **settings,
        'filepath_executable': executable,
        'computer': None if computer is None else computer.label,
        **of_container,
        'default_calc_job_plugin': plugin,
    }
    return {name: value for name, value in found.items() if value is not None}


def full_label_of(storage: StorageBackend, row: NodeRow) -> str:
    """`label@computer`, or the label alone of a code that is on no computer."""
    computer = _computer(storage, row)
    return row.label if computer is None else f'{row.label}@{computer.label}'


def is_portable(row: NodeRow) -> bool:
    """Whether the executable and its files are kept in the node."""
    return entry_point_of(row.node_type) == PORTABLE


def _settings(row: NodeRow) -> dict[str, Any]:
    if is_damaged(row.attributes):
        raise CorruptStorage(f'the attributes of code {row.pk} are damaged and cannot be read')
    attributes = row.attributes
    found = {name: attributes.get(name, default) for name, default in _DEFAULTS.items()}
    found['default_calc_job_plugin'] = attributes.get('input_plugin')
    # A code of the old class has the path of its executable under one of two other names.
    old = attributes.get('remote_exec_path') or attributes.get('local_executable')
    found['filepath_executable'] = attributes.get('filepath_executable', old)
    return found | {name: attributes[name] for name in _OF_CONTAINERS if name in attributes}


def _computer(storage: StorageBackend, row: NodeRow) -> ComputerRow | None:
    return None if row.computer_pk is None else storage.get(ComputerRow, row.computer_pk)


def _uses(storage: StorageBackend, row: NodeRow) -> int:
    """How many links lead out of the code: each is one to a process that it was an input of."""
    query = Query(
        (Vertex('code', EntityKind.NODE), Vertex('process', EntityKind.NODE)),
        (Edge('link', 'code', 'process', EdgeKind.LINK),),
        (('code', Comparison(Field('pk'), '==', row.pk)),),
        (Projection('process', Field('pk')),),
    )
    return storage.count_rows(query)
