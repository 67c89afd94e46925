"""Records that a process node's logger makes go into the database."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node

LOGGER_NAME = 'ricordi.node'
"""Parent of the loggers of nodes; its level decides what is kept (REPORT and above, unless it is set)."""

REPORT_LEVEL = 23
"""AiiDA's level between INFO and WARNING: what a user of a workflow should see."""


class DBLogHandler(logging.Handler):
    """Stores each record that names a node, in the storage of that node."""

    def emit(self, record: logging.LogRecord) -> None:
        """Store the record; an error of the database is raised, for a lost record is worse."""
        backend = record.__dict__.get('backend')
        if backend is None or sys.is_finalizing() or backend.is_closed:
            return
        if record.exc_info:
            self.format(record)
        from ricordi.orm.logs import Log, LogCollection

        LogCollection(Log, backend).create_entry_from_record(record)


class NodeLoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """A logger whose records name their node."""

    def report(self, message: object, *args: object, **kwargs: Any) -> None:
        """Log at level REPORT (23)."""
        self.log(REPORT_LEVEL, message, *args, **kwargs)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the node to what the caller gave as `extra`."""
        kwargs['extra'] = {**(kwargs.get('extra') or {}), **(self.extra or {})}
        return msg, kwargs


def create_logger_adapter(logger: logging.Logger, node: Node) -> NodeLoggerAdapter:
    """A logger for a node; what it logs is kept in the database once the node is stored."""
    _install()
    return NodeLoggerAdapter(logger, get_dblogger_extra(node))


def get_dblogger_extra(node: Node) -> dict[str, Any]:
    """What a record must carry to be kept with `node`; nothing for one that is not stored."""
    if not node.is_stored:
        return {}
    return {'dbnode_id': node.pk, 'backend': node.backend, 'loggername': stored_logger_name(node)}


def stored_logger_name(node: Node) -> str:
    """The logger that AiiDA names in records of such a node: module and name of its class."""
    from ricordi.orm.aiida_places import node_class_place

    cls = type(node)
    return '.'.join(node_class_place(cls.class_node_type) or (cls.__module__, cls.__name__))


def _install() -> None:
    """Put the handler on the parent of all node loggers, once."""
    logger = logging.getLogger(LOGGER_NAME)
    if not any(isinstance(handler, DBLogHandler) for handler in logger.handlers):
        logging.addLevelName(REPORT_LEVEL, 'REPORT')
        logger.addHandler(DBLogHandler())
        if logger.level == logging.NOTSET:
            logger.setLevel(REPORT_LEVEL)
