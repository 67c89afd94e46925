"""What can be told of a container in no time, however large it is: about how many objects, whether AiiDA reads them."""

from __future__ import annotations

from ricordi.repository.container.layout import REPACK_ID
from ricordi.repository.container.objects import ObjectStore

LOOKED_INTO = 4
"""So many of the folders of loose objects are counted; keys are spread evenly over all of them."""


def estimated_count(container: ObjectStore) -> int:
    """About how many objects a container holds: the highest row of its index, and some of its folders taken for all."""
    index = container.index
    with index.guarded():
        (highest,) = index.connection.execute('SELECT MAX(id) FROM db_object').fetchone()
    return int(highest or 0) + container.layout.estimate_loose(container.config.loose_prefix_len, LOOKED_INTO)


def hidden_by_killed_repack(container: ObjectStore) -> int:
    """How many rows name pack -1, in which AiiDA looks for nothing; they are counted only where its file is there."""
    if not container.layout.pack_path(REPACK_ID).exists():
        return 0
    index = container.index
    with index.guarded():
        (rows,) = index.connection.execute('SELECT COUNT(*) FROM db_object WHERE pack_id = ?', (REPACK_ID,)).fetchone()
    return int(rows)
