"""Comments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from aiida.common import exceptions, timezone
from aiida.common.lang import type_check
from aiida.orm.implementation import BackendComment, BackendCommentCollection

from ricordi.backend.rows import EntityKind
from ricordi.plugin.entities.collections import AnnotationCollection
from ricordi.plugin.entities.entity import RicordiEntity
from ricordi.plugin.entities.properties import field, fixed, reference

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage


class RicordiComment(RicordiEntity, BackendComment):
    """What a user wrote about a node."""

    KIND = EntityKind.COMMENT

    def __init__(
        self,
        backend: RicordiStorage,
        node: Any,
        user: Any,
        content: str | None = None,
        ctime: datetime | None = None,
        mtime: datetime | None = None,
    ) -> None:
        type_check(ctime, datetime, allow_none=True)
        type_check(mtime, datetime, allow_none=True)
        self._begin(backend, uuid=str(uuid4()), content=content, ctime=ctime or timezone.now(), mtime=mtime)
        self._node = node
        self._user = user

    uuid = fixed('uuid')
    ctime = fixed('ctime')
    mtime = field('mtime', writable=False)
    content = field('content', writable=False)
    _node = reference('node_pk', EntityKind.NODE)
    _user = reference('user_pk', EntityKind.USER)

    def store(self) -> Self:
        """Insert its row.

        :raises aiida.common.exceptions.ModificationNotAllowed: its node or its user is not stored.
        """
        if any(not entity.is_stored for entity in self._unstored.values()):
            raise exceptions.ModificationNotAllowed('The corresponding node and/or user are not stored')
        return super().store()

    def set_mtime(self, value: datetime) -> None:
        """Set when it was changed."""
        self._set('mtime', value)

    @property
    def node(self) -> Any:
        """What it is about."""
        return self._node

    @property
    def user(self) -> Any:
        """Who wrote it."""
        return self._user

    def set_user(self, value: Any) -> None:
        """Set who wrote it."""
        self._user = value

    def set_content(self, value: str) -> None:
        """Set what it says."""
        self._set('content', value)


class RicordiComments(AnnotationCollection, BackendCommentCollection):
    """The comments of a storage."""

    ENTITY_CLASS = RicordiComment
    ORM_NAME = 'Comment'

    def create(self, node: Any, user: Any, content: str | None = None, **kwargs: Any) -> RicordiComment:
        """A comment that is not stored yet."""
        return RicordiComment(self.backend, node, user, content, **kwargs)

    def delete(self, comment_id: int) -> None:
        """Delete a comment.

        :raises TypeError: the id is no integer.
        :raises aiida.common.exceptions.NotExistent: there is none of that id.
        """
        self._delete_checked(comment_id)
