"""The class of a name: `DataFactory('core.dict')`. Of data and groups; what runs calculations is AiiDA's."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from ricordi.errors import MissingEntryPointError, WrongType

if TYPE_CHECKING:
    from ricordi.orm.groups import Group
    from ricordi.orm.nodes.node import Node


def DataFactory(entry_point_name: str, load: bool = True) -> type[Node] | EntryPoint:
    """The class of data nodes of this name, of the core or of an installed plug-in.

    :param load: False: the entry point instead.
    :raises ricordi.errors.MissingEntryPointError: there is none.
    """
    from ricordi.orm.nodes.node_types import load_data_class

    found: type[Node] | EntryPoint = _loaded(load_data_class(_name(entry_point_name)), entry_point_name, 'data', load)
    return found


def GroupFactory(entry_point_name: str, load: bool = True) -> type[Group] | EntryPoint:
    """The class of groups of this name, of the core or of an installed plug-in.

    :param load: False: the entry point instead.
    :raises ricordi.errors.MissingEntryPointError: there is none.
    """
    from ricordi.orm.group_types import find_group_class

    found: type[Group] | EntryPoint = _loaded(
        find_group_class(_name(entry_point_name)), entry_point_name, 'groups', load
    )
    return found


def _name(entry_point_name: Any) -> str:
    if not isinstance(entry_point_name, str):
        raise WrongType(f'the name of an entry point is a string, got {entry_point_name!r}')
    return entry_point_name


def _loaded(cls: Any, name: str, group: str, load: bool) -> Any:
    if cls is None:
        raise MissingEntryPointError(
            f'there is no {name!r} among the {group}: neither here nor of an installed plug-in'
        )
    return cls if load else cls.entry_point
