"""Nodes that wrap one plain value: Int, Float, Str, Bool; and how Python values become nodes."""

from __future__ import annotations

import enum
import numbers
from collections.abc import Callable
from typing import Any, ClassVar, Self

from ricordi.orm.data.data import Data


class BaseType(Data, node_type='data.base.BaseType.'):
    """A data node that wraps a value of the Python type `_type`, kept as the attribute `value`."""

    _type: ClassVar[Any]

    def __init__(self, value: Any = None, **kwargs: Any) -> None:
        """
        :param value: what `_type` can convert; its zero for None.
        """
        super().__init__(**kwargs)
        self.value = value if value is not None else self._type()

    @property
    def value(self) -> Any:
        """The wrapped value."""
        return self._row.attributes.get('value')

    @value.setter
    def value(self, value: Any) -> None:
        self.base.attributes.set('value', self._type(value.value if isinstance(value, BaseType) else value))

    def json_value(self) -> Any:
        """What stands for this node inside attributes and extras of another."""
        return self.value

    def new(self, value: Any = None) -> Self:
        """A new node of this class with another value."""
        return type(self)(value, backend=self._backend)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, BaseType) else other))

    __hash__ = None  # type: ignore[assignment] # nodes are equal by their value

    def __str__(self) -> str:
        return f'{super().__str__()} value: {self.value}'


def _value(operand: Any) -> Any:
    return operand.value if isinstance(operand, NumericType) else operand


def _left(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operator(self: NumericType, other: Any) -> Any:
        result = operate(self.value, _value(other))
        return result if result is NotImplemented else to_aiida_type(result, backend=self._backend)

    return operator


def _right(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return _left(lambda mine, other: operate(other, mine))


class NumericType(BaseType, node_type='data.core.numeric.NumericType.'):
    """A number that calculates like one; results of operators are new nodes that are not stored."""

    __add__ = _left(lambda a, b: a + b)
    __radd__ = _right(lambda a, b: a + b)
    __sub__ = _left(lambda a, b: a - b)
    __rsub__ = _right(lambda a, b: a - b)
    __mul__ = _left(lambda a, b: a * b)
    __rmul__ = _right(lambda a, b: a * b)
    __truediv__ = _left(lambda a, b: a / b)
    __rtruediv__ = _right(lambda a, b: a / b)
    __floordiv__ = _left(lambda a, b: a // b)
    __rfloordiv__ = _right(lambda a, b: a // b)
    __mod__ = _left(lambda a, b: a % b)
    __rmod__ = _right(lambda a, b: a % b)
    __pow__ = _left(lambda a, b: a**b)
    __rpow__ = _right(lambda a, b: a**b)
    __lt__ = _left(lambda a, b: a < b)
    __le__ = _left(lambda a, b: a <= b)
    __gt__ = _left(lambda a, b: a > b)
    __ge__ = _left(lambda a, b: a >= b)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __pos__(self) -> Any:
        return self.value

    def __neg__(self) -> Self:
        return self.new(-self.value)

    def __abs__(self) -> Any:
        return abs(self.value)


class Int(NumericType, node_type='data.core.int.Int.'):
    """A whole number."""

    _type = int

    def __index__(self) -> int:
        return int(self.value)


class Float(NumericType, node_type='data.core.float.Float.'):
    """A floating-point number."""

    _type = float


class Str(BaseType, node_type='data.core.str.Str.'):
    """A text."""

    _type = str


class Bool(BaseType, node_type='data.core.bool.Bool.'):
    """True or False."""

    _type = bool

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)


def to_aiida_type(value: Any, **kwargs: Any) -> Data:
    """The data node that wraps a Python value: bool, int, float, str, list, dict, enum member or numpy array.

    :param kwargs: for the node: `backend`, `label`, …
    :raises TypeError: no node wraps such a value.
    """
    if isinstance(value, Data):
        return value
    if isinstance(value, bool) or (type(value).__module__ == 'numpy' and type(value).__name__.startswith('bool')):
        return Bool(bool(value), **kwargs)
    if isinstance(value, enum.Enum):
        from ricordi.orm.data.enum import EnumData

        return EnumData(value, **kwargs)
    if isinstance(value, str):
        return Str(value, **kwargs)
    if isinstance(value, numbers.Integral):
        return Int(value, **kwargs)
    if isinstance(value, numbers.Real):
        return Float(value, **kwargs)
    return _container(value, **kwargs)


def _container(value: Any, **kwargs: Any) -> Data:
    if isinstance(value, dict):
        from ricordi.orm.data.dict import Dict

        return Dict(value, **kwargs)
    if isinstance(value, list | tuple):
        from ricordi.orm.data.list import List

        return List(list(value), **kwargs)
    if type(value).__module__ == 'numpy' and hasattr(value, 'shape'):
        from ricordi.orm.data.array import ArrayData

        return ArrayData(value, **kwargs)
    raise TypeError(f'no data node wraps a value of type {type(value).__name__}: {value!r}')
