"""The loose objects of a container: whether each has the name and shape of one, how many and how large they are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from ricordi.backend.verification import Finding
from ricordi.model.file_trees import is_key
from ricordi.repository.container.layout import EMPTY_KEY, KEY_LENGTH
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.verification.notes import DIGITS, Notes


@dataclass(slots=True)
class LooseAmount:
    """The loose objects whose keys begin with one digit.

    :param unread_bytes: of files that came after they were last read.
    :param unread: how many of these.
    """

    objects: int = 0
    bytes: int = 0
    unread: int = 0
    unread_bytes: int = 0


@dataclass(slots=True)
class LooseInventory:
    """All loose objects, by the first digits of their keys; `empty` ones that cannot be so, for a look at each."""

    amounts: dict[str, LooseAmount] = field(default_factory=lambda: {digit: LooseAmount() for digit in DIGITS})
    empty: list[str] = field(default_factory=list)

    @property
    def objects(self) -> int:
        """How many."""
        return sum(amount.objects for amount in self.amounts.values())

    @property
    def bytes(self) -> int:
        """How many bytes they have."""
        return sum(amount.bytes for amount in self.amounts.values())

    def add(self, key: str, status: os.stat_result, notes: Notes) -> None:
        """Count one."""
        amount = self.amounts[key[0]]
        amount.objects, amount.bytes = amount.objects + 1, amount.bytes + status.st_size
        # a file gets its name by a rename, which is a change too
        if max(status.st_mtime, status.st_ctime) >= notes.time_of_loose(key[0]):
            amount.unread, amount.unread_bytes = amount.unread + 1, amount.unread_bytes + status.st_size
        if not status.st_size and key != EMPTY_KEY:
            self.empty.append(key)


def count_loose(store: ObjectStore, notes: Notes, inventory: LooseInventory) -> Iterator[Finding]:
    """Count the loose objects into `inventory`; what else lies among them is a notice."""
    yield from _count_in(str(store.layout.loose), '', store.config.loose_prefix_len, notes, inventory)


def _count_in(path: str, prefix: str, folders: int, notes: Notes, inventory: LooseInventory) -> Iterator[Finding]:
    """Count in the folder of all loose objects (`folders`: length of the names in it), or in one of those below."""
    is_name = re.compile(f'[0-9a-f]{{{folders or KEY_LENGTH - len(prefix)}}}').fullmatch
    try:
        entries = _listed(path)
    except OSError as error:
        yield Finding('failed check', f'the folder cannot be listed: {error.strerror}', f'loose/{prefix}'.rstrip('/'))
        return
    with entries as found:
        for entry in found:
            try:
                if not is_name(entry.name) or not (entry.is_dir() if folders else entry.is_file()):
                    yield _odd(prefix, entry.name)
                elif folders:
                    yield from _count_in(entry.path, entry.name, 0, notes, inventory)
                elif is_key(prefix + entry.name):
                    inventory.add(prefix + entry.name, entry.stat(), notes)
            except FileNotFoundError:
                continue  # packed meanwhile
            except OSError:  # a link that leads to itself
                yield _odd(prefix, entry.name)


def _listed(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    """What is in a folder; nothing where there is none.

    :raises OSError: it cannot be listed.
    """
    try:
        return os.scandir(path)
    except (FileNotFoundError, NotADirectoryError):
        return nullcontext(iter(()))


def _odd(prefix: str, name: str) -> Finding:
    place = f'loose/{prefix}/{name}' if prefix else f'loose/{name}'
    return Finding('odd file', 'it is no object, for its name or its kind', place, notice=True)
