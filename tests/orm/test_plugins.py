"""Types of plug-ins: registered by entry point, loaded as their class; broken ones keep nobody from their data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENTRY_POINTS = """
[ricordi.data]
plug.spectrum = plug:SpectrumData
plug.broken = plug:NoSuchClass

[ricordi.node]
process.calculation.calcjob.plug = plug:PlugJobNode

[ricordi.groups]
plug.family = plug:Family
"""
MODULE = """
from ricordi import orm

class SpectrumData(orm.Dict):
    attribute_fields = {'peak': float}

class PlugJobNode(orm.CalcJobNode):
    pass

class Family(orm.Group):
    pass
"""
SCRIPT = """
import sys
from ricordi.config.profile import Profile
from ricordi.repository.container.container import Container
from ricordi.storage.sqlite.dos import SqliteDosStorage
from ricordi import orm

profile = Profile('p', {'default_user_email': 'verdi@opera.net', 'process_control': {'backend': None, 'config': None},
    'storage': {'backend': 'core.sqlite_dos', 'config': {'filepath': sys.argv[1]}}})
storage = SqliteDosStorage.open(profile, Container(SqliteDosStorage.repository_location(profile).path))
if sys.argv[2] == 'store':
    from plug import Family, PlugJobNode, SpectrumData
    SpectrumData({'peak': 1.5}, label='spectrum', backend=storage).store()
    PlugJobNode(label='job', backend=storage).store()
    Family('family', backend=storage).store()
    broken = orm.Dict({'a': 1}, label='broken', backend=storage)
    broken.row.node_type = 'data.plug.broken.BrokenData.'
    broken.store()
for label in ('spectrum', 'job', 'broken'):
    node = orm.load_node(label, backend=storage)
    print(type(node).__name__, node.node_type, node.base.attributes.all)
group = orm.load_group('family', backend=storage)
print(type(group).__name__, group.type_string)
"""


def run(tmp_path: Path, folder: str, verb: str, path: Path | None) -> list[str]:
    import os

    environment = {**os.environ, **({'PYTHONPATH': str(path)} if path else {})}
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT, folder, verb], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A folder with an installed package, for PYTHONPATH."""
    path = tmp_path / 'site'
    info = path / 'plug-1.0.dist-info'
    info.mkdir(parents=True)
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(ENTRY_POINTS)
    (path / 'plug.py').write_text(MODULE)
    return path


def test_types_of_a_plugin_load_as_its_classes_or_as_their_parents(
    new_storage: Any, plugin: Path, tmp_path: Path
) -> None:
    storage = new_storage()
    folder = storage.profile.storage_config['filepath']
    storage.close()
    with_plugin = [
        "SpectrumData data.plug.spectrum.SpectrumData. {'peak': 1.5}",
        'PlugJobNode process.calculation.calcjob.plug.PlugJobNode. {}',
        "Data data.plug.broken.BrokenData. {'a': 1}",
        'Family plug.family',
    ]
    without = [
        "Data data.plug.spectrum.SpectrumData. {'peak': 1.5}",
        'CalcJobNode process.calculation.calcjob.plug.PlugJobNode. {}',
        "Data data.plug.broken.BrokenData. {'a': 1}",
        'Group plug.family',
    ]
    assert run(tmp_path, folder, 'store', plugin) == with_plugin
    assert run(tmp_path, folder, 'load', plugin) == with_plugin
    assert run(tmp_path, folder, 'load', None) == without
