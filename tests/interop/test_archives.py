"""AiiDA imports what Ricordi exports, reads it, and exports what Ricordi imports; nothing is lost either way."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aiida_process import run_in_aiida
from ricordi.services.archive.create import ArchiveRequest, create_archive
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.services.profiles.profiles import find_profile
from services.archive.tools import everything

DATA = Path(__file__).parent.parent / 'data'
REFERENCE = DATA / 'reference.dump.json'
CLI = Callable[..., subprocess.CompletedProcess[str]]
Dump = Callable[..., str]

EXPORT_PARTS = """
import sys, json
from aiida import load_profile, orm
load_profile('loose')
from aiida.tools.archive import create_archive
parts = json.loads(sys.argv[2])
for number, part in enumerate(parts):
    kinds = {'nodes': orm.load_node, 'groups': orm.load_group}
    chosen = [kinds[kind](name) for kind in kinds for name in part[kind]]
    create_archive(chosen, filename=f'{sys.argv[1]}/{number}.aiida', include_authinfos=True, **part['switches'])
"""

IMPORT = """
import sys
from aiida import load_profile
load_profile('new')
from aiida.tools.archive import import_archive
for path in sys.argv[1:]:
    import_archive(path, include_authinfos=True, create_group=False)
"""


def run_aiida(python: str, home: Path, script: str, *args: str) -> None:
    done = run_in_aiida(python, ['-c', script, *args], {**os.environ, 'AIIDA_PATH': str(home)})
    assert done.returncode == 0, done.stderr


def comparable(dump: str) -> dict[str, Any]:
    """A dump without what an import drops (hashes), and without the user that the empty profile had."""
    content = json.loads(dump)
    for node in content['nodes']:
        node['extras'].pop('_aiida_hash', None)
    content['users'] = [user for user in content['users'] if user['email'] != 'me@example.org']
    return content


@pytest.fixture
def empty(reference_home: Path, run_cli: CLI) -> Path:
    """An empty profile `new` beside the reference ones."""
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '-n', '--profile-name', 'new', '--email', 'me@example.org')
    assert done.returncode == 0, done.stderr
    return reference_home


@pytest.mark.interop
def test_aiida_reads_an_archive_as_it_reads_the_profile(
    reference_home: Path, tmp_path: Path, run_cli: CLI, aiida_dump: Dump
) -> None:
    path = tmp_path / 'all.aiida'
    done = run_cli('-p', 'loose', 'archive', 'create', path, '--all', '--include-authinfos')
    assert done.returncode == 0, done.stderr
    assert aiida_dump(reference_home, '--archive', str(path)) == REFERENCE.read_text()


@pytest.mark.interop
def test_aiida_imports_what_ricordi_exports(empty: Path, tmp_path: Path, aiida_python: str, aiida_dump: Dump) -> None:
    path = tmp_path / 'all.aiida'
    create_archive(find_profile('loose'), path, ArchiveRequest(everything=True, authinfos=True))
    run_aiida(aiida_python, empty, IMPORT, str(path))
    assert comparable(aiida_dump(empty, 'new')) == comparable(REFERENCE.read_text())


@pytest.mark.interop
def test_aiida_reads_what_ricordi_imported(empty: Path, run_cli: CLI, aiida_dump: Dump) -> None:
    done = run_cli(
        '-p', 'new', 'archive', 'import', DATA / 'reference.aiida', '--include-authinfos', '--no-import-group'
    )
    assert done.returncode == 0, done.stderr
    assert comparable(aiida_dump(empty, 'new')) == comparable(REFERENCE.read_text())


@pytest.mark.interop
def test_parts_are_those_that_aiida_takes_and_can_be_imported(empty: Path, tmp_path: Path, aiida_python: str) -> None:
    whole = everything('loose')
    uuids = sorted(node['uuid'] for node in whole['node'])
    groups = [group['uuid'] for group in whole['group'][:2]]
    parts: list[dict[str, Any]] = [
        {'nodes': uuids[:1], 'groups': [], 'switches': {}},
        {'nodes': uuids[20:23], 'groups': groups, 'switches': {'create_backward': False}},
        {'nodes': uuids[40:42], 'groups': [], 'switches': {'input_calc_forward': True, 'return_backward': True}},
        {'nodes': [], 'groups': groups[:1], 'switches': {'call_calc_backward': False, 'call_work_backward': False}},
        {'nodes': uuids[60:61], 'groups': [], 'switches': {'input_work_forward': True}},
    ]
    theirs = tmp_path / 'theirs'
    theirs.mkdir()
    run_aiida(aiida_python, empty, EXPORT_PARTS, str(theirs), json.dumps(parts))
    for number, part in enumerate(parts):
        path = tmp_path / f'{number}.aiida'
        request = ArchiveRequest(
            nodes=tuple(part['nodes']), groups=tuple(part['groups']), switches=part['switches'], authinfos=True
        )
        create_archive(find_profile('loose'), path, request)
        assert everything(path) == everything(theirs / f'{number}.aiida'), part
        import_archive(find_profile('new'), theirs / f'{number}.aiida', ImportRequest())
