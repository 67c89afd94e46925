"""Log records."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiida.orm.implementation import BackendLog, BackendLogCollection

from ricordi.backend.rows import EntityKind
from ricordi.plugin.entities.collections import AnnotationCollection
from ricordi.plugin.entities.entity import RicordiEntity
from ricordi.plugin.entities.properties import copied, field, fixed

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage


class RicordiLog(RicordiEntity, BackendLog):
    """A log record of a node."""

    KIND = EntityKind.LOG
    NEEDED = frozenset({'loggername', 'levelname'})

    def __init__(
        self,
        backend: RicordiStorage,
        time: datetime,
        loggername: str,
        levelname: str,
        dbnode_id: int,
        message: str | None = '',
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._begin(
            backend,
            uuid=str(uuid4()),
            time=time,
            loggername=loggername,
            levelname=levelname,
            node_pk=dbnode_id,
            message=message,
            metadata=metadata or {},
        )

    uuid = fixed('uuid')
    time = field('time', writable=False)
    loggername = field('loggername', writable=False)
    levelname = field('levelname', writable=False)
    message = field('message', writable=False)
    dbnode_id = field('node_pk', writable=False)

    @property
    def metadata(self) -> dict[str, Any]:
        """What else was recorded."""
        return copied(self, 'metadata')


class RicordiLogs(AnnotationCollection, BackendLogCollection):
    """The log records of a storage."""

    ENTITY_CLASS = RicordiLog
    ORM_NAME = 'Log'

    def delete(self, log_id: int) -> None:
        """Delete a log record.

        :raises TypeError: the id is no integer.
        :raises aiida.common.exceptions.NotExistent: there is none of that id.
        """
        self._delete_checked(log_id)
