"""Which nodes a person means by a type: an entry point, a class, a type string or the start of one."""

from __future__ import annotations

from typing import Any

from ricordi.errors import UsageError
from ricordi.model.patterns import literal
from ricordi.orm.nodes.node_types import CORE_TYPES

_PROCESS_GROUPS = ('aiida.calculations:', 'aiida.workflows:')
_NODE_GROUPS = ('aiida.data:', 'aiida.node:')


def type_filters(text: str, subclassing: bool = True) -> dict[str, Any]:
    """The filters that let through nodes of a type.

    :param text: `core.dict` (entry point), `Dict` (class), `data.core.dict.Dict.` (type string), `process.workflow`
        (start of one), `aiida.calculations:core.arithmetic.add` (what a process is a record of).
    :param subclassing: whether nodes of subclasses count too.
    :returns: as `QueryBuilder.append(filters=…)` takes them; empty where every node counts.
    """
    if text.startswith(_PROCESS_GROUPS):
        return {'process_type': text}
    for group in _NODE_GROUPS:
        text = text.removeprefix(group)
    path, class_name = _path_and_class(text)
    if not path:
        return {'node_type': {'like': f'%.{literal(class_name)}.'}} if class_name else {}
    if not subclassing and class_name:
        return {'node_type': f'{path}.{class_name}.'}
    below: dict[str, Any] = {'like': f'{literal(path)}.%'}
    if not subclassing:
        below['!like'] = f'{literal(path)}.%.%.'
    return {'node_type': below}


def is_core_type(text: str) -> bool:
    """Whether a type is one of AiiDA's own, rather than a plug-in's or a mistake."""
    path, _ = _path_and_class(text.rpartition(':')[2])
    return path in CORE_TYPES or text in ('', 'Node')


def known_types() -> list[str]:
    """Names of AiiDA's own types: classes and entry points."""
    classes = [place.rpartition(':')[2] for place in CORE_TYPES.values()]
    return classes + [path.removeprefix('data.') for path in CORE_TYPES]


def _path_and_class(text: str) -> tuple[str, str]:
    """The dotted path of a type and the name of its class, each empty where it is not known."""
    if not text or text == 'Node':
        return '', ''
    if not all(part.isidentifier() for part in text.rstrip('.').split('.')):
        raise UsageError(f'{text!r} is no type: give an entry point (core.dict), a class (Dict) or a type string')
    if text.endswith('.'):
        path, _, class_name = text[:-1].rpartition('.')
        return (path, class_name) if class_name[:1].isupper() else (text[:-1], '')
    if '.' not in text and text[:1].isupper():
        for path, place in CORE_TYPES.items():
            if place.rpartition(':')[2] == text:
                return path, text
        return '', text
    path = text if text.split('.')[0] in ('data', 'process') else f'data.{text}'
    return path, CORE_TYPES.get(path, '').rpartition(':')[2]
