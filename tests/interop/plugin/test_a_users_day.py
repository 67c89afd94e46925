"""AiiDA on Ricordi's storage beside AiiDA on its own: after the same day's work, both hold the same."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

pytestmark = pytest.mark.interop

SCRIPT = Path(__file__).parent / 'a_users_day.py'
TIME = re.compile(r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d)?')
OF_THE_RUN = {
    'remote_workdir',
    'remote_path',
    'job_id',
    'last_job_info',
    'detailed_job_info',
    'scheduler_lastchecktime',
}
"""Attributes of calculations that tell of folders and processes of the machine."""
OF_MORE = ('data.core.remote.', 'data.core.code.', 'process.')
"""Types of nodes whose hash is also one of uuids or folders."""


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A configuration folder; in memory where there is a place for it, for nothing here is about what a disk takes."""
    memory = Path('/dev/shm')
    if not memory.is_dir():
        yield tmp_path_factory.mktemp('home')
        return
    with TemporaryDirectory(dir=memory, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope='module', params=['sqlite_dos', 'psql_dos'])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope='module')
def days(
    home: Path, kind: str, aiida_python: str, aiida_environment: dict[str, str], request: pytest.FixtureRequest
) -> dict[str, Any]:
    """What came out of the day on each storage."""
    profiles = {}
    for name in ('core', 'ricordi'):
        config = {'filepath': str(home / f'storage_{name}')}
        if kind == 'psql_dos':
            postgres, new = (request.getfixturevalue(one) for one in ('postgres', 'new_database_of_module'))
            config = postgres.storage_config(new(), home / f'repository_{name}')
        profiles[f'{name}_{kind}'] = [f'{name}.{kind}', config]
    done = subprocess.run(
        [aiida_python, SCRIPT, json.dumps(profiles), home / 'folders' / kind],
        env={**aiida_environment, 'AIIDA_PATH': str(home)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index('{"core_') :])
    return {name.removesuffix(f'_{kind}'): day for name, day in found.items()}


def test_the_days_work_is_the_same(days: dict[str, Any], kind: str) -> None:
    assert days['ricordi']['storage'] == {'sqlite_dos': 'RicordiSqliteDos', 'psql_dos': 'RicordiPsqlDos'}[kind]
    assert days['ricordi']['answers']['loops'] == [0, 3, 1, 3]
    for name, answer in days['core']['answers'].items():
        assert days['ricordi']['answers'][name] == answer, name
    assert sorted(days['ricordi']['uuids'].values()) == sorted(days['core']['uuids'].values())


def test_the_judge_finds_the_same_in_both(
    days: dict[str, Any], home: Path, kind: str, aiida_dump: Callable[..., str], here: Callable[..., str]
) -> None:
    """Read by AiiDA's own storage, over both."""
    here(home, 'profile', 'use-backend', f'ricordi_{kind}', 'core', profile=f'ricordi_{kind}')
    theirs, ours = (
        _bare(json.loads(aiida_dump(home, f'{name}_{kind}')), days[name]['uuids']) for name in ('core', 'ricordi')
    )
    for kind, rows in theirs.items():
        assert ours[kind] == rows, kind


def _bare(dump: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A dump without what may differ: times, uuids (each replaced by a name), folders and processes of the machine."""
    for node in dump['nodes']:
        node['attributes'] = {key: value for key, value in node['attributes'].items() if key not in OF_THE_RUN}
        if '.aiida' in node['repository_metadata'].get('o', {}):
            node['repository_metadata'] = '…'  # what was submitted names the uuid of the node
        if node['node_type'].startswith(OF_MORE) or '_scheduler-stdout.txt' in str(node):
            node['extras'].pop('_aiida_hash', None)
    for log in dump['logs']:
        log['metadata'] = sorted(log['metadata'])  # what for: processes, threads, moments
    del dump['objects']
    text = TIME.sub('at some time', json.dumps(dump, ensure_ascii=False)).replace('dos/ricordi_', 'dos/core_')
    for uuid, name in names.items():
        text = text.replace(uuid, name)
    bare: dict[str, Any] = json.loads(text)
    return {kind: sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)) for kind, rows in bare.items()}
