"""Catalogues of packs that are filled: written beside the packs, so that no row is read back.

The records come as the rows are put. That of a pack that is new has its name after all rows that it repeats are
committed; in one that is there they stand at its end, and its first line stays as it is until the next maintenance.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import IO, BinaryIO, Self

from ricordi.files import file_identity
from ricordi.repository.container.catalogue import at_its_end, head_line, must_be_written, records_of
from ricordi.repository.container.index import EMPTY_PACK, PackedObject, PackSummary
from ricordi.repository.container.layout import Layout

HEAD_BYTES = 512
"""Room for the first line, which is known last; what it does not take is spaces."""


class CatalogueDraft:
    """The catalogue of one pack in the making: a file in the sandbox, which full maintenance removes after a kill."""

    def __init__(self, layout: Layout, pack_id: int) -> None:
        self.pack_id = pack_id
        self._layout = layout
        self._summary = EMPTY_PACK
        self._name = uuid.uuid4().hex
        self._file: IO[bytes] = os.fdopen(layout.opened.sandbox.create(self._name, 0o666), 'wb')
        self._file.seek(HEAD_BYTES)

    def add(self, rows: list[PackedObject]) -> None:
        """Take further rows of the pack, as they were committed."""
        self._file.write(b''.join(records_of(rows)))
        self._summary = _with(self._summary, rows)

    def keep(self) -> None:
        """Give it its name, durably, unless the one that is there knows as much."""
        layout, pack_id, summary = self._layout, self.pack_id, self._summary
        identity = file_identity(layout.pack_path(pack_id))
        if not must_be_written(layout, pack_id, summary, identity, lacks_objects=True):
            self.discard()
            return
        with self._file as file:
            file.seek(0)
            file.write(head_line(pack_id, summary, identity, HEAD_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Its content is on disk before it has the name: a crash leaves the old catalogue, or the new one.
        layout.opened.sandbox.replace(self._name, str(pack_id), layout.opened.catalogue)
        layout.opened.catalogue.sync()

    def discard(self) -> None:
        """Remove the file, if it has no name of a catalogue by now."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._layout.opened.sandbox.unlink(self._name, missing_ok=True)


class CatalogueAddition:
    """Further records at the end of a catalogue, of rows that are committed."""

    def __init__(self, pack_id: int, file: BinaryIO) -> None:
        """
        :param file: as of `at_its_end`.
        """
        self.pack_id = pack_id
        self._file = file

    def add(self, rows: list[PackedObject]) -> None:
        """Take further rows of the pack, as they were committed."""
        self._file.write(b''.join(records_of(rows)))

    def keep(self) -> None:
        """Make them durable."""
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Let go of the file; what was committed stays in it."""
        with suppress(OSError):
            self._file.close()


class CatalogueDrafts:
    """Takes the rows of packs one after the other, and keeps a catalogue of each; to be closed.

    That one cannot be written is no failure of the work: the next maintenance writes it.
    """

    def __init__(self, layout: Layout, anew: bool) -> None:
        """
        :param anew: the index was empty: what catalogues are there are of what was before.
        """
        self._layout = layout
        self._anew = anew
        self._noted: list[PackedObject] = []
        self._draft: CatalogueDraft | CatalogueAddition | None = None
        self._failed = False

    def note(self, rows: Iterable[PackedObject]) -> None:
        """Hear of rows that are about to be committed; ascending by pack."""
        self._noted += rows

    def committed(self, last: bool = False) -> None:
        """Write down what was noted, now that it is committed.

        :param last: no rows follow.
        """
        noted, self._noted = self._noted, []
        if self._failed:
            return
        try:
            for pack_id, rows in groupby(noted, attrgetter('pack_id')):
                if self._draft is not None and self._draft.pack_id != pack_id:
                    self._draft.keep()
                    self._draft = None
                if self._draft is None:
                    self._draft = self._begun(pack_id)
                self._draft.add(list(rows))
            if last and self._draft is not None:
                self._draft.keep()
                self._draft = None
        except OSError:
            self._failed = True

    def _begun(self, pack_id: int) -> CatalogueDraft | CatalogueAddition:
        there = None if self._anew else at_its_end(self._layout, pack_id)
        return CatalogueDraft(self._layout, pack_id) if there is None else CatalogueAddition(pack_id, there)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._draft is not None:
            self._draft.discard()


def _with(summary: PackSummary, rows: list[PackedObject]) -> PackSummary:
    """What the index says of a pack with further rows."""
    return PackSummary(
        summary.objects + len(rows),
        summary.length + sum([row.length for row in rows]),
        summary.size + sum([row.size for row in rows]),
        max(summary.end, *[row.offset + row.length for row in rows]),
        summary.compressed + sum([row.compressed for row in rows]),
    )
