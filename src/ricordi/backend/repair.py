"""What a repair is asked for, and what it does about each fault, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend

Deed = Literal[
    'write the description of the backup repository anew',
    'write the configuration of the container anew',
    'make the index anew',
    'correct the index',
    'take it from a second copy',
    'take it from a source',
    'look for it in the packs',
    'set a damaged copy aside',
    'write it anew into another pack',
    'mend the database',
    'take away rows of the database',
    '',
]
"""What is done about a fault; empty: nothing can be."""


class RepairSource(NamedTuple):
    """Where objects may be taken from.

    :param name: as a person has named it.
    """

    name: str
    objects: RepositoryBackend


class RepairOrder(NamedTuple):
    """What a store of objects shall mend.

    :param keys: of the objects that may be missing, damaged, or told wrongly by the index: each is looked at again.
    :param overlapping: of those that the index has in places of others; these are looked at, too.
    :param new_index: make the index anew, from what lies in the packs.
    :param dry_run: tell what would be done, and change nothing.
    :param packs: names of packs that are not as the index says: each of their objects is looked at, and gets another
        place.
    """

    keys: tuple[str, ...] = ()
    overlapping: tuple[str, ...] = ()
    new_index: bool = False
    dry_run: bool = False
    packs: tuple[str, ...] = ()


class Mending(NamedTuple):
    """What was, or would be, done about one fault.

    :param fault: what is wrong, a few words that stay: `missing object`, `damaged object` …
    :param deed: what is done; empty: nothing can be, for the reason in `detail`.
    :param subject: a key of an object, a file, a table.
    :param detail: in words.
    :param source: from which an object comes, as a person has named it.
    """

    fault: str
    deed: Deed
    subject: str = ''
    detail: str = ''
    source: str = ''


class SetAside(NamedTuple):
    """Where is kept what a repair has put out of use.

    :param place: of a file, in the store of objects.
    """

    place: str
