"""Which class stands for which `type_string` of groups: a table for AiiDA's own types, entry points for plug-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.orm.class_property import classproperty
from ricordi.orm.entity_classes import frontend_class

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from ricordi.orm.groups import Group

CORE_GROUPS: dict[str, str] = {
    'core': 'Group',
    'core.auto': 'AutoGroup',
    'core.import': 'ImportGroup',
    'core.upf': 'UpfFamily',
}
"""Type string → class in `ricordi.orm`."""

GROUPS_GROUP = 'ricordi.groups'
AIIDA_GROUPS_GROUP = 'aiida.groups'
"""Entry point group of plug-ins, here and in AiiDA; the name of an entry point is the type string."""

_known: dict[str, type[Group]] = {}


def load_group_class(type_string: str) -> type[Group]:
    """The class that stands for groups of this type; `Group` for one that nobody here knows."""
    found = _known.get(type_string)
    if found is None:
        found = _known[type_string] = _find(type_string)
    return found


def _find(type_string: str) -> type[Group]:
    return find_group_class(type_string) or _core_class('Group')


def find_group_class(type_string: str) -> type[Group] | None:
    """The class of groups of an entry point (`core.auto`), of the core or of a plug-in; None if there is none."""
    if type_string in CORE_GROUPS:
        return _core_class(CORE_GROUPS[type_string])
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=GROUPS_GROUP, name=type_string):
        try:
            loaded = entry_point.load()
        except (ImportError, AttributeError):
            return None  # a broken plug-in must not keep its users from their groups
        return loaded if isinstance(loaded, type) else None
    return None


def _core_class(name: str) -> type[Group]:
    cls: type[Group] = frontend_class(name)
    return cls


@classproperty
def group_type_string(cls: type) -> str | None:
    """The type string of groups of this class; None of a class that no entry point registers."""
    known: str | None = vars(cls).get('_own_type_string')
    if known is None:
        known = _type_string(cls)
        if known is not None:
            cls._own_type_string = known  # type: ignore[attr-defined]
    return known


@classproperty
def group_entry_point(cls: type) -> EntryPoint | None:
    """Under which name the class is known: `core.auto` in AiiDA's group `aiida.groups`; None if it has none."""
    from importlib.metadata import EntryPoint

    name = _type_string(cls)
    return None if name is None else EntryPoint(name, f'{cls.__module__}:{cls.__qualname__}', AIIDA_GROUPS_GROUP)


def _type_string(cls: type) -> str | None:
    if cls.__module__ == 'ricordi.orm.groups':
        return next((name for name, class_name in CORE_GROUPS.items() if class_name == cls.__name__), None)
    from importlib.metadata import entry_points

    location = f'{cls.__module__}:{cls.__qualname__}'
    for entry_point in entry_points(group=GROUPS_GROUP):
        if entry_point.value.replace(' ', '') == location:
            return entry_point.name
    return None
