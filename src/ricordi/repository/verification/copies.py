"""The copies of one object, each read, and what is to be said of them.

What another process moves meanwhile must not be taken for damage: a packed copy is found wrong only where the index and
the file of the pack were the same before it was read and after.
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ricordi.backend.verification import Cure, Finding
from ricordi.errors import CorruptStorage
from ricordi.model.file_trees import is_key
from ricordi.repository.container.compression import decompressed_chunks
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.layout import Layout
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.verification.reader import (
    GONE,
    NOT_ALLOWED,
    fault_of_row,
    is_of_the_index,
    read_file,
    stored_chunks,
)

LOOKS = 20
"""So often a packed object is looked for that others move meanwhile."""
PAUSE_SECONDS = 0.05
IMPOSSIBLE = 'the index says of it what cannot be'


class Copy(NamedTuple):
    """A copy of an object.

    :param where: file and place in it.
    :param fault: what is wrong; empty: nothing.
    :param is_whole: whether the content is there all the same, and only the index tells it wrongly.
    """

    where: str
    fault: str = ''
    is_whole: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it can be used as it is."""
        return not self.fault


class Copies:
    """Looks for copies of objects in one container: loose, packed, second ones."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._seconds = second_copies(store.layout)

    def of(self, key: str) -> list[Copy]:
        """All copies of an object, each read just now."""
        if not is_key(key):
            return []
        found = [self._packed(key), self._file(Path(self._store.loose_path(key)), key)]
        found += [self._file(path, key) for path in self._seconds.get(key, ())]
        return [copy for copy in found if copy is not None]

    def findings(self, key: str) -> Iterator[Finding]:
        """What is wrong with an object: a finding for each copy that is not right; one if there is none."""
        copies = self.of(key)
        if not copies:
            yield Finding('missing object', 'neither loose nor in a pack', key=key, remedy='source')
        remedy: Cure = 'second copy' if any(copy.is_good for copy in copies) else 'source'
        for copy in copies:
            if copy.is_whole or copy.fault == IMPOSSIBLE:
                yield Finding('wrong index row', copy.fault, copy.where, key, remedy='index')
            elif copy.fault in NOT_ALLOWED:
                yield Finding('failed check', f'it cannot be read: {copy.fault}', copy.where, key)
            elif copy.fault == GONE:
                yield Finding('missing object', 'the file of its pack is gone', copy.where, key, remedy=remedy)
            elif copy.fault:
                yield Finding('damaged object', copy.fault, copy.where, key, remedy=remedy)
        if copies and not self._is_in_place(key) and remedy == 'second copy':
            yield Finding('missing object', 'there is a second copy in duplicates/ alone', key=key, remedy=remedy)

    def _is_in_place(self, key: str) -> bool:
        try:
            return self._store.has_object(key)
        except CorruptStorage:
            return True  # nobody knows

    def _packed(self, key: str) -> Copy | None:
        """The packed copy; None where there is none. Of one that never lies still nothing can be said against it."""
        for look in range(LOOKS):
            try:
                row = self._store.index.find(key)
            except CorruptStorage:
                row = None  # told of as a whole: what it has is as good as gone
            if row is None:
                return None
            if not row.is_possible:
                return Copy(self._store.layout.index.name, IMPOSSIBLE)
            path = self._store.layout.pack_path(row.pack_id)
            before = _identity(path)
            copy = _read(path, row)
            if copy.is_good or (self._store.index.find(key) == row and _identity(path) == before):
                return copy
            time.sleep(PAUSE_SECONDS * min(look, 4))
        return Copy(self._store.layout.packs.name)

    def _file(self, path: Path, key: str) -> Copy | None:
        fault = read_file(path, key)[1]
        where = path.relative_to(self._store.layout.folder).as_posix()
        return None if fault == GONE else Copy(where, fault)


def second_copies(layout: Layout) -> Mapping[str, list[Path]]:
    """The files in `duplicates/`, by key: named as disk-objectstore does, key, dot, anything."""
    found: dict[str, list[Path]] = {}
    for entry in layout.leftovers(layout.duplicates):
        key, dot, _ = entry.name.partition('.')
        if dot and is_key(key):
            found.setdefault(key, []).append(Path(entry.path))
    return found


def _read(path: Path, row: PackedObject) -> Copy:
    where = f'packs/{row.pack_id} at byte {row.offset}'
    fault = fault_of_row(path, row)
    if not fault or fault == GONE:
        return Copy(where, fault)
    if is_of_the_index(fault):
        return Copy(where, fault, is_whole=True)
    if row.key in _keys_of_other_form(path, row):
        form = 'compressed' if row.compressed else 'as it is'
        return Copy(where, f'the index says that it lies there {form}, which it does not', is_whole=True)
    return Copy(where, fault)


def _keys_of_other_form(path: Path, row: PackedObject) -> set[str]:
    """The SHA-256 of the bytes of a row, taken for plain if the row says compressed, and the other way round."""
    digest = hashlib.sha256()
    with suppress(OSError, EOFError, zlib.error):
        chunks = stored_chunks(path, row.offset, row.length)
        for content in chunks if row.compressed else decompressed_chunks(chunks):
            digest.update(content)
        return {digest.hexdigest()}
    return set()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev, status.st_ino
