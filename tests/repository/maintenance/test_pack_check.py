"""A pack is checked by several processes, and each damaged object is found, whoever has it in its share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.progress import Progress, Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.maintenance import pack_check
from ricordi.repository.maintenance.pack_check import Found

Contents = Callable[..., list[bytes]]


class Counted(Progress):
    """Notes how many bytes were told."""

    told = 0

    def advance(self, amount: int) -> None:
        self.told += amount


@pytest.fixture
def shared(container: Container, contents: Contents, limited: Callable[..., Container]) -> Container:
    """A pack of 200 objects that is worth three processes."""
    some = contents(200)
    container.put_objects_into_pack(some)
    return limited(share_bytes=sum(map(len, some)) // 3, head_start_bytes=0, processors=3)


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that have been started."""
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noted(*args: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(start(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, 'Popen', noted)
    return started


def check(container: Container, stop: Stop | None = None) -> Found | None:
    return pack_check.check_pack(container, 0, 'keep', Run(stop=stop or Stop()))


def test_several_processes_check_all_objects(shared: Container, helpers: list[subprocess.Popen[bytes]]) -> None:
    progress = Counted()
    found = pack_check.check_pack(shared, 0, 'keep', Run(progress))
    assert found == pack_check.check_span(shared, shared.index.span_of_pack(0), 'keep', lambda length: True)
    assert found is not None
    assert (found.right, found.objects, found.length) == (True, 200, progress.told)
    assert [helper.returncode for helper in helpers] == [0, 0]


@pytest.mark.parametrize('number', [0, 99, 199])
def test_a_damaged_object_is_found_in_every_share(shared: Container, number: int) -> None:
    row = list(shared.index.objects_of_pack(0))[number]
    with shared.layout.pack_path(0).open('r+b') as pack:
        pack.seek(row.offset)
        pack.write(b'\xff\x00\xff')
    found = check(shared)
    assert found is not None
    assert not found.right


@pytest.mark.parametrize('script', ['kill -9 $$', 'exit 1', 'echo no such module', 'echo 1 2; exit 1', ''])
def test_what_a_helper_does_not_answer_for_is_checked_here(
    shared: Container, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / 'python'
    program.write_text(f'#!/bin/sh\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, 'executable', str(program))
    found = check(shared)
    assert found is not None
    assert (found.right, found.objects) == (True, 200)


def test_where_no_process_can_be_started_all_is_checked_here(
    shared: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'executable', '/no/such/interpreter')
    found = check(shared)
    assert found is not None
    assert (found.right, found.objects) == (True, 200)


def test_a_row_that_tells_a_wrong_size_is_not_right(shared: Container) -> None:
    row = next(iter(shared.index.objects_of_pack(0)))
    with shared.index.transaction():
        shared.index.put([row._replace(size=row.size + 1)])
    found = check(shared)
    assert found is not None
    assert not found.right


def test_told_to_stop_it_ends_early_and_so_do_its_helpers(
    shared: Container, helpers: list[subprocess.Popen[bytes]]
) -> None:
    stop = Stop()
    stop.request('SIGTERM')
    assert check(shared, stop) is None
    assert all(helper.returncode is not None for helper in helpers)


def test_a_helper_without_its_parent_ends_without_an_answer(shared: Container) -> None:
    span = shared.index.span_of_pack(0)
    words = (shared.layout.folder, os.getpid() + 1, 'keep', 0, span.first, span.last, 0)
    command = [sys.executable, '-P', '-m', 'ricordi.repository.maintenance.pack_check', *map(str, words)]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b''


def test_small_packs_need_no_helper(
    container: Container, contents: Contents, helpers: list[subprocess.Popen[bytes]]
) -> None:
    container.put_objects_into_pack(contents(20))
    found = check(container)
    assert found is not None
    assert found.objects == 20
    assert helpers == []
