"""What is known of a snapshot without reading its rows: what its manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ricordi.backend.maintenance import Amount
from ricordi.backend.snapshots import Misfit, Source, TablePart


class SnapshotOrigin(NamedTuple):
    """Which storage a snapshot is of. Nothing in it is a secret, nor tells how to get in.

    :param backend: entry point name of its class, such as `core.sqlite_dos`.
    :param profile: name of the profile.
    :param profile_uuid: of the profile; what snapshots belong together by.
    :param container: identifier of the container, which the database repeats; empty where there is none.
    :param database: name of the database on its server; empty for SQLite.
    :param host: on which it was backed up.
    :param user: email of the default user of the profile; empty where there is none.
    """

    backend: str
    profile: str
    profile_uuid: str
    container: str
    database: str
    host: str
    user: str = ''


class PieceEntry(NamedTuple):
    """A piece, or a list of pieces, as an object of the place.

    :param first: primary key of its first row.
    :param rows: how many there are.
    :param bytes: of rows, uncompressed.
    :param odd: rows that hold a value which the form of the others cannot hold.
    :param key: of the object.
    """

    first: int
    rows: int
    bytes: int
    odd: int
    key: str


class PartRecord(NamedTuple):
    """A part of a table in a snapshot.

    :param lists: objects that list its pieces, by ascending primary key.
    """

    part: TablePart
    lists: tuple[PieceEntry, ...]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(entry.rows for entry in self.lists)


class SnapshotMark(NamedTuple):
    """What tells that a later snapshot is of the same rows, and that all it is made of is still there.

    :param database: `DatabaseSnapshot.state`, and the program that has read the rows.
    :param store: SHA-256 of the keys of all objects in the place, ascending, LF after each, when all of the snapshot
        were there.
    """

    database: str
    store: str


class SnapshotRecord(NamedTuple):
    """One storage at one moment, as its manifest tells.

    :param name: of the manifest, without its ending: time and digest.
    :param time: when the snapshot of the database was begun, aware.
    :param source: the kind of database that the rows come from.
    :param schema: its schema revision.
    :param sequences: by table the highest primary key that was ever given out.
    :param objects: that nodes name: how many, and their bytes of content.
    :param keys_digest: SHA-256 of their keys, 32 bytes each, ascending.
    :param missing: keys of objects that nodes name and that were missing or damaged in the storage, the first ones.
    :param missing_count: how many there are.
    :param misfits: values that PostgreSQL would refuse, the first ones.
    :param lost_rows: why the database may have lost rows of nodes before, in words; empty where nothing told of any.
    :param added: what this snapshot has put that was not there before: objects, and their bytes of content.
    :param added_pieces: the same of its database.
    :param seconds: how long it took.
    :param program: that made it, with its version.
    :param mark: by which a later one may know that nothing has changed; None where nothing tells that.
    """

    name: str
    time: datetime
    origin: SnapshotOrigin
    source: Source
    schema: str
    parts: tuple[PartRecord, ...]
    sequences: Mapping[str, int]
    objects: Amount
    keys_digest: str
    missing: tuple[str, ...]
    missing_count: int
    misfits: tuple[Misfit, ...]
    tags: tuple[str, ...]
    added: Amount
    added_pieces: Amount
    seconds: float
    program: str
    mark: SnapshotMark | None = None
    lost_rows: str = ''

    @property
    def complete(self) -> bool:
        """Whether all objects that its nodes name are there, and no row is known to be lost."""
        return not self.missing_count and not self.lost_rows

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows by table."""
        return {one.part.table: one.rows for one in self.parts}
