"""AiiDA reads what the frontend stores: each type, odd text, deep JSON, files, links, groups, comments, logs."""

from __future__ import annotations

import io
import json
import subprocess
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy
import pytest

from ricordi import orm
from ricordi.orm import LinkType, StashMode

pytestmark = pytest.mark.interop

DEEP: Any = {'leaf': [None, True, False, 0, -1, 2**53 + 1, 1e-300, 0.1, '', 'ünï\ncode "quoted" \\ 🎵']}
for _ in range(20):
    DEEP = {'inner': [DEEP, []]}

CHECKS = """
import json, sys
from aiida import load_profile, orm
load_profile('test')
one = lambda cls, label: orm.QueryBuilder().append(cls, filters={'label': label}).one()[0]
job = one(orm.CalcJobNode, 'job')
array = one(orm.ArrayData, 'array')
print(json.dumps({
    'types': sorted({type(n).__name__ for n in orm.QueryBuilder().append(orm.Node).all(flat=True)}),
    'int': one(orm.Int, 'int').value,
    'list': one(orm.List, 'list').get_list(),
    'dict': one(orm.Dict, 'dict').get_dict()['deep'],
    'enum': one(orm.EnumData, 'enum').get_member().name,
    'jsonable': one(orm.JsonableData, 'jsonable').obj.denominator,
    'file': one(orm.SinglefileData, 'file').get_content(),
    'folder': sorted(str(p) for p in one(orm.FolderData, 'folder').base.repository.glob()),
    'array': array.get_array('x').tolist(),
    'xy': one(orm.XyData, 'xy').get_y()[0][1].tolist(),
    'code': orm.load_code('pw@clüster').get_executable().as_posix(),
    'portable': one(orm.PortableCode, 'portable').filepath_executable.as_posix(),
    'container': one(orm.ContainerizedCode, 'container').get_prepend_cmdline_params(),
    'stash': one(orm.RemoteStashFolderData, 'stash').stash_mode.value,
    'inputs': sorted(job.inputs),
    'state': [job.process_state.value, job.exit_status, job.is_sealed, job.caller.label],
    'retrieved': job.outputs.retrieved.base.repository.get_object_content('out'),
    'group': [n.label for n in orm.load_group('ünï group').nodes],
    'workdir': orm.load_computer('clüster').get_workdir(),
    'auth': orm.load_computer('clüster').get_configuration(),
    'log': [log.message for log in orm.Log.collection.get_logs_for(job)],
    'comment': [c.content for c in job.base.comments.all()],
    'source': one(orm.CalcFunctionNode, 'function').get_source_code_function().splitlines()[0],
}))
"""


class Half:
    """An object that the test lets AiiDA make anew, by a module of the name that it gives."""

    def as_dict(self) -> dict[str, Any]:
        return {'@module': 'interop_half', '@class': 'Half', 'denominator': 2}


def store_one_of_each(folder: Path) -> None:
    """A graph with all types that the frontend makes."""
    computer = orm.Computer('clüster', 'h', transport_type='core.local', scheduler_type='core.direct', workdir='/w/')
    computer.store().configure(use_login_shell=True)
    singles = [
        orm.Int(2**60, label='int'),
        orm.Float(-0.5, label='float'),
        orm.Str('ünï', label='str'),
        orm.Bool(True, label='bool'),
        orm.List([1, [2, {'three': None}]], label='list'),
        orm.Dict({'deep': DEEP, 'k': 1}, label='dict', extras={'e': DEEP}),
        orm.EnumData(HTTPStatus.OK, label='enum'),
        orm.JsonableData(Half(), label='jsonable'),
        orm.SinglefileData(io.StringIO('tëxt'), 'ïn put.txt', label='file'),
        orm.ArrayData({'x': numpy.arange(6.0).reshape(2, 3), 'none': numpy.zeros(0)}, label='array'),
        orm.XyData([1, 2], [3, 4], x_name='x', x_units='m', y_names='y', y_units='K', label='xy'),
        orm.RemoteData('/scratch', computer=computer, label='remote'),
        orm.RemoteStashFolderData(StashMode.COPY, '/stash', ['a'], computer=computer, label='stash'),
        orm.InstalledCode(computer, '/usr/bin/pw.x', label='pw'),
        orm.PortableCode('run.sh', folder, label='portable'),
        orm.ContainerizedCode(
            'docker run {image_name}', 'ubuntu', computer=computer, filepath_executable='sh', label='container'
        ),
        orm.Data(label='data', source={'uri': 'https://example.org'}),
    ]
    tree = orm.FolderData(label='folder')
    for path in ('a/b/c.txt', 'a/empty file', 'k', 'o/k'):
        tree.base.repository.put_object_from_bytes(path.encode() if 'empty' not in path else b'', path)
    orm.store_nodes([*singles, tree])
    _store_processes(singles, computer)
    group = orm.Group('ünï group', description='text', extras={'a': [1]}).store()
    group.add_nodes(singles[:3])
    orm.AutoGroup('auto').store()


