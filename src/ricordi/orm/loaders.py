"""Loads one entity by what a person knows of it: its pk, its uuid, the start of its uuid, or its label."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar

from ricordi.backend.context import get_current_backend
from ricordi.backend.identifiers import looks_like_pk
from ricordi.backend.rows import EntityKind
from ricordi.errors import MultipleObjectsError, NotExistent, ValidationError, WrongType
from ricordi.orm.entities import Entity

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.computers import Computer
    from ricordi.orm.data.code import AbstractCode
    from ricordi.orm.groups import Group
    from ricordi.orm.nodes.node import Node

EntityT = TypeVar('EntityT', bound=Entity)
Identifier = int | str | None
SubClasses = tuple[type[Any], ...] | None

LABEL_MARK = '!'
"""At the end of an identifier it says that this is a label, though it looks like a pk or uuid."""

_UUID = re.compile(r'[0-9a-fA-F-]+')
_MIN_DIGITS = 8
_LARGEST_PK = 2**63 - 1


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
    from ricordi.orm.data.code import AbstractCode

    return _load(AbstractCode, identifier, pk, uuid, label, sub_classes, backend)


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
    _check_type(how, value)
    finder = _Finder(cls, sub_classes or (cls,), backend if backend is not None else get_current_backend())
    ways: dict[str, Callable[[Any], list[Any]]] = {
        'pk': finder.by_pk,
        'uuid': finder.by_uuid,
        'label': finder.by_label,
        'identifier': finder.by_identifier,
    }
    found: list[EntityT] = ways[how](value)
    names = ' or '.join(one.__name__ for one in finder.classes)
    if not found:
        raise NotExistent(f'no {names} with {how} {value!r}')
    if len(found) > 1:
        several = ', '.join(f'{entity.pk}' for entity in found)
        raise MultipleObjectsError(f'more than one {names} with {how} {value!r}: pk {several} …; give its pk or uuid')
    return found[0]


def _check_type(how: str, value: object) -> None:
    if how == 'pk' and not isinstance(value, Integral):
        raise WrongType(f'a pk is a whole number, got {value!r}')
    if how in ('uuid', 'label') and not isinstance(value, str):
        raise WrongType(f'a {how} is a string, got {value!r}')


class _Finder:
    """Looks for entities of some classes; every way gives two at most, enough to know that it is not the only one."""

    def __init__(self, cls: type[Entity], classes: tuple[type[Any], ...], backend: StorageBackend) -> None:
        for one in classes:
            if not isinstance(one, type) or not issubclass(one, cls):
                raise ValidationError(f'sub_classes are subclasses of {cls.__name__}, got {one!r}')
        self.cls = cls
        self.classes = classes
        self.backend = backend

    def by_pk(self, pk: int) -> list[Entity]:
        if abs(pk) > _LARGEST_PK:
            return []
        row = self.backend.get(self.cls.kind, int(pk))
        return self._entities([row] if row is not None else [])

    def by_uuid(self, uuid: str) -> list[Entity]:
        if not uuid:
            raise ValidationError('an empty string identifies nothing')
        if not _UUID.fullmatch(uuid):
            return []
        limit = 2 if self.classes == (self.cls,) and 'kind' in vars(self.cls) else 1000
        return self._entities(self.backend.find_uuid_prefix(self.cls.kind, uuid.lower(), limit))

    def by_label(self, label: str) -> list[Entity]:
        text = str(label)
        found = self._entities(self.backend.find(self.cls.kind, {'label': text}))
        if not found and '@' in text and self.cls.kind is EntityKind.NODE:
            name, _, computer = text.rpartition('@')
            for row in self.backend.find(EntityKind.COMPUTER, {'label': computer}, limit=1):
                return self._entities(self.backend.find(EntityKind.NODE, {'label': name, 'computer_pk': row.pk}))
        return found

    def by_identifier(self, identifier: int | str) -> list[Entity]:
        if isinstance(identifier, Integral) and not isinstance(identifier, bool):
            return self.by_pk(identifier)
        text = str(identifier)
        if not text:
            raise ValidationError('an empty string identifies nothing')
        if text.endswith(LABEL_MARK):
            return self.by_label(text.removesuffix(LABEL_MARK))
        if looks_like_pk(text) and (found := self.by_pk(int(text))):
            return found
        if self._looks_like_uuid(text) and (found := self.by_uuid(text)):
            return found
        return self.by_label(text)

    def _looks_like_uuid(self, text: str) -> bool:
        """Whether to read text as the start of a uuid. Digits alone are a pk, unless there are many."""
        digits = text.replace('-', '')
        is_start = bool(_UUID.fullmatch(text)) and len(digits) <= 32
        return is_start and (len(digits) >= _MIN_DIGITS or not looks_like_pk(text))

    def _entities(self, rows: Iterable[Any]) -> list[Entity]:
        entities = []
        for row in rows:
            entity = self.cls.from_row(row, self.backend)
            if isinstance(entity, self.classes):
                entities.append(entity)
                if len(entities) == 2:
                    break
        return entities
