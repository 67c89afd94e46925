"""The comments of a node: `node.base.comments`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.backend.rows import CommentRow, EntityKind
from ricordi.errors import ModificationNotAllowed, NotExistent
from ricordi.orm.comments import Comment
from ricordi.orm.shared_rows import require_default_user
from ricordi.orm.users import User

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node


class NodeComments:
    """What users wrote about a stored node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def add(self, content: str, user: User | None = None) -> Comment:
        """Add a comment.

        :param user: who wrote it; the default user for None.
        """
        backend = self._node.backend
        if not self._node.is_stored:
            raise ModificationNotAllowed(f'{self._node!r} is not stored: store it before commenting on it')
        author = user or User.from_row(require_default_user(backend), backend)
        return Comment(self._node, author, content, backend=backend).store()

    def all(self) -> list[Comment]:
        """All comments, oldest first."""
        if self._node.pk is None:
            return []
        backend = self._node.backend
        rows = backend.find(CommentRow, {'node_pk': self._node.pk})
        return [Comment.from_row(row, backend) for row in rows]

    def get(self, identifier: int) -> Comment:
        """The comment of this node with this pk.

        :raises ricordi.errors.NotExistent: there is none.
        """
        backend = self._node.backend
        for row in backend.find(CommentRow, {'node_pk': self._node.pk, 'pk': identifier}, limit=1):
            return Comment.from_row(row, backend)
        raise NotExistent(f'{self._node!r} has no comment with pk {identifier}')

    def update(self, identifier: int, content: str) -> None:
        """Replace the text of a comment."""
        self.get(identifier).set_content(content)

    def remove(self, identifier: int) -> None:
        """Delete a comment."""
        self.get(identifier)
        self._node.backend.delete(EntityKind.COMMENT, [identifier])
