"""Comments: what users wrote about nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ricordi.backend.rows import CommentRow, EntityKind, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent
from ricordi.services.author import default_user, find_user


@dataclass(frozen=True, slots=True)
class CommentDetails:
    """A comment, with the address of its author."""

    pk: int
    uuid: str
    node_pk: int
    user: str
    ctime: datetime
    mtime: datetime
    content: str


def add_comments(storage: StorageBackend, node_pks: Sequence[int], content: str) -> list[int]:
    """Write the same comment about each of some nodes, by the default user; returns the pks of the comments."""
    with storage.transaction():  # which refuses an archive, before it is asked for its default user
        user_pk = default_user(storage).pk
        rows = [{'node_pk': pk, 'user_pk': user_pk, 'content': content} for pk in node_pks]
        return storage.insert(EntityKind.COMMENT, rows)


def show_comments(storage: StorageBackend, node_pks: Sequence[int], user: str | None = None) -> list[CommentDetails]:
    """The comments of some nodes, in the order of the nodes, oldest first.

    :param user: only those of this author.
    """
    users = {row.pk: row.email for row in storage.find(UserRow)}
    if user is not None:
        user = find_user(storage, user).email
    found = [_details(row, users) for row in storage.find(CommentRow, {'node_pk': list(node_pks)})]
    place = {pk: number for number, pk in enumerate(node_pks)}
    found.sort(key=lambda comment: (place[comment.node_pk], comment.pk))
    return [comment for comment in found if user in (None, comment.user)]


def get_comment(storage: StorageBackend, pk: int) -> CommentDetails:
    """One comment.

    :raises ricordi.errors.NotExistent: there is none with this pk.
    """
    row = storage.get(CommentRow, pk)
    if row is None:
        raise NotExistent(f'there is no comment {pk} in profile {storage.profile.name!r}')
    author = storage.get(UserRow, row.user_pk)
    return _details(row, {} if author is None else {author.pk: author.email})


def update_comment(storage: StorageBackend, pk: int, content: str) -> None:
    """Replace the text of a comment."""
    get_comment(storage, pk)
    storage.update(EntityKind.COMMENT, pk, {'content': content})


def remove_comment(storage: StorageBackend, pk: int) -> None:
    """Delete a comment."""
    if not storage.delete(EntityKind.COMMENT, [pk]):
        raise NotExistent(f'there is no comment {pk} in profile {storage.profile.name!r}')


def _details(row: CommentRow, users: Mapping[int, str]) -> CommentDetails:
    return CommentDetails(
        row.pk, row.uuid, row.node_pk, users.get(row.user_pk, ''), row.ctime, row.mtime or row.ctime, row.content
    )
