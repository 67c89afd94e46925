"""Comments: what users write about nodes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import CommentRow, EntityKind
from ricordi.errors import InvalidOperation, StoringNotAllowed
from ricordi.orm.arguments import local_time, stored_pk, text
from ricordi.orm.collections import Collection
from ricordi.orm.entities import Entity
from ricordi.orm.entity_classes import entity_class
from ricordi.orm.shared_rows import user_row
from ricordi.orm.users import User

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.nodes.node import Node


class CommentCollection(Collection['Comment']):
    """The comments of a storage."""

    def delete_all(self) -> None:
        """Delete all comments of the storage."""
        pks = [row.pk for row in self.backend.find(CommentRow)]
        self.backend.delete(EntityKind.COMMENT, pks)


class Comment(Entity):
    """A text about a node, by a user; it goes with its node."""

    kind: ClassVar[EntityKind] = EntityKind.COMMENT
    identity_field = 'uuid'
    _collection_class = 'ricordi.orm.comments:CommentCollection'
    _row: CommentRow

    def __init__(
        self, node: Node, user: User, content: str | None = None, backend: StorageBackend | None = None
    ) -> None:
        """A new comment, to be stored.

        :raises ricordi.errors.StoringNotAllowed: the node or the user is not stored yet.
        """
        node_pk = stored_pk(node, EntityKind.NODE, refusal=StoringNotAllowed)
        user_pk = stored_pk(user, EntityKind.USER, refusal=StoringNotAllowed)
        now = datetime.now(UTC)
        self._backend = backend if backend is not None else get_current_backend()
        self._row = CommentRow(
            uuid=str(uuid4()),
            node_pk=node_pk,
            ctime=now,
            mtime=now,
            user_pk=user_pk,
            content=text(content, 'a comment'),
        )

    @property
    def uuid(self) -> str:
        """The identifier that is unique everywhere."""
        return str(self._held_row.uuid)

    @property
    def ctime(self) -> datetime:
        """When it was written."""
        if self._row.ctime is None:
            raise InvalidOperation(f'{self!r} has no time of creation')
        return self._row.ctime

    @property
    def mtime(self) -> datetime:
        """When it was last changed."""
        return self._row.mtime or self.ctime

    def set_mtime(self, value: datetime) -> None:
        """Set when it was last changed."""
        self._change(mtime=local_time(value, 'mtime'))

    @property
    def node(self) -> Node:
        """The node it is about."""
        return entity_class(EntityKind.NODE).get_collection(self._backend).get(pk=self._row.node_pk)  # type: ignore[no-any-return]

    @property
    def user(self) -> User:
        """Who wrote it."""
        return User.from_row(user_row(self._backend, self._row.user_pk), self._backend)

    def set_user(self, value: User) -> None:
        """Set who wrote it."""
        self._change(user_pk=stored_pk(value, EntityKind.USER, refusal=StoringNotAllowed))

    @property
    def content(self) -> str:
        """The text."""
        return self._row.content

    def set_content(self, value: str) -> None:
        """Replace the text."""
        self._change(content=text(value, 'a comment'))

    def _stamp(self, values: dict[str, Any]) -> dict[str, Any]:
        return {'mtime': datetime.now(UTC), **values}

    def __str__(self) -> str:
        return f'Comment<{self.uuid}> for node<{self._row.node_pk}> and user<{self.user.email}>: {self.content}'
