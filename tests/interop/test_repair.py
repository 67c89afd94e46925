"""AiiDA minds neither catalogues nor what is set aside, and after a repair it reads what it read before."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

DATA = Path(__file__).parent.parent / 'data'
PROFILE = 'mixed'
WORK_ON = """
import io, sys
from aiida import load_profile, orm
from aiida.manage import get_manager
load_profile(sys.argv[1])
storage = get_manager().get_profile_storage()
errors = vars(storage.get_repository()._container.validate())
assert not any(errors.values()), errors
node = orm.SinglefileData(io.BytesIO(b'stored by AiiDA beside catalogues')).store()
storage.maintain(full=False, dry_run=False)
storage.get_repository()._container.repack()
storage.maintain(full=True, dry_run=False)
errors = vars(storage.get_repository()._container.validate())
assert not any(errors.values()), errors
assert node.get_content(mode='rb') == b'stored by AiiDA beside catalogues'
node.base.repository.get_object_content(node.filename)
"""


@pytest.mark.interop
def test_aiida_works_beside_catalogues_and_reads_the_same_after_a_repair(
    reference_home: Path,
    tmp_path: Path,
    run_cli: Callable[..., subprocess.CompletedProcess[str]],
    aiida_dump: Callable[..., str],
    aiida_python: str,
) -> None:
    def ricordi(*words: str) -> None:
        done = run_cli('-p', PROFILE, 'storage', *words)
        assert done.returncode == 0, done.stderr

    def aiida() -> None:
        environment = {**os.environ, 'AIIDA_PATH': str(reference_home)}
        command = [aiida_python, '-c', WORK_ON, PROFILE]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr

    container = reference_home / 'repository' / PROFILE / 'container'
    shutil.copytree(container, tmp_path / 'copy')
    ricordi('maintain', '--full', '--yes')
    assert list((container / 'catalogue').iterdir())
    for path in container.glob('packs.idx*'):
        path.unlink()
    pack = max((container / 'packs').iterdir(), key=lambda path: path.stat().st_size)
    content = pack.read_bytes()
    pack.write_bytes(content[:100] + bytes(100) + content[200:])
    ricordi('repair', '--yes', '--from', str(tmp_path / 'copy'))
    assert aiida_dump(reference_home, PROFILE) == (DATA / 'mixed.dump.json').read_text()
    aiida()  # its repack leaves the catalogues behind
    assert list((container / 'catalogue').iterdir())
    dump = aiida_dump(reference_home, PROFILE)
    for path in container.glob('packs.idx*'):
        path.unlink()
    ricordi('repair', '--yes')
    assert aiida_dump(reference_home, PROFILE) == dump
    ricordi('verify', '--read')
    aiida()
