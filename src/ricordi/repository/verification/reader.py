"""Whether objects are what their keys say, byte by byte; as a process of its own, which only reads and answers.

A question is a line of JSON: `["pack", <number>, "<rows as JSON text>"]` or `["loose", [<key>, …]]`; the answer is one,
too: what was right, the bytes read, and what seems wrong, which is for who asked to look at again.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple

from ricordi.repository.container.compression import decompress, decompressed_chunks
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_windows import (
    Window,
    apart,
    are_plain_and_sound,
    is_large,
    read_stretch,
    windows_of,
)
from ricordi.repository.container.streams import ENDS_EARLY, OTHER_BYTES
from ricordi.zipfiles.codec import codec

CHUNK_BYTES = 1 << 20
NO_FILE = 'it is no regular file'
NOT_ALLOWED = tuple(map(os.strerror, (errno.EACCES, errno.EPERM)))
_OF_THIS_PROCESS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
GONE = 'the file is not there'
THE_INDEX = 'the index says'
TRAILING = f'{THE_INDEX} that it has more bytes in the pack than its compressed stream has'
CHECKSUM_BYTES = 4
"""What a zlib stream ends with: the Adler-32 of its content."""

GoOn = Callable[[int], bool]
"""Is told how many bytes more were read, and says whether to go on."""


def always(length: int) -> bool:
    """For one whom nobody stops."""
    return True


class Answer(NamedTuple):
    """What was found.

    :param objects: how many were looked at.
    :param length: bytes that were read of them.
    :param wrong: key of each that seems wrong, and why.
    """

    objects: int = 0
    length: int = 0
    wrong: tuple[tuple[str, str], ...] = ()


class Told(Exception):
    """The work was told not to go on."""


# packed objects --------------------------------------------------------------------------------------------


def check_rows(store: ObjectStore, pack_id: int, rows: str, go_on: GoOn = always) -> Answer:
    """Read the objects of a pack that rows of the index name, and compare each with its key.

    :param rows: as of `ObjectPlaces.questions`.
    :raises Told: it shall not go on.
    """
    path = store.layout.pack_path(pack_id)
    try:
        open_regular(path).close()  # a pipe of that name would be waited for
    except OSError as error:
        fault = in_words(error)
        return Answer(len(json.loads(rows)), 0, tuple((row[0], fault) for row in json.loads(rows)))
    objects = sorted((PackedObject._make((*row, pack_id)) for row in json.loads(rows)), key=_by_offset)
    wrong: list[tuple[str, str]] = []
    length = 0
    for window in windows_of(objects, store.limits):
        wrong += _faults_of(path, window, store)
        size = sum([row.length for row in window])
        length += size
        if not go_on(size):
            raise Told
    return Answer(len(objects), length, tuple(wrong))


def _by_offset(row: PackedObject) -> tuple[int, int]:
    return row.offset, row.length


def _faults_of(path: Path, window: Window, store: ObjectStore) -> list[tuple[str, str]]:
    """The keys of those objects of a window of which something is wrong, and what."""
    if is_large(window[0], store.limits):
        fault = fault_of_row(path, window[0])
        return [(window[0].key, fault)] if fault else []
    try:
        stored = read_stretch(path, window)
    except OSError as error:
        fault = in_words(error)
        return [(row.key, fault) for row in window]
    if are_plain_and_sound(window, stored, window[0].offset):
        return []
    found = ((row.key, _fault_of_stored(row, part)) for row, part in apart(window, stored))
    return [(key, fault) for key, fault in found if fault]


def _fault_of_stored(row: PackedObject, stored: memoryview) -> str:
    """What is wrong with a small object, given the bytes that the pack has for it; empty: nothing."""
    if len(stored) < row.length:
        return ENDS_EARLY
    if not row.compressed:
        return '' if hashlib.sha256(stored).hexdigest() == row.key else OTHER_BYTES
    try:
        content = decompress(stored)
    except zlib.error as error:
        return str(error)
    if hashlib.sha256(content).hexdigest() != row.key:
        return OTHER_BYTES
    if len(content) != row.size:
        return wrong_size(row.size, len(content))
    # what is left over behind the end of a stream is passed over by who inflates it
    ending = codec().adler32(content).to_bytes(CHECKSUM_BYTES, 'big')
    return '' if stored[-CHECKSUM_BYTES:] == ending else TRAILING


def wrong_size(told: int, size: int) -> str:
    """What is wrong with a row that tells another size than its object has."""
    return f'{THE_INDEX} that its content has {told:,} bytes, and it has {size:,}'


def is_of_the_index(fault: str) -> bool:
    """Whether the content is whole, and only a row of the index tells something else of it."""
    return fault.startswith(THE_INDEX)


def fault_of_row(path: Path, row: PackedObject, go_on: GoOn = always) -> str:
    """What is wrong with a packed object of any size, read in constant memory; empty: nothing.

    :raises Told: it shall not go on.
    """
    digest, size = hashlib.sha256(), 0
    try:
        chunks = stored_chunks(path, row.offset, row.length)
        for content in decompressed_chunks(chunks) if row.compressed else chunks:
            digest.update(content)
            size += len(content)
            if not go_on(0):
                raise Told
    except FileNotFoundError:
        return GONE
    except EOFError as error:
        return str(error)
    except OSError as error:
        return in_words(error)
    except zlib.error as error:
        return TRAILING if digest.hexdigest() == row.key else str(error)
    if digest.hexdigest() != row.key:
        return OTHER_BYTES
    return '' if size == row.size else wrong_size(row.size, size)


def stored_chunks(path: Path, offset: int, length: int) -> Iterator[bytes]:
    """Bytes of a file, in pieces of constant size.

    :raises EOFError: it ends before.
    """
    with open_regular(path) as file:
        file.seek(offset)
        while length:
            piece = file.read(min(length, CHUNK_BYTES))
            if not piece:
                raise EOFError(ENDS_EARLY)
            length -= len(piece)
            yield piece


def open_regular(path: Path) -> io.FileIO:
    """Open a file for reading, without waiting for somebody to write into it.

    :raises OSError: it is not there, cannot be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, NO_FILE, str(path))
    return io.FileIO(descriptor)


