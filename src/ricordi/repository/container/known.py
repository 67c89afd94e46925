"""Objects of known keys straight into the packs of a container."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

from ricordi.backend.objects import HeldObject, StoredForm
from ricordi.backend.repository import KnownObject
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.repository.batches import BATCHES_AHEAD, batches_of
from ricordi.repository.container.bulk import Measured, pack_writer, undone_on_error
from ricordi.repository.container.catalogue_draft import CatalogueDrafts
from ricordi.repository.container.held import Neighbours, ObjectsAsTheyLie, Stretch, read_together, stretches_of
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_writer import PackWriter, StoredObject
from ricordi.repository.limits import Limits
from ricordi.repository.parallel import PLAIN_READERS, in_order

Unusable = Callable[[str, str], None]
"""Hears the key of an object that is missing or damaged where it comes from, and what is wrong."""


# into packs ------------------------------------------------------------------------------------------------


def put_known_into_packs(
    container: ObjectStore,
    objects: Iterable[KnownObject],
    told: Callable[[int], None],
    unusable: Unusable | None = None,
    limits: Limits | None = None,
    catalogues: CatalogueDrafts | None = None,
) -> None:
    """Append objects of which the keys are known, read ahead by threads. For one who holds `packer_lock`.

    :param told: hears of the bytes of content that were appended.
    :param unusable: hears of those that cannot be read, which are left out; None: the first of them is an error.
    :param limits: after how much is written, fsynced and committed; None: those of the container.
    :param catalogues: hear of all that is put.
    """
    limits = limits or container.limits
    writer = pack_writer(container, limits) if catalogues is None else pack_writer(container, limits, catalogues.note)

    def read(batch: Neighbours | list[KnownObject]) -> list[Stretch | Alone]:
        read = read_together(batch) if isinstance(batch, Neighbours) else stretches_of(batch, limits)
        return [one if isinstance(one, Stretch) else _alone(one, limits) for one in read]

    batches = in_order(read, _batches(objects, limits), BATCHES_AHEAD, PLAIN_READERS)
    with closing(writer), closing(batches):
        for batch in batches:
            appended = _append_batch(writer, batch, unusable)
            if writer.pending_is_large:
                writer.commit()
                if catalogues is not None:
                    catalogues.committed()
            told(appended)  # which may end the work: what is committed by then is kept
        writer.commit()
    if catalogues is not None:
        catalogues.committed(last=True)


def _batches(objects: Iterable[KnownObject], limits: Limits) -> Iterator[Neighbours | list[KnownObject]]:
    """Objects in groups; those that lie together in packs come so, and are never looked at one by one."""
    if not isinstance(objects, ObjectsAsTheyLie):
        yield from batches_of(objects, limits)
        return
    for one in objects.batches(limits):
        yield one if isinstance(one, Neighbours) else [one]


class Alone(NamedTuple):
    """An object that is put by itself.

    :param form: how it shall lie; None of a large one, and of one that cannot be read.
    :param error: what is wrong with one that cannot be read.
    """

    one: KnownObject
    form: StoredForm | None
    error: Exception | None = None


def _alone(one: KnownObject, limits: Limits) -> Alone:
    try:
        if isinstance(one, HeldObject):
            return Alone(one, one.stored(limits.large_bytes))
        content = one.content(limits.large_bytes)
        return Alone(one, None if content is None else StoredForm(content, one.size))
    except (CorruptStorage, NotExistent, OSError) as error:
        return Alone(one, None, error)


def _append_batch(writer: PackWriter, batch: list[Stretch | Alone], unusable: Unusable | None) -> int:
    """Append what was read, and stream what is large; returns the bytes of content."""
    total = 0
    small: list[StoredObject] = []
    for read in batch:
        if isinstance(read, Stretch):
            writer.append_stretch(read.data, read.rows, read.start)
            total += read.size
        elif read.form is not None:
            small.append(StoredObject(read.one.key, read.form.data, read.form.size, read.form.compressed))
            total += read.form.size
    writer.append_many(small)
    others = (read for read in batch if isinstance(read, Alone) and read.form is None)
    return total + sum(_append_other(writer, read, unusable) for read in others)


def _append_other(writer: PackWriter, read: Alone, unusable: Unusable | None) -> int:
    """Stream a large object into the pack, or tell what is wrong with one; returns the bytes of content."""
    try:
        if read.error is not None:
            raise read.error
        return _append_large(writer, read.one)
    except (CorruptStorage, NotExistent) as error:
        if unusable is None:
            raise
        unusable(read.one.key, str(error))
    except OSError as error:
        if unusable is None or error.errno != errno.EIO:
            raise  # it is about the pack, not about the object that is read
        unusable(read.one.key, str(error))
    return 0


def _append_large(writer: PackWriter, one: KnownObject) -> int:
    """Stream a large object into the pack, in the form that it has if that is sound; returns its bytes."""
    pieces = one.pieces() if isinstance(one, HeldObject) else None
    if pieces is not None:
        try:
            place = writer.append_chunks(undone_on_error(writer, pieces))
        except CorruptStorage:
            pass  # another copy may be sound
        else:
            if pieces.key == one.key:
                writer.add_row(one.key, pieces.size, True, place)
                return pieces.size
            writer.take_back(place)
    with one.open() as handle:
        measured = Measured(chunks_of(handle))
        place = writer.append_chunks(undone_on_error(writer, measured))
    try:
        one.expect(measured.key)
    except CorruptStorage:
        writer.take_back(place)
        raise
    writer.add_row(measured.key, measured.size, False, place)
    return measured.size
