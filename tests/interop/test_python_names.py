"""AiiDA is the judge: fields of every class, hashes, and what is stored under AiiDA's names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.interop

FIELDS = """
import importlib, json, sys, warnings
warnings.simplefilter('ignore')
orm = importlib.import_module(sys.argv[1] + '.orm')
found = {}
for name in sorted(orm.__all__):
    cls = getattr(orm, name)
    if isinstance(cls, type) and hasattr(cls, 'fields'):
        found[name] = {key: [cls.fields[key].backend_key, type(cls.fields[key]).__name__] for key in cls.fields}
print(json.dumps(found))
"""
HASHES = """
import importlib, json, sys
make_hash = importlib.import_module(sys.argv[1] + '.common.hashing').make_hash
values = [None, True, 1, 1.5, 'text', b'bytes', [1, [2]], (1, 2), {'b': 1, 'a': [None, {'c': 2.0}]}, 1e300, -0.0]
print(json.dumps([make_hash(value) for value in values]))
"""
STORE = """
import json
from ricordi import load_profile, orm
load_profile()
for member in (orm.LinkType.CREATE, orm.ProcessState.KILLED, orm.CalcJobState.PARSING, orm.JobState.DONE,
               orm.StashMode.COPY, orm.FileType.FILE):
    orm.EnumData(member, label='enum').store()
computer = orm.Computer('c', 'h', transport_type='core.local', scheduler_type='core.direct', workdir='/w').store()
orm.Code(remote_computer_exec=(computer, '/bin/x'), label='old').store()
for cls in (orm.CalcJobNode, orm.WorkChainNode, orm.CalcFunctionNode):
    node = cls().store()
    node.logger.error('logged')
print(json.dumps([orm.Int.entry_point.group, orm.CalcJobNode.entry_point.group, orm.Group.entry_point.group]))
"""
READ = """
import json, warnings
warnings.simplefilter('ignore')
from aiida import load_profile, orm
load_profile()
enums = orm.QueryBuilder().append(orm.EnumData).all(flat=True)
for node in orm.QueryBuilder().append(orm.ProcessNode).all(flat=True):
    (log,) = orm.Log.collection.get_logs_for(node)
    assert log.loggername == node.logger.logger.name == log.metadata['name'], (log.loggername, node.logger.logger.name)
code = orm.load_code('old@c')
print(json.dumps([
    sorted(node.get_member().name for node in enums),
    [code.get_execname(), code.full_label, code.is_local()],
]))
"""


def run(python: str, script: str, *arguments: str, home: Path | None = None) -> Any:
    environment = {**os.environ, **({'AIIDA_PATH': str(home)} if home else {})}
    done = subprocess.run(
        [python, '-c', script, *arguments], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_field_of_aiidas_classes_is_there_and_means_the_same(aiida_python: str) -> None:
    theirs, ours = run(aiida_python, FIELDS, 'aiida'), run(sys.executable, FIELDS, 'ricordi')
    assert len(theirs) > 40
    lacking = {
        name: {key: value for key, value in fields.items() if ours[name].get(key) != value}
        for name, fields in theirs.items()
    }
    assert {name: fields for name, fields in lacking.items() if fields} == {}


def test_values_hash_to_what_aiida_makes_of_them(aiida_python: str) -> None:
    assert run(sys.executable, HASHES, 'ricordi') == run(aiida_python, HASHES, 'aiida')


def test_enums_loggers_and_old_codes_are_what_aiida_would_have_stored(aiida_python: str, tmp_path: Path) -> None:
    home = tmp_path / '.aiida'
    environment = {**os.environ, 'AIIDA_PATH': str(home)}
    subprocess.run([sys.executable, '-m', 'ricordi', 'presto'], check=True, capture_output=True, env=environment)
    assert run(sys.executable, STORE, home=home) == ['aiida.data', 'aiida.node', 'aiida.groups']
    members, code = run(aiida_python, READ, home=home)
    assert members == ['COPY', 'CREATE', 'DONE', 'FILE', 'KILLED', 'PARSING']
    assert code == ['/bin/x', 'old@c', False]
