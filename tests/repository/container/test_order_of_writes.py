"""What may never be the other way round: bytes are forced to disk, then rows are committed, then old copies go."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceReport
from ricordi.repository.container.container import Container

Maintain = Callable[..., MaintenanceReport]
Contents = Callable[..., list[bytes]]


@pytest.fixture
def happened(container: Container, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to the disk, in order: `write packs/0`, `fsync packs`, `commit`, `unlink packs/0` …"""
    seen: list[str] = []
    folder = container.layout.folder.resolve()

    def note(what: str, path: Path) -> None:
        if path.is_relative_to(folder):
            seen.append(f'{what} {path.relative_to(folder)}')

    def watched(name: str) -> None:
        real = getattr(os, name)

        def act(descriptor: int, *arguments: Any) -> Any:
            done = real(descriptor, *arguments)
            note(name, Path(f'/proc/self/fd/{descriptor}').readlink())
            return done

        monkeypatch.setattr(os, name, act)

    def unlink(path: Any, *, dir_fd: int | None = None) -> None:
        place = Path(f'/proc/self/fd/{dir_fd}').readlink() if dir_fd is not None else Path.cwd()
        real_unlink(path, dir_fd=dir_fd)
        note('unlink', Path(os.path.abspath(place / os.fsdecode(path))))  # noqa: PTH100

    def replace(source: Any, target: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        real_replace(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        place = Path(f'/proc/self/fd/{dst_dir_fd}').readlink() if dst_dir_fd is not None else Path.cwd()
        note('name', place / os.fsdecode(target))

    real_unlink, real_replace = os.unlink, os.replace
    watched('write')
    watched('fsync')
    monkeypatch.setattr(os, 'unlink', unlink)
    monkeypatch.setattr(os, 'replace', replace)
    container.index.connection.set_trace_callback(lambda sql: seen.append('commit') if sql == 'COMMIT' else None)
    return seen


def place(happened: list[str], what: str, last: bool = False) -> int:
    """Where something stands in the order: the first, or the last time."""
    assert what in happened, f'`{what}` did not happen: {happened}'
    return len(happened) - 1 - happened[::-1].index(what) if last else happened.index(what)


def test_the_bytes_of_a_pack_and_its_name_are_on_disk_before_rows_name_them(
    container: Container, contents: Contents, happened: list[str]
) -> None:
    container.put_objects_into_pack(contents(20))
    commit = place(happened, 'commit')
    assert place(happened, 'write packs/0', last=True) < place(happened, 'fsync packs/0', last=True) < commit
    assert place(happened, 'fsync packs') < commit


def test_loose_files_go_after_the_rows_of_their_packed_copies_were_committed(
    container: Container, contents: Contents, maintain: Maintain, happened: list[str]
) -> None:
    for content in contents(20):
        container.put_object_from_bytes(content)
    happened.clear()
    maintain(container)
    gone = [what for what in happened if what.startswith('unlink loose/')]
    assert len(gone) == 20
    assert place(happened, 'fsync packs/0', last=True) < place(happened, 'commit') < place(happened, gone[0])


def test_an_old_pack_goes_after_its_objects_were_committed_at_their_new_place(
    container: Container, contents: Contents, maintain: Maintain, happened: list[str]
) -> None:
    container.put_objects_into_pack(contents(20))
    happened.clear()
    maintain(container, full=True, repack='all', compress='yes')
    commit, gone = place(happened, 'commit'), place(happened, 'unlink packs/0')
    assert place(happened, 'write packs/1', last=True) < place(happened, 'fsync packs/1', last=True) < commit < gone
    assert place(happened, 'fsync packs') < commit
    assert gone < place(happened, 'fsync packs', last=True)
    assert happened.count('commit') == 1


def test_a_loose_object_is_on_disk_before_it_is_given_back(container: Container, happened: list[str]) -> None:
    key = container.put_object_from_bytes(b'content')
    written = next(what for what in happened if what.startswith('write sandbox/'))
    forced = place(happened, written.replace('write', 'fsync'))
    named = place(happened, f'name loose/{key[:2]}/{key[2:]}')
    assert place(happened, written, last=True) < forced < named < place(happened, f'fsync loose/{key[:2]}', last=True)
