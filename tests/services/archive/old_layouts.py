"""One small graph in the layout of each version of archives that AiiDA 0 and 1 wrote, made of the one after it."""

from __future__ import annotations

import copy
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSIONS = tuple(f'0.{number}' for number in range(1, 14))
OF_AIIDA_2 = VERSIONS[3:]
"""Those that AiiDA 2 migrates."""
CALC_JOB, WORK_CHAIN = 'process.calculation.calcjob.CalcJobNode.', 'process.workflow.workchain.WorkChainNode.'
WHEN = '2019-04-17T14:28:20.786071'
_HEADER = b"{'descr': '<U2', 'fortran_order': False, 'shape': (3,), }"
SYMBOLS = b'\x93NUMPY\x01\x00\x76\x00' + _HEADER.ljust(117) + b'\n' + 'SiC\0O\0'.encode('utf-32-le')
"""The texts `Si`, `C` and `O` as NumPy writes them."""


def uuid(number: int) -> str:
    """The uuid of the thing with this number."""
    return f'{number:08x}-1111-4222-8333-444444444444'


@dataclass
class OldArchive:
    """What is in one: `metadata.json`, `data.json`, and files by the names of members."""

    metadata: dict[str, Any]
    data: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, Any]:
        """Rows by entity."""
        found: dict[str, Any] = self.data['export_data']
        return found

    def members(self) -> dict[str, bytes]:
        """All members by name."""
        told = {'metadata.json': json.dumps(self.metadata).encode(), 'data.json': json.dumps(self.data).encode()}
        return {**told, 'nodes/': b'', **self.files}

    def write(self, path: Path) -> Path:
        """Write a zip file, or, by the ending of its name, a tar file."""
        if '.tar' in path.suffixes:
            with tarfile.open(path, 'w:gz' if path.suffix == '.gz' else 'w') as tar:
                for name, content in self.members().items():
                    header = tarfile.TarInfo(name.rstrip('/'))
                    header.size, header.type = len(content), tarfile.DIRTYPE if name.endswith('/') else tarfile.REGTYPE
                    header.mtime = 1_600_000_000  # a zip file knows no time before 1980
                    tar.addfile(header, io.BytesIO(content))
            return path
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.members().items():
                archive.writestr(name, content)
        return path


def archive_of(version: str, bare: bool = False) -> OldArchive:
    """The graph as an archive of a version has it.

    :param bare: without extras, comments and logs, of which there were none before 0.4, and with what changed since.
    """
    old = _last()
    if bare or version in VERSIONS[:3]:
        _make_bare(old)
    for after in reversed(VERSIONS[VERSIONS.index(version) + 1 :]):
        UNDO[after](old)
    old.metadata['export_version'] = version
    return old


def _node(number: int, node_type: str, **fields: Any) -> dict[str, Any]:
    return {
        'uuid': uuid(number),
        'node_type': node_type,
        'process_type': '',
        'label': f'node {number}',
        'description': '',
        'ctime': WHEN,
        'mtime': WHEN,
        'user': 1,
        'dbcomputer': None,
        **fields,
    }


def _place(number: int) -> str:
    name = uuid(number)
    return f'nodes/{name[:2]}/{name[2:4]}/{name[4:]}'


