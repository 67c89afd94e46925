"""A property of a class: `Int.class_node_type`, `Node.collection`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T_co = TypeVar('T_co', covariant=True)


class classproperty(Generic[T_co]):
    """Read-only property that is computed from the class, asked of the class or of an instance."""

    def __init__(self, getter: Callable[[Any], T_co]) -> None:
        self._getter = getter
        self.__doc__ = getter.__doc__

    def __get__(self, instance: object, owner: type) -> T_co:
        return self._getter(owner)
