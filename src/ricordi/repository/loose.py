"""Writing loose objects: into the sandbox, fsync, rename to the name that is the key, fsync of the folder."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ricordi.backend.repository import bytes_of
from ricordi.errors import UnreachableStorage
from ricordi.files import fsync_folder
from ricordi.repository.layout import Layout

CHUNK_BYTES = 1 << 20


def chunks_of(handle: BinaryIO) -> Iterator[bytes]:
    """What a stream yields, in pieces of constant size."""
    while chunk := handle.read(CHUNK_BYTES):
        yield chunk


def read_fully(handle: BinaryIO, number: int) -> bytes:
    """The next `number` bytes of a stream, fewer only at its end: a raw stream or a pipe may yield less at a time.

    :raises TypeError: it yields text.
    """
    pieces = []
    while number and (piece := bytes_of(handle.read(number), handle)):
        pieces.append(piece)
        number -= len(piece)
    return pieces[0] if len(pieces) == 1 else b''.join(pieces)


class LooseWriter:
    """Writes objects as files of their own. Replacing a file that is there already by the same content is harmless."""

    def __init__(self, layout: Layout, prefix_length: int) -> None:
        self._layout = layout
        self._prefix_length = prefix_length

    def write(self, chunks: Iterable[bytes], key: str | None = None) -> str:
        """Store what the chunks join to, durably, and return its key.

        :param key: the key, where it is known already.
        """
        temporary, digest = self._write_sandbox(chunks, key)
        try:
            self._publish(temporary, digest)
        except BaseException:
            _remove(temporary)
            raise
        return digest

    def stage(self, chunks: Iterable[bytes]) -> tuple[str, str]:
        """Write and fsync a sandbox file, not yet an object; returns its path and the key it would have."""
        return self._write_sandbox(chunks, None)

    def publish(self, temporary: str, key: str) -> None:
        """Make a staged file an object, durably."""
        self._publish(temporary, key)

    @staticmethod
    def discard(temporary: str) -> None:
        """Remove a staged file."""
        _remove(temporary)

    def _write_sandbox(self, chunks: Iterable[bytes], key: str | None) -> tuple[str, str]:
        temporary = f'{self._layout.sandbox}/{uuid.uuid4().hex}'
        digest = hashlib.sha256() if key is None else None
        try:
            with open(temporary, 'xb', buffering=0) as handle:  # noqa: PTH123 - text path, on the way of every write
                for chunk in chunks:
                    if digest is not None:
                        digest.update(chunk)
                    view = memoryview(chunk)
                    while view:
                        view = view[handle.write(view) :]
                os.fsync(handle.fileno())
        except FileNotFoundError:
            raise UnreachableStorage(f'the folder {self._layout.sandbox} is not there; create it again') from None
        except BaseException:
            _remove(temporary)
            raise
        return temporary, key if digest is None else digest.hexdigest()  # type: ignore[return-value]

    def _publish(self, temporary: str, key: str) -> None:
        path = self._layout.loose_path(key, self._prefix_length)
        folder = os.path.dirname(path)  # noqa: PTH120
        try:
            os.replace(temporary, path)  # noqa: PTH105
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            fsync_folder(self._layout.loose)
            os.replace(temporary, path)  # noqa: PTH105
        fsync_folder(folder)


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        pass
