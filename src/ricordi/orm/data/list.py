"""A node that holds a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableSequence
from typing import Any

from ricordi.orm.data.data import Data
from ricordi.orm.values import copy_json


class List(Data, MutableSequence[Any], node_type='data.core.list.List.'):
    """A list, kept as the attribute `list`; it behaves as one, and cannot be changed once stored."""

    _LIST_KEY = 'list'

    def __init__(self, value: list[Any] | None = None, **kwargs: Any) -> None:
        """
        :param value: the items.
        :raises TypeError: it is no list.
        """
        value = value if value is not None else kwargs.pop('list', None)
        super().__init__(**kwargs)
        self.set_list([] if value is None else value)

    @property
    def value(self) -> list[Any]:
        """The items: the list itself before the node is stored, a copy afterwards."""
        return self.get_list()

    def get_list(self) -> list[Any]:
        """The items: the list itself before the node is stored, a copy afterwards."""
        items: list[Any] = self._row.attributes.get(self._LIST_KEY, [])
        return copy_json(items) if self.is_stored else items

    def set_list(self, data: list[Any]) -> None:
        """Replace the items.

        :raises TypeError: no list is given.
        """
        if not isinstance(data, list):
            raise TypeError(f'a list is needed, got {data!r}')
        self.base.attributes.set(self._LIST_KEY, data.copy())

    def json_value(self) -> list[Any]:
        """What stands for this node inside attributes and extras of another."""
        return self.get_list()

    def _modify(self, change: Callable[[list[Any]], Any]) -> Any:
        self._check_mutability_attributes((self._LIST_KEY,))
        return change(self._row.attributes.setdefault(self._LIST_KEY, []))

    def __getitem__(self, index: Any) -> Any:
        return self.get_list()[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._modify(lambda items: items.__setitem__(index, value))

    def __delitem__(self, index: Any) -> None:
        self._modify(lambda items: items.__delitem__(index))

    def __len__(self) -> int:
        return len(self._row.attributes.get(self._LIST_KEY, ()))

    def insert(self, i: int, value: Any) -> None:
        """Put an item before another."""
        self._modify(lambda items: items.insert(i, value))

    def append(self, value: Any) -> None:
        """Put an item at the end."""
        self._modify(lambda items: items.append(value))

    def extend(self, value: Iterable[Any]) -> None:
        """Put several items at the end."""
        new = list(value)
        self._modify(lambda items: items.extend(new))

    def remove(self, value: Any) -> None:
        """Take out the first item that equals `value`."""
        self._modify(lambda items: items.remove(value))

    def pop(self, index: int = -1) -> Any:
        """Take out an item and return it; the last by default."""
        return self._modify(lambda items: items.pop(index))

    def reverse(self) -> None:
        """Turn the order round."""
        self._modify(lambda items: items.reverse())

    def sort(self, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sort the items."""
        self._modify(lambda items: items.sort(key=key, reverse=reverse))

    def __eq__(self, other: object) -> bool:
        return self.get_list() == (other.get_list() if isinstance(other, List) else other)

    __hash__ = None  # type: ignore[assignment] # lists are equal by what they hold

    def __str__(self) -> str:
        return f'{super().__str__()} value: {self.get_list()}'
