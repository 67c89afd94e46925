"""Ports for the servers of tests: nobody gets one that was given to somebody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ports import free_port

DRAWS_IT_FIRST = """
import sys
from random import SystemRandom
given, draw = [int(sys.argv[1])], SystemRandom.randrange
SystemRandom.randrange = lambda *words: given.pop() if given else draw(*words)
from ports import free_port
print(free_port())
"""


def test_a_port_that_was_given_away_goes_to_no_other_process_though_nobody_serves_there_yet() -> None:
    given = free_port()
    words = [sys.executable, '-c', DRAWS_IT_FIRST, str(given)]
    done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert 10_000 <= int(done.stdout) != given, done.stderr
