"""Arrays in NumPy's file format, read without NumPy: as the nested lists that `tolist()` gives.

A complex number is a list of its own, of the real and the imaginary part: JSON and tables know no such numbers.

The format is documented as `numpy.lib.format`: a magic word, a version, a header in Python's notation, the bytes.
"""

from __future__ import annotations

import ast
import math
import re
import struct
from collections.abc import Sequence
from typing import Any

from ricordi.errors import CorruptStorage, InvalidOperation

_MAGIC = b'\x93NUMPY'
_LENGTHS = {1: '<H', 2: '<I', 3: '<I'}
_TYPES = ('b1', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f2', 'f4', 'f8')
_CODES = dict(zip(_TYPES, '?bBhHiIqQefd', strict=True))
_PARTS_OF_COMPLEX = {'c8': 'f4', 'c16': 'f8'}


def read_npy(content: bytes) -> Any:
    """The array as nested lists, or as one value where it has no dimension.

    :raises ricordi.errors.InvalidOperation: its values are of a kind that has no form as text here.
    :raises ricordi.errors.CorruptStorage: this is no array file.
    """
    try:
        start, kind, is_fortran, shape = _header(content)
        steps = _steps(shape, is_fortran)
        if (part := _PARTS_OF_COMPLEX.get(kind[1:])) is not None:
            kind, shape, steps = kind[0] + part, (*shape, 2), (*(2 * step for step in steps), 1)
        values = _values(content[start:], kind, math.prod(shape))
    except (struct.error, ValueError, KeyError, SyntaxError, TypeError, IndexError) as error:
        raise CorruptStorage(f'this is no array of NumPy: {error}') from error
    return _nested(values, shape, steps, 0)


def _header(content: bytes) -> tuple[int, str, bool, tuple[int, ...]]:
    """Where the values begin, their type, whether the first index runs fastest, the shape."""
    if not content.startswith(_MAGIC):
        raise ValueError('it does not begin as one')
    form = _LENGTHS[content[6]]
    begin = 8 + struct.calcsize(form)
    (length,) = struct.unpack(form, content[8:begin])
    said = ast.literal_eval(content[begin : begin + length].decode('utf-8' if content[6] == 3 else 'latin-1'))
    return begin + length, str(said['descr']), bool(said['fortran_order']), tuple(said['shape'])


def _values(data: bytes, kind: str, count: int) -> Sequence[Any]:
    order, letter = '>' if kind[0] == '>' else '<', kind.lstrip('<>|=')
    if letter in _CODES:
        form = f'{order}{count}{_CODES[letter]}'
        return struct.unpack(form, data[: struct.calcsize(form)])
    if (text := re.fullmatch(r'U(\d+)', letter)) is not None:
        size = 4 * int(text[1])
        if len(data) < size * count:
            raise ValueError('it is cut short')
        encoding = 'utf-32-be' if order == '>' else 'utf-32-le'
        return [data[size * at : size * (at + 1)].decode(encoding).rstrip('\0') for at in range(count)]
    raise InvalidOperation(f'arrays of type {kind!r} have no form as text here; numpy reads them')


def _steps(shape: tuple[int, ...], is_fortran: bool) -> tuple[int, ...]:
    """How many values apart neighbours are, along each dimension."""
    if is_fortran:
        return tuple(math.prod(shape[:at]) for at in range(len(shape)))
    return tuple(math.prod(shape[at + 1 :]) for at in range(len(shape)))


def _nested(values: Sequence[Any], shape: tuple[int, ...], steps: tuple[int, ...], begin: int) -> Any:
    if not shape:
        return values[begin]
    count, step = shape[0], steps[0]
    if len(shape) == 1:
        return list(values[begin : begin + count * step : step]) if count else []
    return [_nested(values, shape[1:], steps[1:], begin + at * step) for at in range(count)]
