"""What takes the space, as plain data: what is asked for, and the sums by whatever they are told."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ricordi.backend.maintenance import Amount

Category = str | int | None
"""A value of a dimension: the pk of a group, computer, user or node, else a text; None for what has none."""


class Dimension(StrEnum):
    """By what bytes are summed up.

    `process` is the type of the process that a node is, or that created it; `month` that in which a node was made, in
    UTC; `file` the ending of the name of a file, or all of a name without one; `size` a power of ten of bytes of
    content.
    """

    TYPE = 'type'
    PROCESS = 'process'
    GROUP = 'group'
    COMPUTER = 'computer'
    USER = 'user'
    MONTH = 'month'
    FILE = 'file'
    SIZE = 'size'
    NODE = 'node'


OF_FILES = (Dimension.FILE, Dimension.SIZE)
"""What tells the files of one node apart, and not the nodes."""


class ObjectSize(NamedTuple):
    """An object of a store.

    :param stored: bytes that it takes on disk, in all forms that are there.
    :param content: bytes of content.
    """

    key: str
    stored: int
    content: int


class UsageQuestion(NamedTuple):
    """What to sum up.

    :param by: which sums to tell.
    :param top: how many of them: the largest, the largest first; of months the last, in their order.
    :param chosen: only what has all of these values; of nodes, any number of pks.
    :param with_database: whether to tell the sizes of the database, too.
    :param within: of each category also the sums by this, a dimension of files: what is told is both, mixed.
    :param files: how many of the largest files; None: as many as sums.
    """

    by: Dimension
    top: int
    chosen: tuple[tuple[Dimension, Category | tuple[int, ...]], ...] = ()
    with_database: bool = False
    within: Dimension | None = None
    files: int | None = None

    @property
    def most_files(self) -> int:
        """How many of the largest files are told."""
        return self.top if self.files is None else self.files


class Share(NamedTuple):
    """What some nodes, or some files of nodes, take.

    :param category: which; see `Category`.
    :param objects: how many objects they name, each counted once.
    :param stored_bytes: what these take on disk.
    :param content_bytes: their content, uncompressed.
    :param shared_objects: of these: how many other nodes (by a dimension of files: other files) name as well.
    :param shared_bytes: what the shared ones take on disk.
    :param nodes: how many nodes, those without files among them; None where files are told apart or chosen.
    :param within: of which files in the category, where they were asked for; None: all of them.
    """

    category: Category = None
    objects: int = 0
    stored_bytes: int = 0
    content_bytes: int = 0
    shared_objects: int = 0
    shared_bytes: int = 0
    nodes: int | None = None
    within: Category = None

    @property
    def freed_objects(self) -> int:
        """How many objects nobody names any more when they are deleted."""
        return self.objects - self.shared_objects

    @property
    def freed_bytes(self) -> int:
        """What is given back when they are deleted, and full maintenance has run."""
        return self.stored_bytes - self.shared_bytes


class FilePlace(NamedTuple):
    """A node and the path of a file in it."""

    pk: int
    uuid: str
    path: str


class LargeFile(NamedTuple):
    """An object with the nodes that name it.

    :param nodes: how many nodes name it.
    :param places: where, the first ones of many.
    """

    key: str
    stored_bytes: int
    content_bytes: int
    nodes: int
    places: tuple[FilePlace, ...]


class TableSize(NamedTuple):
    """A table of the database; None where the database cannot tell.

    :param bytes: of its rows.
    :param index_bytes: of its indexes.
    """

    name: str
    bytes: int | None
    index_bytes: int | None


class DatabaseUsage(NamedTuple):
    """What the database itself takes.

    :param bytes: on disk.
    :param columns: name of a JSON column of the nodes → bytes of what it holds, as it lies in the database.
    """

    bytes: int
    tables: tuple[TableSize, ...]
    columns: dict[str, int]


class Usage(NamedTuple):
    """What takes the space.

    :param total: all that was chosen.
    :param shares: by the dimension asked for, the largest first, as many as were asked for.
    :param share_count: how many there are.
    :param unnamed: objects that no node names.
    :param missing: how many objects the nodes that were chosen name and the store lacks.
    """

    question: UsageQuestion
    total: Share
    shares: tuple[Share, ...]
    share_count: int
    files: tuple[LargeFile, ...]
    unnamed: Amount
    missing: int
    database: DatabaseUsage | None


class Freed(NamedTuple):
    """What is given back when nodes are deleted, and full maintenance has run.

    :param objects: how many objects; `bytes` what they take on disk.
    :param exact: False: so many at most, for other nodes may name some of them as well.
    """

    objects: int = 0
    bytes: int = 0
    exact: bool = True
