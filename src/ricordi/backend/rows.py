"""Rows as they pass between frontend and storage: one dataclass per table, with the fields of `ricordi.model.fields`.

Times are timezone-aware UTC datetimes, JSON is plain Python, foreign keys are pks. A storage is asked for rows by their
class: `storage.get(NodeRow, pk)`; `ROW_TYPES` tells it where only the kind is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar, get_args

from ricordi.model.fields import EntityKind as EntityKind

Json = Any
JsonDict = dict[str, Any]

UNSET: Any = None
"""The value of what a storage gives its rows: None only in the row of an entity that is not stored yet."""


@dataclass(slots=True)
class UserRow:
    """A person, told apart by email."""

    kind: ClassVar[EntityKind] = EntityKind.USER

    pk: int = UNSET
    email: str = ''
    first_name: str = ''
    last_name: str = ''
    institution: str = ''


@dataclass(slots=True)
class ComputerRow:
    """A machine on which calculations run."""

    kind: ClassVar[EntityKind] = EntityKind.COMPUTER

    pk: int = UNSET
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

    kind: ClassVar[EntityKind] = EntityKind.AUTHINFO

    pk: int = UNSET
    user_pk: int = 0
    computer_pk: int = 0
    metadata: JsonDict = field(default_factory=dict)
    auth_params: JsonDict = field(default_factory=dict)
    enabled: bool = True


@dataclass(slots=True)
class NodeRow:
    """A node of the provenance graph."""

    kind: ClassVar[EntityKind] = EntityKind.NODE

    pk: int = UNSET
    uuid: str = ''
    node_type: str = ''
    process_type: str | None = None
    label: str = ''
    description: str = ''
    ctime: datetime = UNSET
    mtime: datetime = UNSET
    attributes: JsonDict = field(default_factory=dict)
    extras: JsonDict = field(default_factory=dict)
    repository_metadata: JsonDict = field(default_factory=dict)
    computer_pk: int | None = None
    user_pk: int = 0


@dataclass(slots=True)
class GroupRow:
    """A named set of nodes."""

    kind: ClassVar[EntityKind] = EntityKind.GROUP

    pk: int = UNSET
    uuid: str = ''
    label: str = ''
    type_string: str = ''
    time: datetime = UNSET
    description: str = ''
    extras: JsonDict = field(default_factory=dict)
    user_pk: int = 0


@dataclass(slots=True)
class CommentRow:
    """What a user wrote about a node."""

    kind: ClassVar[EntityKind] = EntityKind.COMMENT

    pk: int = UNSET
    uuid: str = ''
    node_pk: int = 0
    ctime: datetime = UNSET
    mtime: datetime = UNSET
    user_pk: int = 0
    content: str = ''


@dataclass(slots=True)
class LogRow:
    """A log record of a process node."""

    kind: ClassVar[EntityKind] = EntityKind.LOG

    pk: int = UNSET
    uuid: str = ''
    time: datetime = UNSET
    loggername: str = ''
    levelname: str = ''
    node_pk: int = 0
    message: str = ''
    metadata: JsonDict = field(default_factory=dict)


@dataclass(slots=True)
class LinkRow:
    """A link from the node `input_pk` (source) to the node `output_pk` (target)."""

    kind: ClassVar[EntityKind] = EntityKind.LINK

    pk: int = UNSET
    input_pk: int = 0
    output_pk: int = 0
    label: str = ''
    type: str = ''


@dataclass(slots=True)
class GroupNodeRow:
    """Membership of a node in a group."""

    kind: ClassVar[EntityKind] = EntityKind.GROUP_NODE

    pk: int = UNSET
    node_pk: int = 0
    group_pk: int = 0


Row = UserRow | ComputerRow | AuthInfoRow | NodeRow | GroupRow | CommentRow | LogRow | LinkRow | GroupNodeRow

RowT = TypeVar('RowT', bound=Row)

ROW_TYPES: dict[EntityKind, type[Row]] = {row_type.kind: row_type for row_type in get_args(Row)}
