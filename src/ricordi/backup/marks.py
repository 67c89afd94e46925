"""Whether nothing has changed since an earlier snapshot, so that its pieces stand for the rows and none is read.

A mark is made of all bytes: of the database, and of the names of all objects in the place. Counters and times are not
asked, for a file that was copied back has them as another one had them.
"""

from __future__ import annotations

import hashlib
from itertools import islice

from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.backup.pieces import has_pieces
from ricordi.backup.records import SnapshotMark, SnapshotRecord
from ricordi.version import __version__

KEYS_AT_ONCE = 10_000


def state_of(snapshot: DatabaseSnapshot) -> str:
    """What tells the rows of a database and how this program writes them down; empty where nothing does."""
    return f'{snapshot.state} by ricordi {__version__}' if snapshot.state else ''


def new_mark(snapshot_state: str, store: RepositoryBackend) -> SnapshotMark | None:
    """The mark of a snapshot of which all is in the place now; None where its database has none."""
    return SnapshotMark(snapshot_state, _digest_of_names(store)) if snapshot_state else None


def has_same_rows(
    record: SnapshotRecord, snapshot: DatabaseSnapshot, store: RepositoryBackend, damaged: frozenset[str]
) -> bool:
    """Whether a database has the rows of an earlier snapshot, and the place has the pieces of these.

    :param damaged: keys of objects of the place that are not what they should be.
    """
    if record.mark is None or record.mark.database != state_of(snapshot):
        return False
    return has_pieces(record.parts, store, damaged)


def has_same_objects(record: SnapshotRecord, store: RepositoryBackend) -> bool:
    """Whether the place has the very objects that it had when an earlier snapshot was made, and that lacked none."""
    return record.complete and record.mark is not None and record.mark.store == _digest_of_names(store)


def _digest_of_names(store: RepositoryBackend) -> str:
    """SHA-256 of the keys of all objects, ascending, LF after each."""
    digest, keys = hashlib.sha256(), iter(store.list_objects())
    while some := list(islice(keys, KEYS_AT_ONCE)):
        digest.update('\n'.join([*some, '']).encode(errors='surrogateescape'))
    return digest.hexdigest()
