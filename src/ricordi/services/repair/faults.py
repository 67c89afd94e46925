"""What a verification has found, sorted by what would mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ricordi.backend.repair import RepairOrder
from ricordi.backend.verification import Finding

WHOLE_INDEX = 'damaged object index'
OVERLAP = 'overlapping index rows'
ODD_PACKS = ('missing pack', 'wrong pack size')


class Faults:
    """Hears of all findings of a verification, and keeps of them what a repair has to know."""

    def __init__(self) -> None:
        self.keys: dict[str, None] = {}
        self.overlapping: dict[str, None] = {}
        self.packs: dict[str, None] = {}
        self.new_index = False
        self.database: list[Finding] = []
        self.maintenance: Counter[str] = Counter()
        """By kind how many there are that a maintenance tidies."""

    def hear(self, finding: Finding) -> None:
        """Take one in."""
        if finding.remedy in ('maintenance', 'full maintenance'):
            self.maintenance[finding.kind] += 1
        if finding.notice:
            return
        if finding.kind == OVERLAP:
            self.overlapping[finding.key] = None
        elif finding.kind in ODD_PACKS:
            self.packs[finding.where] = None
        elif finding.key:
            self.keys[finding.key] = None
        elif finding.remedy == 'index':
            self.new_index = True
        elif finding.remedy in ('database', 'database with loss'):
            self.database.append(finding)

    def doubt(self, key: str) -> None:
        """Take in an object that may be missing or damaged."""
        self.keys[key] = None

    def order(self, dry_run: bool = False, but: Iterable[str] = ()) -> RepairOrder:
        """What the store of objects is asked to mend.

        :param but: keys of objects that are left out.
        """
        without = set(but)
        keys = tuple(key for key in self.keys if key not in without)
        return RepairOrder(keys, tuple(self.overlapping), self.new_index, dry_run, tuple(self.packs))

    @property
    def of_objects(self) -> bool:
        """Whether there is anything for the store of objects to do."""
        return bool(self.keys or self.overlapping or self.packs or self.new_index)
