"""AiiDA sets a profile up in a bucket, works in it, maintains it, and Ricordi finds all of that sound."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.cli import main

pytestmark = pytest.mark.interop
SCRIPT = Path(__file__).parent / 'work_in_bucket.py'


def test_aiida_works_in_a_bucket(
    aiida_python: str,
    aiida_environment: dict[str, str],
    bucket_config: Callable[[], dict[str, Any]],
    empty_home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = {key: value for key, value in bucket_config().items() if key != 'cache_folder'}
    monkeypatch.setenv('XDG_CACHE_HOME', str(empty_home.parent / 'caches'))
    environment = {**aiida_environment, 'AIIDA_PATH': str(empty_home), 'XDG_CACHE_HOME': str(empty_home.parent)}
    command = [aiida_python, str(SCRIPT), json.dumps(config)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout.splitlines()[-1])
    assert told['class'] == 'RicordiPsqlBucket'
    assert told['contents'] == sorted(f'content {number}' for number in range(1, 20))
    assert f's3://{config["bucket_name"]} at http://' in told['shown']
    assert told['backup'] == ['StorageBackupError', told['backup'][1]]
    assert 'Ricordi' in told['backup'][1]
    assert str(config['secret_access_key']) not in done.stdout + done.stderr
    assert main.run(['-p', 'p', 'storage', 'verify', '--read']) == 0
    assert 'ricsecret' not in ''.join(capsys.readouterr())
