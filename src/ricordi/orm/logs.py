"""Logs: records of what happened to a process, kept with its node."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import EntityKind, JsonDict, LogRow
from ricordi.errors import InvalidOperation, ValidationError, WrongType
from ricordi.orm.arguments import local_time
from ricordi.orm.collections import Collection
from ricordi.orm.entities import Entity
from ricordi.orm.entity_classes import entity_class
from ricordi.orm.values import clean_value, copy_json

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.nodes.node import Node

_NOT_KEPT = ('exc_info', 'backend', 'loggername')

ASCENDING = 'asc'
DESCENDING = 'desc'


def OrderSpecifier(field: str, direction: str) -> dict[str, str]:
    """How `get_logs_for` sorts: `OrderSpecifier('time', DESCENDING)`."""
    return {field: direction}


class LogCollection(Collection['Log']):
    """The log records of a storage."""

    def create_entry_from_record(self, record: logging.LogRecord) -> Log | None:
        """Store a record of Python's logging; None, and nothing stored, if it belongs to no node.

        The node is told by its pk, as `dbnode_id` of the record.
        """
        node_pk = record.__dict__.get('dbnode_id')
        if node_pk is None:
            return None
        logger = record.__dict__.get('loggername', record.name)
        metadata = {name: value for name, value in record.__dict__.items() if name not in _NOT_KEPT} | {'name': logger}
        if record.exc_info and record.exc_info[0] is not None:
            message = ''.join(traceback.format_exception(*record.exc_info))
        else:
            message = record.getMessage()
        return Log(
            time=datetime.fromtimestamp(record.created, UTC),
            loggername=logger,
            levelname=record.levelname,
            dbnode_id=node_pk,
            message=message,
            metadata={name: _plain(value) for name, value in metadata.items()},
            backend=self.backend,
        )

    def get_logs_for(self, entity: Node, order_by: Any = None) -> list[Log]:
        """The records of a node.

        :param order_by: as for `find`; in order of their pks for None.
        """
        if order_by:
            return self.find({'dbnode_id': entity.pk}, order_by=order_by)
        if entity.pk is None:
            return []
        rows = self.backend.find(LogRow, {'node_pk': entity.pk})
        return [Log.from_row(row, self.backend) for row in rows]

    def delete_all(self) -> None:
        """Delete all log records of the storage."""
        pks = [row.pk for row in self.backend.find(LogRow)]
        self.backend.delete(EntityKind.LOG, pks)


class Log(Entity):
    """A log record of a process node; stored when it is made, and never changed."""

    kind: ClassVar[EntityKind] = EntityKind.LOG
    identity_field = 'uuid'
    _collection_class = 'ricordi.orm.logs:LogCollection'
    _row: LogRow

    def __init__(
        self,
        time: datetime,
        loggername: str,
        levelname: str,
        dbnode_id: int | None = None,
        message: str = '',
        metadata: JsonDict | None = None,
        backend: StorageBackend | None = None,
        node: Node | None = None,
    ) -> None:
        """Make a record and store it.

        :param time: when it was logged; a time without zone counts as local.
        :param dbnode_id: pk of the node, unless `node` is given.
        """
        if not loggername or not levelname:
            raise ValidationError('a log record needs the name of its logger and of its level')
        node_pk = dbnode_id if dbnode_id is not None else node.pk if node is not None else None
        if node_pk is None:
            raise ValidationError('a log record belongs to a stored node: give node or dbnode_id')
        if metadata is not None and not isinstance(metadata, dict):
            raise WrongType(f'metadata is a dict, got {metadata!r}')
        self._backend = backend if backend is not None else get_current_backend()
        self._row = LogRow(
            uuid=str(uuid4()),
            time=local_time(time, 'time'),
            loggername=loggername,
            levelname=levelname,
            node_pk=node_pk,
            message=message,
            metadata=clean_value(metadata or {}, 'metadata'),
        )
        self.store()

    @property
    def uuid(self) -> str:
        """The identifier that is unique everywhere."""
        return str(self._held_row.uuid)

    @property
    def time(self) -> datetime:
        """When it was logged."""
        if self._row.time is None:
            raise InvalidOperation(f'{self!r} has no time')
        return self._row.time

    @property
    def loggername(self) -> str:
        """The logger it came from."""
        return self._row.loggername

    @property
    def levelname(self) -> str:
        """The level (`ERROR`)."""
        return self._row.levelname

    @property
    def dbnode_id(self) -> int:
        """The pk of the node."""
        return self._row.node_pk

    @property
    def node(self) -> Node:
        """The node it belongs to."""
        return entity_class(EntityKind.NODE).get_collection(self._backend).get(pk=self._row.node_pk)  # type: ignore[no-any-return]

    @property
    def message(self) -> str:
        """The text, with its arguments filled in."""
        return self._row.message

    @property
    def metadata(self) -> JsonDict:
        """The rest of the record; a copy."""
        return copy_json(self._row.metadata)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """A value of a log record as JSON can carry it; as text if it cannot. Arguments are always text, as in AiiDA."""
    if isinstance(value, tuple):
        return str(value)
    try:
        return clean_value(value)
    except ValidationError:
        return str(value).encode(errors='replace').decode()
