"""Where the files of a node wait until it is stored: small ones in memory, the rest in a temporary folder."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from weakref import finalize

from ricordi.errors import CorruptStorage, NotExistent
from ricordi.files import TemporaryFolder

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend

CHUNK_BYTES = 1 << 20
SMALL_BYTES = 256 << 10
MEMORY_BYTES = 8 << 20
FEW_CONTENTS = 4
"""Fewer than these are put one by one, as loose files; more at once, which may go straight into a pack."""


class Sandbox:
    """Contents by key, as in a repository but gone with this object."""

    def __init__(self, origin: RepositoryBackend | None = None) -> None:
        """
        :param origin: the repository that holds the contents of the node that was cloned.
        """
        self._origin = origin
        self._memory: dict[str, bytes] = {}
        self._memory_bytes = 0
        self._files: dict[str, Path] = {}
        self._folder: Path | None = None

    def put_bytes(self, content: bytes) -> str:
        """Keep `content` and return its key."""
        key = hashlib.sha256(content).hexdigest()
        if key in self._memory or key in self._files:
            return key
        if len(content) <= SMALL_BYTES and self._memory_bytes + len(content) <= MEMORY_BYTES:
            self._memory[key] = bytes(content)
            self._memory_bytes += len(content)
            return key
        return self._put_stream(io.BytesIO(content))

    def put_stream(self, handle: BinaryIO) -> str:
        """Keep what a binary stream yields from where it stands, in constant memory, and return its key."""
        start = handle.read(SMALL_BYTES + 1)
        if not isinstance(start, bytes | bytearray):
            raise TypeError(
                f'a stream of bytes is needed, {handle!r} yields {type(start).__name__}: open it with mode "rb"'
            )
        if len(start) <= SMALL_BYTES:
            while len(start) <= SMALL_BYTES and (more := handle.read(SMALL_BYTES + 1 - len(start))):
                start += more  # a pipe or socket may yield less than asked for
        if len(start) <= SMALL_BYTES:
            return self.put_bytes(bytes(start))
        return self._put_stream(handle, bytes(start))

    def _put_stream(self, handle: BinaryIO, start: bytes = b'') -> str:
        digest = hashlib.sha256(start)
        with tempfile.NamedTemporaryFile(dir=self._make_folder(), delete=False) as target:
            target.write(start)
            while chunk := handle.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
        key = digest.hexdigest()
        self._files[key] = Path(target.name).rename(self._make_folder() / key)
        return key

    def _make_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(dir=_folder_of_process(os.getpid()).path))
            finalize(self, _remove, self._folder, os.getpid())
        return self._folder

    def open(self, key: str) -> BinaryIO:
        """A seekable stream over a content.

        :raises ricordi.errors.NotExistent: there is none of this key.
        """
        if key in self._memory:
            return io.BytesIO(self._memory[key])
        if key in self._files:
            return self._files[key].open('rb')
        if self._origin is not None:
            return self._origin.open(key)
        raise NotExistent(f'no content with key {key}')

    def get_object_content(self, key: str) -> bytes:
        """A whole content."""
        if key in self._memory:
            return self._memory[key]
        with self.open(key) as handle:
            return handle.read()

    def get_object_size(self, key: str) -> int:
        """Bytes of a content."""
        if key in self._memory:
            return len(self._memory[key])
        if key in self._files:
            return self._files[key].stat().st_size
        if self._origin is not None:
            return self._origin.get_object_size(key)
        raise NotExistent(f'no content with key {key}')

    def holds(self, key: str) -> bool:
        """Whether this content is here, and not in the origin."""
        return key in self._memory or key in self._files

    @property
    def origin(self) -> RepositoryBackend | None:
        """The repository that holds the contents of the node that was cloned."""
        return self._origin


def move_contents(wanted: Iterable[tuple[Sandbox, str]], repository: RepositoryBackend) -> None:
    """Put contents of sandboxes into a repository, durably on return; what a clone has from its origin must be there.

    :raises ricordi.errors.CorruptStorage: the repository gave another key, or lacks a content of the origin.
    """
    own: dict[str, Sandbox] = {}
    others: dict[str, Sandbox] = {}
    for sandbox, key in wanted:
        (own if sandbox.holds(key) else others).setdefault(key, sandbox)
    if len(own) < FEW_CONTENTS:
        got = [repository.put_object_from_filelike(handle) for handle in _streams(own)]
    else:
        got = repository.put_objects(_streams(own))
    for expected, key in zip(own, got, strict=True):
        if key != expected:
            raise CorruptStorage(f'the repository gave key {key} to content with SHA-256 {expected}')
    _check_origins({key: sandbox for key, sandbox in others.items() if key not in own}, repository)


def _streams(contents: dict[str, Sandbox]) -> Iterator[BinaryIO]:
    """The contents one after the other; each is closed when the next is asked for."""
    for key, sandbox in contents.items():
        with sandbox.open(key) as handle:
            yield handle


def _check_origins(contents: dict[str, Sandbox], repository: RepositoryBackend) -> None:
    keys = list(contents)
    for key, there in zip(keys, repository.has_objects(keys) if keys else [], strict=True):
        if there:
            continue
        origin = contents[key].origin
        if origin is None or origin is repository:
            raise CorruptStorage(f'the repository lacks object {key}, which a cloned node needs')
        with origin.open(key) as handle:
            repository.put_object_from_filelike(handle)


@cache
def _folder_of_process(process: int) -> TemporaryFolder:
    """Where the folders of all nodes of a process are; if it is killed, a later one removes them."""
    return TemporaryFolder('nodes')


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child leaves the parent's files alone
        shutil.rmtree(folder, ignore_errors=True)
