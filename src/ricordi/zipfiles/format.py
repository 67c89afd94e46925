"""The records of a zip file: end of the central directory, entries, local headers, zip64 (PKWARE's APPNOTE)."""

from __future__ import annotations

import struct
import time
from typing import NamedTuple

STORED = 0
DEFLATED = 8

END = struct.Struct('<4s4H2LH')
END_MARK = b'PK\x05\x06'
END64 = struct.Struct('<4sQ2H2L4Q')
END64_MARK = b'PK\x06\x06'
LOCATOR64 = struct.Struct('<4sLQL')
LOCATOR64_MARK = b'PK\x06\x07'
ENTRY = struct.Struct('<4s6H3L5H2L')
ENTRY_MARK = b'PK\x01\x02'
LOCAL = struct.Struct('<4s5H3L2H')
LOCAL_MARK = b'PK\x03\x04'

ENCRYPTED = 0x1
UTF8 = 0x800
ZIP64_EXTRA = 1
LIMIT16 = 0xFFFF
LIMIT32 = 0xFFFFFFFF
LONGEST_COMMENT = 0xFFFF

_VERSION = 20
_VERSION64 = 45
_UNIX = 3 << 8
_FILE_MODE = 0o600 << 16


class Member(NamedTuple):
    """A file in a zip file, as an entry of the central directory tells of it.

    :param method: `STORED` or `DEFLATED`; others exist and cannot be read here.
    :param crc: CRC-32 of the content.
    :param packed: bytes it takes in the zip file.
    :param size: bytes of content.
    :param offset: where its local header begins.
    """

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    flags: int = 0


def dos_time(moment: float | None = None) -> tuple[int, int]:
    """Time and date as MS-DOS writes them, in local time; `moment` in seconds since the epoch, None for now."""
    year, month, day, hour, minute, second = time.localtime(moment)[:6]
    year = min(max(year, 1980), 2107)
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def local_header(member: Member, when: tuple[int, int], room64: bool) -> bytes:
    """What stands before the content.

    :param when: as of `dos_time`.
    :param room64: write the sizes as 64 bits, so that any can be filled in later.
    """
    name = member.name.encode()
    extra = struct.pack('<2H2Q', ZIP64_EXTRA, 16, member.size, member.packed) if room64 else b''
    sizes = (LIMIT32, LIMIT32) if room64 else (member.packed, member.size)
    flags = 0 if member.name.isascii() else UTF8
    version = _VERSION64 if room64 else _VERSION
    fixed = LOCAL.pack(LOCAL_MARK, version, flags, member.method, *when, member.crc, *sizes, len(name), len(extra))
    return fixed + name + extra


def directory_entry(member: Member, when: tuple[int, int]) -> bytes:
    """The entry of a member in the central directory."""
    name = member.name.encode()
    wide = [value for value in (member.size, member.packed, member.offset) if value >= LIMIT32]
    extra = struct.pack(f'<2H{len(wide)}Q', ZIP64_EXTRA, 8 * len(wide), *wide) if wide else b''
    version = _VERSION64 if wide else _VERSION
    fixed = ENTRY.pack(
        ENTRY_MARK,
        _UNIX | version,
        version,
        0 if member.name.isascii() else UTF8,
        member.method,
        *when,
        member.crc,
        min(member.packed, LIMIT32),
        min(member.size, LIMIT32),
        len(name),
        len(extra),
        0,
        0,
        0,
        _FILE_MODE,
        min(member.offset, LIMIT32),
    )
    return fixed + name + extra


def end_records(entries: int, directory_offset: int, directory_bytes: int) -> bytes:
    """What ends a zip file: the end of the central directory, before it the zip64 records where they are needed."""
    records = b''
    if entries >= LIMIT16 or directory_offset >= LIMIT32 or directory_bytes >= LIMIT32:
        position = directory_offset + directory_bytes
        records = END64.pack(
            END64_MARK,
            END64.size - 12,
            _VERSION64,
            _VERSION64,
            0,
            0,
            entries,
            entries,
            directory_bytes,
            directory_offset,
        ) + LOCATOR64.pack(LOCATOR64_MARK, 0, position, 1)
    count = min(entries, LIMIT16)
    return records + END.pack(
        END_MARK, 0, 0, count, count, min(directory_bytes, LIMIT32), min(directory_offset, LIMIT32), 0
    )


def read_entry(buffer: bytes, position: int) -> tuple[Member, int] | None:
    """The entry at a position of (a part of) a central directory and where it ends; None if it is not whole there.

    :raises ValueError: there is no entry.
    """
    if len(buffer) - position < ENTRY.size:
        return None
    fields = ENTRY.unpack_from(buffer, position)
    if fields[0] != ENTRY_MARK:
        raise ValueError('the central directory is damaged')
    flags, method, crc, packed, size = fields[3], fields[4], *fields[7:10]
    name_length, extra_length, comment_length, offset = *fields[10:13], fields[16]
    begin = position + ENTRY.size
    end = begin + name_length + extra_length + comment_length
    if end > len(buffer):
        return None
    name = buffer[begin : begin + name_length].decode('utf-8' if flags & UTF8 else 'cp437')
    if LIMIT32 in (packed, size, offset):
        extra = buffer[begin + name_length : begin + name_length + extra_length]
        size, packed, offset = _wide_values(extra, size, packed, offset)
    return Member(name, method, crc, packed, size, offset, flags), end


def _wide_values(extra: bytes, *values: int) -> tuple[int, int, int]:
    """The values of an entry with those from its zip64 extra in place of the marks that point there."""
    found = list(values)
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from('<2H', extra, position)
        position += 4
        if kind == ZIP64_EXTRA:
            wide = iter(struct.unpack_from(f'<{min(length, len(extra) - position) // 8}Q', extra, position))
            try:
                found = [next(wide) if value == LIMIT32 else value for value in values]
            except (StopIteration, RuntimeError):
                raise ValueError('an entry of the central directory lacks its 64-bit sizes') from None
            break
        position += length
    return found[0], found[1], found[2]
