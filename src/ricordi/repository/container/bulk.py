"""Many objects straight into packs, without loose files in between."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from ricordi.backend.maintenance import CompressMode
from ricordi.errors import CorruptStorage
from ricordi.repository.container.compression import compress as deflate
from ricordi.repository.container.compression import compressor, wants_compression
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.loose import chunks_of, read_fully
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_writer import PackWriter, StoredObject, pack_to_append_to
from ricordi.repository.limits import Limits


def stored_form(content: bytes, mode: CompressMode, was_compressed: bool, level: int) -> tuple[bytes, bool]:
    """How `content` shall lie in a pack: the bytes, and whether they are a zlib stream (only where that is shorter)."""
    if content and wants_compression(mode, was_compressed, content):
        stream = deflate(content, level)
        if len(stream) < len(content):
            return stream, True
    return content, False


def _stored_objects(contents: dict[str, bytes], mode: CompressMode, level: int) -> list[StoredObject]:
    if mode in ('keep', 'no'):
        return [StoredObject(key, content, len(content)) for key, content in contents.items()]
    forms = ((key, content, *stored_form(content, mode, False, level)) for key, content in contents.items())
    return [StoredObject(key, stored, len(content), compressed) for key, content, stored, compressed in forms]


def would_keep_form(content: bytes, mode: CompressMode, is_compressed: bool, level: int) -> bool:
    """Whether an object that is packed would be packed in the same form again, so that it need not be rewritten."""
    wanted = wants_compression(mode, is_compressed, content)
    return wanted == is_compressed or (wanted and not stored_form(content, mode, is_compressed, level)[1])


def pack_writer(
    container: ObjectStore,
    limits: Limits | None = None,
    noted: Callable[[Iterable[PackedObject]], None] = lambda rows: None,
) -> PackWriter:
    """What appends new objects to the packs.

    :param limits: after how much is written, fsynced and committed; None: those of the container.
    :param noted: hears of the rows that are put, before these are committed.
    """
    index, target = container.index, container.config.pack_size_target
    first_pack = pack_to_append_to(container.layout, index, target)

    def save(rows: Iterable[PackedObject]) -> None:
        index.put(rows)
        noted(rows)

    return PackWriter(container.layout, index, target, save, first_pack, limits=limits or container.limits)


def put_into_packs(container: ObjectStore, contents: Iterable[bytes | BinaryIO], mode: CompressMode) -> list[str]:
    """Append what the packs do not have yet; returns all keys in order. For one who holds `packer_lock`."""
    level, limits = container.config.compression_level, container.limits
    writer = pack_writer(container)
    keys: list[str] = []
    any_packed = not container.index.is_empty
    known: set[str] = set()
    try:
        for group, large in _groups(contents, limits):
            keys.extend(key for key, _ in group)
            if any_packed:
                known |= _sound_keys(container, (key for key, _ in group if key not in known))
            new = {key: content for key, content in group if key not in known}
            writer.append_many(_stored_objects(new, mode, level))
            known.update(new)
            if large is not None:
                keys.append(_put_large(container, writer, *large, mode, known))
            if writer.pending_is_large:
                writer.commit()
        writer.commit()
    finally:
        writer.close()
    return keys


Large = tuple[bytes, BinaryIO]
"""The beginning of a large object that was read already, and the stream that yields the rest."""


def _groups(
    contents: Iterable[bytes | BinaryIO], limits: Limits
) -> Iterator[tuple[list[tuple[str, bytes]], Large | None]]:
    """Contents in groups with their keys; a large one ends its group, and is to be streamed after it."""
    group: list[tuple[str, bytes]] = []
    total, large_bytes = 0, limits.large_bytes
    for content in contents:
        head = content if isinstance(content, bytes) else read_fully(content, large_bytes)
        if not isinstance(content, bytes) and len(head) == large_bytes:
            yield group, (head, content)
            group, total = [], 0
            continue
        group.append((hashlib.sha256(head).hexdigest(), head))
        total += len(head)
        if len(group) >= limits.put_objects or total >= large_bytes:
            yield group, None
            group, total = [], 0
    yield group, None


def _sound_keys(container: ObjectStore, keys: Iterable[str]) -> set[str]:
    """Those of the keys that the packs have, and of which what they have is right."""
    return {row.key for row in container.index.find_many(keys) if container.packed_copy_is_sound(row)}


class Measured:
    """Passes chunks on, meanwhile taking their SHA-256 and counting them; compresses them where asked to."""

    def __init__(self, chunks: Iterable[bytes], deflater: Any = None) -> None:
        self._chunks = chunks
        self._deflater = deflater
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Any:
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.size += len(chunk)
            if self._deflater is None:
                yield chunk
            elif piece := self._deflater.compress(chunk):
                yield piece
        if self._deflater is not None:
            yield self._deflater.flush()

    @property
    def key(self) -> str:
        """SHA-256 of what has passed."""
        return self._digest.hexdigest()


def append_large(
    container: ObjectStore, writer: PackWriter, chunks: Iterable[bytes], head: bytes, mode: CompressMode, was: bool
) -> tuple[Measured, bool, tuple[int, int]]:
    """Stream a large object into the pack; the caller then keeps it by `add_row` or undoes it by `take_back`.

    :param head: the beginning of the content, to judge compressibility by.
    :param was: whether it was stored compressed so far.
    :returns: size and key of the content, whether it was compressed, and its place.
    """
    compressed = wants_compression(mode, was, head)
    measured = Measured(chunks, compressor(container.config.compression_level) if compressed else None)
    return measured, compressed, writer.append_chunks(measured)


def undone_on_error(writer: PackWriter, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass chunks on; should their source fail on the way, what was appended of them is taken back."""
    place = (writer.position, 0)
    try:
        yield from chunks
    except (CorruptStorage, OSError, zlib.error):
        writer.take_back(place)
        raise


def _put_large(
    container: ObjectStore, writer: PackWriter, head: bytes, rest: BinaryIO, mode: CompressMode, known: set[str]
) -> str:
    def chunks() -> Iterator[bytes]:
        yield from chunks_of(io.BytesIO(head))
        yield from chunks_of(rest)

    measured, compressed, place = append_large(container, writer, chunks(), head, mode, False)
    if measured.key in known or _sound_keys(container, [measured.key]):
        writer.take_back(place)
    else:
        writer.add_row(measured.key, measured.size, compressed, place)
        known.add(measured.key)
    return measured.key