def _store_processes(data: list[Any], computer: Any) -> None:
    work = orm.WorkChainNode(label='work', process_type='module.Work')
    work.base.links.add_incoming(data[0], LinkType.INPUT_WORK, 'name__space__x')
    work.store()
    job = orm.CalcJobNode(label='job', computer=computer, process_type='aiida.calculations:core.arithmetic.add')
    job.set_option('resources', {'num_machines': 1})
    job.base.links.add_incoming(data[0], LinkType.INPUT_CALC, 'x')
    job.base.links.add_incoming(data[13], LinkType.INPUT_CALC, 'code')
    job.base.links.add_incoming(work, LinkType.CALL_CALC, 'CALL')
    job.store()
    retrieved = orm.FolderData()
    retrieved.base.repository.put_object_from_bytes(b'done', 'out')
    retrieved.base.links.add_incoming(job, LinkType.CREATE, 'retrieved')
    retrieved.store()
    retrieved.base.links.add_incoming(work, LinkType.RETURN, 'result')
    orm.Log(datetime(2024, 1, 1, tzinfo=UTC), 'logger', 'ERROR', node=job, message='it fäiled', metadata={'a': 1})
    job.base.comments.add('a cömment')
    job.set_process_state('finished')
    job.set_exit_status(0)
    for node in (job, work):
        node.seal()
    function = orm.CalcFunctionNode(label='function')
    function.store_source_info(store_one_of_each)
    function.store().seal()


@pytest.fixture
def home(storage: Any, tmp_path: Path) -> Path:
    """A configuration folder whose profile `test` is the storage."""
    home = tmp_path / 'home' / '.aiida'
    home.mkdir(parents=True)
    profile = storage.profile.dictionary
    config = {
        'CONFIG_VERSION': {'CURRENT': 9, 'OLDEST_COMPATIBLE': 9},
        'default_profile': 'test',
        'profiles': {'test': dict(profile)},
    }
    (home / 'config.json').write_text(json.dumps(config, default=dict))
    return home


def test_aiida_reads_what_the_frontend_stores(
    storage: Any, home: Path, tmp_path: Path, aiida_dump: Any, aiida_python: str, read_everything: Any
) -> None:
    (tmp_path / 'code').mkdir()
    (tmp_path / 'code' / 'run.sh').write_text('#!/bin/sh\n')
    store_one_of_each(tmp_path / 'code')
    expected = read_everything()
    found = json.loads(aiida_dump(home, 'test'))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert json.dumps(found[name], sort_keys=True) == json.dumps(value, sort_keys=True), name


def test_aiidas_own_classes_understand_it(
    storage: Any, home: Path, tmp_path: Path, aiida_python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'code').mkdir()
    (tmp_path / 'code' / 'run.sh').write_text('#!/bin/sh\n')
    store_one_of_each(tmp_path / 'code')
    (tmp_path / 'interop_half.py').write_text(
        'class Half:\n'
        '    @classmethod\n'
        '    def from_dict(cls, values):\n'
        '        new = cls(); new.denominator = values["denominator"]; return new\n'
    )
    monkeypatch.setenv('AIIDA_PATH', str(home))
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    done = subprocess.run([aiida_python, '-c', CHECKS], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {'Int', 'ContainerizedCode', 'WorkChainNode', 'CalcJobNode', 'XyData', 'FolderData'} <= set(
        found.pop('types')
    )
    assert found.pop('dict') == DEEP
    assert found.pop('source').startswith('def store_one_of_each(')
    assert found == {
        'int': 2**60,
        'list': [1, [2, {'three': None}]],
        'enum': 'OK',
        'jsonable': 2,
        'file': 'tëxt',
        'folder': ['a', 'a/b', 'a/b/c.txt', 'a/empty file', 'k', 'o', 'o/k'],
        'array': [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
        'xy': [3, 4],
        'code': '/usr/bin/pw.x',
        'portable': 'run.sh',
        'container': ['docker', 'run', 'ubuntu'],
        'stash': 'copy',
        'inputs': ['code', 'x'],
        'state': ['finished', 0, True, 'work'],
        'retrieved': 'done',
        'group': ['int', 'float', 'str'],
        'workdir': '/w/',
        'auth': {'use_login_shell': True},
        'log': ['it fäiled'],
        'comment': ['a cömment'],
    }
