"""What a store in a bucket holds, counted by the database alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from ricordi.backend.maintenance import Amount, ContainerState
from ricordi.repository.bucket.database import IndexDatabase

# Of packs and of what is inline by one look at all rows: there are many.
_USE = """
SELECT p.uuid, coalesce(p.state, ''), coalesce(p.bytes, 0), coalesce(p.bytes - p.list_bytes, 0),
       coalesce(o.objects, 0), coalesce(o.stored, 0), coalesce(o.size, 0), coalesce(o.largest, 0), o.latest
FROM packs AS p FULL JOIN (
    SELECT pack, count(*) AS objects, sum(stored)::bigint AS stored, sum(size)::bigint AS size, max(size) AS largest,
           max(touched) AS latest
    FROM objects GROUP BY pack
) AS o ON o.pack = p.uuid ORDER BY p.created, p.uuid
"""
_INDEX_BYTES = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace = (
    SELECT oid FROM pg_namespace WHERE nspname = current_schema())
"""


class PackUse(NamedTuple):
    """A pack, or what is inline in the database, and what objects take of it.

    :param uuid: None: what is inline.
    :param whole: bytes of all of the pack.
    :param bytes: of it, those before the list of its objects.
    :param stored: of these, those of objects of the index.
    :param size: bytes of content.
    :param largest: bytes of content of the largest object.
    :param latest: when the last of the objects was put; None: there are none.
    """

    uuid: UUID | None
    state: str
    whole: int
    bytes: int
    objects: int
    stored: int
    size: int
    largest: int
    latest: datetime | None

    @property
    def waste(self) -> int:
        """Bytes that no object covers."""
        return max(0, self.bytes - self.stored)


class UseLook:
    """What a look at all rows has seen; it is kept until somebody says that it holds no more."""

    def __init__(self, database: IndexDatabase) -> None:
        self._database = database
        self._seen: list[PackUse] | None = None

    def forget(self) -> None:
        """Look anew when it is asked for next: something was changed."""
        self._seen = None

    @property
    def uses(self) -> list[PackUse]:
        """Each pack, the oldest first, and, where there is any, what is inline."""
        if self._seen is None:
            self._seen = [PackUse(*row) for row in self._database.rows(_USE)]
        return self._seen

    def put_since(self, moment: datetime) -> bool:
        """Whether any object was put after a moment."""
        return any(use.latest is not None and use.latest > moment for use in self.uses)

    def state(self, garbage: Amount | None = None, missing: int | None = None) -> ContainerState:
        """What is there: `loose` is what is inline in the database, `packed` what is in packs.

        The waste is what packs hold beside objects and the lists of them: objects that were removed or put twice; and
        whole packs that are out of use.
        """
        inline = [use for use in self.uses if use.uuid is None]
        packs = [use for use in self.uses if use.uuid is not None]
        live = [pack for pack in packs if pack.state == 'live']
        packed_bytes = sum(pack.stored for pack in packs)
        unused = max(0, sum(pack.bytes for pack in live) - packed_bytes)
        ((index_bytes,),) = self._database.rows(_INDEX_BYTES)
        return ContainerState(
            loose=Amount(sum(use.objects for use in inline), sum(use.stored for use in inline)),
            packed=Amount(sum(pack.objects for pack in packs), packed_bytes),
            content_bytes=sum(pack.size for pack in packs),
            garbage=garbage,
            waste_bytes=unused + sum(pack.whole for pack in packs if pack.state != 'live'),
            missing=missing,
            packs=len(live),
            files=len(packs),
            index_bytes=index_bytes,
        )


def info_of(database: IndexDatabase, detailed: bool) -> dict[str, Any]:
    """Counts and sizes as plain data; `detailed`: of each pack, too."""
    look = UseLook(database)
    state = look.state()
    info: dict[str, Any] = {
        'loose': {'objects': state.loose.objects, 'bytes': state.loose.bytes},
        'packed': {'objects': state.packed.objects, 'bytes': state.packed.bytes, 'content_bytes': state.content_bytes},
        'packs': state.packs,
        'packs_out_of_use': state.files - state.packs,
        'waste_bytes': state.waste_bytes,
        'index_bytes': state.index_bytes,
    }
    if detailed:
        names = ('pack', 'state', 'bytes', 'objects', 'object_bytes')
        rows = [(str(use.uuid), use.state, use.whole, use.objects, use.stored) for use in look.uses if use.uuid]
        info['pack_list'] = [dict(zip(names, row, strict=True)) for row in rows]
    return info


def counted(count: int, noun: str = 'pack') -> str:
    """`1 pack`, `3 packs`."""
    return f'{count} {noun}{"" if count == 1 else "s"}'
