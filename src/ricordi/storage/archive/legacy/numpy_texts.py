"""Lists of short texts as NumPy writes them to a file, read without NumPy."""

from __future__ import annotations

import ast
import math
import re

MAGIC = b'\x93NUMPY'
LONGEST_HEADER = 4096
LARGEST = 1 << 20
"""Bytes. Trajectories name each of their atoms once."""

_text_type = re.compile(r'([<>=|]?)([US])(\d{1,4})').fullmatch


def texts_in(content: bytes) -> list[str] | None:
    """The texts of an array of one dimension; None where the bytes are something else."""
    if not content.startswith(MAGIC) or len(content) < 12:
        return None
    width = 2 if content[6] == 1 else 4
    length = int.from_bytes(content[8 : 8 + width], 'little')
    begin = 8 + width + length
    if length > LONGEST_HEADER or begin > len(content):
        return None
    try:
        header = ast.literal_eval(content[8 + width : begin].decode('latin-1').strip())
        return _texts(content[begin:], header['descr'], header['shape'])
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        return None


def _texts(content: bytes, kind: str, shape: tuple[int, ...]) -> list[str] | None:
    """The texts, given what the header tells of them."""
    matched = _text_type(kind)
    if matched is None or len(shape) != 1:
        return None
    order, letter, characters = matched[1], matched[2], int(matched[3])
    size, number = characters * (4 if letter == 'U' else 1), math.prod(shape)
    if size * number != len(content) or not size:
        return None
    encoding = ('utf-32-be' if order == '>' else 'utf-32-le') if letter == 'U' else 'ascii'
    return [content[at : at + size].decode(encoding).rstrip('\0') for at in range(0, len(content), size)]
