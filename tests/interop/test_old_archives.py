"""Old archives become the same by AiiDA's migration and by ours, told by what AiiDA reads in either."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ricordi.services.archive.migrate import migrate_archive
from services.archive.old_layouts import OF_AIIDA_2, archive_of

HERE = Path(__file__).parent
SHIPPED = HERE.parent / 'data' / 'old_archives'


@pytest.fixture
def read(aiida_python: str, tmp_path: Path) -> Any:
    """What AiiDA reads in what itself makes of archives, and in others: `theirs, ours = read(old, new)`."""

    def migrate(old: list[Path], new: list[Path]) -> tuple[list[Any], list[Any]]:
        done = subprocess.run(
            [aiida_python, HERE / 'migrate_archives.py', *old, '--', *new],
            env={**os.environ, 'AIIDA_PATH': str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        return found[: len(old)], found[len(old) :]

    return migrate


def test_aiida_makes_the_same_of_every_version(read: Any, tmp_path: Path) -> None:
    """Of one graph in each of them, of one in a tar file, and of archives that AiiDA itself wrote."""
    graphs = [archive_of(version).write(tmp_path / f'{version}.aiida') for version in OF_AIIDA_2]
    graphs.append(archive_of('0.8').write(tmp_path / 'packed.tar.gz'))
    shipped = [SHIPPED / 'export_v0.4.aiida', SHIPPED / 'export_v0.9_manual.aiida']
    made = [tmp_path / f'{number}.new' for number in range(3)]
    for path, target in zip((graphs[0], *shipped), made, strict=True):
        migrate_archive(path, target)
    theirs, ours = read([*graphs, *shipped], made)
    for path, found in zip(graphs, theirs, strict=False):
        assert found == ours[0], path.name
    assert theirs[len(graphs) :] == ours[1:]
    assert [len(found['nodes']) for found in ours] == [6, 27, 27]
