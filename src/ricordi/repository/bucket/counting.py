"""What a store in a bucket holds, counted by the database alone."""

from __future__ import annotations

from typing import Any

from ricordi.backend.maintenance import Amount, ContainerState
from ricordi.repository.bucket.database import IndexDatabase

_TOTALS = """
SELECT count(*) FILTER (WHERE pack IS NULL), coalesce(sum(stored) FILTER (WHERE pack IS NULL), 0)::bigint,
       count(pack), coalesce(sum(stored) FILTER (WHERE pack IS NOT NULL), 0)::bigint,
       coalesce(sum(size) FILTER (WHERE pack IS NOT NULL), 0)::bigint
FROM objects
"""
_PACKS = """
SELECT count(*) FILTER (WHERE state = 'live'),
       coalesce(sum(bytes - list_bytes) FILTER (WHERE state = 'live'), 0)::bigint,
       count(*) FILTER (WHERE state <> 'live'), coalesce(sum(bytes) FILTER (WHERE state <> 'live'), 0)::bigint
FROM packs
"""
_INDEX_BYTES = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace = (
    SELECT oid FROM pg_namespace WHERE nspname = current_schema())
"""
_EACH_PACK = """
SELECT p.uuid::text, p.state, p.bytes, count(o.hash), coalesce(sum(o.stored), 0)::bigint
FROM packs AS p LEFT JOIN objects AS o ON o.pack = p.uuid GROUP BY p.uuid ORDER BY p.created, p.uuid
"""


def state_of(database: IndexDatabase, garbage: Amount | None = None, missing: int | None = None) -> ContainerState:
    """What is there: `loose` is what is inline in the database, `packed` what is in packs.

    The waste is what packs hold beside objects and the lists of them: objects that were removed or put twice; and
    whole packs that are out of use.
    """
    ((inline, inline_bytes, packed, packed_bytes, content),) = database.rows(_TOTALS)
    ((packs, live_bytes, other, other_bytes),) = database.rows(_PACKS)
    ((index_bytes,),) = database.rows(_INDEX_BYTES)
    return ContainerState(
        loose=Amount(inline, inline_bytes),
        packed=Amount(packed, packed_bytes),
        content_bytes=content,
        garbage=garbage,
        waste_bytes=max(0, live_bytes - packed_bytes) + other_bytes,
        missing=missing,
        packs=packs,
        files=packs + other,
        index_bytes=index_bytes,
    )


def info_of(database: IndexDatabase, detailed: bool) -> dict[str, Any]:
    """Counts and sizes as plain data; `detailed`: of each pack, too."""
    state = state_of(database)
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
        info['pack_list'] = [dict(zip(names, row, strict=True)) for row in database.rows(_EACH_PACK)]
    return info


def counted(count: int, noun: str = 'pack') -> str:
    """`1 pack`, `3 packs`."""
    return f'{count} {noun}{"" if count == 1 else "s"}'
