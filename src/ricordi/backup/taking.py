"""Taking a snapshot: the database first, the objects that it names after, the manifest last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from ricordi.backend.maintenance import Amount
from ricordi.backend.objects import HeldObject
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import DatabaseSnapshot, Misfit
from ricordi.backup.key_spool import KeySpool, lacking
from ricordi.backup.pieces import NewPiece, PieceLists, has_pieces
from ricordi.backup.records import PartRecord, SnapshotOrigin, SnapshotRecord
from ricordi.errors import AccessError, Interrupted
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.version import __version__

MOST_NAMED = 1000
"""So many missing objects, and so many misfits, are named in a manifest."""

NAMES_AT_ONCE = 10_000

Has = Callable[[str], bool]
"""Whether the place has the object of a key."""


def check_stop(run: Run) -> None:
    """End if that was asked for.

    :raises ricordi.errors.Interrupted: it was.
    """
    if run.stop.reason:
        raise Interrupted(
            f'{run.stop.reason}: ended early, no snapshot was made; what was put is kept, and is not put again'
        )


class DatabaseIntoPieces:
    """The rows of a database as objects: those that the place lacks, and the record of all."""

    def __init__(self, snapshot: DatabaseSnapshot, has: Has, run: Run) -> None:
        self._snapshot = snapshot
        self._has = has
        self._run = run
        self.parts: list[PartRecord] = []
        self.new_objects = self.new_bytes = 0

    @property
    def new(self) -> Amount:
        """What the place lacked, with its bytes before compression."""
        return Amount(self.new_objects, self.new_bytes)

    def objects(self) -> Iterator[HeldObject]:
        """Pieces and lists that the place lacks; ends where that is asked for. May be asked anew."""
        self.parts, self.new_objects, self.new_bytes = [], 0, 0
        for part in self._snapshot.parts:
            lists = PieceLists(part)
            for piece in self._snapshot.pieces(part):
                if self._run.stop.reason:
                    return
                yield from self._lacking(lists.close_before(piece.first))
                new = NewPiece(piece.data)
                lists.add(piece, new.key)
                yield from self._lacking(new)
                self._run.progress.advance(piece.rows)
            yield from self._lacking(lists.close())
            self.parts.append(lists.record())

    def _lacking(self, new: NewPiece | None) -> Iterator[HeldObject]:
        if new is not None and not self._has(new.key):
            self.new_objects += 1
            self.new_bytes += new.size
            yield new


class NamedObjects(NamedTuple):
    """What the nodes of a snapshot name.

    :param keys: distinct, ascending.
    :param number: how many there are.
    :param digest: SHA-256 of them.
    :param no_keys: what stands where a key should and can be none, the first ones; `no_key_count` is their number.
    """

    keys: KeySpool
    number: int
    digest: str
    no_keys: tuple[str, ...]
    no_key_count: int


def spool_names(snapshot: DatabaseSnapshot, spool: KeySpool) -> NamedObjects:
    """Write down the keys that nodes name, before the snapshot is let go of."""
    no_keys: list[str] = []
    number = 0

    def keys() -> Iterator[str]:
        nonlocal number
        source = snapshot.named_keys()
        while some := list(islice(source, NAMES_AT_ONCE)):
            if all(map(is_key, some)):
                yield from some
                continue
            odd = [name for name in some if not is_key(name)]
            number += len(odd)
            no_keys.extend(name[:200] for name in odd[: MOST_NAMED - len(no_keys)])
            yield from filter(is_key, some)

    spool.add(keys())
    return NamedObjects(spool, *spool.count_and_digest(), tuple(no_keys), number)


class DatabaseTaken(NamedTuple):
    """The database of a snapshot, in the place.

    :param new: what was put.
    :param lost_rows: why it may have lost rows before, in words; empty where nothing tells of any.
    """

    source: DatabaseSnapshot
    parts: tuple[PartRecord, ...]
    names: NamedObjects
    misfits: tuple[Misfit, ...]
    new: Amount
    lost_rows: str


def put_database(
    snapshot: DatabaseSnapshot,
    store: RepositoryBackend,
    spool: KeySpool,
    run: Run,
    same: SnapshotRecord | None,
    damaged: frozenset[str],
    announce: Callable[[DatabaseTaken], bool] = lambda taken: False,
) -> DatabaseTaken:
    """Put the rows, and let go of the snapshot: no transaction stays open while objects are copied.

    :param same: an earlier snapshot that has the same rows; None where none is known.
    :param damaged: keys of objects of the place that are put anew.
    :param announce: is told what the snapshot will need, as long as the rows can be put once more; whether others may
        have removed some of it by then.
    """
    if same is None:
        parts, misfits, new = _put_rows(snapshot, store, run, damaged)
    else:
        parts, misfits, new = same.parts, same.misfits, Amount()
    check_stop(run)
    lost = snapshot.lost_rows() if same is None else same.lost_rows
    taken = DatabaseTaken(snapshot, parts, spool_names(snapshot, spool), misfits, new, lost)
    if announce(taken) and not has_pieces(parts, store, damaged if same else frozenset()):
        _, _, more = _put_rows(snapshot, store, run, damaged)
        check_stop(run)
        taken = taken._replace(new=Amount(new.objects + more.objects, new.bytes + more.bytes))
    snapshot.close()
    return taken


def _put_rows(
    snapshot: DatabaseSnapshot, store: RepositoryBackend, run: Run, damaged: frozenset[str]
) -> tuple[tuple[PartRecord, ...], tuple[Misfit, ...], Amount]:
    """Put the pieces that a place lacks; what they are, what PostgreSQL would refuse, and how much was put."""
    rows = DatabaseIntoPieces(snapshot, lambda key: key not in damaged and store.has_object(key), run)
    with run.step('copy the database', None, 'rows'):
        store.put_known_objects(rows.objects, lambda size: None)
    return tuple(rows.parts), tuple(snapshot.misfits(MOST_NAMED)), rows.new


class ObjectsTaken(NamedTuple):
    """The objects that a snapshot names.

    :param new: what was put.
    :param missing: keys of those that could not be had, the first ones; `missing_count` is their number.
    """

    new: Amount
    missing: tuple[str, ...]
    missing_count: int


class _Copying:
    """The objects that a place lacks, on their way there; counts what arrives."""

    def __init__(self, source: RepositoryBackend, wanted: KeySpool, run: Run, damaged: frozenset[str]) -> None:
        self._source = source
        self._damaged = damaged
        self.still_damaged: set[str] = set()
        self._wanted = wanted
        self._run = run
        self.bytes = 0
        self.lost_some = False

    def objects(self) -> Iterator[HeldObject]:
        """Those objects; ends where that is asked for. May be asked anew."""
        self.bytes = 0
        for one in self._source.known_objects(self._wanted.ascending()):
            if self._run.stop.reason:
                return
            yield one

    def told(self, size: int) -> None:
        """So many bytes have arrived."""
        self.bytes += size
        self._run.progress.advance(size)

    def unusable(self, key: str, reason: str) -> None:
        """One cannot be had: the backup goes on."""
        self.lost_some = True
        if key in self._damaged:
            self.still_damaged.add(key)


NOTHING_YET = ObjectsTaken(Amount(), (), 0)


def put_objects(
    names: NamedObjects,
    source: RepositoryBackend,
    store: RepositoryBackend,
    run: Run,
    damaged: frozenset[str],
) -> ObjectsTaken:
    """Copy the objects that the place lacks, as they lie in the storage; those that cannot be had are left out.

    :param damaged: keys of objects of the place that are put anew.
    """
    with KeySpool() as wanted:
        count, _ = wanted.add(lacking(names.keys.ascending(), _sound_in(store, damaged))).count_and_digest()
        copying = _Copying(source, wanted, run, damaged)
        if count:
            with run.step('copy objects', source.content_bytes(wanted.ascending())):
                store.put_known_objects(copying.objects, copying.told, copying.unusable)
        check_stop(run)
    there = _sound_in(store, copying.still_damaged) if copying.lost_some else None
    missing, missing_count = _missing(names, there)
    arrived = count - (missing_count - names.no_key_count)
    return ObjectsTaken(Amount(arrived, copying.bytes), missing, missing_count)


def _sound_in(store: RepositoryBackend, damaged: AbstractSet[str]) -> Iterator[str]:
    """The keys of what a store has, ascending, but for what is damaged."""
    return (key for key in store.list_objects() if key not in damaged) if damaged else store.list_objects()


def _missing(names: NamedObjects, there: Iterator[str] | None) -> tuple[tuple[str, ...], int]:
    """What is named and was not put: the first ones, and how many there are.

    :param there: what the place has, to be compared with the names; None: it has them all.
    """
    first, count = list(names.no_keys), names.no_key_count
    for key in () if there is None else lacking(names.keys.ascending(), there):
        count += 1
        if len(first) < MOST_NAMED:
            first.append(key)
    return tuple(first), count


def is_lacking(record: SnapshotRecord, names: NamedObjects, store: RepositoryBackend) -> bool:
    """Whether something that a snapshot needs, and that was put, has gone since.

    :raises ricordi.errors.AccessError: rows are gone, which cannot be had again.
    """
    if not has_pieces(record.parts, store):
        raise AccessError(
            'rows of this snapshot were removed from the place while it was made, for it took very long; no snapshot '
            'was made: try again'
        )
    gone = sum(1 for _ in lacking(names.keys.ascending(), store.list_objects()))
    return gone > record.missing_count - names.no_key_count


def new_record(
    database: DatabaseTaken,
    objects: ObjectsTaken,
    origin: SnapshotOrigin,
    tags: tuple[str, ...],
    began: tuple[datetime, float],
    content_bytes: int,
) -> SnapshotRecord:
    """What the manifest of a snapshot will say.

    :param began: when, by the clock, and in seconds of one that goes on evenly.
    """
    snapshot, names = database.source, database.names
    return SnapshotRecord(
        name='',
        time=began[0],
        origin=origin,
        source=snapshot.source,
        schema=snapshot.schema,
        parts=database.parts,
        sequences=dict(snapshot.sequences),
        objects=Amount(names.number, content_bytes),
        keys_digest=names.digest,
        missing=objects.missing,
        missing_count=objects.missing_count,
        misfits=database.misfits,
        tags=tags,
        added=objects.new,
        added_pieces=database.new,
        seconds=round(time.monotonic() - began[1], 3),
        program=f'ricordi {__version__}',
        lost_rows=database.lost_rows,
    )


def repeated(
    before: SnapshotRecord, origin: SnapshotOrigin, tags: tuple[str, ...], began: tuple[datetime, float]
) -> SnapshotRecord:
    """What the manifest of a snapshot will say that has all that an earlier one has."""
    return before._replace(
        name='',
        time=began[0],
        origin=origin,
        tags=tags,
        added=Amount(),
        added_pieces=Amount(),
        seconds=round(time.monotonic() - began[1], 3),
        program=f'ricordi {__version__}',
    )


def now() -> tuple[datetime, float]:
    """When a snapshot is begun, as of `new_record`."""
    return datetime.now(UTC), time.monotonic()
