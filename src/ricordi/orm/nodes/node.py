"""The node: what all data and processes of the provenance graph have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, ClassVar, NoReturn, Self
from uuid import UUID, uuid4

from ricordi.backend.changes import clock
from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import EntityKind, JsonDict, NodeRow
from ricordi.errors import InvalidOperation, ModificationNotAllowed, StoringNotAllowed
from ricordi.orm.arguments import local_time, stored_pk, text
from ricordi.orm.class_property import classproperty
from ricordi.orm.entities import Entity
from ricordi.orm.nodes.base import NodeBase
from ricordi.orm.nodes.moved_names import moved
from ricordi.orm.nodes.node_types import (
    entry_point_of,
    get_query_type_from_type_string,
    load_node_class,
    plugin_type_string,
)
from ricordi.orm.shared_rows import computer_row, require_default_user, user_row

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.computers import Computer
    from ricordi.orm.nodes.caching import NodeCaching
    from ricordi.orm.nodes.collection import NodeCollection
    from ricordi.orm.nodes.links import NodeLinks
    from ricordi.orm.users import User


class Node(Entity):
    """A node of the provenance graph.

    What it holds is in its namespaces, `node.base.attributes`, `.extras`, `.repository`, `.links`, `.comments`.

    A plug-in's class is registered by an entry point of the group `ricordi.data` (or `ricordi.node`).
    """

    kind: ClassVar[EntityKind] = EntityKind.NODE
    identity_field = 'uuid'
    _collection_class = 'ricordi.orm.nodes.collection:NodeCollection'
    _row: NodeRow
    _base: NodeBase | None = None

    _node_type: ClassVar[str | None] = ''
    _family: ClassVar[str] = ''
    _storable: ClassVar[bool] = False
    _cachable: ClassVar[bool] = False
    _unstorable_message: ClassVar[str] = 'only Data, CalculationNode, WorkflowNode and their subclasses can be stored'
    _updatable_attributes: ClassVar[tuple[str, ...]] = ()
    _hash_ignored_attributes: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, node_type: str | None = None, **kwargs: Any) -> None:
        """
        :param node_type: the type string of a class of the core; a plug-in's follows from its entry point.
        """
        super().__init_subclass__(**kwargs)
        cls._node_type = node_type

    def __init__(
        self,
        backend: StorageBackend | None = None,
        user: User | None = None,
        computer: Computer | None = None,
        extras: JsonDict | None = None,
        *,
        label: str | None = '',
        description: str | None = '',
        process_type: str | None = None,
        ctime: datetime | None = None,
        mtime: datetime | None = None,
    ) -> None:
        """A new node, to be stored.

        :param backend: the storage; that of the loaded profile for None.
        :param user: the owner; the default user for None.
        :param computer: the computer that the node is bound to.
        :param ctime: when it was made; now for None. A time without zone counts as local.
        :param mtime: when it was last changed, until it is stored.
        :raises ricordi.errors.ValidationError: the user or the computer is not stored yet.
        :raises TypeError: an argument has the wrong type.
        """
        self._backend = backend if backend is not None else get_current_backend()
        self._row = NodeRow(
            uuid=str(uuid4()),
            node_type=self.class_node_type,
            process_type=process_type,
            description=text(description, 'the description of a node'),
            ctime=datetime.now(UTC) if ctime is None else local_time(ctime, 'ctime'),
        )
        if mtime is not None:
            self._row.mtime = local_time(mtime, 'mtime')
        if user is None:
            self._row.user_pk = require_default_user(self._backend).pk or 0
        else:
            self._row.user_pk = stored_pk(user, EntityKind.USER)
        if computer is not None:
            self._row.computer_pk = stored_pk(computer, EntityKind.COMPUTER)
        if label:
            self.label = label
        if extras:
            self.base.extras.set_many(extras)

    @classmethod
    def from_row(cls, row: NodeRow, backend: StorageBackend, seen: int | None = None) -> Self:
        """The node that stands for a row, of the class that its `node_type` asks for; no check, no query."""
        node = object.__new__(load_node_class(row.node_type))
        node._held_row = row
        node._seen = clock.now if seen is None else seen
        node._backend = backend
        return node  # type: ignore[return-value]

    # -- what kind of node ----------------------------------------------------------------------------------

    @classproperty
    def class_node_type(cls) -> str:
        """The type string of nodes of this class: `data.core.int.Int.`."""
        known: str | None = vars(cls).get('_node_type')
        if known is None:
            known = plugin_type_string(cls) or f'{cls.__module__}.{cls.__qualname__}.'
            cls._node_type = known  # type: ignore[misc]
        return known

    @classproperty
    def Collection(cls) -> type[NodeCollection[Any]]:
        """The class of `collection`."""
        from ricordi.orm.nodes.collection import NodeCollection

        return NodeCollection

    @classproperty
    def entry_point(cls) -> EntryPoint | None:
        """Under which name the class is known: `core.int` in AiiDA's group `aiida.data`; None if it has none."""
        return entry_point_of(cls)

    @classproperty
    def _plugin_type_string(cls) -> str:
        return cls.class_node_type

    @classproperty
    def _query_type_string(cls) -> str:
        """What the type strings of this class and its subclasses start with."""
        return get_query_type_from_type_string(cls.class_node_type)

    @property
    def node_type(self) -> str:
        """The type string, as stored: also of a type whose plug-in is not installed."""
        return str(self._held_row.node_type)

    @property
    def process_type(self) -> str | None:
        """What a process node is a record of (`aiida.calculations:core.arithmetic.add`)."""
        return self._row.process_type

    @process_type.setter
    def process_type(self, value: str | None) -> None:
        self._change(process_type=value)

    # -- columns --------------------------------------------------------------------------------------------

    @property
    def base(self) -> NodeBase:
        """The namespaces: attributes, extras, repository, links, comments, caching."""
        base = self._base
        if base is None:
            base = self._base = NodeBase(self)
        return base

    @property
    def uuid(self) -> str:
        """The identifier that is unique everywhere."""
        return str(self._held_row.uuid)

    @property
    def label(self) -> str:
        """A short name; need not be unique."""
        if self._seen != clock.now:
            self._catch_up()
        label: str = self._held_row.label
        return label

    @label.setter
    def label(self, value: str) -> None:
        self._change(label=value)

    @property
    def description(self) -> str:
        """Free text."""
        return self._row.description

    @description.setter
    def description(self, value: str) -> None:
        self._change(description=value)

    @property
    def ctime(self) -> datetime:
        """When the node was made."""
        if self._row.ctime is None:
            raise InvalidOperation(f'{self!r} has no time of creation')
        return self._row.ctime

    @property
    def mtime(self) -> datetime:
        """When the row of the node was last changed."""
        return self._row.mtime or self.ctime

    @property
    def computer(self) -> Computer | None:
        """The computer that the node is bound to."""
        if self._row.computer_pk is None:
            return None
        from ricordi.orm.computers import Computer

        return Computer.from_row(computer_row(self._backend, self._row.computer_pk), self._backend)

    @computer.setter
    def computer(self, computer: Computer | None) -> None:
        self._check_unstored('computer')
        self._row.computer_pk = None if computer is None else stored_pk(computer, EntityKind.COMPUTER)

    def get_computer_pk(self) -> int | None:
        """The pk of the computer."""
        return self._row.computer_pk

    @property
    def user(self) -> User:
        """The owner."""
        from ricordi.orm.users import User

        return User.from_row(user_row(self._backend, self._row.user_pk), self._backend)

    @user.setter
    def user(self, user: User) -> None:
        self._check_unstored('user')
        self._row.user_pk = stored_pk(user, EntityKind.USER)

    def get_description(self) -> str:
        """A line about the node, made from what it holds."""
        return ''

    def attach_file(self, filepath: str, fileobj: IO[Any]) -> None:
        """Put a file into the repository of the node."""
        self.base.repository.put_object_from_filelike(fileobj, filepath)

    # -- store ----------------------------------------------------------------------------------------------

    def store(self) -> Self:
        """Write the node into the storage: files first, then row and links in one transaction. Nothing if it is stored.

        :raises ricordi.errors.ModificationNotAllowed: a node that links to it is not stored yet (see `store_all`).
        :raises ricordi.errors.ValidationError: the node is not valid, or attributes hold what JSON cannot carry.
        """
        from ricordi.orm.nodes.storing import store_nodes

        if self._row.pk is None:
            store_nodes([self])
        return self

    def store_all(self) -> Self:
        """Store the node and all nodes before it that are not stored yet, in one transaction.

        :raises ricordi.errors.ModificationNotAllowed: it is stored already.
        """
        from ricordi.orm.nodes.storing import store_nodes, unstored_ancestors

        if self._row.pk is not None:
            raise ModificationNotAllowed(f'{self!r} is already stored')
        store_nodes([*unstored_ancestors(self), self])
        return self

    def _validate(self) -> None:
        """Check, before storing, that what the node holds makes sense; classes add to it.

        :raises ricordi.errors.ValidationError: telling what does not.
        """

    def _validate_storability(self) -> None:
        if not self._storable:
            raise StoringNotAllowed(f'{type(self).__name__} cannot be stored: {self._unstorable_message}')
        cls = type(self)
        if load_node_class(self.class_node_type) is not cls:
            raise StoringNotAllowed(
                f'class {cls.__module__}.{cls.__qualname__} has no entry point (group ricordi.data or ricordi.node), '
                'so its nodes could not be loaded again: register it in the pyproject.toml of its package'
            )

    # -- change ---------------------------------------------------------------------------------------------

    def _check_unstored(self, noun: str) -> None:
        if self.is_stored:
            raise ModificationNotAllowed(f'{self!r} is stored: its {noun} cannot be changed')

    def _check_mutability_attributes(self, keys: tuple[str, ...] | None = None) -> None:
        """Refuse a change of these attributes (of any, for None) once the node is stored."""
        self._check_unstored('attributes')

    def _change(self, **values: Any) -> None:
        for name in ('label', 'description'):
            if name in values:
                values[name] = text(values[name], f'the {name} of a node')
        super()._change(**values)

    def _stamp(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, 'mtime': datetime.now(UTC)}

    # -- Python ---------------------------------------------------------------------------------------------

    @property
    def is_valid_cache(self) -> bool:
        """The old name of `base.caching.is_valid_cache`."""
        return bool(moved(self, 'is_valid_cache'))

    @is_valid_cache.setter
    def is_valid_cache(self, valid: bool) -> None:
        moved(self, 'is_valid_cache')
        self.base.caching.is_valid_cache = valid

    def __getattr__(self, name: str) -> Any:
        """Names that AiiDA has moved into the namespaces of `base`."""
        return moved(self, name)

    def __hash__(self) -> int:
        return UUID(self._held_row.uuid).int & ((1 << 60) - 1)

    def __copy__(self) -> NoReturn:
        raise InvalidOperation('nodes are not copied: use copy.deepcopy or clone() of a Data node')

    def __deepcopy__(self, memo: Any) -> Self:
        raise InvalidOperation('only Data nodes can be copied')

    def __str__(self) -> str:
        return f'uuid: {self.uuid} (pk: {self.pk})' if self.is_stored else f'uuid: {self.uuid} (unstored)'

    @classmethod
    def _caching_class(cls) -> type[NodeCaching]:
        from ricordi.orm.nodes.caching import NodeCaching

        return NodeCaching

    @classmethod
    def _links_class(cls) -> type[NodeLinks]:
        from ricordi.orm.nodes.links import NodeLinks

        return NodeLinks
