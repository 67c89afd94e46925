"""Arrays in NumPy's file format, read without NumPy, against NumPy."""

import io
from typing import Literal

import numpy
import pytest

from ricordi.errors import CorruptStorage, InvalidOperation
from ricordi.services.contents.npy import read_npy

ARRAYS = {
    **{
        kind: numpy.arange(6).reshape(2, 3).astype(kind) for kind in ('i1', 'u2', 'i4', '<i8', '>i8', 'f2', 'f4', '>f8')
    },
    'flags': numpy.array([True, False]),
    'no dimension': numpy.array(3.5),
    'nothing': numpy.zeros((0, 3)),
    'empty rows': numpy.zeros((2, 0)),
    'first index fastest': numpy.asfortranarray(numpy.arange(24.0).reshape(2, 3, 4)),
    'texts': numpy.array(['a', 'bcü', '']),
    'special': numpy.array([numpy.inf, -numpy.inf]),
}


def saved(array: numpy.ndarray) -> bytes:
    handle = io.BytesIO()
    numpy.save(handle, array)
    return handle.getvalue()


@pytest.mark.parametrize('name', ARRAYS)
def test_an_array_is_read_as_numpy_lists_it(name: str) -> None:
    assert read_npy(saved(ARRAYS[name])) == ARRAYS[name].tolist()


@pytest.mark.parametrize('kind', ['<c8', '>c8', '<c16', '>c16'])
@pytest.mark.parametrize('order', ['C', 'F'])
@pytest.mark.parametrize('shape', [(), (6,), (2, 3), (0, 2)])
def test_a_complex_number_is_a_list_of_its_two_parts(
    kind: str, order: Literal['C', 'F'], shape: tuple[int, ...]
) -> None:
    numbers = numpy.arange(numpy.prod(shape, dtype=int)).reshape(shape) * (1 - 0.5j) + 2j
    array = numpy.array(numbers, dtype=kind, order=order)
    assert read_npy(saved(array)) == numpy.stack([array.real, array.imag], -1).tolist()


def test_what_has_no_form_as_text_is_refused() -> None:
    with pytest.raises(InvalidOperation, match='M8'):
        read_npy(saved(numpy.array(['2020-01-01'], dtype='M8[D]')))


@pytest.mark.parametrize('content', [b'', b'no array', saved(numpy.arange(3.0))[:-1], saved(numpy.array(['ab']))[:-1]])
def test_what_is_no_array_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(CorruptStorage):
        read_npy(content)
