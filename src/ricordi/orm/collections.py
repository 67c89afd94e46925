"""Collections: the entities of one class in one storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import ROW_TYPES, EntityKind
from ricordi.errors import IntegrityError, MultipleObjectsError, NotExistent, StillInUse, ValidationError
from ricordi.model.fields import FIELDS, OTHER_NAMES
from ricordi.model.identifiers import is_whole_uuid
from ricordi.orm.entities import Entity

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.querybuilder.builder import QueryBuilder

EntityT = TypeVar('EntityT', bound=Entity)

_PLAIN_VALUES = (int, str)
_USERS_OF = dict.fromkeys(EntityKind, 'nodes') | {EntityKind.NODE: 'links', EntityKind.USER: 'nodes and groups'}


class Collection(Generic[EntityT]):
    """The entities of a class in a storage: to look up, count and delete."""

    def __init__(self, entity_class: type[EntityT], backend: StorageBackend | None = None) -> None:
        """
        :param backend: the storage; that of the loaded profile for None.
        """
        self._entity_type = entity_class
        self._backend = backend if backend is not None else get_current_backend()

    @classmethod
    def get_cached(cls, entity_class: type[EntityT], backend: StorageBackend) -> Collection[EntityT]:
        """The collection of `entity_class` in `backend`."""
        return cls(entity_class, backend)

    def __call__(self, backend: StorageBackend) -> Collection[EntityT]:
        """The same entities in another storage."""
        return type(self)(self._entity_type, backend)

    @property
    def entity_type(self) -> type[EntityT]:
        """The class whose entities these are."""
        return self._entity_type

    @property
    def backend(self) -> StorageBackend:
        """The storage."""
        return self._backend

    def query(
        self,
        filters: Mapping[str, Any] | None = None,
        order_by: Any = None,
        project: Sequence[str] | str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        subclassing: bool = True,
    ) -> QueryBuilder:
        """A query for entities of this class, with subclasses unless told otherwise.

        :param filters: in the language of `QueryBuilder.append`.
        :param order_by: a field, a mapping of field to `asc`/`desc`, or a list of them.
        """
        from ricordi.orm.querybuilder.builder import QueryBuilder

        query = QueryBuilder(backend=self._backend, limit=limit, offset=offset)
        query.append(self._entity_type, project=project, filters=dict(filters or {}), subclassing=subclassing)
        if order_by:
            query.order_by([{self._entity_type: order_by}])
        return query

    def get(self, **filters: Any) -> EntityT:
        """The one entity that fits.

        :raises ricordi.errors.NotExistent: none does.
        :raises ricordi.errors.MultipleObjectsError: more than one does.
        """
        found = self._find_plain(filters)
        if found is None:
            found = [row[0] for row in self.query(filters, limit=2).all()]
        if not found:
            raise NotExistent(f'no {self._entity_type.__name__} with {_describe(filters)}')
        if len(found) > 1:
            raise MultipleObjectsError(f'more than one {self._entity_type.__name__} with {_describe(filters)}')
        return found[0]

    def _find_plain(self, filters: Mapping[str, Any]) -> list[EntityT] | None:
        """At most two entities whose plain fields equal the filters; None if that cannot be asked so simply."""
        kind = self._entity_type.kind
        equal: dict[str, Any] = {}
        for name, value in filters.items():
            if isinstance(value, Entity):
                value = value.pk
            field = OTHER_NAMES.get(name, name)
            if field not in FIELDS[kind] or type(value) not in _PLAIN_VALUES:
                return None
            if field == 'uuid' and not is_whole_uuid(str(value)):
                return []
            equal[field] = value
        if not equal:
            return None
        limit = 2 if self._is_base else None
        entities: list[EntityT] = []
        for row in self._backend.find(ROW_TYPES[kind], equal, limit=limit):
            entity = self._entity_type.from_row(row, self._backend)
            if isinstance(entity, self._entity_type):
                entities.append(entity)
            if len(entities) == 2:
                break
        return entities

    @property
    def _is_base(self) -> bool:
        """Whether every row of the kind is an entity of this class."""
        return 'kind' in vars(self._entity_type)

    def find(
        self,
        filters: Mapping[str, Any] | None = None,
        order_by: Any = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[EntityT]:
        """All entities that fit."""
        return [row[0] for row in self.query(filters, order_by, limit=limit, offset=offset).all()]

    def all(self) -> list[EntityT]:
        """All entities of this class, in order of their pks."""
        return self.find(order_by='id')

    def count(self, filters: Mapping[str, Any] | None = None) -> int:
        """How many entities fit."""
        return int(self.query(filters).count())

    def delete(self, pk: int) -> None:
        """Delete an entity and what the schema removes with it.

        :raises ricordi.errors.NotExistent: there is none with this pk.
        :raises ricordi.errors.StillInUse: others name it; an InvalidOperation and an IntegrityError.
        """
        if not self._delete([pk]):
            raise NotExistent(f'no {self._entity_type.__name__} with pk {pk}')

    def _delete(self, pks: Sequence[int]) -> int:
        kind = self._entity_type.kind
        try:
            return self._backend.delete(kind, pks)
        except IntegrityError as error:
            which = ', '.join(map(str, pks[:10]))
            raise StillInUse(
                f'{kind} {which} cannot be deleted, for others still name it: delete its {_USERS_OF[kind]} first'
            ) from error

    def delete_many(self, filters: Mapping[str, Any]) -> list[int]:
        """Delete all that fit, in one transaction; returns the pks they had.

        :raises ricordi.errors.ValidationError: no filters are given.
        """
        if not filters:
            raise ValidationError('no filters given: this would delete everything')
        with self._backend.transaction():
            pks = [int(row[0]) for row in self.query(filters, project=['id']).all()]
            self._delete(pks)
        return pks


def _describe(filters: Mapping[str, Any]) -> str:
    return ', '.join(f'{name} {value!r}' for name, value in filters.items()) or 'no filter'
