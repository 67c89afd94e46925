"""Finds the class or function that a process node is a record of, where it is installed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ricordi.errors import EntryPointError, MissingEntryPointError

if TYPE_CHECKING:
    from ricordi.orm.processes.process import ProcessNode


class _NotLoadable(EntryPointError, ValueError):
    """The process class cannot be had here."""


def load_process_class(node: ProcessNode) -> Any:
    """What `process_type` of the node names: an entry point (`group:name`) or a dotted path (`module.Class`).

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
    for entry_point in entry_points(group=group, name=name):
        return entry_point.load()
    raise MissingEntryPointError(f'no package with entry point {name} in {group} is installed')


def _load_dotted(path: str) -> Any:
    module, _, name = path.rpartition('.')
    return getattr(import_module(module), name)
