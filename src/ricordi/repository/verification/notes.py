"""What was read when, noted in the container: `ricordi-verified.json`, which AiiDA and disk-objectstore do not mind.

    {"version": 1, "container": "<id>", "cell_bytes": 67108864,
     "structure": {"time": <seconds>, "findings": 0, "of_rows": 0},
     "packs": {"0": {"file": "<identity>", "cells": {"0": [<seconds>, "<last key>", <end>]}}},
     "index": {"mark": [<last id>, <objects>, <offsets>, <lengths>, <packs>],
               "cells": [[<pack>, <number>, <objects>, <length>, "<last key>", <end>]]},
     "loose": {"0": <seconds>, … "f": <seconds>},
     "damaged": ["<key>", …], "more_damaged": 0}

The identity is that of the pack as a file, which no copy has: what was copied to another disk was not read there.
A cell that ends with another object, or elsewhere, has changed, and counts as unread. The cells of the index as of one
moment, with a mark that tells whether its rows have changed since, spare whoever asks what was read the way through
all of it. The note only saves work: nothing is ever removed on its word, and without it all counts as unread.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from ricordi.files import file_identity, is_same_file, read_regular
from ricordi.model.file_trees import is_key
from ricordi.repository.container.layout import Layout
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.verification.places import Cell, IndexMark, KeptCells

VERSION = 1
LARGEST_NOTE = 64 << 20
MOST_DAMAGED = 1000
"""So many damaged objects are remembered by their keys, and looked at again each time."""
DIGITS = '0123456789abcdef'


class Notes:
    """The note of one container, in memory until `save`. What is wrong in the file is as if it were not there."""

    def __init__(
        self, layout: Layout, container_id: str, cell_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        """
        :param container_id: of the container; what was noted of another one does not count.
        :param cell_bytes: by which packs are cut; what was noted of other cells does not count.
        """
        self._layout = layout
        self._head = {'version': VERSION, 'container': container_id, 'cell_bytes': cell_bytes}
        self.clock = clock
        self.is_changed = False
        """Whether there is anything to `save`."""
        self.damaged: dict[str, None] = {}
        self.more_damaged = 0
        self._more_new = 0
        self._repaired: set[str] = set()
        self.kept_cells: KeptCells | None = None
        """The cells of the index as of when content was last read."""
        self._new_cells: KeptCells | None = None
        self._new: dict[int, dict[int, tuple[int, str, int]]] = {}
        self._new_loose: dict[str, int] = {}
        self._identities: dict[int, str | None] = {}
        self._take(self._read())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever noted."""
        return not (self.structure_time or self._packs or self._loose or self.damaged)

    @property
    def knows_packs(self) -> bool:
        """Whether the content of a pack was ever noted as read."""
        return bool(self._packs)

    # -- what is noted ----------------------------------------------------------------------------------------

    def time_of(self, cell: Cell) -> int:
        """When a cell was last read, in seconds since the epoch; 0: never, or it has changed since."""
        noted = self._cell(cell.pack_id, cell.number)
        return noted[0] if noted is not None and noted[1:] == (cell.last, cell.end) else 0

    def time_of_loose(self, digit: str) -> int:
        """When the reading of the loose objects whose keys begin with a digit was last begun; 0: never."""
        return self._new_loose.get(digit) or self._loose.get(digit, 0)

    def is_known_file(self, pack_id: int) -> bool:
        """Whether a pack is the file of which something was noted."""
        noted = self._packs.get(pack_id)
        identity = self.identity(pack_id)
        return noted is not None and identity is not None and is_same_file(noted[0], identity)

    def identity(self, pack_id: int) -> str | None:
        """That of the file of a pack, when it was first asked for; None if it is not there."""
        if pack_id not in self._identities:
            self._identities[pack_id] = self._identity_now(pack_id)
        return self._identities[pack_id]

    # -- taking note ------------------------------------------------------------------------------------------

    def keep_cells(self, mark: IndexMark, cells: Iterable[Cell]) -> None:
        """Keep all cells of the index with what is noted next.

        :param mark: of its rows at that moment.
        """
        self._new_cells = self.kept_cells = KeptCells(mark, [cell._replace(place=0) for cell in cells])

    def mark(self, cell: Cell) -> None:
        """A cell was read just now; noted if the pack is still the same file. What is damaged is noted by its key."""
        self.is_changed = True
        identity = self.identity(cell.pack_id)
        if identity is not None and identity == self._identity_now(cell.pack_id):
            self._new.setdefault(cell.pack_id, {})[cell.number] = (int(self.clock()), cell.last, cell.end)

    def mark_loose(self, digit: str, begun: int) -> None:
        """All loose objects whose keys begin with a digit were read since then."""
        self.is_changed = True
        self._new_loose[digit] = begun

    def mark_structure(self, findings: int, of_rows: int = 0) -> None:
        """The structure was checked as a whole just now.

        :param of_rows: how many of the findings tell that rows of the database may be lost.
        """
        self.is_changed = True
        self.structure_time, self.structure_findings = int(self.clock()), findings
        self.structure_of_rows = of_rows

    def add_damaged(self, key: str) -> None:
        """An object was found damaged."""
        self._repaired.discard(key)
        if key not in self.damaged:
            self.is_changed = True
            if len(self.damaged) < MOST_DAMAGED:
                self.damaged[key] = None
            else:
                self._more_new += 1
                self.more_damaged = max(self.more_damaged, self._more_new)

    def mark_all(self) -> None:
        """Everything was read in this run: there are no more damaged objects than it has found."""
        self.is_changed = self.is_changed or self.more_damaged != self._more_new
        self.more_damaged = self._more_new

    def remove_damaged(self, key: str) -> None:
        """An object that was damaged is not any more."""
        self.is_changed = True
        self.damaged.pop(key, None)
        self._repaired.add(key)

    def save(self) -> str:
        """Write the note, whole and durably, joined with what others have noted meanwhile.

        :returns: why it cannot be written; empty if it is, or if there is nothing new.
        """
        if not self.is_changed:
            return ''
        others = self._read()
        self._join(others)
        content = json.dumps(self._as_data()).encode()
        try:
            self._write(content)
        except OSError as error:
            return error.strerror or str(error)
        self.is_changed = False
        return ''

    # -- the file ---------------------------------------------------------------------------------------------

    def _read(self) -> dict[str, Any]:
        try:
            noted = json.loads(read_regular(self._layout.verified, LARGEST_NOTE, follow=False))
        except (OSError, ValueError, RecursionError):
            return {}
        is_ours = isinstance(noted, dict) and all(noted.get(key) == value for key, value in self._head.items())
        return noted if is_ours else {}

    def _take(self, noted: dict[str, Any]) -> None:
        now = self.clock()
        structure = _mapping(noted.get('structure'))
        self.structure_time = _seconds(structure.get('time'), now)
        self.structure_findings = _number(structure.get('findings'))
        self.structure_of_rows = _number(structure.get('of_rows'))
        self._packs = _packs(noted.get('packs'), now)
        self.kept_cells = _kept_cells(_mapping(noted.get('index')))
        self._loose = {
            digit: seconds
            for digit, value in _mapping(noted.get('loose')).items()
            if digit in set(DIGITS) and (seconds := _seconds(value, now))
        }
        damaged = noted.get('damaged')
        for key in damaged if isinstance(damaged, list) else []:
            if isinstance(key, str) and is_key(key) and len(self.damaged) < MOST_DAMAGED:
                self.damaged[key] = None
        self.more_damaged = _number(noted.get('more_damaged'))

    def _join(self, noted: dict[str, Any]) -> None:
        """Take over what another process has written since ours was read; of two times the later one."""
        mine = (self.structure_time, self.structure_findings, self.structure_of_rows)
        own_packs, own_loose, damaged, more = self._packs, self._loose, self.damaged, self.more_damaged
        self.damaged = dict(damaged)
        self._take(noted)
        self.more_damaged = more
        self.kept_cells = self._new_cells or self.kept_cells
        for key in self._repaired:
            self.damaged.pop(key, None)
        if mine[0] >= self.structure_time:
            self.structure_time, self.structure_findings, self.structure_of_rows = mine
        for pack_id, (identity, cells) in own_packs.items():
            if pack_id not in self._packs:
                self._packs[pack_id] = (identity, cells)
        for digit, seconds in {**own_loose, **self._new_loose}.items():
            self._loose[digit] = max(seconds, self._loose.get(digit, 0))
        for pack_id, cells in self._new.items():
            identity = self.identity(pack_id) or ''
            known = self._packs.get(pack_id)
            before = known[1] if known is not None and is_same_file(known[0], identity) else {}
            self._packs[pack_id] = (identity, {**before, **cells})

    def _as_data(self) -> dict[str, Any]:
        there = self._layout.pack_sizes()
        packs = {
            str(pack_id): {'file': identity, 'cells': {str(number): list(cell) for number, cell in cells.items()}}
            for pack_id, (identity, cells) in sorted(self._packs.items())
            if pack_id in there
        }
        structure = {
            'time': self.structure_time,
            'findings': self.structure_findings,
            'of_rows': self.structure_of_rows,
        }
        return {
            **self._head,
            'structure': structure,
            'packs': packs,
            'index': {'mark': self.kept_cells.mark, 'cells': [cell[:-1] for cell in self.kept_cells.cells]}
            if self.kept_cells
            else {},
            'loose': self._loose,
            'damaged': list(self.damaged),
            'more_damaged': self.more_damaged,
        }

    def _write(self, content: bytes) -> None:
        draft = uuid.uuid4().hex  # of a process that is killed, full maintenance removes it from the sandbox
        sandbox, top = self._layout.opened.sandbox, self._layout.opened.top
        try:
            with os.fdopen(sandbox.create(draft, 0o666), 'wb') as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            # Its content is on disk before it has the name: a crash leaves the old note, or the new one.
            sandbox.replace(draft, self._layout.verified.name, top)
        except BaseException:
            with suppress(OSError):
                sandbox.unlink(draft)
            raise
        top.sync()

    def _cell(self, pack_id: int, number: int) -> tuple[int, str, int] | None:
        new = self._new.get(pack_id, {}).get(number)
        if new is not None or not self.is_known_file(pack_id):
            return new
        return self._packs[pack_id][1].get(number)

    def _identity_now(self, pack_id: int) -> str | None:
        try:
            return file_identity(self._layout.pack_path(pack_id))
        except OSError:
            return None


