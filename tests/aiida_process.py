"""Programs that run in AiiDA's Python, all in forks of one process: importing AiiDA takes longer than what they do."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from deadlines import DEADLINE

SERVER = Path(__file__).parent / 'interop' / 'serve_aiida.py'


@cache
def _server(python: str, owner: int) -> subprocess.Popen[str]:
    """The process of which the programs are forks; it ends with the process that started it."""
    with tempfile.TemporaryDirectory(prefix='ricordi-aiida-') as folder:
        process = subprocess.Popen(
            [python, SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, 'AIIDA_PATH': folder},
        )
        _answer(process, 'null')
    atexit.register(_end, process, owner)
    return process


def _answer(process: subprocess.Popen[str], question: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(question + '\n')
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, 'the process of AiiDA has ended'
    return answer


def _end(process: subprocess.Popen[str], owner: int) -> None:
    if os.getpid() == owner:
        process.communicate(timeout=DEADLINE)


def run_in_aiida(
    python: str, words: list[Any], environment: Mapping[str, str], given: str = ''
) -> subprocess.CompletedProcess[str]:
    """What `python *words` does, with this environment and input; a program that does not end stops the test."""
    with tempfile.TemporaryDirectory(prefix='ricordi-aiida-') as folder:
        files = {name: Path(folder) / name for name in ('given', 'output', 'errors')}
        files['given'].write_text(given)
        question = {
            'words': list(map(str, words)),
            'environment': dict(environment),
            **{name: str(path) for name, path in files.items()},
        }
        code = int(_answer(_server(python, os.getpid()), json.dumps(question)))
        return subprocess.CompletedProcess(
            question['words'], code, files['output'].read_text(), files['errors'].read_text()
        )
