"""A node that holds one or more quantities over a common axis."""

from __future__ import annotations

from typing import Any

from ricordi.errors import NotExistent, ValidationError
from ricordi.orm.data.array import ArrayData, load_numpy


class XyData(ArrayData, node_type='data.core.array.xy.XyData.'):
    """An array of x values and arrays of y values of the same shape, each with name and unit."""

    def __init__(
        self,
        x_array: Any = None,
        y_arrays: Any = None,
        *,
        x_name: str | None = None,
        x_units: str | None = None,
        y_names: str | list[str] | None = None,
        y_units: str | list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        :param x_array: the x values; with them all other arguments are needed.
        :param y_arrays: one array, or several.
        """
        super().__init__(**kwargs)
        if x_array is None:
            return
        if x_name is None or x_units is None or y_arrays is None or y_names is None or y_units is None:
            raise TypeError('with x_array, give x_name, x_units, y_arrays, y_names and y_units as well')
        asarray = load_numpy().asarray
        self.set_x(asarray(x_array), x_name, x_units)
        one = isinstance(y_names, str)
        self.set_y(asarray(y_arrays) if one else [asarray(array) for array in y_arrays], y_names, y_units)

    @property
    def x_name(self) -> str:
        """What the x values are."""
        return str(self.base.attributes.get('x_name'))

    @property
    def x_units(self) -> str:
        """The unit of the x values."""
        return str(self.base.attributes.get('x_units'))

    @property
    def y_names(self) -> list[str]:
        """What the y values are."""
        return list(self.base.attributes.get('y_names'))

    @property
    def y_units(self) -> list[str]:
        """The units of the y values."""
        return list(self.base.attributes.get('y_units'))

    def set_x(self, x_array: Any, x_name: str, x_units: str) -> None:
        """Set the x values, with name and unit."""
        _check(x_array, x_name, x_units)
        self.base.attributes.set_many({'x_name': x_name, 'x_units': x_units})
        self.set_array('x_array', x_array)

    def set_y(self, y_arrays: Any, y_names: Any, y_units: Any) -> None:
        """Set the y values, with names and units: one array, or lists of equal length.

        :raises ricordi.errors.ValidationError: there are no x values yet, or shapes or lengths differ.
        """
        arrays, names, units = (
            list(item) if isinstance(item, list | tuple) else [item] for item in (y_arrays, y_names, y_units)
        )
        if not len(arrays) == len(names) == len(units):
            raise ValidationError(f'{len(arrays)} arrays, {len(names)} names and {len(units)} units do not go together')
        if 'x_array' not in self.get_arraynames():
            raise ValidationError('set the x values first')
        shape = self.get_shape('x_array')
        for array, name, unit in zip(arrays, names, units, strict=True):
            _check(array, name, unit)
            if array.shape != shape:
                raise ValidationError(f'{name} has the shape {array.shape}, the x values have {shape}')
        for number, array in enumerate(arrays):
            self.set_array(f'y_array_{number}', array)
        self.base.attributes.set_many({'y_names': names, 'y_units': units})

    def get_x(self) -> tuple[str, Any, str]:
        """Name, array and unit of the x values.

        :raises ricordi.errors.NotExistent: they were not set.
        """
        if 'x_array' not in self.get_arraynames():
            raise NotExistent(f'{self!r} has no x values')
        return self.x_name, self.get_array('x_array'), self.x_units

    def get_y(self) -> list[tuple[str, Any, str]]:
        """Name, array and unit of each of the y values.

        :raises ricordi.errors.NotExistent: they were not set.
        """
        if 'y_names' not in self.base.attributes:
            raise NotExistent(f'{self!r} has no y values')
        names, units = self.y_names, self.y_units
        return [
            (name, self.get_array(f'y_array_{number}'), unit)
            for number, (name, unit) in enumerate(zip(names, units, strict=True))
        ]


def _check(array: Any, name: str, units: str) -> None:
    if not isinstance(name, str) or not isinstance(units, str):
        raise TypeError(f'names and units are strings, got {name!r} and {units!r}')
    if not isinstance(array, load_numpy().ndarray) or array.dtype.kind not in 'biuf':
        raise TypeError(f'{name}: a numpy array of real numbers is needed')