def _last() -> OldArchive:
    """The graph at version 0.13."""
    process = {'sealed': True, 'process_state': 'finished', 'exit_status': 0}
    attributes = {
        '1': {'value': 3},
        '2': {
            **process,
            'process_label': 'Legacy JobCalculation',
            'parser_name': 'arithmetic.add',
            'resources': {'num_machines': 1},
            'times': [f'{WHEN}+00:00', 'no time'],
        },
        '3': {},
        '4': {**process, 'process_label': 'Chain'},
        '5': {'ä': [1.5, None, {'deep': [True, -1e300]}], 'big': 2**60},
        '6': {'symbols': ['Si', 'C', 'O']},
    }
    types = {
        1: _node(1, 'data.core.int.Int.'),
        2: _node(2, CALC_JOB, process_type='aiida.calculations:core.arithmetic.add', dbcomputer=7),
        3: _node(3, 'data.core.folder.FolderData.', dbcomputer=7),
        4: _node(4, WORK_CHAIN),
        5: _node(5, 'data.core.dict.Dict.', description='ö'),
        6: _node(6, 'data.core.array.trajectory.TrajectoryData.'),
    }
    computer = {
        'uuid': uuid(7),
        'label': 'c',
        'hostname': 'h',
        'description': 'd',
        'metadata': {'shebang': '#!/bin/sh'},
    }
    group = {'uuid': uuid(8), 'label': 'g', 'description': '', 'time': WHEN, 'user': 1, 'extras': {}}
    log = {
        'uuid': uuid(9),
        'time': WHEN,
        'loggername': 'l',
        'levelname': 'REPORT',
        'message': 'm',
        'metadata': {'a': 1},
    }
    comment = {'uuid': uuid(10), 'ctime': WHEN, 'mtime': WHEN, 'content': 'well', 'dbnode': 5, 'user': 1}
    names = ('User', 'Computer', 'Group', 'Node', 'Log', 'Comment', 'Link', 'Attribute')
    return OldArchive(
        {
            'aiida_version': '1.6.9',
            'unique_identifiers': dict.fromkeys(names, 'uuid'),
            'all_fields_info': {name: {} for name in names},
            'export_parameters': {'include_logs': True},
        },
        {
            'node_attributes': attributes,
            'node_extras': {**{pk: {} for pk in attributes}, '5': {'mine': [1, 'ü'], '_aiida_hash': 'abc'}},
            'export_data': {
                'User': {'1': {'email': 'a@example.org', 'first_name': 'A', 'last_name': '', 'institution': 'ß'}},
                'Computer': {'7': {**computer, 'scheduler_type': 'core.slurm', 'transport_type': 'core.ssh'}},
                'Group': {
                    '1': {**group, 'type_string': 'core'},
                    '2': {**group, 'uuid': uuid(11), 'label': 'h', 'type_string': 'core.upf'},
                },
                'Node': {str(pk): row for pk, row in types.items()},
                'Log': {'1': {**log, 'dbnode': 4}},
                'Comment': {'1': comment},
            },
            'links_uuid': [
                _link(1, 2, 'x', 'input_calc'),
                _link(2, 3, 'retrieved', 'create'),
                _link(4, 2, 'CALL', 'call_calc'),
                _link(1, 4, 'y', 'input_work'),
                _link(4, 5, 'result', 'return'),
            ],
            'groups_uuid': {uuid(8): [uuid(1), uuid(3)], uuid(11): [uuid(5)]},
        },
        {
            f'{_place(2)}/raw_input/in.txt': b'the same in two nodes',
            f'{_place(2)}/raw_input/.aiida/calcinfo.json': b'{}',
            f'{_place(3)}/path/out.txt': b'output' * 1000,
            f'{_place(3)}/path/sub/ä.bin': b'the same in two nodes',
            f'{_place(3)}/path/empty/': b'',
            f'{_place(3)}/path/none': b'',
            f'{_place(4)}/path/': b'',
        },
    )


def _link(source: int, target: int, label: str, kind: str) -> dict[str, str]:
    return {'input': uuid(source), 'output': uuid(target), 'label': label, 'type': kind}


def _make_bare(old: OldArchive) -> None:
    old.data['node_extras'] = {pk: {} for pk in old.data['node_extras']}
    for name in ('Log', 'Comment'):
        del old.rows[name]


# each as the version before it had it ----------------------------------------------------------------------


def _exchange(rows: dict[str, Any], name: str, change: Callable[[str], str]) -> None:
    for row in rows.values():
        if name in row:
            row[name] = change(row[name])


def _without_core(text: str) -> str:
    return text.replace('.core.', '.', 1).replace(':core.', ':', 1).removeprefix('core.')


def _undo_13(old: OldArchive) -> None:
    _exchange(old.rows['Computer'], 'transport_type', _without_core)


def _undo_12(old: OldArchive) -> None:
    _exchange(old.rows['Computer'], 'scheduler_type', _without_core)
    _exchange(old.rows['Node'], 'node_type', _without_core)
    _exchange(old.rows['Node'], 'process_type', _without_core)


def _rename(rows: dict[str, Any], names: dict[str, str]) -> None:
    for row in rows.values():
        for new, before in names.items():
            if new in row:
                row[before] = row.pop(new)


def _undo_11(old: OldArchive) -> None:
    _rename(old.rows['Computer'], {'label': 'name'})


def _undo_10(old: OldArchive) -> None:
    for group in old.rows['Group'].values():
        del group['extras']


