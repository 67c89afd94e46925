"""A walk through what takes the space: into a category, out again, by another dimension, in another order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ricordi.backend.storage import StorageBackend
from ricordi.backend.usage import Category, Dimension, LargeFile
from ricordi.progress import Run
from ricordi.services.usage.usage import Chosen, NamedShare, SpaceReport, space_used

MOST_ROWS = 500
"""So many categories and files are told at each step, the largest."""

ORDERS = ('stored', 'freed', 'objects', 'name')


@dataclass(slots=True)
class Level:
    """A step of the walk.

    :param title: what was entered to come here.
    :param files: whether the files are told, in place of categories.
    :param report: what takes the space here.
    :param row: number of the row that is looked at.
    """

    title: str
    by: Dimension
    chosen: Chosen
    files: bool
    report: SpaceReport
    row: int = 0


@dataclass(slots=True)
class UsageWalk:
    """Where somebody is; every step that needs new sums asks the storage for them.

    :param by: by what to begin.
    :param chosen: to what all is narrowed.
    """

    storage: StorageBackend
    by: Dimension
    chosen: Chosen = ()
    order: str = ORDERS[0]
    run: Run = field(default_factory=Run)
    levels: list[Level] = field(default_factory=list)

    def begin(self) -> None:
        """Ask for the first level."""
        title = f'profile {self.storage.profile.name}'
        self.levels = [self._level(title, self.by, self.chosen, files=False)]

    @property
    def level(self) -> Level:
        """Where we are."""
        return self.levels[-1]

    def shares(self) -> list[NamedShare]:
        """The categories here, in the order that was chosen."""
        keys: dict[str, Callable[[NamedShare], Any]] = {
            'stored': lambda one: (-one.share.stored_bytes, one.name or ''),
            'freed': lambda one: (-one.share.freed_bytes, one.name or ''),
            'objects': lambda one: (-one.share.objects, one.name or ''),
            'name': lambda one: one.name or '',
        }
        return sorted(self.level.report.shares, key=keys[self.order])

    def files(self) -> tuple[LargeFile, ...]:
        """The files here, the largest first."""
        return self.level.report.files

    def count(self) -> int:
        """How many rows there are here."""
        return len(self.files() if self.level.files else self.level.report.shares)

    def move(self, rows: int) -> None:
        """Look at a row further down, or up for a negative number; no further than there are any."""
        self.level.row = max(0, min(self.count() - 1, self.level.row + rows))

    def enter(self) -> None:
        """Go into the category that is looked at: its nodes; of a node, its files. A file has nothing inside."""
        level = self.level
        if level.files or not self.count():
            return
        one = self.shares()[level.row]
        category: Category | tuple[int, ...] = one.share.category
        if level.by is Dimension.NODE:
            category = (one.pk or 0,)
        chosen = (*level.chosen, (level.by, category))
        title = f'{level.by} {one.name or "(none)"}'
        self.levels.append(self._level(title, Dimension.NODE, chosen, files=level.by is Dimension.NODE))

    def leave(self) -> bool:
        """Go back to where we came from; False: that is where the walk began."""
        if len(self.levels) > 1:
            self.levels.pop()
            return True
        return False

    def turn(self) -> None:
        """Tell what is here by the next dimension; after the last one, the files."""
        level = self.level
        taken = {dimension for dimension, _ in level.chosen}
        ways = [dimension for dimension in Dimension if dimension not in taken]
        place = len(ways) if level.files else ways.index(level.by) if level.by in ways else -1
        following = (place + 1) % (len(ways) + 1)
        if following == len(ways):
            self.levels[-1] = Level(level.title, level.by, level.chosen, True, level.report)
        else:
            self.levels[-1] = self._level(level.title, ways[following], level.chosen, files=False)

    def sort(self) -> None:
        """Take the next order; we look at the first row again."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.level.row = 0

    def _level(
        self,
        title: str,
        by: Dimension,
        chosen: Chosen,
        files: bool,
    ) -> Level:
        report = space_used(self.storage, by, MOST_ROWS, chosen, self.run, with_database=False)
        return Level(title, by, chosen, files, report)
