"""Backups beside writers, AiiDA's and ours: what was stored before a snapshot is in it, whole, and AiiDA reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from both_programs import add_psql_profile
from deadlines import wait_until
from prepared import reference_database
from ricordi.backend.rows import NodeRow
from ricordi.config import load_config
from ricordi.manager import use_storage
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.rehearsal import rehearse
from ricordi.services.backups.restore import restore
from ricordi.services.profiles.profiles import find_profile
from ricordi.services.profiles.setup import Request, sqlite_config

WRITER = Path(__file__).parents[1] / 'faults' / 'write_nodes.py'
SECONDS = 6.0
READ = """
import hashlib, json, sys
from aiida import load_profile, orm
load_profile(sys.argv[1])
wanted = json.load(sys.stdin)
for uuid, digest in wanted.items():
    content = orm.load_node(uuid).get_content(mode='rb')
    assert hashlib.sha256(content).hexdigest() == digest, uuid
print(orm.QueryBuilder().append(orm.Node).count())
"""


@contextmanager
def writers(home: Path, folder: Path, profile: str, aiida_python: str) -> Iterator[Callable[[], dict[str, str]]]:
    """Two of AiiDA and two of ours, which store for some seconds; gives what tells the nodes that they have stored."""
    outputs, processes = [], []
    with ExitStack() as stack:
        for number, (python, package) in enumerate([(aiida_python, 'aiida'), (sys.executable, 'ricordi')] * 2):
            outputs.append(folder / f'writer-{number}')
            stdout = stack.enter_context(outputs[-1].open('w'))
            words = [python, str(WRITER), package, profile, str(SECONDS)]
            process = subprocess.Popen(words, env={**os.environ, 'AIIDA_PATH': str(home)}, stdout=stdout)
            processes.append(stack.enter_context(process))

        def stored() -> dict[str, str]:
            lines = [line for path in outputs for line in path.read_text().split('\n')[:-1]]
            return dict(line.split() for line in lines if not line.startswith('#'))  # which tells of a lock

        wait_until(lambda: all(path.stat().st_size for path in outputs), 'each of the writers has stored a node')
        yield stored
        for process in processes:
            assert process.wait(240) == 0


@pytest.mark.interop
@pytest.mark.parametrize('profile', ['mixed', 'psql'])
def test_each_snapshot_beside_writers_has_all_that_was_stored_before(
    reference_home: Path,
    tmp_path: Path,
    postgres: Any,
    new_database: Callable[..., str],
    aiida_python: str,
    profile: str,
) -> None:
    if profile == 'psql':
        add_psql_profile(reference_home, postgres, new_database(reference_database(postgres)))
    place, before = tmp_path / 'place', dict[str, dict[str, str]]()
    with writers(reference_home, tmp_path, profile, aiida_python) as stored:
        for _ in range(3):
            known = stored()
            record = back_up(load_config().get_profile(profile), place).record
            assert record is not None
            assert record.complete
            before[record.name] = known
    for name, known in before.items():
        report = rehearse(f'{place}@{name}')
        assert (report.succeeded, report.findings) == (True, ())
        restore(f'{place}@{name}', Request(f'of-{name}', 'core.sqlite_dos', sqlite_config(None), None))
        with use_storage(find_profile(f'of-{name}')) as storage:
            found = {row.uuid for row in storage.find(NodeRow)}
        assert known.keys() <= found
    last = max(before)
    done = subprocess.run(
        [aiida_python, '-c', READ, f'of-{last}'],
        input=json.dumps(before[last]),
        env={**os.environ, 'AIIDA_PATH': str(reference_home)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= len(before[last])
