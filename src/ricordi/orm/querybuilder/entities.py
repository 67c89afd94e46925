"""What the classes and type strings given to `QueryBuilder.append` stand for: a kind of entity, a filter on types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import QueryError, QueryTypeError
from ricordi.model.node_types import CODE
from ricordi.model.patterns import literal

GROUP_PREFIX = 'group.'
_ABSTRACT_CODE = 'data.core.code.abstract.AbstractCode.'
_WHOLE_KINDS = {
    'node': (EntityKind.NODE, ''),
    'data': (EntityKind.NODE, 'data.Data.'),
    'process': (EntityKind.NODE, 'process.ProcessNode.'),
    'group': (EntityKind.GROUP, 'group.core'),
    'computer': (EntityKind.COMPUTER, 'computer'),
    'user': (EntityKind.USER, 'user'),
    'authinfo': (EntityKind.AUTHINFO, 'authinfo'),
    'comment': (EntityKind.COMMENT, 'comment'),
    'log': (EntityKind.LOG, 'log'),
    'link': (EntityKind.LINK, 'link'),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entities a vertex stands for.

    :param types: a type string each class: of nodes `data.core.int.Int.`, of groups `group.core.auto`, else the kind.
    """

    kind: EntityKind
    types: tuple[str, ...]

    @property
    def tag_stem(self) -> str:
        """What tags are made of that nobody chose: `Int`, `Int-Float`, `node`."""
        return '-'.join(name.rstrip('.').rsplit('.', 1)[-1] or 'node' for name in self.types)

    def type_filter(self, subclassing: bool) -> dict[str, Any]:
        """The filter that selects entities of these types, in the language of `QueryBuilder`."""
        column = {EntityKind.NODE: 'node_type', EntityKind.GROUP: 'type_string'}.get(self.kind)
        if column is None:
            return {}
        parts = [_one_type_filter(self.kind, name, subclassing) for name in self.types]
        return {column: parts[0] if len(parts) == 1 else {'or': parts}}


def select_classes(classes: Any) -> Selection:
    """What a class of entities, or several of one kind, stands for.

    :raises ricordi.errors.QueryError: no such entity, or entities of different kinds.
    """
    return _join([_of_class(one) for one in _listed(classes)])


def select_types(types: str | Sequence[str]) -> Selection:
    """What a type string, or several of one kind, stands for: `data.core.int.Int.`, `group.core`, `computer`, `node` …

    :raises ricordi.errors.QueryError: no such type string, or entities of different kinds.
    """
    return _join([_of_string(one) for one in _listed(types)])


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _join(found: list[tuple[EntityKind, str]]) -> Selection:
    kinds = {kind for kind, _ in found}
    if len(kinds) != 1:
        names = ' and '.join(sorted(kinds)) or 'nothing'
        raise QueryError(f'one vertex can stand for one kind of entity only, not for {names}')
    return Selection(kinds.pop(), tuple(name for _, name in found))


def _of_class(entity_class: Any) -> tuple[EntityKind, str]:
    if not isinstance(entity_class, type):
        raise QueryTypeError(f'{entity_class!r} is not a class; a type string goes to entity_type=…')
    kind = getattr(entity_class, 'kind', None)
    if not isinstance(kind, EntityKind):
        raise QueryError(f'{entity_class.__name__} is not a class of entities')
    if kind is EntityKind.NODE:
        return kind, str(entity_class.class_node_type)  # type: ignore[attr-defined]
    if kind is EntityKind.GROUP:
        type_string = getattr(entity_class, '_type_string', None)
        if type_string is None:
            raise QueryError(f'{entity_class.__name__} has no type string: register it as an entry point')
        return kind, f'{GROUP_PREFIX}{type_string}'
    return kind, str(kind)


def _of_string(name: Any) -> tuple[EntityKind, str]:
    if not isinstance(name, str):
        raise QueryTypeError(f'{name!r} is not a type string; a class is the first argument of append')
    if name.lower() in _WHOLE_KINDS:
        return _WHOLE_KINDS[name.lower()]
    if name.lower().startswith(GROUP_PREFIX):
        return EntityKind.GROUP, name
    if name and (name.count('.') < 2 or not name.endswith('.')):
        raise QueryError(
            f'{name!r} is not a type string: of nodes it is like data.core.int.Int. (with the dot at its end), of '
            f'groups like group.core; else one of {", ".join(_WHOLE_KINDS)}'
        )
    return EntityKind.NODE, name


def _one_type_filter(kind: EntityKind, name: str, subclassing: bool) -> dict[str, Any]:
    if kind is EntityKind.GROUP:
        name = name[len(GROUP_PREFIX) :]
        prefix = '' if name == 'core' else name
    else:
        # The class that all codes descend from lies beside them, not above.
        prefix = CODE if name == _ABSTRACT_CODE else _parent(name)
    return {'like': f'{literal(prefix)}%'} if subclassing else {'==': name}


def _parent(node_type: str) -> str:
    return f'{node_type.rsplit(".", 2)[0]}.' if node_type else ''
