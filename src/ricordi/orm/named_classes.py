"""Classes that nodes name by module: what a stranger has written into a node must not make this process run code.

A module that this process has imported already may be named by anybody. Another one is imported only where the user has
said so by `trust_modules`, for importing a module runs it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from ricordi.errors import UntrustedModule
from ricordi.orm.aiida_places import ENUMS

_trusted = {place.partition(':')[0] for place in ENUMS}


def trust_modules(*names: str) -> None:
    """Let nodes name classes of these modules, which are imported then; holds for this process.

    :param names: of modules or packages; a package stands for all that is in it.
    """
    _trusted.update(names)


def find_named(module: str, path: str) -> Any:
    """What a module holds under a name, without calling anything of it.

    :param path: the name; of something in a class, with dots.
    :raises ricordi.errors.UntrustedModule: the module is not imported, and nobody has said that it may be.
    :raises ImportError: there is no such module, or nothing of that name in it.
    """
    found: Any = sys.modules.get(module)
    if found is None:
        found = _import(module)
    for part in path.split('.'):
        names = vars(found) if isinstance(found, type | type(sys)) else {}
        if part not in names:
            raise ImportError(f'there is no {path} in the module {module}')
        found = names[part]
    return found


def _import(module: str) -> Any:
    steps = module.split('.')
    if not any('.'.join(steps[:number]) in _trusted for number in range(1, len(steps) + 1)):
        raise UntrustedModule(
            f'the module {module!r} is not imported, and a node alone must not have it run: import it before, or call '
            f'ricordi.orm.trust_modules({steps[0]!r})'
        )
    try:
        return import_module(module)
    except ValueError as error:
        raise ImportError(str(error)) from None
