"""Finds the class or function that a process node is a record of, where it is installed."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from ricordi.errors import EntryPointError, MissingEntryPointError
from ricordi.orm.named_classes import find_named

if TYPE_CHECKING:
    from ricordi.orm.processes.process import ProcessNode


_GROUPS = ('aiida.', 'ricordi.')


class _NotLoadable(EntryPointError, ValueError):
    """The process class cannot be had here."""


def load_process_class(node: ProcessNode) -> Any:
    """What `process_type` of the node names: an entry point (`group:name`) or a dotted path (`module.Class`).

    A dotted path counts only if its module is imported, or one that the user trusts (`ricordi.orm.trust_modules`).

    :raises ValueError: it is not known, or cannot be imported here.
    """
    process_type = node.process_type
    if not process_type:
        raise _NotLoadable(f'{node!r} does not tell which class it is a record of')
    try:
        return _load_entry_point(process_type) if ':' in process_type else _load_dotted(process_type)
    except (ImportError, AttributeError, MissingEntryPointError) as error:
        raise _NotLoadable(f'the class {process_type} of {node!r} cannot be loaded here: {error}') from error


def _load_entry_point(process_type: str) -> Any:
    from importlib.metadata import entry_points

    group, _, name = process_type.partition(':')
    for entry_point in entry_points(group=group, name=name) if group.startswith(_GROUPS) else ():
        return entry_point.load()
    raise MissingEntryPointError(f'no package with entry point {name} in {group} is installed')


def _load_dotted(path: str) -> Any:
    module, _, name = path.rpartition('.')
    found = find_named(module, name)
    if not isinstance(found, type | FunctionType):
        raise ImportError('it is no class and no function')
    return found
