"""The parameters of a statement: every value a user gave goes to the database as one of them, never as SQL text."""

from __future__ import annotations

from typing import Any


class Parameters:
    """Collects values under made-up names."""

    def __init__(self, mark: str) -> None:
        """
        :param mark: how a parameter is written in SQL, `:{}` or `%({})s`.
        """
        self.values: dict[str, Any] = {}
        self._mark = mark
        self._texts: dict[str, str] = {}

    def bind(self, value: Any) -> str:
        """Add a value; returns what stands for it in SQL."""
        name = f'p{len(self.values)}'
        self.values[name] = value
        return self._mark.format(name)

    def bind_once(self, text: str) -> str:
        """Add a text unless it was added so before: equal expressions are then equal text, as GROUP BY wants them."""
        mark = self._texts.get(text)
        if mark is None:
            mark = self._texts[text] = self.bind(text)
        return mark
