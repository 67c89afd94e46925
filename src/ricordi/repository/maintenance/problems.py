"""Collecting what is missing or damaged: the first ones by name, all of them by number."""

from __future__ import annotations

from typing import Literal

from ricordi.backend.maintenance import Problem

NAMED_PROBLEMS = 100


class Problems:
    """Objects that are missing or damaged; the same object is counted once."""

    def __init__(self) -> None:
        self.first: dict[str, Problem] = {}
        self._more: set[str] = set()

    def add(self, kind: Literal['missing', 'damaged'], key: str, detail: str) -> None:
        """Note one."""
        if key in self.first or key in self._more:
            return
        if len(self.first) < NAMED_PROBLEMS:
            self.first[key] = Problem(kind, key, detail)
        else:
            self._more.add(key)

    @property
    def count(self) -> int:
        """How many objects."""
        return len(self.first) + len(self._more)