def notes_of(store: ObjectStore) -> Notes:
    """What is noted in a container."""
    return Notes(store.layout, store.config.container_id, store.limits.cell_bytes)


def _packs(noted: Any, now: float) -> dict[int, tuple[str, dict[int, tuple[int, str, int]]]]:
    """Of each pack its identity and its cells."""
    packs = {}
    for name, pack in _mapping(noted).items():
        if _is_number(name) and isinstance(identity := _mapping(pack).get('file'), str):
            cells = _mapping(_mapping(pack).get('cells'))
            found = {int(number): _cell_of(cell, now) for number, cell in cells.items() if _is_number(number)}
            packs[int(name)] = (identity, {number: cell for number, cell in found.items() if cell is not None})
    return packs


def _cell_of(noted: Any, now: float) -> tuple[int, str, int] | None:
    try:
        seconds, last, end = noted
    except (TypeError, ValueError):
        return None
    if not (_seconds(seconds, now) and isinstance(last, str) and type(end) is int):
        return None
    return seconds, last, end


def _kept_cells(noted: Mapping[str, Any]) -> KeptCells | None:
    """The cells of the index; none at all if any of them is not one."""
    try:
        cells, mark = [Cell(*cell) for cell in noted['cells']], IndexMark(*noted['mark'])
    except (KeyError, TypeError):
        return None
    are_right = all(isinstance(cell.last, str) and _are_numbers((*cell[:4], cell.end, cell.place)) for cell in cells)
    return KeptCells(mark, cells) if are_right and _are_numbers(mark) else None


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(type(value) is int for value in values)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(name: str) -> bool:
    return name.removeprefix('-').isdecimal() and name.isascii() and len(name) < 16


def _number(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0


def _seconds(value: Any, now: float) -> int:
    """A time that has been; 0 for what is none, or is to come: a clock was wrong, and nobody knows when it was."""
    return value if type(value) is int and 0 < value <= now + 1 else 0
