"""Loads one entity by what a person knows of it: its pk, its uuid, the start of its uuid, or its label."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar

from ricordi.backend.context import get_current_backend
from ricordi.backend.identifiers import Fits, find_by, find_named, one_of
from ricordi.backend.rows import ROW_TYPES, RowT
from ricordi.errors import NotExistent, ValidationError, WrongType, WrongValue
from ricordi.model.identifiers import Reading, Way, uuid_start
from ricordi.orm.entities import Entity
from ricordi.orm.entity_classes import frontend_class

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.computers import Computer
    from ricordi.orm.data.code import AbstractCode
    from ricordi.orm.groups import Group
    from ricordi.orm.nodes.node import Node

EntityT = TypeVar('EntityT', bound=Entity)
Identifier = int | str | None
SubClasses = tuple[type[Any], ...] | None


def load_node(
    identifier: Identifier = None,
    pk: int | None = None,
    uuid: str | None = None,
    label: str | None = None,
    sub_classes: SubClasses = None,
    query_with_dashes: bool = True,
    backend: StorageBackend | None = None,
) -> Node:
    """The node that one of the arguments identifies.

    :param identifier: pk, uuid, start of a uuid, or label: what it looks like, in this order.
    :param uuid: a uuid or the start of one, with or without hyphens; what cannot be one is in no storage.
    :param sub_classes: the node must be of one of these classes.
    :param query_with_dashes: not used: hyphens make no difference.
    :param backend: the storage; that of the loaded profile for None.
    :raises ricordi.errors.NotExistent: there is none.
    :raises ricordi.errors.MultipleObjectsError: there is more than one.
    :raises TypeError: `pk` is no whole number, or `uuid` or `label` no text.
    """
    from ricordi.orm.nodes.node import Node

    return _load(Node, identifier, pk, uuid, label, sub_classes, backend)


def load_group(
    identifier: Identifier = None,
    pk: int | None = None,
    uuid: str | None = None,
    label: str | None = None,
    sub_classes: SubClasses = None,
    query_with_dashes: bool = True,
    backend: StorageBackend | None = None,
) -> Group:
    """The group that one of the arguments identifies; arguments as of `load_node`."""
    from ricordi.orm.groups import Group

    return _load(Group, identifier, pk, uuid, label, sub_classes, backend)


def load_computer(
    identifier: Identifier = None,
    pk: int | None = None,
    uuid: str | None = None,
    label: str | None = None,
    sub_classes: SubClasses = None,
    query_with_dashes: bool = True,
    backend: StorageBackend | None = None,
) -> Computer:
    """The computer that one of the arguments identifies; arguments as of `load_node`."""
    from ricordi.orm.computers import Computer

    return _load(Computer, identifier, pk, uuid, label, sub_classes, backend)


def load_code(
    identifier: Identifier = None,
    pk: int | None = None,
    uuid: str | None = None,
    label: str | None = None,
    sub_classes: SubClasses = None,
    query_with_dashes: bool = True,
    backend: StorageBackend | None = None,
) -> AbstractCode:
    """The code that one of the arguments identifies; a label may be `label@computer`. Arguments as of `load_node`."""
    cls: type[AbstractCode] = frontend_class('AbstractCode')
    return _load(cls, identifier, pk, uuid, label, sub_classes, backend)


def load_entity(
    entity_loader: Any = None,
    identifier: Identifier = None,
    pk: int | None = None,
    uuid: str | None = None,
    label: str | None = None,
    sub_classes: SubClasses = None,
    query_with_dashes: bool = True,
    backend: StorageBackend | None = None,
) -> Entity:
    """The entity of a class (`Node`, `Group`, `Computer` or a subclass) that one of the arguments identifies.

    :param entity_loader: the class.
    """
    if not isinstance(entity_loader, type) or not issubclass(entity_loader, Entity):
        raise TypeError(f'load_entity takes a class of entities, got {entity_loader!r}')
    return _load(entity_loader, identifier, pk, uuid, label, sub_classes, backend)


def _load(
    cls: type[EntityT],
    identifier: Identifier,
    pk: int | None,
    uuid: str | None,
    label: str | None,
    sub_classes: SubClasses,
    backend: StorageBackend | None,
) -> EntityT:
    given = {'identifier': identifier, 'pk': pk, 'uuid': uuid, 'label': label}
    used = {name: value for name, value in given.items() if value is not None}
    if len(used) != 1:
        raise ValidationError(f'give one of identifier, pk, uuid and label; got {", ".join(used) or "none"}')
    ((how, value),) = used.items()
    storage = backend if backend is not None else get_current_backend()
    classes = _classes(cls, sub_classes)
    fits = None if classes == (cls,) and 'kind' in vars(cls) else _fits(classes, storage)
    named = f'{" or ".join(one.__name__ for one in classes)} with {how} {value!r}'
    row = one_of(_find(storage, ROW_TYPES[cls.kind], how, value, fits), named)
    if row is None:
        raise NotExistent(f'no {named}')
    return cls.from_row(row, storage)


def _classes(cls: type[Entity], sub_classes: SubClasses) -> tuple[type[Any], ...]:
    for one in sub_classes or ():
        if not isinstance(one, type) or not issubclass(one, cls):
            raise ValidationError(f'sub_classes are subclasses of {cls.__name__}, got {one!r}')
    return sub_classes or (cls,)


def _fits(classes: tuple[type[Any], ...], storage: StorageBackend) -> Fits:
    """Whether the entity of a row is of one of these classes."""
    return lambda row: isinstance(classes[0].from_row(row, storage), classes)


def _find(storage: StorageBackend, row_type: type[RowT], how: str, value: Any, fits: Fits | None) -> list[RowT]:
    """The rows that are found in one of the ways in which a caller can ask."""
    if how == 'identifier':
        is_number = isinstance(value, Integral) and not isinstance(value, bool)
        return find_named(storage, row_type, int(value) if is_number else str(value), fits)
    if how == 'pk':
        if not isinstance(value, Integral):
            raise WrongType(f'a pk is a whole number, got {value!r}')
        return find_by(storage, row_type, Reading(Way.PK, int(value)), fits)
    if not isinstance(value, str):
        raise WrongType(f'a {how} is a string, got {value!r}')
    if how == 'label':
        return find_by(storage, row_type, Reading(Way.LABEL, value), fits)
    if not value:
        raise WrongValue('an empty uuid names nothing')
    start = uuid_start(value)
    return [] if start is None else find_by(storage, row_type, Reading(Way.UUID, start), fits)
