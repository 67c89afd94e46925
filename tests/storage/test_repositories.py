"""The repositories of temporary storages and of archives, beyond what the contract of storages asks."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import threading
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from ricordi.errors import InvalidOperation, NotExistent, ReadOnlyStorage, StorageError
from ricordi.repository.archive.zip import ZipRepository
from ricordi.repository.sandbox import SandboxRepository


@pytest.fixture
def sandbox() -> SandboxRepository:
    repository = SandboxRepository()
    repository.initialise()
    return repository


def test_a_sandbox_keeps_objects_by_their_sha256(sandbox: SandboxRepository) -> None:
    contents = [b'', b'one', b'two' * 1000, b'one']
    keys = sandbox.put_objects([contents[0], io.BytesIO(contents[1]), contents[2], contents[3]])
    assert keys == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [sandbox.get_object_content(key) for key in keys] == contents
    assert list(sandbox.list_objects()) == sorted(set(keys))
    assert sandbox.get_object_size(keys[2]) == 3000
    sandbox.delete_objects([keys[1]])
    assert sandbox.has_objects(keys) == [True, False, True, False]
    for key in (keys[1], '../../etc/passwd', ''):
        with pytest.raises(NotExistent, match='no object'):
            sandbox.open(key)
    assert not sandbox.has_object('../../etc/passwd')


def test_a_sandbox_goes_when_it_is_erased_or_forgotten(sandbox: SandboxRepository) -> None:
    with pytest.raises(InvalidOperation):
        sandbox.initialise()
    folder = sandbox.folder
    sandbox.put_object_from_bytes(b'x')
    sandbox.erase()
    assert not folder.exists()
    with pytest.raises(StorageError, match='erased'):
        sandbox.put_object_from_bytes(b'x')
    sandbox.initialise()
    folder = sandbox.folder
    del sandbox
    gc.collect()


def test_a_forked_child_leaves_the_sandbox_alone(sandbox: SandboxRepository) -> None:
    key = sandbox.put_object_from_bytes(b'x')
    pid = os.fork()
    if pid == 0:
        sandbox.erase()
        os._exit(0)
    os.waitpid(pid, 0)
    assert sandbox.get_object_content(key) == b'x'


def test_a_failed_stream_leaves_nothing_in_the_sandbox(sandbox: SandboxRepository) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError('unplugged')

    before = list(sandbox.folder.iterdir())
    with pytest.raises(OSError, match='unplugged'):
        sandbox.put_object_from_filelike(Broken())  # type: ignore[arg-type]
    assert list(sandbox.folder.iterdir()) == before


@pytest.fixture
def archive(tmp_path: Path) -> tuple[ZipRepository, dict[str, bytes]]:
    """An archive with small and large objects, stored and deflated."""
    contents = [b'', b'small', os.urandom(300_000), b'compressible' * 500_000]
    objects = {hashlib.sha256(content).hexdigest(): content for content in contents}
    with zipfile.ZipFile(tmp_path / 'a.aiida', 'w') as target:
        target.writestr('metadata.json', '{}')
        target.writestr('db.sqlite3', b'')
        for number, (key, content) in enumerate(objects.items()):
            method = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            target.writestr(f'repo/{key}', content, compress_type=method)
    return ZipRepository(tmp_path / 'a.aiida'), objects


def test_objects_of_an_archive_are_read_by_threads_and_children(
    archive: tuple[ZipRepository, dict[str, bytes]],
) -> None:
    repository, objects = archive
    read: list[bool] = []

    def work() -> None:
        for _ in range(20):
            read.append(all(repository.get_object_content(key) == content for key, content in objects.items()))

    work()
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0 if all(read) else 1)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.waitpid(pid, 0)[1] == 0
    assert read == [True] * 80


def test_a_large_object_of_an_archive_is_read_in_little_memory(
    archive: tuple[ZipRepository, dict[str, bytes]],
) -> None:
    repository, objects = archive
    key, content = max(objects.items(), key=lambda item: len(item[1]))
    repository.get_object_size(key)
    tracemalloc.start()
    with repository.open(key) as stream:
        assert stream.readable()
        assert stream.seekable()
        buffer = bytearray(1000)
        assert stream.readinto(buffer) == 1000  # type: ignore[attr-defined]
        assert bytes(buffer) == content[:1000]
        stream.seek(-10, io.SEEK_END)
        assert stream.read() == content[-10:]
        assert stream.read() == b''
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_an_archive_opens_anew_after_closing_and_refuses_writing(
    archive: tuple[ZipRepository, dict[str, bytes]],
) -> None:
    repository, objects = archive
    assert list(repository.list_objects()) == sorted(objects)
    repository.close()
    assert repository.has_objects([*objects, '0' * 64]) == [True] * 4 + [False]
    assert repository.get_info()['packed']['objects'] == 4
    for change in (repository.initialise, repository.erase, lambda: repository.put_object_from_bytes(b'x')):
        with pytest.raises(ReadOnlyStorage, match='can only be read'):
            change()
