"""What the completion scripts ask for: `ricordi _names KIND [START [PROFILE]]` prints names, one a line."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

from ricordi.errors import AccessWarning, RicordiError


def print_names(arguments: list[str]) -> int:
    """Print the names of a kind; nothing, and no error, where there are none: a shell is in the middle of a line.

    :param arguments: the kind, the start of the name, and the profile named on the line; the last two may be missing.
    """
    kind, start, profile_name = [*arguments, '', '', ''][:3]
    source = SOURCES.get(kind)
    if source is None:
        return 0
    warnings.simplefilter('ignore', AccessWarning)
    try:
        names = [name for name in source(profile_name or None, start) if name.startswith(start) and _is_offered(name)]
    except (RicordiError, OSError):
        return 0
    if names:
        print('\n'.join(names))
    return 0


def _is_offered(name: str) -> bool:
    """Whether a name can stand in a line: no control characters, no marks that reorder text, not like an option."""
    return name.isprintable() and not name.startswith('-')


def _profiles(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.profiles.profiles import profile_names

    return profile_names()


def _users(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.services.user import list_users

    return [user.email for user in list_users(find_profile(profile_name))]


def _groups(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.names import group_names
    from ricordi.services.profiles.profiles import find_profile

    return group_names(find_profile(profile_name))


def _computers(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.names import computer_names
    from ricordi.services.profiles.profiles import find_profile

    return computer_names(find_profile(profile_name))


def _nodes(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.names import node_names
    from ricordi.services.profiles.profiles import find_profile

    return node_names(find_profile(profile_name), start)


def _codes(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.names import code_names
    from ricordi.services.profiles.profiles import find_profile

    return code_names(find_profile(profile_name))


def _options(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.config.options import get_option_names

    return get_option_names()


def _fields(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.nodes.list import PROJECTIONS

    column, dot, _ = start.partition('.')
    if not dot:
        return sorted(PROJECTIONS)
    return (f'{column}.{key}' for key in _keys(profile_name, column))


def _attributes(profile_name: str | None, start: str) -> Iterable[str]:
    return (key for key in _keys(profile_name, 'attributes') if '.' not in key)


def _extras(profile_name: str | None, start: str) -> Iterable[str]:
    return (key for key in _keys(profile_name, 'extras') if '.' not in key)


def _filters(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.nodes.begun_filter import continuations

    return continuations(start, lambda word: _fields(profile_name, word))


def _json_fields(profile_name: str | None, start: str) -> Iterable[str]:
    columns = [column for column in ('attributes', 'extras') if column.startswith(start.partition('.')[0])]
    return [f'{column}.{key}' for column in columns for key in _keys(profile_name, column)]


def _keys(profile_name: str | None, column: str) -> Iterable[str]:
    from ricordi.services.names import json_keys
    from ricordi.services.profiles.profiles import find_profile

    return json_keys(find_profile(profile_name), column)


def _types(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.names import type_names
    from ricordi.services.profiles.profiles import find_profile

    return type_names(find_profile(profile_name))


def _process_labels(profile_name: str | None, start: str) -> Iterable[str]:
    from ricordi.services.names import process_labels
    from ricordi.services.profiles.profiles import find_profile

    return process_labels(find_profile(profile_name))


SOURCES: dict[str, Callable[[str | None, str], Iterable[str]]] = {
    'profile': _profiles,
    'user': _users,
    'group': _groups,
    'computer': _computers,
    'node': _nodes,
    'code': _codes,
    'option': _options,
    'field': _fields,
    'filter': _filters,
    'json-field': _json_fields,
    'type': _types,
    'attribute': _attributes,
    'extra': _extras,
    'process-label': _process_labels,
}
