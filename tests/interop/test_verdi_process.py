"""`process`, `calcjob`, `code` and `config` in verdi and here, on the same profile: what they print and leave."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from both_programs import Command, make_home, run_verdi

pytestmark = pytest.mark.interop

EVERYTHING = ('uuid', 'state', 'process_state', 'process_status', 'exit_status', 'exit_message', 'sealed')
MORE = ('process_label', 'label', 'description', 'node_type', 'process_type', 'job_state', 'exception')

RAW: dict[str, Command] = {
    'active': ('process', 'list', '-r'),
    'all': ('process', 'list', '-a', '-r'),
    'columns': ('process', 'list', '-a', '-r', '-P', 'pk', *EVERYTHING),
    'more columns': ('process', 'list', '-a', '-r', '-P', 'pk', *MORE),
    'cached': ('process', 'list', '-a', '-r', '-P', 'pk', 'cached', 'cached_from', 'scheduler_state'),
    'failed': ('process', 'list', '-X', '-r'),
    'failed, whatever the state': ('process', 'list', '-X', '-S', 'running', '-r', '-P', 'pk'),
    'exit status': ('process', 'list', '-E', '411', '-r', '-P', 'pk', 'exit_message'),
    'no such exit status': ('process', 'list', '-a', '-E', '1', '-r'),
    'states': ('process', 'list', '-S', 'excepted', 'running', '-r', '-P', 'pk', 'state'),
    'all beats states': ('process', 'list', '-a', '-S', 'excepted', '-r', '-P', 'pk'),
    'label': ('process', 'list', '-a', '-L', 'add', '-r', '-P', 'pk'),
    'pattern': ('process', 'list', '-a', '-L', 'add%', '-r', '-P', 'pk', 'process_label'),
    'underscore': ('process', 'list', '-a', '-L', 'ad_', '-r', '-P', 'pk'),
    'paused': ('process', 'list', '-a', '--paused', '-r', '-P', 'pk', 'state'),
    'order': ('process', 'list', '-a', '-O', 'id', '-D', 'desc', '-l', '7', '-r', '-P', 'pk'),
    'group': ('process', 'list', '-a', '-G', 'processes', '-r', '-P', 'pk'),
    'recent': ('process', 'list', '-a', '-p', '1', '-r', '-P', 'pk'),
    'root': ('process', 'call-root', '26', '24', '21'),
    'status': ('process', 'status', '21', '4', '57', '75'),
    'status with links': ('process', 'status', '-c', '-m', '2', '33'),
    'codes': ('code', 'list', '-r'),
    'all codes': ('code', 'list', '-a', '-A', '-r', '-P', 'full_label', 'pk', 'uuid', 'label', 'entry_point', 'user'),
    'codes of a computer': ('code', 'list', '-a', '-Y', 'cluster', '-r', '-P', 'pk', 'computer', 'user'),
    'codes of a plug-in': ('code', 'list', '-d', 'core.arithmetic.add', '-r', '-P', 'pk', 'default_calc_job_plugin'),
    'input files': ('calcjob', 'inputls', '57'),
    'output files': ('calcjob', 'outputls', '57'),
    'an input file': ('calcjob', 'inputcat', '57', '_aiidasubmit.sh'),
    'an output file': ('calcjob', 'outputcat', '57', 'aiida.out'),
    'the output file': ('calcjob', 'outputcat', '57'),
    'an option': ('config', 'get', 'daemon.timeout'),
    'a list': ('config', 'get', 'caching.enabled_for'),
    'an option without default': ('config', 'get', 'storage.sandbox'),
}
"""What both print alike, but for the number of blanks between columns."""

TABLES: dict[str, Command] = {
    'process table': ('process', 'list', '-a'),
    'code table': ('code', 'list', '-a', '-A'),
    'a code': ('code', 'show', 'pw@cluster'),
    'a portable code': ('code', 'show', 'portable'),
    'a code in a container': ('code', 'show', 'boxed'),
    'options': ('config', 'list', 'caching'),
    'all options': ('config', 'list', '--advanced'),
}
REPORTS: dict[str, Command] = {
    'report of a work chain': ('process', 'report', '21'),
    'report of every level': ('process', 'report', '-l', 'DEBUG', '33'),
    'report of a calculation job': ('process', 'report', '57', '75'),
    'report of a function': ('process', 'report', '4'),
}
CODES = """
import pathlib, sys
from aiida import load_profile, orm
load_profile('mixed')
folder = pathlib.Path(sys.argv[1])
folder.mkdir()
(folder / 'run.sh').write_text('true')
common = {'prepend_text': 'module load a\\nmodule load b', 'with_mpi': True}
orm.PortableCode(filepath_executable='run.sh', filepath_files=folder, label='portable', **common).store()
cluster = orm.load_computer('cluster')
container = {'engine_command': 'docker run {image_name}', 'image_name': 'ubuntu'}
orm.ContainerizedCode(computer=cluster, filepath_executable='/bin/x', label='boxed', **container).store()
hidden = orm.InstalledCode(computer=orm.load_computer('localhost'), filepath_executable='/bin/y', label='hidden')
hidden.store().is_hidden = True
paused = orm.load_node(75)
paused.pause()
paused.base.extras.set('_aiida_cached_from', 'x')
group = orm.Group('processes').store()
group.add_nodes([orm.load_node(pk) for pk in (1, 4, 21, 57)])
"""
"""What the reference data lacks: other kinds of codes, something paused, a group of processes."""


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory, aiida_python: str) -> Path:
    """A configuration folder that both programs read."""
    import os

    folder = tmp_path_factory.mktemp('reading')
    home = make_home(folder)
    environment = {**os.environ, 'AIIDA_PATH': str(home)}
    subprocess.run([aiida_python, '-c', CODES, folder / 'code'], env=environment, check=True, capture_output=True)
    return home


@pytest.fixture(scope='module')
def printed(home: Path, aiida_python: str) -> dict[str, Any]:
    """What verdi prints for each of the commands that read."""
    commands = RAW | TABLES | REPORTS
    return dict(zip(commands, run_verdi(aiida_python, home, list(commands.values())), strict=True))


def words(text: str) -> list[list[str]]:
    """The words of each line, without rules under headings, ages, which go on, and what is told besides.

    On SQLite, verdi takes what is paused for what is not.
    """
    told = ('Report', 'Warning', 'Total', 'Use `')
    lines = [line for line in text.splitlines() if line.strip() and not set(line) <= set('- ')]
    return [
        re.sub(r'\d+[smhD] ago', 'AGE', line.replace('⏸', '⏵')).split() for line in lines if not line.startswith(told)
    ]


@pytest.mark.parametrize('name', [*RAW, *TABLES])
def test_both_print_the_same(name: str, printed: dict[str, Any], home: Path, here: Callable[..., str]) -> None:
    verdi, ours = printed[name], here(home, *(RAW | TABLES)[name])
    assert verdi['code'] == 0, verdi['out']
    assert words(ours) == words(verdi['out'])


@pytest.mark.parametrize('name', REPORTS)
def test_both_report_the_same(name: str, printed: dict[str, Any], home: Path, here: Callable[..., str]) -> None:
    def without_times(text: str) -> list[list[str]]:
        return words(re.sub(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d)?', 'TIME', text))

    assert without_times(here(home, *REPORTS[name])) == without_times(printed[name]['out'])


def test_json_has_what_verdi_prints(printed: dict[str, Any], home: Path, here: Callable[..., str]) -> None:
    rows = json.loads(here(home, *RAW['columns'], '--format', 'json'))
    shown = [line.split() for line in printed['columns']['out'].splitlines() if line.strip()]
    assert [[str(row['pk']), row['uuid']] for row in rows] == [line[:2] for line in shown]
    assert all(row['process_state'].capitalize() in line for row, line in zip(rows, shown, strict=True))
    assert [str(row['sealed']) in line for row, line in zip(rows, shown, strict=True)] == [True] * len(rows)


def test_exported_codes_are_the_same_and_verdi_makes_codes_of_them(
    tmp_path: Path, aiida_python: str, here: Callable[..., str]
) -> None:
    import yaml

    home = make_home(tmp_path)
    theirs, ours, unsorted = (tmp_path / f'{name}.yaml' for name in ('theirs', 'ours', 'unsorted'))
    (exported,) = run_verdi(aiida_python, home, [('code', 'export', 'pw@cluster', theirs)])
    assert exported['code'] == 0
    here(home, 'code', 'export', 'pw@cluster', ours)
    assert ours.read_text() == theirs.read_text()
    here(home, 'code', 'export', '--no-sort', 'pw@cluster', unsorted)
    assert yaml.safe_load(unsorted.read_text()) == yaml.safe_load(theirs.read_text())
    create = ('code', 'create', 'core.code.installed', '-n', '--config', unsorted, '--label', 'again')
    made, shown = run_verdi(aiida_python, home, [create, ('code', 'show', 'again')])
    assert (made['code'], shown['code']) == (0, 0), made['out']
    assert words(shown['out'])[4:] == words(here(home, 'code', 'show', 'pw@cluster'))[4:]


def test_options_that_one_program_sets_are_read_by_the_other(
    tmp_path: Path, aiida_python: str, here: Callable[..., str]
) -> None:
    home = make_home(tmp_path)
    here(home, 'config', 'set', 'daemon.timeout', '7')
    here(home, 'config', 'set', '-g', 'warnings.rabbitmq_version', 'false')
    here(home, 'config', 'set', '--append', 'caching.enabled_for', 'aiida.calculations:core.transfer')
    asked = [('config', 'get', name) for name in ('daemon.timeout', 'warnings.rabbitmq_version', 'caching.enabled_for')]
    answers = run_verdi(aiida_python, home, [*asked, ('config', 'show', 'daemon.timeout')])
    assert [answer['out'].strip() for answer in answers[:3]] == ['7', 'False', "['aiida.calculations:core.transfer']"]
    assert 'profile: 7' in answers[3]['out']
    changes = [
        ('config', 'unset', 'daemon.timeout'),
        ('config', 'set', 'daemon.worker_process_slots', '5'),
        ('config', 'set', '--remove', 'caching.enabled_for', 'aiida.calculations:core.transfer'),
    ]
    assert [done['code'] for done in run_verdi(aiida_python, home, changes)] == [0, 0, 0]
    assert here(home, 'config', 'get', 'daemon.timeout') == '2\n'
    assert here(home, 'config', 'get', 'daemon.worker_process_slots') == '5\n'
    assert here(home, 'config', 'get', 'caching.enabled_for') == '[]\n'


SHAPES = ((), ('--flat',), ('--include-outputs', '--exclude-inputs', '--include-extras'))


def test_both_dump_a_process_into_the_same_files(
    tmp_path: Path, home: Path, aiida_python: str, here: Callable[..., str]
) -> None:
    dumps = [(pk, *more) for more in SHAPES for pk in ('21', '57')]
    theirs = [tmp_path / f'theirs {number}' for number in range(len(dumps))]
    commands = [('process', 'dump', *dump, '--path', path) for dump, path in zip(dumps, theirs, strict=True)]
    assert [done['code'] for done in run_verdi(aiida_python, home, commands)] == [0] * len(dumps)
    for number, (dump, path) in enumerate(zip(dumps, theirs, strict=True)):
        ours = tmp_path / f'ours {number}'
        here(home, 'process', 'dump', *dump, '--path', ours)
        assert files_of(ours) == files_of(path), dump


def test_what_is_paused_is_shown_so(home: Path, here: Callable[..., str]) -> None:
    assert here(home, 'process', 'list', '--paused', '-r', '-P', 'pk', 'state', 'paused') == '75\t⏸ Running\tTrue\n'
    assert json.loads(here(home, 'process', 'list', '--paused', '--format', 'json'))[0]['paused'] is True


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a dump, but for what each program writes for itself."""
    own = {'README.md', 'aiida_dump_log.json', 'ricordi_dump_log.jsonl', 'aiida_node_metadata.yaml'}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob('*') if path.is_file()}
    return {
        name: b'' if path.name == 'aiida_node_metadata.yaml' else path.read_bytes()
        for name, path in found.items()
        if path.name not in own or path.name == 'aiida_node_metadata.yaml'
    }
