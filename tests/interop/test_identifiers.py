"""Identifiers and what names may be: AiiDA is the judge of what is found, told apart and refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.interop

STORE = """
import json
from ricordi import load_profile, orm
load_profile()

def group(label, uuid=None, cls=orm.Group):
    made = cls(label)
    if uuid:
        made.row.uuid = uuid
    return made.store()

def node(label, uuid):
    made = orm.Int(1, label=label)
    made.row.uuid = uuid
    return made.store()

alpha = group('alpha', 'abcdef01-2345-4678-9abc-def012345678')
group(str(alpha.pk), '11111111-0000-4000-8000-000000000000')
group('abcdef', '22222222-0000-4000-8000-000000000000')
group('cafe', '33333333-0000-4000-8000-000000000000')
group('wow!', '55555555-0000-4000-8000-000000000000')
group(' pad ', '66666666-0000-4000-8000-000000000000')
group('twice', '77777777-0000-4000-8000-000000000000')
group('twice', '88888888-0000-4000-8000-000000000000', orm.AutoGroup)
node('one', '99999999-0000-4000-8000-000000000001')
node('one', '99999999-0000-4000-8000-000000000002')
node('two', '99999998-0000-4000-8000-000000000000')
for label in ('box', '2', 'me@box'):
    computer = orm.Computer(label, 'h', transport_type='core.local', scheduler_type='core.direct', workdir='/w').store()
    orm.InstalledCode(computer, '/x', label='pw').store()
orm.InstalledCode(computer, '/x', label='ph').store()
print(alpha.pk)
"""
ASK = """
import importlib, json, sys, warnings
warnings.simplefilter('ignore')
importlib.import_module(sys.argv[1]).load_profile()
orm = importlib.import_module(sys.argv[1] + '.orm')
answers = []
for kind, how, value in json.load(sys.stdin):
    load = getattr(orm, 'load_' + kind)
    try:
        found = load(value) if how == 'identifier' else load(**{how: value})
        answers.append(str(found.uuid))
    except Exception as error:
        answers.append([type(error).__name__, [cls.__name__ for cls in type(error).__mro__]])
print(json.dumps(answers))
"""
ALPHA = 'abcdef01-2345-4678-9abc-def012345678'


def questions(pk: int) -> list[tuple[str, str, Any]]:
    """How groups, nodes, computers and codes are asked for; `pk` is that of the group `alpha`."""
    groups = (pk, str(pk), f' {pk} ', f'{pk}!', ALPHA, ALPHA.replace('-', ''), 'abcdef', 'abcdef!', 'abcdef-')
    groups += ('cafe!', 'alpha', 'alpha!', 'alpha ', ' pad ', ' pad !', 'twice', 'nothing', 'nothing!', '!', 'abcd')
    groups += ('11111111-', '-1', 'abcdef01-2345-4678-9abc-def0123456789', True, 1.5, '', pk + 100, f'{pk}.0')
    nodes = ('9999999', '99999999-', '99999999-0000-4000-8000-000000000001', '99999998-', 'one', 'two', 'none', 'zz')
    computers = ('box', '2', '2!', 'me@box', 'nothing')
    codes = ('pw', 'ph', 'pw@box', 'pw@2', 'pw@me@box', 'ph@me@box', 'pw@nothing', 'pw@box!', 'no@box', 'one')
    return [
        *(('group', 'identifier', value) for value in groups),
        *(('node', 'identifier', value) for value in nodes),
        *(('computer', 'identifier', value) for value in computers),
        *(('code', 'identifier', value) for value in codes),
        *(('group', 'pk', value) for value in (pk, pk + 100, str(pk), -1)),
        *(('group', 'uuid', value) for value in (ALPHA, 'abcdef', 'abc', 'nothing', 5)),
        *(('group', 'label', value) for value in (str(pk), 'twice', 'nothing', '', 5)),
    ]


MORE = {
    ('group', 'cafe'): '33333333-0000-4000-8000-000000000000',
    ('group', ALPHA.upper()): ALPHA,
    ('group', 'wow!'): '55555555-0000-4000-8000-000000000000',
    ('group', 'wow!!'): '55555555-0000-4000-8000-000000000000',
    ('group', '11111111'): '11111111-0000-4000-8000-000000000000',
}
"""What is found here beside, where AiiDA finds nothing."""


def run(python: str, script: str, *arguments: str, home: Path, given: object = None) -> Any:
    done = subprocess.run(
        [python, '-c', script, *arguments],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, 'AIIDA_PATH': str(home)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration folder with a new profile."""
    home = tmp_path_factory.mktemp('identifiers') / '.aiida'
    environment = {**os.environ, 'AIIDA_PATH': str(home)}
    subprocess.run([sys.executable, '-m', 'ricordi', 'presto'], check=True, capture_output=True, env=environment)
    return home


