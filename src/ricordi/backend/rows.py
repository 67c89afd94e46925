"""Rows as they pass between frontend and storage: one dataclass per table, with the fields of `ricordi.model.fields`.

Times are timezone-aware UTC datetimes, JSON is plain Python, foreign keys are pks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ricordi.model.fields import EntityKind as EntityKind

Json = Any
JsonDict = dict[str, Any]


@dataclass(slots=True)
class UserRow:
    """A person, told apart by email."""

    pk: int | None = None
    email: str = ''
    first_name: str = ''
    last_name: str = ''
    institution: str = ''


@dataclass(slots=True)
class ComputerRow:
    """A machine on which calculations run."""

    pk: int | None = None
    uuid: str = ''
    label: str = ''
    hostname: str = ''
    description: str = ''
    scheduler_type: str = ''
    transport_type: str = ''
    metadata: JsonDict = field(default_factory=dict)


@dataclass(slots=True)
class AuthInfoRow:
    """How a user reaches a computer."""

    pk: int | None = None
    user_pk: int = 0
    computer_pk: int = 0
    metadata: JsonDict = field(default_factory=dict)
    auth_params: JsonDict = field(default_factory=dict)
    enabled: bool = True


@dataclass(slots=True)
class NodeRow:
    """A node of the provenance graph."""

    pk: int | None = None
    uuid: str = ''
    node_type: str = ''
    process_type: str | None = None
    label: str = ''
    description: str = ''
    ctime: datetime | None = None
    mtime: datetime | None = None
    attributes: JsonDict = field(default_factory=dict)
    extras: JsonDict = field(default_factory=dict)
    repository_metadata: JsonDict = field(default_factory=dict)
    computer_pk: int | None = None
    user_pk: int = 0


@dataclass(slots=True)
class GroupRow:
    """A named set of nodes."""

    pk: int | None = None
    uuid: str = ''
    label: str = ''
    type_string: str = ''
    time: datetime | None = None
    description: str = ''
    extras: JsonDict = field(default_factory=dict)
    user_pk: int = 0


@dataclass(slots=True)
class CommentRow:
    """What a user wrote about a node."""

    pk: int | None = None
    uuid: str = ''
    node_pk: int = 0
    ctime: datetime | None = None
    mtime: datetime | None = None
    user_pk: int = 0
    content: str = ''


@dataclass(slots=True)
class LogRow:
    """A log record of a process node."""

    pk: int | None = None
    uuid: str = ''
    time: datetime | None = None
    loggername: str = ''
    levelname: str = ''
    node_pk: int = 0
    message: str = ''
    metadata: JsonDict = field(default_factory=dict)


@dataclass(slots=True)
class LinkRow:
    """A link from the node `input_pk` (source) to the node `output_pk` (target)."""

    pk: int | None = None
    input_pk: int = 0
    output_pk: int = 0
    label: str = ''
    type: str = ''


@dataclass(slots=True)
class GroupNodeRow:
    """Membership of a node in a group."""

    pk: int | None = None
    node_pk: int = 0
    group_pk: int = 0


Row = UserRow | ComputerRow | AuthInfoRow | NodeRow | GroupRow | CommentRow | LogRow | LinkRow | GroupNodeRow

ROW_TYPES: dict[EntityKind, type[Row]] = {
    EntityKind.USER: UserRow,
    EntityKind.COMPUTER: ComputerRow,
    EntityKind.AUTHINFO: AuthInfoRow,
    EntityKind.NODE: NodeRow,
    EntityKind.GROUP: GroupRow,
    EntityKind.COMMENT: CommentRow,
    EntityKind.LOG: LogRow,
    EntityKind.LINK: LinkRow,
    EntityKind.GROUP_NODE: GroupNodeRow,
}
