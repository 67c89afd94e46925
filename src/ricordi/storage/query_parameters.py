"""The parameters of a statement: every value a user gave goes to the database as one of them, never as SQL text."""

from __future__ import annotations

from typing import Any


class Parameters:
    """Collects values under made-up names; equal texts share one name, so that equal expressions are equal text."""

    def __init__(self, mark: str) -> None:
        """
        :param mark: how a parameter is written in SQL, `:{}` or `%({})s`.
        """
        self.values: dict[str, Any] = {}
        self._mark = mark
        self._texts: dict[str, str] = {}

    def bind(self, value: Any) -> str:
        """Add a value; returns what stands for it in SQL."""
        if type(value) is not str:
            return self._add(value)
        mark = self._texts.get(value)
        if mark is None:
            mark = self._texts[value] = self._add(value)
        return mark

    def _add(self, value: Any) -> str:
        name = f'p{len(self.values)}'
        self.values[name] = value
        return self._mark.format(name)