def test_every_identifier_names_here_what_it_names_in_aiida(aiida_python: str, home: Path) -> None:
    pk = run(sys.executable, STORE, home=home)
    asked = questions(pk)
    theirs = run(aiida_python, ASK, 'aiida', home=home, given=asked)
    ours = run(sys.executable, ASK, 'ricordi', home=home, given=asked)
    different = {
        question: (their, our)
        for question, their, our in zip(asked, theirs, ours, strict=True)
        # an error is one that `except` of AiiDA's class, or of the builtin, catches
        if their != our and not (isinstance(their, list) and isinstance(our, list) and their[0] in our[1])
    }
    assert different == {}
    more = [(kind, 'identifier', value) for kind, value in MORE]
    assert run(sys.executable, ASK, 'ricordi', home=home, given=more) == list(MORE.values())
    found = run(aiida_python, ASK, 'aiida', home=home, given=more)
    assert {answer[0] for answer in found} == {'NotExistent'}


VALIDATE = """
import importlib, json, sys, uuid, warnings
warnings.simplefilter('ignore')
importlib.import_module(sys.argv[1]).load_profile()
orm = importlib.import_module(sys.argv[1] + '.orm')

def computer(**given):
    usual = {'label': str(uuid.uuid4()), 'hostname': 'h', 'transport_type': 'core.local', 'workdir': '/w'}
    return orm.Computer(**{**usual, 'scheduler_type': 'core.direct', **given}).store()

def code(label):
    return orm.InstalledCode(computer=computer(), filepath_executable='/x', label=label).store()

MAKE = {
    'group': lambda label: orm.Group(label=label).store(),
    'node': lambda label: orm.Int(1, label=label).store(),
    'user': lambda email: orm.User(email=email).store(),
    'extra': lambda key: orm.Int(1).base.extras.set(key, 1),
    'code': code,
    'label': lambda label: computer(label=label),
    'hostname': lambda name: computer(hostname=name),
    'transport': lambda name: computer(transport_type=name),
    'scheduler': lambda name: computer(scheduler_type=name),
    'workdir': lambda path: computer(workdir=path),
    'metadata': lambda metadata: computer(metadata={'workdir': '/w', **metadata}),
}
refused = []
for kind, value in json.load(sys.stdin):
    try:
        MAKE[kind](value)
        refused.append(False)
    except Exception as error:
        refused.append(True)
print(json.dumps(refused))
"""
TAKEN_BY_BOTH: list[tuple[str, Any]] = [
    *(('group', label) for label in ('plain', ' around ', 'a/b', '5', 'cafe', 'mark!', '-x', 'ü', 'a@b')),
    *(('node', label) for label in ('', ' ', 'a\nb', 'a\tb', 'x@y', '5')),
    *(('user', email) for email in ('ada@example.org', 'aiida@localhost', ' Bob@EXAMPLE.org ')),
    *(('extra', key) for key in ('a', ' ', 'a b', 'a\nb', '5')),
    *(('code', label) for label in ('pw', '', 'a b', 'a/b')),
    *(('label', label) for label in ('box', 'a b', 'a@b', '77', ' around ')),
    *(('transport', name) for name in ('core.local', 'core.ssh', 'core.ssh_async')),
    *(('scheduler', f'core.{name}') for name in ('direct', 'lsf', 'pbspro', 'sge', 'slurm', 'torque')),
    *(('workdir', path) for path in ('/w', '/w/{username}', '/w w')),
    ('metadata', {'mpirun_command': ['mpirun', '-np', '{tot_num_mpiprocs}', '{num_machines}']}),
    ('metadata', {'default_memory_per_machine': 5, 'anything': [1]}),
]
REFUSED_BY_BOTH: list[tuple[str, Any]] = [
    ('group', ''),
    *(('extra', key) for key in ('', 'a.b', 5)),
    *(('label', label) for label in ('', ' ')),
    ('hostname', ''),
    *(('transport', name) for name in ('core.nonsense', 'local', '')),
    *(('scheduler', name) for name in ('core.nonsense', 'slurm', '')),
    *(('workdir', path) for path in ('relative', '/{user}', '/{', '/{}', '/{username.x}', ' ')),
    ('metadata', {'mpirun_command': ['srun', '{nodes}']}),
    ('metadata', {'mpirun_command': 'srun'}),
    ('metadata', {'default_memory_per_machine': -1}),
]
REFUSED_HERE_ONLY: list[tuple[str, Any]] = [
    *(('group', label) for label in (' ', 'a\nb', 'a\tb')),
    *(('label', label) for label in ('a\nb', 'a\x1bb')),
    *(('hostname', name) for name in (' ', 'a\nb')),
    *(('user', email) for email in ('', 'not an address', 'a@', '@b', 'a b@c')),
    ('code', 'a@b'),
    ('metadata', {'default_mpiprocs_per_machine': 0}),
    ('metadata', {'shebang': 'sh'}),
]
"""What cannot be listed one a line, addressed or run; storages that hold it, for AiiDA takes it, are read."""


