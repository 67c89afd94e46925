"""Writing loose objects: into the sandbox, fsync, rename to the name that is the key, fsync of the folder."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

from ricordi.backend.repository import bytes_of
from ricordi.errors import UnreachableStorage
from ricordi.folders import OpenFolder
from ricordi.repository.container.layout import Layout

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
        temporary, digest = self.stage(chunks, key)
        try:
            self._publish(self._sandbox, temporary, self._loose, digest)
        except BaseException:
            self.discard(temporary)
            raise
        return digest

    def stage(self, chunks: Iterable[bytes], key: str | None = None) -> tuple[str, str]:
        """Write and fsync a sandbox file, not yet an object; returns its name and the key it would have.

        :param key: the key, where it is known already.
        """
        temporary = uuid.uuid4().hex
        digest = hashlib.sha256() if key is None else None
        descriptor = self._create(temporary)
        try:
            try:
                for chunk in chunks:
                    if digest is not None:
                        digest.update(chunk)
                    view = memoryview(chunk)
                    while view:
                        view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except BaseException:
            self.discard(temporary)
            raise
        return temporary, key if digest is None else digest.hexdigest()  # type: ignore[return-value]

    def publish(self, temporary: str, key: str, source: OpenFolder | None = None) -> None:
        """Make a staged file an object, durably.

        :param source: the folder in which it is; None: the sandbox.
        """
        self._publish(source or self._sandbox, temporary, self._layout.opened.loose, key)

    def _publish(self, source: OpenFolder, temporary: str, loose: OpenFolder, key: str) -> None:
        try:
            self._rename(source, temporary, loose, key)
        except FileNotFoundError:
            if self._prefix_length:
                with suppress(FileExistsError):
                    loose.make_folder(key[: self._prefix_length], None)
                loose.sync()  # an object is no more durable than the name of the folder it is in
            self._rename(source, temporary, loose, key)

    def discard(self, temporary: str) -> None:
        """Remove a staged file."""
        with suppress(FileNotFoundError):
            self._sandbox.unlink(temporary)

    def _create(self, name: str) -> int:
        """Make a file in the sandbox, and open it."""
        opened = self._layout.opened
        try:
            self._sandbox, self._loose = opened.for_an_object()
            try:
                return self._sandbox.create(name, 0o666, os.O_WRONLY)
            except FileNotFoundError:  # it was removed, and perhaps made again
                self._sandbox = opened.sandbox
                return self._sandbox.create(name, 0o666, os.O_WRONLY)
        except FileNotFoundError:
            raise UnreachableStorage(f'the folder {self._layout.sandbox} is not there; create it again') from None

    def _rename(self, source: OpenFolder, temporary: str, loose: OpenFolder, key: str) -> None:
        """Give a file the name that is its key, durably."""
        length = self._prefix_length
        folder = loose.open_folder(key[:length]) if length else loose.descriptor
        try:
            # Only what was fsynced gets the name of an object: after a crash no name stands for half of one.
            os.replace(temporary, key[length:], src_dir_fd=source.descriptor, dst_dir_fd=folder)
            os.fsync(folder)
        except OSError as error:
            error.filename = self._layout.loose_path(key, length)
            raise
        finally:
            if length:
                os.close(folder)
