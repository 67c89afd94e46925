"""verdi and this program on the same profile, for tests that compare what they answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
PROFILE = 'mixed'
Command = Sequence[Any]


def make_home(folder: Path) -> Path:
    """A configuration folder with the profiles that AiiDA made."""
    subprocess.run([sys.executable, TESTS / 'data' / 'unpack.py', folder], check=True, stdout=subprocess.DEVNULL)
    return folder / '.aiida'


def run_verdi(python: str, home: Path, commands: Sequence[Command]) -> list[Any]:
    """What verdi answers to each command, all in one process."""
    done = subprocess.run(
        [python, TESTS / 'interop' / 'run_verdi.py', PROFILE],
        input=json.dumps(commands, default=str),
        env={**os.environ, 'AIIDA_PATH': str(home)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