def _undo_9(old: OldArchive) -> None:
    _exchange(old.rows['Group'], 'type_string', {'core': 'user', 'core.upf': 'data.upf'}.__getitem__)


def _undo_8(old: OldArchive) -> None:
    for link in old.data['links_uuid']:
        link['label'] = '_return' if link['label'] == 'result' else link['label']


def _undo_7(old: OldArchive) -> None:
    for pk in ('2', '4'):
        attributes = old.data['node_attributes'][pk]
        attributes |= {'_sealed': attributes.pop('sealed'), '_finished': True, '_do_abort': False}


def _undo_6(old: OldArchive) -> None:
    attributes = old.data['node_attributes']
    job = attributes['2']
    job['times'][0] = job['times'][0].removesuffix('+00:00')
    for name in ('process_state', 'exit_status', 'process_label'):
        del job[name]
    job['state'] = 'FINISHED'
    for name in ('node_attributes', 'node_extras'):
        old.data[f'{name}_conversion'] = {pk: _no_dates(values) for pk, values in old.data[name].items()}
    old.data['node_attributes_conversion']['2']['times'][0] = 'date'


def _no_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _no_dates(part) for key, part in value.items()}
    return [_no_dates(part) for part in value] if isinstance(value, list) else None


def _undo_5(old: OldArchive) -> None:
    for node in old.rows['Node'].values():
        node |= {'nodeversion': 1, 'public': False}
    for computer in old.rows['Computer'].values():
        computer['transport_params'] = {}


def _undo_4(old: OldArchive) -> None:
    types = {
        CALC_JOB: 'calculation.job.simpleplugins.arithmetic.add.ArithmeticAddCalculation.',
        WORK_CHAIN: 'calculation.work.WorkCalculation.',
        'data.int.Int.': 'data.base.Int.',
        'data.dict.Dict.': 'data.parameter.ParameterData.',
    }
    for node in old.rows['Node'].values():
        node['type'] = types.get(node['node_type'], node['node_type'])
        del node['node_type'], node['process_type']
    _rename(old.rows['Group'], {'label': 'name', 'type_string': 'type'})
    _exchange(old.rows['Group'], 'type', {'user': '', 'data.upf': 'data.upf.family'}.__getitem__)
    for computer in old.rows['Computer'].values():
        computer |= {'enabled': True, 'metadata': json.dumps(computer['metadata']), 'transport_params': '{}'}
    kinds = {'create': 'createlink', 'return': 'returnlink'}
    for link in old.data['links_uuid']:
        link['type'] = kinds.get(link['type'], link['type'].split('_')[0] + 'link')
    for section in ('node_attributes', 'node_attributes_conversion'):
        _rename({'2': old.data[section]['2']}, {'parser_name': 'parser', 'resources': 'jobresource_params'})
        _rename({'4': old.data[section]['4']}, {'process_label': '_process_label'})
    del old.data['node_extras'], old.data['node_extras_conversion']
    old.data['node_attributes']['6'] = {'array|symbols': [3]}
    old.data['node_attributes_conversion']['6'] = {'array|symbols': [None]}
    old.files[f'{_place(6)}/path/symbols.npy'] = SYMBOLS


def _undo_3(old: OldArchive) -> None:
    for link in old.data['links_uuid']:
        del link['type']
    _name_entities(old, 'aiida.backends.djsite.db.models.Db')


def _undo_2(old: OldArchive) -> None:
    for name in list(old.rows):
        old.rows[name.replace('aiida.backends.', 'aiida.')] = old.rows.pop(name)


def _name_entities(old: OldArchive, prefix: str) -> None:
    for name in list(old.rows):
        old.rows[prefix + name] = old.rows.pop(name)


UNDO: dict[str, Callable[[OldArchive], None]] = {
    '0.13': _undo_13,
    '0.12': _undo_12,
    '0.11': _undo_11,
    '0.10': _undo_10,
    '0.9': _undo_9,
    '0.8': _undo_8,
    '0.7': _undo_7,
    '0.6': _undo_6,
    '0.5': _undo_5,
    '0.4': _undo_4,
    '0.3': _undo_3,
    '0.2': _undo_2,
}


def changed_archive(version: str, path: Path, change: Callable[[OldArchive], object]) -> Path:
    """Write the graph of a version, changed by hand."""
    old = copy.deepcopy(archive_of(version))
    change(old)
    return old.write(path)
