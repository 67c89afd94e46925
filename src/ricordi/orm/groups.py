"""Groups: named sets of nodes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import uuid4

from ricordi.backend.changes import clock
from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import EntityKind, GroupRow, JsonDict
from ricordi.errors import InvalidOperation, ModificationNotAllowed, NotExistent, ValidationError, WrongType
from ricordi.model.labels import check_label
from ricordi.orm.arguments import local_time, stored_pk, text
from ricordi.orm.collections import Collection, EntityT
from ricordi.orm.entities import Entity
from ricordi.orm.entity_classes import entity_class
from ricordi.orm.extras import EntityExtras
from ricordi.orm.group_members import GroupNodes
from ricordi.orm.group_types import group_entry_point, group_type_string, load_group_class
from ricordi.orm.shared_rows import require_default_user, user_row
from ricordi.orm.values import clean_dict

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.nodes.node import Node
    from ricordi.orm.users import User


class _UnstoredMember(ModificationNotAllowed, ValueError):
    """A node that is not stored cannot be a member."""


class GroupCollection(Collection[EntityT]):
    """The groups of a class in a storage."""

    def get_or_create(self, label: str | None = None, **kwargs: Any) -> tuple[EntityT, bool]:
        """The group of this class with this label, or a new one, stored; then whether it is new.

        Of several processes that ask at once, one makes it and the others get it.
        """
        if not label:
            check_label(label, 'group')
        cls: Any = self.entity_type
        try:
            return self.get(label=label, type_string=cls._type_string), False
        except NotExistent:
            group = cls(label, backend=self.backend, **kwargs)
            return group, group._store_unless_there()


class GroupBase:
    """What can be done with a group, by subject: `group.base.extras`."""

    def __init__(self, group: Group) -> None:
        self._group = group

    @cached_property
    def extras(self) -> EntityExtras:
        """Named values."""
        return EntityExtras(self._group)


class Group(Entity):
    """A set of nodes with a label that is unique among groups of its type. A plug-in's class is registered by an entry
    point of the group `ricordi.groups`, whose name is the type."""

    kind: ClassVar[EntityKind] = EntityKind.GROUP
    identity_field = 'uuid'
    _collection_class = 'ricordi.orm.groups:GroupCollection'
    _unique_fields = ('label', 'type_string')
    _type_string = group_type_string
    entry_point = group_entry_point
    _row: GroupRow

    def __init__(
        self,
        label: str | None = None,
        user: User | None = None,
        description: str = '',
        type_string: str | None = None,
        time: datetime | None = None,
        extras: JsonDict | None = None,
        backend: StorageBackend | None = None,
    ) -> None:
        """A new group, to be stored.

        :param user: the owner; the default user for None.
        :param type_string: not used: the class decides.
        """
        check_label(label, 'group')
        self._backend = backend if backend is not None else get_current_backend()
        if user is None:
            owner = require_default_user(self._backend).pk or 0
        else:
            owner = stored_pk(user, EntityKind.USER)
        self._row = GroupRow(
            uuid=str(uuid4()),
            label=text(label, 'the label of a group'),
            type_string=self._type_string or '',
            time=datetime.now(UTC) if time is None else local_time(time, 'time'),
            description=text(description, 'the description of a group'),
            extras=clean_dict(extras or {}, 'extras'),
            user_pk=owner,
        )

    @classmethod
    def from_row(cls, row: GroupRow, backend: StorageBackend, seen: int | None = None) -> Self:
        """The group that stands for a row, of the class that its `type_string` asks for; no check, no query."""
        group = object.__new__(load_group_class(row.type_string))
        group._held_row = row
        group._seen = clock.now if seen is None else seen
        group._backend = backend
        return group  # type: ignore[return-value]

    @cached_property
    def base(self) -> GroupBase:
        """The namespaces: extras."""
        return GroupBase(self)

    @property
    def uuid(self) -> str:
        """The identifier that is unique everywhere."""
        return str(self._held_row.uuid)

    @property
    def label(self) -> str:
        """The name, unique among groups of this type."""
        return self._row.label

    @label.setter
    def label(self, label: str) -> None:
        check_label(label, 'group')
        self._change(label=text(label, 'the label of a group'))

    @property
    def description(self) -> str:
        """Free text."""
        return self._row.description or ''

    @description.setter
    def description(self, description: str) -> None:
        self._change(description=text(description, 'the description of a group'))

    @property
    def type_string(self) -> str:
        """The type, as stored: also of one whose plug-in is not installed."""
        return self._row.type_string

    @property
    def time(self) -> datetime:
        """When the group was made."""
        if self._row.time is None:
            raise InvalidOperation(f'{self!r} has no time of creation')
        return self._row.time

    @property
    def user(self) -> User:
        """The owner."""
        from ricordi.orm.users import User

        return User.from_row(user_row(self._backend, self._row.user_pk), self._backend)

    @user.setter
    def user(self, user: User) -> None:
        self._change(user_pk=stored_pk(user, EntityKind.USER))

    def store(self) -> Self:
        """Write the group into the database.

        :raises ricordi.errors.StoringNotAllowed: its class has no entry point.
        :raises ricordi.errors.UniquenessError: there is a group of this type with this label.
        """
        self._check_type()
        return super().store()

    def _store_unless_there(self) -> bool:
        self._check_type()
        return super()._store_unless_there()

    def _check_type(self) -> None:
        from ricordi.errors import StoringNotAllowed

        if self._type_string is None:
            cls = type(self)
            raise StoringNotAllowed(f'class {cls.__module__}.{cls.__qualname__} has no entry point in ricordi.groups')

    # -- members --------------------------------------------------------------------------------------------

    @property
    def nodes(self) -> GroupNodes:
        """The members, in the order they were added: to iterate over, count (`len`) and index."""
        return GroupNodes(self._backend, self.pk)

    def count(self) -> int:
        """How many members there are."""
        return len(self.nodes)

    @property
    def is_empty(self) -> bool:
        """Whether there are no members."""
        return not self.nodes

    def add_nodes(self, nodes: Node | Iterable[Node]) -> None:
        """Make nodes members, in one transaction; those that already are stay.

        :raises ricordi.errors.ModificationNotAllowed: the group or a node is not stored; of a node a ValueError, too.
        """
        self._backend.add_nodes_to_group(self._stored(), self._pks(nodes))

    def remove_nodes(self, nodes: Node | Iterable[Node]) -> None:
        """End the membership of nodes; the nodes stay."""
        self._backend.remove_nodes_from_group(self._stored(), self._pks(nodes))

    def clear(self) -> None:
        """End the membership of all nodes; the nodes stay."""
        self._backend.remove_nodes_from_group(self._stored(), None)

    def _stored(self) -> int:
        if self.pk is None:
            raise ModificationNotAllowed(f'{self!r} is not stored: store it before changing its members')
        return self.pk

    def _pks(self, nodes: Node | Iterable[Node]) -> list[int]:
        node_class = entity_class(EntityKind.NODE)
        # A List node can be iterated over, too: it is one node all the same
        found = []
        if not isinstance(nodes, node_class) and (isinstance(nodes, str) or not isinstance(nodes, Iterable)):
            raise WrongType(f'members of a group are nodes, got {nodes!r}')
        several: Iterable[Node] = [nodes] if isinstance(nodes, node_class) else nodes
        for node in several:
            if not isinstance(node, node_class):
                raise WrongType(f'members of a group are nodes, got {node!r}')
            if node.backend is not self._backend:
                raise ValidationError(f'{node!r} is in another storage than {self!r}')
            if node.pk is None:
                raise _UnstoredMember(f'{node!r} is not stored: store it before adding it to a group')
            found.append(node.pk)
        return found

    def is_user_defined(self) -> bool:
        """Whether the group is of no particular type."""
        return not self.type_string

    def __getattr__(self, name: str) -> Any:
        """Names that AiiDA has moved into the namespaces of `base`."""
        from ricordi.orm.nodes.moved_names import EXTRAS, moved

        return moved(self, name, EXTRAS)

    def __str__(self) -> str:
        return f'{type(self).__name__}<{self._row.label}>'

    def __repr__(self) -> str:
        kind = f'type {self._row.type_string}' if self._row.type_string else 'no type'
        return f'<{type(self).__name__}: {self._row.label!r} [{kind}], pk: {self.pk}>'


class AutoGroup(Group):
    """Nodes that one run of a script made."""


class ImportGroup(Group):
    """Nodes that were imported from one archive."""


class UpfFamily(Group):
    """A family of pseudopotentials."""
