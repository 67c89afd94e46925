"""The log records of nodes: what processes had to report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ricordi.backend.query import Comparison, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.services.nodes.log_levels import LEVELS

_ROWS = 1000
_COLUMNS = ('pk', 'uuid', 'node_pk', 'time', 'levelname', 'loggername', 'message')


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A log record of a node."""

    pk: int
    uuid: str
    node_pk: int
    time: datetime
    levelname: str
    loggername: str
    message: str

    @property
    def weight(self) -> int:
        """How much it matters, on the scale of `LEVELS`; of a level that is not known, as much as can be."""
        return LEVELS.get(self.levelname, max(LEVELS.values()))


def logs_of(storage: StorageBackend, node_pks: Sequence[int], level: str = 'NOTSET') -> Iterator[LogRecord]:
    """The log records of some nodes, streamed in the order in which they were made.

    :param level: the lowest of `LEVELS` that counts.
    """
    query = Query(
        (Vertex('log', EntityKind.LOG),),
        filters=(('log', Comparison(Field('node_pk'), 'in', tuple(node_pks))),),
        projections=tuple(Projection('log', Field(name)) for name in _COLUMNS),
        order_by=(Ordering('log', Field('time')), Ordering('log', Field('pk'))),
    )
    rows = storage.query_rows(query, _ROWS) if node_pks else iter(())
    return (record for record in (LogRecord(*row) for row in rows) if record.weight >= LEVELS[level])
