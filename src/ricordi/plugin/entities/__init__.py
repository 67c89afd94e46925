"""The entities of AiiDA's backend interface over rows of ours; `CLASSES` has the class of each kind."""

from __future__ import annotations

from ricordi.plugin.entities import authinfos, comments, computers, groups, logs, node_classes, nodes, users
from ricordi.plugin.entities.entity import CLASSES

__all__ = ('CLASSES', 'authinfos', 'comments', 'computers', 'groups', 'logs', 'node_classes', 'nodes', 'users')
