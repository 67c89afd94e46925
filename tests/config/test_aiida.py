"""AiiDA and Ricordi read and write one `config.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aiida_process import run_in_aiida
from ricordi.config import load_config

pytestmark = pytest.mark.interop

READ = """
import json
from aiida.manage.configuration import get_config
config = get_config()
print(json.dumps({
    'profiles': {profile.name: profile.dictionary for profile in config.profiles},
    'default': config.default_profile_name,
    'timeout': config.get_option('broker.task_timeout'),
    'version': config.version,
}))
"""

CHANGE = """
from aiida.manage.configuration import get_config
config = get_config()
config.set_option('daemon.timeout', 17)
config.get_profile('new').set_option('daemon.timeout', 18)
config.store()
"""


@pytest.fixture
def run_aiida(aiida_python: str, empty_home: Path) -> Callable[[str], str]:
    """Runs code with aiida-core on the configuration folder and returns what it prints last."""

    def run(code: str) -> str:
        environment = {**os.environ, 'AIIDA_PATH': str(empty_home)}
        done = run_in_aiida(aiida_python, ['-c', code], environment)
        assert done.returncode == 0, done.stderr
        return (done.stdout.strip().splitlines() or [''])[-1]

    return run


def test_what_we_made_aiida_reads_and_what_it_changes_we_read(
    run_aiida: Callable[[str], str], empty_home: Path, tmp_path: Path
) -> None:
    config = load_config(create=True)
    profile = config.create_profile('new', 'core.sqlite_dos', {'filepath': str(tmp_path)})
    config.set_default_profile('new')
    config.set_option('broker.task_timeout', 44)
    config.store()
    seen: dict[str, Any] = json.loads(run_aiida(READ))
    assert seen['profiles'] == {'new': profile.dictionary}
    assert (seen['default'], seen['timeout']) == ('new', 44)

    run_aiida(CHANGE)
    config.get_profile('new').default_user_email = 'me@example.org'
    config.store()
    assert config.version == seen['version'] == 10
    assert config.get_option('daemon.timeout') == 17
    assert config.get_option('daemon.timeout', scope='new') == 18
    assert config.get_option('broker.task_timeout') == 44
    seen = json.loads(run_aiida(READ))
    assert seen['profiles']['new']['default_user_email'] == 'me@example.org'
    assert (empty_home / 'config.json').stat().st_mode & 0o777 == 0o600
