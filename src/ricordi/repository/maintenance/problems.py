"""Collecting what is missing or damaged: the first ones by name, all of them by number."""

from __future__ import annotations

from typing import Literal

from ricordi.backend.maintenance import Problem

NAMED_PROBLEMS = 100


class Problems:
    """Objects that are missing or damaged; the same object is counted once."""

    def __init__(self) -> None:
        self.first: dict[str, Problem] = {}
        self._more: dict[str, Literal['missing', 'damaged']] = {}

    def add(self, kind: Literal['missing', 'damaged'], key: str, detail: str) -> None:
        """Note one."""
        if key in self.first or key in self._more:
            return
        if len(self.first) < NAMED_PROBLEMS:
            self.first[key] = Problem(kind, key, detail)
        else:
            self._more[key] = kind

    @property
    def damaged(self) -> set[str]:
        """Keys of all that are damaged."""
        first = {key for key, problem in self.first.items() if problem.kind == 'damaged'}
        return first | {key for key, kind in self._more.items() if kind == 'damaged'}

    @property
    def count(self) -> int:
        """How many objects."""
        return len(self.first) + len(self._more)
