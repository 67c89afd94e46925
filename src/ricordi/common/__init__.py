"""What AiiDA keeps in `aiida.common`, as far as it is here: names only; what they stand for lives elsewhere."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_LINKS = ('LinkType', 'validate_link_label')
_DATASTRUCTURES = ('CalcJobState', 'StashMode')


def __getattr__(name: str) -> Any:
    if name in _LINKS:
        return getattr(import_module('ricordi.common.links'), name)
    if name in _DATASTRUCTURES:
        return getattr(import_module('ricordi.common.datastructures'), name)
    exceptions = import_module('ricordi.common.exceptions')
    if name in exceptions.__all__:
        return getattr(exceptions, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    exceptions = import_module('ricordi.common.exceptions')
    return sorted({*globals(), *_LINKS, *_DATASTRUCTURES, *exceptions.__all__})
