"""Over and back between the storage class of AiiDA and ours: nothing but the name in the configuration changes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.backend.rows import NodeRow
from ricordi.cli.main import run
from ricordi.config import load_config
from ricordi.errors import InvalidOperation
from ricordi.manager.opening import lock_profile, use_storage
from ricordi.services.profiles.backend_name import use_backend
from ricordi.services.storage import get_info, get_version


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


def test_over_and_back_leaves_the_storage_and_the_configuration_as_they_were(reference_home: Path) -> None:
    path = reference_home / 'config.json'
    profile = load_config().get_profile('mixed')
    storage = Path(profile.storage_config['filepath'])
    before, config = files_of(storage), json.loads(path.read_text())
    done = use_backend('mixed', 'ricordi')
    assert (done.before, done.after) == ('core.sqlite_dos', 'ricordi.sqlite_dos')
    changed = json.loads(path.read_text())
    assert changed['profiles']['mixed']['storage'].pop('backend') == 'ricordi.sqlite_dos'
    changed['profiles']['mixed']['storage']['backend'] = 'core.sqlite_dos'
    assert changed == config
    assert use_backend('mixed', 'ricordi').before == 'ricordi.sqlite_dos'
    use_backend('mixed', 'core')
    assert json.loads(path.read_text()) == config
    kept = files_of(storage)
    assert {name: kept[name] for name in before} == before


def test_this_program_opens_it_under_either_name(reference_home: Path) -> None:
    found = []
    for family in ('core', 'ricordi'):
        use_backend('mixed', family)  # type: ignore[arg-type]
        profile = load_config().get_profile('mixed')
        with use_storage(profile) as storage:
            nodes = [row.uuid for row in storage.find(NodeRow)]
        info = get_info(profile, detailed=False)
        assert info.pop('backend') == get_version(profile).backend == f'{family}.sqlite_dos'
        found.append((nodes, info))
    assert found[0] == found[1]


def test_it_is_refused_while_somebody_uses_the_profile_by_another_name(
    reference_home: Path, run_cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    config = load_config()
    place = config.get_profile('mixed').storage_config
    alias = config.create_profile('alias', 'ricordi.sqlite_dos', place)
    config.store()
    with use_storage(alias):
        done = run_cli('profile', 'use-backend', 'mixed', 'ricordi')
        assert done.returncode == 5, done.stderr
    with lock_profile(alias, 'test'):
        done = run_cli('-p', 'mixed', 'storage', 'info')
        assert done.returncode == 5, done.stderr
    assert load_config().get_profile('mixed').storage_backend == 'core.sqlite_dos'


def test_an_archive_has_one_name(reference_home: Path) -> None:
    with pytest.raises(InvalidOperation, match='has the storage'):
        use_backend('archive', 'ricordi')


def test_the_verb_tells_the_way_back(reference_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(['profile', 'use-backend', 'mixed', 'ricordi']) == 0
    told = capsys.readouterr().err
    assert 'ricordi.sqlite_dos' in told
    assert 'ricordi profile use-backend mixed core' in told
    assert run(['profile', 'use-backend', 'mixed', 'ricordi']) == 0
    assert 'nothing to do' in capsys.readouterr().err
    assert run(['-p', 'mixed', 'storage', 'version']) == 0
