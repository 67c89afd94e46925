"""What all collections have in common: they delete rows by pk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aiida.common import exceptions

from ricordi.plugin.errors import translated

if TYPE_CHECKING:
    from ricordi.plugin.entities.entity import RicordiEntity
    from ricordi.plugin.storage import RicordiStorage


class RicordiCollection:
    """The entities of one kind in a storage."""

    ENTITY_CLASS: ClassVar[type[RicordiEntity]]
    backend: RicordiStorage

    def _delete(self, pk: int) -> None:
        kind = self.ENTITY_CLASS.KIND
        with translated():
            if not self.backend.ricordi.delete(kind, [pk]):
                raise exceptions.NotExistent(f"{kind.value.capitalize()} with id '{pk}' not found")
        self.backend.forget(kind, pk)

    def delete(self, pk: int) -> None:
        """Delete an entity.

        :raises aiida.common.exceptions.NotExistent: there is none of that pk.
        :raises aiida.common.exceptions.IntegrityError: others refer to it.
        """
        self._delete(pk)


class AnnotationCollection(RicordiCollection):
    """Comments and logs, of which many are deleted at once."""

    ORM_NAME: ClassVar[str]
    """The name of their class in `aiida.orm`."""

    def _delete_checked(self, pk: Any) -> None:
        if not isinstance(pk, int):
            raise TypeError(f'the id must be an int, not {type(pk).__name__}')
        self._delete(pk)

    def delete_all(self) -> None:
        """Delete all of them."""
        with translated():
            self.backend.ricordi.delete(self.ENTITY_CLASS.KIND, None)

    def delete_many(self, filters: Any) -> list[int]:
        """Delete those that filters of a query let through; returns their pks.

        :raises TypeError: the filters are no dictionary.
        :raises aiida.common.exceptions.ValidationError: they are empty.
        """
        from aiida import orm

        if not isinstance(filters, dict):
            raise TypeError('filters must be a dictionary')
        if not filters:
            raise exceptions.ValidationError('filters must not be empty')
        query = orm.QueryBuilder(backend=self.backend)
        query.append(getattr(orm, self.ORM_NAME), filters=filters, project='id')
        pks: list[int] = query.all(flat=True)
        with translated():
            self.backend.ricordi.delete(self.ENTITY_CLASS.KIND, pks)
        return pks