def own(program: str, kind: str, value: Any) -> tuple[str, Any]:
    """A value of each program's own, for what must be unique: what the other has stored is there."""
    if kind == 'user' and not value.startswith('@'):
        return kind, value.replace('@', f'{program}@')
    return kind, f'{value}{program}' if kind in ('group', 'label') and value.strip() else value


def test_what_aiida_refuses_is_refused_and_what_else_is_refused_is_known(aiida_python: str, home: Path) -> None:
    for python, program in ((aiida_python, 'aiida'), (sys.executable, 'ricordi')):
        given = [own(program, *one) for one in (*TAKEN_BY_BOTH, *REFUSED_BY_BOTH, *REFUSED_HERE_ONLY)]
        told = run(python, VALIDATE, program, home=home, given=given)
        expected = [False] * len(TAKEN_BY_BOTH) + [True] * len(REFUSED_BY_BOTH)
        expected += [program == 'ricordi'] * len(REFUSED_HERE_ONLY)
        assert [value for value, got, wanted in zip(given, told, expected, strict=True) if got is not wanted] == []


READ = """
import json
from ricordi import load_profile, orm
load_profile()
odd = orm.load_group('odd\\nlabel!')
odd.label = 'even'
computer = orm.load_computer('odd\\ncomputer')
computer.description = 'changed'
computer.label = 'even'
user = orm.User.collection.get(email='no address')
user.first_name = 'Ada'
found = orm.User.collection.get_or_create('no address')
user.email = 'ada@example.net'
orm.Group('of').store().user = user
print(json.dumps([orm.load_group('even').label, computer.description, found[0], user.email]))
"""
WRITE = """
from aiida import load_profile, orm
load_profile()
orm.Group('odd\\nlabel').store()
orm.Computer('odd\\ncomputer', 'a\\nb', transport_type='core.local', scheduler_type='core.direct', workdir='/w').store()
orm.User('no address').store()
print('null')
"""


def test_odd_names_that_aiida_has_let_through_are_found_and_replaced(aiida_python: str, home: Path) -> None:
    run(aiida_python, WRITE, home=home)
    assert run(sys.executable, READ, home=home) == ['even', 'changed', False, 'ada@example.net']
