"""Groups as folders: labels with slashes in them, as paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import GroupRow
from ricordi.errors import NotExistent, RicordiError, WrongType, WrongValue
from ricordi.model.labels import is_group_path
from ricordi.model.patterns import literal
from ricordi.orm.groups import Group


class InvalidPath(WrongValue):
    """A path begins or ends with a slash, or has two in a row."""


class GroupNotFoundError(NotExistent):
    """There is no group at a path."""


class NoGroupsInPathError(RicordiError):
    """There is no group at a path nor below it."""


class WalkNodeResult(NamedTuple):
    """A node, and the path of a group it is in."""

    group_path: GroupPath
    node: Any


class GroupPath:
    """A place among the groups of a class; there need not be a group at it."""

    def __init__(self, path: str = '', cls: type[Group] = Group, warn_invalid_child: bool = True) -> None:
        """
        :param path: names with slashes between them; empty for the top.
        :param cls: the class of groups.
        :param warn_invalid_child: not used: labels that are no paths are passed over.
        :raises InvalidPath: it is no path.
        """
        if not isinstance(cls, type) or not issubclass(cls, Group):
            raise WrongType(f'cls is a class of groups, got {cls!r}')
        if not isinstance(path, str):
            raise WrongType(f'a path is a string, got {path!r}')
        path = '' if path == self.delimiter else path
        if path and not is_group_path(path):
            raise InvalidPath(f'{path!r} is no path: it must not begin or end with a slash, or have two in a row')
        self._path, self._cls = path, cls

    @property
    def delimiter(self) -> str:
        """What is between the names."""
        return '/'

    @property
    def path(self) -> str:
        """The whole path."""
        return self._path

    @property
    def path_list(self) -> list[str]:
        """The names."""
        return self._path.split('/') if self._path else []

    @property
    def key(self) -> str | None:
        """The last name; None at the top."""
        return self.path_list[-1] if self._path else None

    @property
    def cls(self) -> type[Group]:
        """The class of groups."""
        return self._cls

    @property
    def parent(self) -> GroupPath | None:
        """The place above; None at the top."""
        return GroupPath('/'.join(self.path_list[:-1]), self._cls) if self._path else None

    def __truediv__(self, path: str) -> GroupPath:
        if not isinstance(path, str):
            raise WrongType(f'a path is a string, got {path!r}')
        return GroupPath(f'{self._path}/{path}' if self._path else path, self._cls)

    __getitem__ = __truediv__

    # -- the group here -------------------------------------------------------------------------------------

    def get_group(self) -> Group | None:
        """The group here; None if there is none."""
        try:
            found: Group = self._cls.collection.get(label=self._path, type_string=self._cls._type_string)
        except NotExistent:
            return None
        return found

    @property
    def group_ids(self) -> list[int]:
        """The pk of the group here, in a list; empty if there is none."""
        group = self.get_group()
        return [] if group is None or group.pk is None else [group.pk]

    @property
    def is_virtual(self) -> bool:
        """Whether there is no group here."""
        return self.get_group() is None

    def get_or_create_group(self) -> tuple[Group, bool]:
        """The group here, or a new one; then whether it is new."""
        groups: Any = self._cls.collection
        made: tuple[Group, bool] = groups.get_or_create(label=self._path)
        return made

    def delete_group(self) -> None:
        """Delete the group here; those below it, and all nodes, stay.

        :raises GroupNotFoundError: there is none.
        """
        pks = self.group_ids
        if not pks:
            raise GroupNotFoundError(f'there is no group {self._path!r}')
        self._cls.collection.delete(pks[0])

    # -- what is below --------------------------------------------------------------------------------------

    @property
    def children(self) -> Iterator[GroupPath]:
        """The places right below, by name.

        :raises NoGroupsInPathError: there is no group here nor below.
        """
        above = f'{self._path}/' if self._path else ''
        labels = self._labels()
        if self._path and self._path not in labels and not any(label.startswith(above) for label in labels):
            raise NoGroupsInPathError(f'there is no group at {self._path!r} nor below')
        below = (label[len(above) :] for label in labels if label.startswith(above) and is_group_path(label))
        for name in sorted({label.partition('/')[0] for label in below}):
            yield self / name

    def _labels(self) -> set[str]:
        return {row.label for row in get_current_backend().find(GroupRow, {'type_string': self._cls._type_string})}

    def __iter__(self) -> Iterator[GroupPath]:
        return self.children

    def __len__(self) -> int:
        return sum(1 for _ in self.children)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: object) -> bool:
        return any(child.key == key for child in self.children)

    def walk(self, return_virtual: bool = True) -> Iterator[GroupPath]:
        """All places below, each before those below it.

        :param return_virtual: also those without a group.
        """
        for child in self.children:
            if return_virtual or not child.is_virtual:
                yield child
            yield from child.walk(return_virtual)

    def walk_nodes(
        self, filters: Mapping[str, Any] | None = None, node_class: Any = None, query_batch: int | None = None
    ) -> Iterator[WalkNodeResult]:
        """The nodes of the groups here and below.

        :param filters: which nodes, in the language of `QueryBuilder`.
        :param node_class: of this class only.
        :param query_batch: how many to fetch at a time.
        """
        from ricordi.orm import Node, QueryBuilder

        query = QueryBuilder()
        below = {'or': [{'label': self._path}, {'label': {'like': f'{literal(self._path)}/%'}}]} if self._path else {}
        query.append(self._cls, subclassing=False, filters=below, project='label', tag='group')
        query.append(node_class or Node, with_group='group', filters=dict(filters or {}), project='*')
        for label, node in query.iterall(**({'batch_size': query_batch} if query_batch else {})):
            if is_group_path(label):
                yield WalkNodeResult(GroupPath(label, self._cls), node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GroupPath) and (self._path, self._cls) == (other._path, other._cls)

    def __lt__(self, other: GroupPath) -> bool:
        return self._path < other._path

    def __hash__(self) -> int:
        return hash((self._path, self._cls))

    def __repr__(self) -> str:
        return f'GroupPath({self._path!r}, cls={self._cls.__name__})'
