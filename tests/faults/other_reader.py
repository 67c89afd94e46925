"""disk-objectstore as a reader of what crashes leave: one process of AiiDA's Python for a whole row of containers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

SCRIPT = Path(__file__).with_name('read_by_disk_objectstore.py')


class OtherReader:
    """Reads containers with disk-objectstore; without a Python that has it, it reads none."""

    def __init__(self, python: str | None) -> None:
        self.read = 0
        self._process = python and subprocess.Popen(
            [python, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def check(self, container: Path, keys: Iterable[str]) -> None:
        """See that it reads these objects. It is given a copy: opening a container tidies its index up."""
        if not self._process:
            return
        copy = container.with_name('for-the-other-reader')
        # records of who uses it: one of a process that was killed may be removed just now
        shutil.copytree(container, copy, ignore=shutil.ignore_patterns('ricordi.access'))
        self._process.stdin.write(json.dumps({'folder': str(copy), 'keys': sorted(keys)}) + '\n')
        self._process.stdin.flush()
        complaints = json.loads(self._process.stdout.readline())
        assert complaints == [], f'disk-objectstore: {complaints}'
        shutil.rmtree(copy)
        self.read += 1

    def __enter__(self) -> OtherReader:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process:
            self._process.communicate(timeout=240)
