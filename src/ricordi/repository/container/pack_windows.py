"""Packs read in windows: stretches of neighbouring objects that are read at once."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ricordi.repository.container.compression import decompress
from ricordi.repository.container.index import PackedObject
from ricordi.repository.limits import Limits

Window = list[PackedObject]


def windows_of(rows: Iterable[PackedObject], limits: Limits) -> Iterator[Window]:
    """Group rows, which come mostly by offset, into stretches that are read at once; a large object is alone."""
    window: Window = []
    start = total = 0
    most, large = limits.window_bytes, limits.large_bytes
    for row in rows:
        _, _, size, offset, length, _ = row
        total += size
        if window and (offset < start or offset + length - start > most or total > most):
            yield window
            window = []
        if not window:
            start, total = offset, size
        window.append(row)
        if size > large or length > large:
            yield window
            window = []
    if window:
        yield window


def is_large(row: PackedObject, limits: Limits) -> bool:
    """Whether an object is streamed: a compressed one that lies in few bytes may have very many."""
    return row.length > limits.large_bytes or row.size > limits.large_bytes


def read_window(path: Path, window: Window) -> Iterator[tuple[PackedObject, memoryview]]:
    """Each row of a window with the bytes that the pack has for it: fewer than it says if the file ends before."""
    return apart(window, read_stretch(path, window))


def read_stretch(path: Path, window: Window) -> memoryview:
    """The bytes that the pack has for a window: fewer than its rows say if the file ends before."""
    start = window[0].offset
    return memoryview(_read(path, start, max([offset + length for _, _, _, offset, length, _ in window]) - start))


def apart(window: Window, stored: memoryview) -> Iterator[tuple[PackedObject, memoryview]]:
    """Each row of a window with its part of the bytes that the pack has for the window."""
    start = window[0].offset
    return ((row, stored[row.offset - start : row.offset - start + row.length]) for row in window)


def are_plain_and_sound(rows: Iterable[PackedObject], stored: memoryview, start: int) -> bool:
    """Whether some objects all lie as they are, and are what their keys say: the usual case, told quickly.

    :param stored: what the pack has from the offset `start` on.
    """
    sha256 = hashlib.sha256
    for key, compressed, _, offset, length, _ in rows:
        if compressed or sha256(stored[offset - start : offset - start + length]).hexdigest() != key:
            return False
    return True


def content_of(row: PackedObject, stored: memoryview) -> bytes | memoryview:
    """The content of a small object, if it is what its key says.

    :raises zlib.error: it is not; the text says why.
    """
    if len(stored) < row.length:
        raise zlib.error('the pack ends before the object does')
    content = decompress(bytes(stored)) if row.compressed else stored
    if hashlib.sha256(content).hexdigest() != row.key:
        raise zlib.error('its bytes are not what its key says')
    return content


def _read(path: Path, offset: int, length: int) -> bytes:
    """What the file has of these bytes: fewer if it ends before, none if it is not there."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return b''
    try:
        pieces = []
        while length and (piece := os.pread(descriptor, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b''.join(pieces)
    finally:
        os.close(descriptor)
