"""What is known of the packs of a place, noted in the place: whoever uses it knows what others have found damaged.

A note is a small file that is never changed. It holds all that its writer knew, so that he takes away those that he has
read; two who do so at once leave two, of which neither lacks anything. Each line has a time by the clock of the store,
and the later of two stands, in whatever order they are read. Nothing that a snapshot needs is removed on their word
alone but for copies that were read (`giving_back.py`).
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from ricordi.errors import AccessError, LostObject
from ricordi.repository.bucket.listed.catalogue import CopyNote, PackCatalogue

NOTES = 'notes'
FORMAT = 1
LOOKS = 20
"""So often are notes listed anew, of which some were taken away meanwhile: what they said is in a later one."""


class PackNotes(NamedTuple):
    """What one note says.

    :param copies: of objects, or of the lists of packs, that are or were damaged.
    :param read: when packs were read whole, seconds since 1970.
    """

    copies: list[CopyNote]
    read: dict[UUID, float]

    def written(self) -> bytes:
        """The note as it lies in the place; the same for the same."""
        data = {
            'format': FORMAT,
            'copies': [[hash.hex(), str(pack), time, is_bad] for hash, pack, time, is_bad in sorted(self.copies)],
            'read': {str(pack): time for pack, time in sorted(self.read.items())},
        }
        return json.dumps(data, separators=(',', ':')).encode()


def notes_in(name: str, content: bytes) -> PackNotes | None:
    """What a note says; None of one that is not what its name says, or is of a form that is not known here."""
    if name != _name_of(content):
        return None
    try:
        data: dict[str, Any] = json.loads(content)
        if data['format'] != FORMAT:
            return None
        copies = [(bytes.fromhex(key), UUID(pack), float(time), bool(bad)) for key, pack, time, bad in data['copies']]
        return PackNotes(copies, {UUID(pack): float(time) for pack, time in data['read'].items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _name_of(content: bytes) -> str:
    return f'{NOTES}/{hashlib.sha256(content).hexdigest()}.json'


class PlaceNotes:
    """The notes of one place, and what of them is known on this machine."""

    def __init__(self, catalogue: PackCatalogue) -> None:
        self._catalogue = catalogue
        self._store = catalogue.store
        self._file = catalogue.file

    def take_in(self) -> list[str]:
        """Learn what others have noted; the names of the notes that are known here and were there.

        :raises ricordi.errors.AccessError: they change all the time.
        """
        for _ in range(LOOKS):
            taken = {name for (name,) in self._file.rows('SELECT name FROM taken')}
            there = [one.name for one in self._store.listed(NOTES)]
            gone = [(name,) for name in taken.difference(there)]
            self._file.change(('DELETE FROM taken WHERE name = ?', gone))
            with suppress(LostObject):  # then it is in a later one, which was there before this one went
                learnt = {name for name in there if name not in taken and self._learn(name)}
                return [name for name in there if name in taken or name in learnt]
        raise AccessError('what is noted about packs changes all the time; try again')

    def _learn(self, name: str) -> bool:
        """Take in one note; False where it says nothing."""
        notes = notes_in(name, self._store.get(name))
        if notes is None:
            return False
        self._catalogue.note_copies(notes.copies)
        self._catalogue.note_read(notes.read)
        self._file.change(('INSERT OR IGNORE INTO taken VALUES (?)', [(name,)]))
        return True

    def publish(self) -> None:
        """Tell others all that is known here, in one note in place of those that were there."""
        there = self.take_in()
        # only now: a pack that is not there by now, and that a note names, is gone and never comes again
        self._catalogue.look_again()
        self._file.keep_notes_of(self._catalogue.packs)
        notes = PackNotes(self._catalogue.copy_notes(), self._catalogue.read_times())
        content = notes.written()
        name = _name_of(content)
        if name not in there and (there or notes.copies or notes.read):
            self._store.put(name, content)
            self._file.change(('INSERT OR IGNORE INTO taken VALUES (?)', [(name,)]))
        self._store.delete([one for one in there if one != name])  # after it: there is no moment without what they say
