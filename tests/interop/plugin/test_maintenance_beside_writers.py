"""Writers through AiiDA on Ricordi's storage, while both programs maintain it over and over: nothing is lost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.cli.main import run

pytestmark = pytest.mark.interop

SCRIPT = Path(__file__).parent / 'write_while_maintained.py'
COUNT = 25
DONE, BUSY = 0, 5


def test_nothing_is_lost(
    tmp_path: Path,
    aiida_python: str,
    aiida_environment: dict[str, str],
    here: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('AIIDA_PATH', str(tmp_path))
    environment = {**aiida_environment, 'AIIDA_PATH': str(tmp_path)}
    config = json.dumps({'filepath': str(tmp_path / 'storage')})
    with (tmp_path / 'errors').open('w') as errors:
        writers = subprocess.Popen(
            [aiida_python, SCRIPT, config, str(COUNT)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert writers.stdout is not None
        assert writers.stdout.readline() == 'READY\n', (tmp_path / 'errors').read_text()
        while writers.poll() is None:
            assert run(['-p', 'raced', '-q', 'storage', 'maintain']) in (DONE, BUSY)  # with the maintenance over there
        assert writers.returncode == 0, (tmp_path / 'errors').read_text()
        assert int(writers.stdout.read()) > 0
    finally:
        writers.kill()
        writers.wait()
    verified = json.loads(here(tmp_path, 'storage', 'verify', '--read', '--format', 'json', profile='raced'))
    assert not verified.get('findings'), verified
