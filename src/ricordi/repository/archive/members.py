"""Objects in the form in which an archive holds them."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.repository.archive.sources import ObjectSource
from ricordi.zipfiles.deflate import deflate
from ricordi.zipfiles.format import DEFLATED, STORED

SMALLEST_DEFLATED = 32
"""Bytes; smaller content does not shrink."""


@dataclass(frozen=True, slots=True)
class PackedMember:
    """A member that is ready to be written; without `data`, its source is too large for memory.

    :param method: of zip.
    :param crc: CRC-32 of the content.
    :param size: bytes of content.
    """

    method: int = STORED
    crc: int = 0
    size: int = 0
    data: bytes | memoryview | None = None


TOO_LARGE = PackedMember()


def pack_member(source: ObjectSource, level: int) -> PackedMember:
    """Read an object, check it, and deflate it unless it lies deflated already or does not shrink.

    :param level: 0 (stored) to 9.
    :raises ricordi.repository.archive.sources.UnusableObject: it is missing or damaged.
    """
    whole = source.small()
    if whole is None:
        return TOO_LARGE
    content, size = whole.content, len(whole.content)
    if level and size >= SMALLEST_DEFLATED:
        shorter = deflate(content, level) if whole.deflated is None else whole.deflated
        if len(shorter) < size:
            return PackedMember(DEFLATED, whole.crc, size, shorter)
    return PackedMember(STORED, whole.crc, size, content)
