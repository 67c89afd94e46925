"""A disk that fails while a pack is written: nothing is called packed that is not, and nothing is removed."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.errors import UnreachableStorage
from ricordi.repository.container import pack_writer
from ricordi.repository.container.container import Container
from ricordi.repository.limits import USUAL, Limits

pytestmark = pytest.mark.skipif(not Path('/proc/self/fd').is_dir(), reason='needs to know which file a descriptor is')

Contents = dict[str, bytes]
CALLS = ('write', 'pread', 'fsync')


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[tuple[Container, Contents]]:
    """A container of many small loose objects, with a large one among them and one that comes last."""
    source = random.Random(5)
    with closing(Container(tmp_path / 'container', Limits(early_sync_bytes=1 << 20))) as container:
        container.initialise()
        some = [source.randbytes(3000) for _ in range(400)]
        keys = [container.put_object_from_bytes(content) for content in some]
        found = dict(zip(keys, some, strict=True))
        for is_wanted in (lambda key: key[0] == '8', lambda key: key > max(keys)):
            content = large_content(is_wanted)
            found[container.put_object_from_bytes(content)] = content
        yield container, found


def large_content(is_wanted: Callable[[str], bool]) -> bytes:
    """A content that is streamed, whose key is as wanted."""
    beginning = bytes(USUAL.large_bytes + 1)
    digest = hashlib.sha256(beginning)
    for number in itertools.count():
        end, whole = b'%d' % number, digest.copy()
        whole.update(end)
        if is_wanted(whole.hexdigest()):
            return beginning + end
    raise AssertionError


@pytest.fixture
def fail_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, int], list[str]]:
    """Lets the n-th call of a kind on a pack file fail: `fail_once('write', 'packs/0', 2)`; returns what has failed."""

    def prepare(call: str, name: str, number: int) -> list[str]:
        failed: list[str] = []
        seen = 0
        real = getattr(os, call)

        def failing(descriptor: int, *arguments: Any) -> Any:
            nonlocal seen
            if str(Path(f'/proc/self/fd/{descriptor}').readlink()).endswith(name):
                seen += 1
                if seen == number:
                    failed.append(call)
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(descriptor, *arguments)

        monkeypatch.setattr(os, call, failing)
        return failed

    return prepare


class AtOnce:
    """In place of the threads that write and fsync: how often fsync gets its turn depends on the machine."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit(self, function: Callable[..., None], *arguments: object) -> Future[None]:
        done: Future[None] = Future()
        try:
            done.set_result(function(*arguments))
        except OSError as error:
            done.set_exception(error)
        return done

    def shutdown(self) -> None:
        pass


@pytest.fixture(autouse=True)
def later_fsyncs_come_for_certain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first comes in the thread itself; to meet the second and third one, each is done at once."""
    parameters = request.node.callspec.params if hasattr(request.node, 'callspec') else {}
    if parameters.get('call') == 'fsync' and parameters['number'] > 1:
        monkeypatch.setattr(pack_writer, 'ThreadPoolExecutor', AtOnce)


def assert_all_can_be_read(folder: Path, contents: Contents) -> None:
    with closing(Container(folder)) as container:
        for key, content in contents.items():
            assert container.get_object_content(key) == content


@pytest.mark.parametrize('number', [1, 2, 3])
@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('full', [False, True])
def test_packing_ends_with_an_error_and_loses_nothing(
    filled: tuple[Container, Contents],
    fail_once: Callable[[str, str, int], list[str]],
    call: str,
    number: int,
    full: bool,
) -> None:
    container, contents = filled
    failed = fail_once(call, 'packs/0', number)
    with pytest.raises(UnreachableStorage, match='cannot be written'):
        container.maintain(MaintenanceOptions(full=full), lambda: iter(sorted(contents)))
    assert failed == [call]
    assert_all_can_be_read(container.layout.folder, contents)
    report = container.maintain(MaintenanceOptions(full=True), lambda: iter(sorted(contents)))
    assert (report.problem_count, report.after and report.after.packed.objects) == (0, len(contents))
    assert_all_can_be_read(container.layout.folder, contents)


@pytest.mark.parametrize('number', [1, 2, 3])
@pytest.mark.parametrize('call', CALLS)
def test_a_repack_ends_with_an_error_and_loses_nothing(
    filled: tuple[Container, Contents],
    fail_once: Callable[[str, str, int], list[str]],
    call: str,
    number: int,
) -> None:
    container, contents = filled
    container.maintain(MaintenanceOptions(), lambda: iter(sorted(contents)))
    kept = dict(sorted(contents.items())[100:])
    failed = fail_once(call, 'packs/1', number)
    with pytest.raises(UnreachableStorage, match='cannot be written'):
        container.maintain(MaintenanceOptions(full=True, repack='all'), lambda: iter(sorted(kept)))
    assert failed == [call]
    assert_all_can_be_read(container.layout.folder, kept)
    report = container.maintain(MaintenanceOptions(full=True, repack='all'), lambda: iter(sorted(kept)))
    assert report.problem_count == 0
    assert_all_can_be_read(container.layout.folder, kept)


def test_after_a_failure_a_writer_takes_nothing_more(
    filled: tuple[Container, Contents], fail_once: Callable[[str, str, int], list[str]]
) -> None:
    container, _ = filled
    with closing(
        pack_writer.PackWriter(container.layout, container.index, 1 << 30, container.index.put, first_pack=0)
    ) as writer:
        fail_once('fsync', 'packs/0', 1)
        writer.append('a' * 64, b'content', 7, False)
        for action in (writer.commit, writer.commit, lambda: writer.append('b' * 64, b'more', 4, False)):
            with pytest.raises(UnreachableStorage):
                action()
    assert container.index.count() == 0
    assert container.layout.pack_sizes() == {}