def in_words(error: OSError) -> str:
    """What the system has against reading a file.

    :raises OSError: this process is to blame, not the file.
    """
    if error.errno in _OF_THIS_PROCESS:
        raise error
    return error.strerror or str(error)


# loose objects ---------------------------------------------------------------------------------------------


def check_loose(store: ObjectStore, keys: Iterable[str], go_on: GoOn = always) -> Answer:
    """Read loose objects, and compare each with its key.

    :raises Told: it shall not go on.
    """
    wrong: list[tuple[str, str]] = []
    objects = length = 0
    for key in keys:
        size, fault = read_file(Path(store.loose_path(key)), key, go_on)
        if fault:
            wrong.append((key, fault))
        objects, length = objects + 1, length + size
        if not go_on(size):
            raise Told
    return Answer(objects, length, tuple(wrong))


def read_file(path: Path, key: str, go_on: GoOn = always) -> tuple[int, str]:
    """The size of a file that should hold an object, and what is wrong with it, or an empty text.

    :raises Told: it shall not go on.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with open_regular(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                if not go_on(0):
                    raise Told
    except FileNotFoundError:
        return 0, GONE
    except OSError as error:
        return size, in_words(error)
    return size, '' if digest.hexdigest() == key else OTHER_BYTES


# as a process ----------------------------------------------------------------------------------------------


def answer(store: ObjectStore, question: list[object], go_on: GoOn = always) -> Answer:
    """Answer one question, as it came.

    :raises Told: it shall not go on.
    """
    if question[0] == 'loose':
        return check_loose(store, question[1], go_on)  # type: ignore[arg-type]
    return check_rows(store, question[1], question[2], go_on)  # type: ignore[arg-type]


def serve(store: ObjectStore, questions: IO[bytes], answers: IO[bytes], go_on: GoOn) -> None:
    """Answer until there are no more questions."""
    for line in questions:
        answers.write(json.dumps(answer(store, json.loads(line), go_on)).encode() + b'\n')
        answers.flush()


def main(folder: str, parent: str) -> None:
    """Answer another process, as long as that lives."""
    with closing(ObjectStore(folder)) as store:
        serve(store, sys.stdin.buffer, sys.stdout.buffer, lambda length: os.getppid() == int(parent))


if __name__ == '__main__':
    main(*sys.argv[1:])
