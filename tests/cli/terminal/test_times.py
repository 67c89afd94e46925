"""Times for a person: local with their offset, or UTC, by one option that also holds for what is read."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ricordi.cli.terminal.times import local_time


@pytest.fixture
def far_east() -> Iterator[None]:
    """A machine nine hours ahead of UTC."""
    before = os.environ.get('TZ')
    os.environ['TZ'] = 'JST-9'
    time.tzset()
    yield
    os.environ.pop('TZ')
    if before is not None:
        os.environ['TZ'] = before
    time.tzset()


def test_a_time_is_told_in_the_zone_of_the_machine(far_east: None) -> None:
    assert local_time(datetime(2025, 3, 1, 20, 30, 5, tzinfo=UTC)) == '2025-03-02 05:30:05+09:00'
    assert local_time(None) == ''


def test_utc_holds_for_what_is_told_and_for_what_is_read_and_only_for_that_command(
    far_east: None, run_here: Callable[..., object], reference_home: Path
) -> None:
    def answered(*words: str) -> str:
        done = run_here('-p', 'mixed', 'node', 'list', *words)
        return str(done.stdout)  # type: ignore[attr-defined]

    told = answered('-P', 'ctime', '-l', '1').split('\n')[2]
    in_utc = answered('-P', 'ctime', '-l', '1', '--utc').split('\n')[2]
    assert told.endswith('+09:00')
    assert in_utc.endswith('+00:00')
    assert datetime.fromisoformat(told) == datetime.fromisoformat(in_utc)
    later = datetime.fromisoformat(in_utc) + timedelta(hours=1)
    after = ('-P', 'pk', '--where', f'ctime >= {later:%Y-%m-%dT%H:%M}', '--format', 'json')
    assert json.loads(answered('--utc', *after)) == []
    assert json.loads(answered(*after)) != []
    assert answered('-P', 'ctime', '-l', '1').split('\n')[2] == told
