"""What all entities have in common: a row of ours, kept in the object, and read anew when it may have changed.

AiiDA reads each field from the database whenever it is asked for. Here that is done only where the token of the storage
(`StorageBackend.change_token`) is another than it was when the field was read.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

from aiida.common import lang

from ricordi.backend.rows import ROW_TYPES, EntityKind
from ricordi.model.fields import FIELDS, ValueKind
from ricordi.plugin.errors import DeletedRow, translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ricordi.plugin.storage import RicordiStorage

CLASSES: dict[EntityKind, type[RicordiEntity]] = {}
"""The class of the entities of each kind."""


class RicordiEntity:
    """An entity over a row; a row without a pk is not stored yet."""

    KIND: ClassVar[EntityKind]
    NEEDED: ClassVar[frozenset[str]] = frozenset()
    """Fields that have no default, besides references: None is refused by the database, as in AiiDA."""

    _backend: RicordiStorage
    _row: Any
    _unstored: dict[str, RicordiEntity]
    """What the row refers to and has no pk yet."""
    _loaded: object
    """The token at which the row was read; None: it is to be read."""
    _seen: dict[str, object]
    """The tokens at which single fields were read later."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if 'KIND' in cls.__dict__:
            CLASSES[cls.KIND] = cls

    def _begin(self, backend: RicordiStorage, **values: Any) -> None:
        """Begin an entity that is not stored."""
        self._hold(ROW_TYPES[self.KIND](**values), backend, None)

    def _hold(self, row: Any, backend: RicordiStorage, token: object) -> None:
        self._backend = backend
        self._row = row
        self._unstored = {}
        self._loaded = token
        self._seen = {}

    @classmethod
    def from_row(cls, row: Any, backend: RicordiStorage, token: object = None) -> Self:
        """The entity of a stored row.

        :param token: of the storage, from before the row was read; None: its fields are read anew when asked for.
        """
        entity = cls.__new__(cls)
        entity._hold(row, backend, token)
        return entity

    @classmethod
    def from_dbmodel(cls, dbmodel: Any, backend: RicordiStorage) -> Self:
        """The entity of a row, by the name that AiiDA's own entities have for it."""
        lang.type_check(dbmodel, ROW_TYPES[cls.KIND])
        return cls.from_row(dbmodel, backend)

    @property
    def bare_model(self) -> Any:
        """The row, as it was read last."""
        return self._row

    def __copy__(self) -> Self:
        other = self.__class__.__new__(self.__class__)
        other.__dict__.update(self.__dict__)
        other._row = copy.copy(self._row)
        other._unstored, other._seen = dict(self._unstored), dict(self._seen)
        return other

    # -- identity -------------------------------------------------------------------------------------------

    @property
    def id(self) -> Any:
        """The primary key; None until it is stored."""
        return self._row.pk

    @property
    def pk(self) -> Any:
        """The primary key; None until it is stored."""
        return self._row.pk

    @property
    def is_stored(self) -> bool:
        """Whether it has a row in the database."""
        return self._row.pk is not None

    # -- fields ---------------------------------------------------------------------------------------------

    def _get(self, name: str) -> Any:
        """The value of a field as the database has it now."""
        row = self._row
        if row.pk is None:
            return getattr(row, name)
        token = self._backend.token()  # before the field is read: a change that comes after is seen next time
        if token is None or self._seen.get(name, self._loaded) != token:
            self._read_anew(name)
            self._seen[name] = token
        return getattr(row, name)

    def _as_read(self, name: str) -> tuple[object, Any] | None:
        """The token at which a field was read, and what it was then; None where it has to be read anew."""
        token = self._seen.get(name, self._loaded)
        return None if token is None else (token, getattr(self._row, name))

    def _read_anew(self, name: str) -> None:
        pk = self._row.pk
        with translated():
            found = self._backend.ricordi.get_fields(ROW_TYPES[self.KIND], pk, (name,))
        if found is None:
            raise DeletedRow(f'the {self.KIND.value} with pk {pk} was deleted')
        setattr(self._row, name, found[0])

    def _set(self, name: str, value: Any) -> None:
        """Set a field, in the database too where it is stored."""
        if self._row.pk is None:
            setattr(self._row, name, value)
        else:
            self._write({name: value})

    def _write(self, values: Mapping[str, Any]) -> None:
        with translated():
            self._backend.ricordi.update(self.KIND, self._row.pk, values)
        self._now_old(values)

    def _now_old(self, names: Any) -> None:
        """Have fields read anew at their next use, whatever the database tells of changes."""
        for name in names:
            self._seen[name] = None

    # -- storing --------------------------------------------------------------------------------------------

    def _insert(self) -> None:
        values = self._values_to_insert()
        before = self._backend.token()
        with translated():
            (self._row.pk,) = self._backend.ricordi.insert(self.KIND, [values])
        self._loaded = self._backend.token_after_own_change(before)
        self._seen = {}
        self._now_old(_READ_AFTER_INSERT[self.KIND])

    def _not_old(self, names: Iterable[str]) -> None:
        """Take fields for what the database has: they were inserted as they are, and nobody else holds their values."""
        for name in names:
            self._seen.pop(name, None)

    def _values_to_insert(self) -> dict[str, Any]:
        """The fields that have a value: for None a column gets its default, but where it must have been given one."""
        row = self._row
        for name, entity in list(self._unstored.items()):
            if not entity.is_stored:
                entity.store()
            setattr(row, name, entity.pk)
            del self._unstored[name]
        values = {}
        for name, default in _DEFAULTS[self.KIND].items():
            value = getattr(row, name)
            if value is not None or name in self.NEEDED or name in _REFERENCES[self.KIND]:
                values[name] = value
            elif default is not None:
                setattr(row, name, default())
        return values

    def store(self) -> Self:
        """Insert its row, unless it has one."""
        if self._row.pk is None:
            self._insert()
        return self


def _default_of(kind: EntityKind, name: str) -> Any:
    """What makes the default of a field; None where the storage makes it, or there is none."""
    from dataclasses import MISSING

    if FIELDS[kind][name].kind in (ValueKind.UUID, ValueKind.TIME):
        return None
    field: Any = ROW_TYPES[kind].__dataclass_fields__[name]
    if field.default is MISSING:
        return field.default_factory
    return None if field.default is None else lambda: field.default


_DEFAULTS = {kind: {name: _default_of(kind, name) for name in FIELDS[kind] if name != 'pk'} for kind in EntityKind}
_REFERENCES = {
    kind: {name for name, field in FIELDS[kind].items() if field.references and not field.nullable}
    for kind in EntityKind
}
_READ_AFTER_INSERT = {
    kind: [name for name, field in FIELDS[kind].items() if field.kind is ValueKind.JSON or name == 'mtime']
    for kind in EntityKind
}
"""What the database has in another form than it was given: JSON, which is to be another object; and the time."""
