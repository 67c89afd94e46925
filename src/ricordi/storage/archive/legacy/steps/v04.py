"""From 0.3 to 0.4: what became of nodes between AiiDA 0.12 and 1.0, the redesign of provenance above all."""

from __future__ import annotations

import json
from typing import Any

from ricordi.model.node_types import PROCESS
from ricordi.storage.archive.legacy.numpy_texts import texts_in
from ricordi.storage.archive.legacy.plugins import process_type_of
from ricordi.storage.archive.legacy.records import Fields, LinkRecord, NodeRecord, Step, rename, replace

CALC_JOB = 'process.calculation.calcjob.CalcJobNode.'
CALC_FUNCTION = 'process.calculation.calcfunction.CalcFunctionNode.'
WORK_FUNCTION = 'process.workflow.workfunction.WorkFunctionNode.'
WORK_CHAIN = 'process.workflow.workchain.WorkChainNode.'
TRAJECTORY = 'data.array.trajectory.TrajectoryData.'
JOB = 'calculation.job.'
WORKS = ('calculation.work.WorkCalculation.', 'calculation.process.ProcessCalculation.')
TYPES = {
    'code.Code.': 'data.code.Code.',
    'calculation.inline.InlineCalculation.': CALC_FUNCTION,
    'calculation.function.FunctionCalculation.': WORK_FUNCTION,
    'data.parameter.ParameterData.': 'data.dict.Dict.',
}
BASE = 'data.base.'
SIMPLE = 'simpleplugins.'
SHIPPED = {
    f'{SIMPLE}arithmetic.add.ArithmeticAddCalculation.': 'arithmetic.add',
    f'{SIMPLE}templatereplacer.TemplatereplacerCalculation.': 'templatereplacer',
}
"""The calculations that AiiDA brought itself, by what follows `calculation.job.`, and their entry points."""
OPTIONS = {
    'custom_environment_variables': 'environment_variables',
    'jobresource_params': 'resources',
    'parser': 'parser_name',
}
GROUP_TYPES = {
    '': 'user',
    'data.upf.family': 'data.upf',
    'aiida.import': 'auto.import',
    'autogroup.run': 'auto.run',
}
FORBIDDEN = {
    'calllink': ('calculation.job.', 'calculation.inline.'),
    'returnlink': ('calculation.job.', 'calculation.inline.'),
    'createlink': ('calculation.function', 'calculation.work'),
}
"""Types of links, and what nodes they cannot come from."""


def _node(record: NodeRecord) -> None:
    fields = record.fields
    rename(fields, {'type': 'node_type'})
    fields.setdefault('process_type', '')
    _retype(record)
    if record.extras.text() is None:
        record.extras.value = {}
    if record.node_type == 'data.code.Code.':
        replace(record.attributes.dictionary, 'input_plugin', {f'{SIMPLE}{name}': name for name in SHIPPED.values()})
    for values in (record.attributes.dictionary, record.attribute_dates.dictionary):
        if record.node_type == CALC_JOB:
            rename(values, OPTIONS)
        if record.node_type.startswith(PROCESS):
            rename(values, {'_process_label': 'process_label'})
    if record.node_type == TRAJECTORY:
        _take_symbols(record)


def _retype(record: NodeRecord) -> None:
    fields, old = record.fields, record.node_type
    if old.startswith(BASE):
        name = old.replace(BASE, '')
        fields['node_type'] = f'data.{name.lower()}{name}'
    elif old.startswith(JOB):
        shipped = SHIPPED.get(old.removeprefix(JOB))
        fields['process_type'] = f'aiida.calculations:{shipped}' if shipped else process_type_of(old.removeprefix(JOB))
        fields['node_type'] = CALC_JOB
    elif old in WORKS:
        named = record.attributes.dictionary.get('function_name') is not None
        fields['node_type'] = WORK_FUNCTION if named else WORK_CHAIN
    else:
        fields['node_type'] = TYPES.get(old, old)


def _take_symbols(record: NodeRecord) -> None:
    """The symbols of a trajectory move from a file to an attribute; what cannot be read stays where it is."""
    symbols = None if record.symbols is None else texts_in(record.symbols)
    if symbols is None:
        return
    for values, value in ((record.attributes.dictionary, symbols), (record.attribute_dates.dictionary, None)):
        values.pop('array|symbols', None)
        values['symbols'] = value
    record.removed_files.append('symbols.npy')


def _link(record: LinkRecord) -> None:
    kind = record.fields.get('type')
    if not isinstance(kind, str):
        return
    if record.source_before.startswith(FORBIDDEN.get(kind, ())):
        record.left_out = f'no {kind} can come from a {record.source_before.rstrip(".")}'
        return
    replace(record.fields, 'type', {'createlink': 'create', 'returnlink': 'return'})
    for part, short in (('process.calculation', 'calc'), ('process.workflow', 'work')):
        if record.target.startswith(part):
            replace(record.fields, 'type', {'inputlink': f'input_{short}', 'calllink': f'call_{short}'})


def _group(fields: Fields) -> None:
    rename(fields, {'name': 'label', 'type': 'type_string'})
    replace(fields, 'type_string', GROUP_TYPES)


def _computer(fields: Fields) -> None:
    fields.pop('enabled', None)
    _parse(fields, 'metadata', 'transport_params')


def _log(fields: Fields) -> None:
    _parse(fields, 'metadata')


def _parse(fields: Fields, *names: str) -> None:
    """Of an archive from a database of Django's, where JSON was kept as text."""
    for name in names:
        if isinstance(fields.get(name), str):
            value: Any = json.loads(fields[name])
            fields[name] = value


STEP = Step('0.4', node=_node, link=_link, computer=_computer, group=_group, log=_log)
