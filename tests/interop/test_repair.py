"""AiiDA minds neither catalogues nor what is set aside, and after a repair it reads what it read before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROFILE = 'mixed'
WORK_ON = """
import hashlib, io, json, sys
from aiida import load_profile, orm
from aiida.manage import get_manager
load_profile(sys.argv[1])
storage = get_manager().get_profile_storage()

def state():
    errors = vars(storage.get_repository()._container.validate())
    assert not any(errors.values()), errors
    nodes = orm.QueryBuilder().append(orm.Node).all(flat=True)
    return sorted(
        [node.uuid, name, hashlib.sha256(node.base.repository.get_object_content(name, mode='rb')).hexdigest()]
        for node in nodes
        for name in node.base.repository.list_object_names()
        if node.base.repository.get_object(name).is_file()
    )

before = state()
orm.SinglefileData(io.BytesIO(b'stored by AiiDA beside catalogues')).store()
storage.maintain(full=False, dry_run=False)
storage.get_repository()._container.repack()
storage.maintain(full=True, dry_run=False)
print(json.dumps([before, state()]))
"""


@pytest.mark.interop
def test_aiida_works_beside_catalogues_and_reads_the_same_after_a_repair(
    reference_home: Path,
    tmp_path: Path,
    run_cli: Callable[..., subprocess.CompletedProcess[str]],
    aiida_python: str,
) -> None:
    def ricordi(*words: str) -> None:
        done = run_cli('-p', PROFILE, 'storage', *words)
        assert done.returncode == 0, done.stderr

    def aiida() -> Any:
        """What AiiDA reads before it has worked, and after."""
        environment = {**os.environ, 'AIIDA_PATH': str(reference_home)}
        command = [aiida_python, '-c', WORK_ON, PROFILE]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    container = reference_home / 'repository' / PROFILE / 'container'
    ricordi('maintain', '--full', '--yes')
    assert list((container / 'catalogue').iterdir())
    _, before = aiida()  # its repack leaves the catalogues behind
    assert list((container / 'catalogue').iterdir())
    shutil.copytree(container, tmp_path / 'copy')
    for path in container.glob('packs.idx*'):
        path.unlink()
    pack = max((container / 'packs').iterdir(), key=lambda path: path.stat().st_size)
    content = pack.read_bytes()
    pack.write_bytes(content[:100] + bytes(100) + content[200:])
    ricordi('repair', '--yes', '--from', str(tmp_path / 'copy'))
    (container / 'set-aside').mkdir(exist_ok=True)
    (container / 'set-aside' / 'packs.idx').write_bytes(b'whatever')
    read, _ = aiida()
    assert read == before
    assert len(before) > 10
