"""A node that holds numpy arrays, each as a file of its own."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any

from ricordi.errors import InvalidOperation, NotExistentKeyError, ValidationError
from ricordi.installing import way_to_install
from ricordi.orm.data.data import Data
from ricordi.orm.values import clean_value

if TYPE_CHECKING:
    import numpy


def load_numpy() -> ModuleType:
    """The numpy package.

    :raises ricordi.errors.InvalidOperation: it is not installed.
    """
    try:
        import numpy
    except ImportError:
        raise InvalidOperation(f'arrays need numpy, which is not installed: {way_to_install("numpy")}') from None
    return numpy


class ArrayData(Data, node_type='data.core.array.ArrayData.'):
    """Numpy arrays by name: a file `<name>.npy` each, and the shape as attribute `array|<name>`. Needs numpy."""

    array_prefix = 'array|'
    default_array_name = 'default'
    _cached_arrays: dict[str, numpy.ndarray[Any, Any]] | None = None

    def __init__(self, arrays: Any = None, **kwargs: Any) -> None:
        """
        :param arrays: one array or sequence, or several by name.
        """
        super().__init__(**kwargs)
        if arrays is None:
            return
        named = arrays if isinstance(arrays, Mapping) else {self.default_array_name: arrays}
        for name, array in named.items():
            if isinstance(array, str) or not hasattr(array, '__len__'):
                raise TypeError(f'arrays are sequences or numpy arrays, got {array!r}')
            self.set_array(name, load_numpy().asarray(array))

    @property
    def arrays(self) -> dict[str, Any]:
        """All arrays by name."""
        return dict(self.get_iterarrays())

    def get_arraynames(self) -> list[str]:
        """The names of the arrays."""
        prefix = self.array_prefix
        return [key.removeprefix(prefix) for key in self.row.attributes if key.startswith(prefix)]

    def get_shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array, found without reading it."""
        return tuple(self.base.attributes.get(self.array_prefix + name))

    def get_iterarrays(self) -> Iterator[tuple[str, Any]]:
        """Name and array, one after the other."""
        for name in self.get_arraynames():
            yield name, self.get_array(name)

    def get_array(self, name: str | None = None) -> Any:
        """An array; of a stored node it is read once and kept, and must not be written to.

        :param name: may be left out if there is only one.
        :raises KeyError: there is none of this name.
        """
        if name is None:
            names = self.get_arraynames()
            if len(names) != 1:
                raise ValidationError(f'{self!r} holds {len(names)} arrays: name one ({", ".join(names)})')
            name = names[0]
        if not self.is_stored:
            return self._read(name)
        if self._cached_arrays is None:
            self._cached_arrays = {}
        if name not in self._cached_arrays:
            self._cached_arrays[name] = self._read(name)
        return self._cached_arrays[name]

    def clear_internal_cache(self) -> None:
        """Let go of the arrays that were read."""
        self._cached_arrays = None

    def set_array(self, name: str, array: Any) -> None:
        """Put an array, or replace it.

        :param name: letters, digits and underscores.
        :raises TypeError: it is no numpy array.
        :raises ricordi.errors.ValidationError: the name is not valid, or the array holds Python objects.
        """
        numpy = load_numpy()
        if not isinstance(array, numpy.ndarray):
            raise TypeError(f'a numpy array is needed, got {type(array).__name__}: use numpy.asarray')
        if not re.fullmatch('[0-9a-zA-Z_]+', name):
            raise ValidationError(f'{name!r} cannot be the name of an array: only letters, digits and underscores')
        target = io.BytesIO()
        try:
            numpy.save(target, array, allow_pickle=False)
        except ValueError as error:
            raise ValidationError(f'array {name!r} cannot be kept: {error}') from None
        self.base.repository.put_object_from_bytes(target.getvalue(), f'{name}.npy')
        self.base.attributes.set(self.array_prefix + name, list(array.shape))

    def delete_array(self, name: str) -> None:
        """Take an array out.

        :raises KeyError: there is none of this name.
        """
        if name not in self.get_arraynames():
            raise NotExistentKeyError(f'{self!r} has no array {name!r}')
        self.base.repository.delete_object(f'{name}.npy')
        self.base.attributes.delete(self.array_prefix + name)

    def attach_file(self, name: str, fileobj: IO[Any]) -> None:
        """Put an array from a `.npy` file."""
        if not name.endswith('.npy'):
            raise ValidationError(f'arrays come in .npy files, got {name!r}')
        self.set_array(name.removesuffix('.npy'), load_numpy().load(fileobj, allow_pickle=False))

    @staticmethod
    def save_arrays(arrays: Mapping[str, Any]) -> dict[str, bytes]:
        """Arrays as text: each a `.npy` file in base64."""
        saved = {}
        for name, array in arrays.items():
            target = io.BytesIO()
            load_numpy().save(target, array, allow_pickle=False)
            saved[name] = base64.encodebytes(target.getvalue())
        return saved

    @staticmethod
    def load_arrays(arrays: Mapping[str, bytes]) -> dict[str, Any]:
        """The arrays that `save_arrays` made text of."""
        load = load_numpy().load
        return {name: load(io.BytesIO(base64.decodebytes(text)), allow_pickle=False) for name, text in arrays.items()}

    def _read(self, name: str) -> Any:
        numpy = load_numpy()
        try:
            with self.base.repository.open(f'{name}.npy', 'rb') as handle:
                return numpy.load(handle, allow_pickle=False)
        except FileNotFoundError:
            known = ', '.join(self.get_arraynames()) or 'none'
            raise NotExistentKeyError(f'{self!r} has no array {name!r}; it has: {known}') from None

    def _validate(self) -> None:
        super()._validate()
        files = {
            name.removesuffix('.npy') for name in self.base.repository.list_object_names() if name.endswith('.npy')
        }
        if files != set(self.get_arraynames()):
            raise ValidationError(f'{self!r}: files {sorted(files)} and attributes {self.get_arraynames()} differ')

    def _prepare_json(self, main_file_name: str = '', comments: bool = True) -> tuple[bytes, dict[str, bytes]]:
        """All arrays as JSON; NaN and infinities become null."""
        import json

        values = {name: _finite(array.tolist()) for name, array in self.get_iterarrays()}
        return json.dumps({**clean_value(values), 'original_uuid': self.uuid}).encode(), {}


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value
