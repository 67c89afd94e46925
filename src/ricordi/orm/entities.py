"""What all entities share: a row, the storage it is in, and the rule that a change of a stored one is one UPDATE."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from ricordi.backend.changes import clock
from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import ROW_TYPES, EntityKind, JsonDict
from ricordi.errors import InvalidOperation, NotExistent
from ricordi.orm.class_property import classproperty
from ricordi.orm.memory import set_all
from ricordi.orm.shared_rows import forget

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.collections import Collection
    from ricordi.orm.fields import QbFields

_TRIES = 10


class Entity:
    """Base of what a storage keeps. An entity holds its row: reading a property asks the database at most once."""

    kind: ClassVar[EntityKind]
    """Which rows of the storage entities of this class stand for."""

    identity_field: ClassVar[str] = 'pk'
    _unique_fields: ClassVar[tuple[str, ...]] = ()
    """The fields that no two entities of this kind have the same values in."""
    _or_existing = False
    """Whether `store` takes the one that is there, should another process have stored it first: of `get_or_create`."""
    _collection_class: ClassVar[str] = 'ricordi.orm.collections:Collection'

    _backend: StorageBackend
    _held_row: Any
    _seen: int = 0

    @classmethod
    def from_row(cls, row: Any, backend: StorageBackend, seen: int | None = None) -> Self:
        """The entity that stands for a row; no check, no query.

        :param row: the row class of this kind, as the storage gave it.
        :param seen: what the clock of changes said when the row was read; None: it was read just now.
        """
        entity = cls.__new__(cls)
        entity._held_row = row
        entity._seen = clock.now if seen is None else seen
        entity._backend = backend
        return entity

    @property
    def _row(self) -> Any:
        """The row, as this process has last changed it: through this handle or another."""
        if self._seen != clock.now:
            self._catch_up()
        return self._held_row

    @_row.setter
    def _row(self, row: Any) -> None:
        self._held_row = row
        self._seen = clock.now

    def _catch_up(self) -> None:
        """Read the row anew if it was changed in this process since it was read; if it is gone, the old one stays."""
        now, held = clock.now, self._held_row
        if held.pk is not None:
            is_old = self._backend.changes.is_old(self.kind, held.pk, self._seen)
            if is_old is None:
                return
            if is_old and not self._backend.is_closed:
                row = self._backend.get(ROW_TYPES[self.kind], held.pk)
                if row is not None and getattr(row, 'uuid', None) == getattr(held, 'uuid', None):
                    self._held_row = row
        self._seen = now

    @classproperty
    def collection(cls) -> Collection[Any]:
        """The entities of this class in the storage of the loaded profile."""
        return cls.get_collection(get_current_backend())

    @classproperty
    def objects(cls) -> Collection[Any]:
        """Another name of `collection`."""
        return cls.get_collection(get_current_backend())

    @classproperty
    def fields(cls) -> QbFields:
        """The fields of entities of this class, to write filters as Python: `Int.fields.value > 3`."""
        from ricordi.orm.field_declarations import fields_of

        return fields_of(cls)

    @classmethod
    def get_collection(cls, backend: StorageBackend) -> Collection[Self]:
        """The entities of this class in `backend`."""
        from importlib import import_module

        module, _, name = cls._collection_class.partition(':')
        collection_class: type[Collection[Self]] = getattr(import_module(module), name)
        return collection_class(cls, backend)

    @classmethod
    def get(cls, **filters: Any) -> Self:
        """The one entity of the loaded profile that fits; short for `collection.get`."""
        found: Self = cls.get_collection(get_current_backend()).get(**filters)
        return found

    @property
    def pk(self) -> int | None:
        """The number that identifies this among entities of its kind in one storage; None before it is stored."""
        pk: int | None = self._held_row.pk
        return pk

    @property
    def id(self) -> int | None:
        """Another name of `pk`."""
        pk: int | None = self._held_row.pk
        return pk

    @property
    def is_stored(self) -> bool:
        """Whether this is in the database."""
        return self._held_row.pk is not None

    @property
    def backend(self) -> StorageBackend:
        """The storage this belongs to."""
        return self._backend

    @property
    def logger(self) -> Any:
        """The logger of entities of this class."""
        return logging.getLogger(f'ricordi.{self.kind.value}.{type(self).__name__}')

    @property
    def row(self) -> Any:
        """The row behind this entity, to be read only."""
        if self._seen != clock.now:
            self._catch_up()
        return self._held_row

    def store(self) -> Self:
        """Write this into the database; nothing happens if it is there.

        :raises ricordi.errors.UniquenessError: another entity has a value that must be unique.
        """
        if self._row.pk is not None:
            return self
        if self._or_existing:
            self._store_unless_there()
        else:
            self._note_pk(self._backend.insert(self.kind, [self._row_values()])[0])
        return self

    def _store_unless_there(self) -> bool:
        """Store this, or become the entity that has its unique values already; returns whether it is new."""
        equal = {name: getattr(self._row, name) for name in self._unique_fields}
        for _ in range(_TRIES):  # what is there may be deleted before it is read
            pk = self._backend.insert_unless_there(self.kind, self._row_values())
            if pk is not None:
                self._note_pk(pk)
                return True
            for row in self._backend.find(ROW_TYPES[self.kind], equal, limit=1):
                set_all(self._backend, [(self, '_row', row)])
                return False
        self._note_pk(self._backend.insert(self.kind, [self._row_values()])[0])
        return True

    def _note_pk(self, pk: int) -> None:
        forget(self._backend, self.kind, pk)
        set_all(self._backend, [(self._row, 'pk', pk)])

    def refresh(self) -> Self:
        """Read the row anew: what others have changed since this was loaded becomes visible.

        :raises ricordi.errors.NotExistent: it was deleted.
        """
        self._row = self._current_row()
        forget(self._backend, self.kind, self._row.pk)
        return self

    def _row_values(self) -> dict[str, Any]:
        """The fields of the row but its pk, for an insert."""
        row = self._row
        return {name: getattr(row, name) for name in row.__slots__ if name != 'pk'}

    def _current_row(self, lock: bool = False) -> Any:
        pk = self._row.pk
        if pk is None:
            raise InvalidOperation(f'{self!r} is not stored yet')
        row = self._backend.get(ROW_TYPES[self.kind], pk, lock)
        if row is None:
            raise NotExistent(f'{type(self).__name__}<{pk}> was deleted')
        return row

    def _change(self, **values: Any) -> None:
        """Set fields: in memory and, of a stored entity, first in the database by one UPDATE."""
        row = self._row
        if row.pk is not None:
            values = self._stamp(values)
            self._update(row.pk, values)
        set_all(self._backend, [(row, name, value) for name, value in values.items()], self._forget)

    def _rewrite(self, field: str, change: Callable[[JsonDict], None]) -> None:
        """Change a JSON field by what `change` does to it in place.

        Of a stored entity the field is read anew and written in one transaction: what another handle or process has put
        there meanwhile is kept.
        """
        if self._row.pk is None:
            change(getattr(self._row, field))
            return
        with self._backend.transaction():
            row = self._current_row(lock=True)
            value = getattr(row, field)
            self._check_rewrite(field, row)
            change(value)
            values = self._stamp({field: value})
            self._update(row.pk, values)
        for name, new in values.items():
            setattr(row, name, new)
        set_all(self._backend, [(self, '_row', row)], self._forget)

    def _update(self, pk: int, values: dict[str, Any]) -> None:
        """Change the row in the database; what is in memory follows, and need not be read anew for this change."""
        before = clock.now
        self._backend.update(self.kind, pk, values)
        if clock.now == before + 1:
            self._seen = clock.now

    def _forget(self) -> None:
        """Let no kept row of a user or computer outlive a change."""
        forget(self._backend, self.kind, self._row.pk)

    def _check_rewrite(self, field: str, row: Any) -> None:
        """Refuse a change in view of the row as it is in the database now."""

    def _stamp(self, values: dict[str, Any]) -> dict[str, Any]:
        """Add what changes along with `values` (a time of modification)."""
        return values

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Entity) or self.kind is not other.kind:
            return NotImplemented
        mine, others = self._identity(), other._identity()
        return mine is not None and mine == others

    def __hash__(self) -> int:
        return hash((self.kind, self._identity()))

    def _identity(self) -> object:
        """What makes two entities of a kind the same one: the uuid where there is one, else the pk."""
        uuid = getattr(self._held_row, 'uuid', None)
        return uuid if uuid is not None else self._held_row.pk

    def __getstate__(self) -> NoReturn:
        raise InvalidOperation(
            f'a {type(self).__name__} cannot be pickled: pass on its pk or uuid, and load it where it is needed'
        )

    def __repr__(self) -> str:
        return f'<{type(self).__name__}: {self!s}>'

    def __str__(self) -> str:
        return f'pk: {self.pk}' if self.is_stored else 'unstored'
