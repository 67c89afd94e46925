"""What a line of a dump's log may say: types, and paths that stay below the folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ricordi.errors import InvalidOperation, UsageError
from ricordi.services.dump.root import is_inner

TOLD = ('uuid', 'mtime', 'group', 'top', 'how')
"""What is told of each folder, as text."""


class WrongLine(UsageError, InvalidOperation):
    """A line says what no dump has written: somebody else has, and nothing of the log is followed."""


def parse_line(line: bytes) -> dict[str, Any]:
    """What a line says.

    :raises ValueError: it is damaged.
    :raises WrongLine: it is whole and cannot be meant.
    """
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError(line)
    kinds = [name for name in _CHECKS if name in found]
    if not kinds:
        raise WrongLine('it is no line of such a log')
    for kind in kinds:
        _CHECKS[kind](found)
    return found


def _check_header(line: Mapping[str, Any]) -> None:
    for name in ('storage', 'subject', 'profile', 'profile_uuid'):
        if not isinstance(line.get(name), str | None):
            raise WrongLine(f'`{name}` is no text')


def _check_folder(line: Mapping[str, Any]) -> None:
    if line['folder'] != '':  # of a dump of a single process, that of the dump is its folder
        _check_path(line['folder'], 'folder')
    for name in TOLD:
        if not _is_text(line.get(name)):
            raise WrongLine(f'`{name}` is no text')
    if line.get('target') is not None:
        _check_path(line['target'], 'target')
    files = line.get('files', {})
    if not isinstance(files, dict) or not all(map(_is_text, files.values())):
        raise WrongLine('`files` is no list of files with their keys')
    for name in files:
        _check_path(name.removesuffix('/'), 'files')


def _check_removed(line: Mapping[str, Any]) -> None:
    _check_path(line['removed'], 'removed')


def _check_moved(line: Mapping[str, Any]) -> None:
    moved = line['moved']
    if not isinstance(moved, list) or len(moved) != 2:
        raise WrongLine('`moved` is no pair of paths')
    for path in moved:
        _check_path(path, 'moved')


def _check_group(line: Mapping[str, Any]) -> None:
    if not _is_text(line['group']):
        raise WrongLine('`group` is no text')
    if line.get('root') not in (None, ''):  # where all groups share one folder, it is that of the dump
        _check_path(line['root'], 'root')


def _is_text(value: object) -> bool:
    """Whether it is text that a database and a file can be asked for."""
    if not isinstance(value, str) or '\0' in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_path(value: object, name: str) -> None:
    if not is_inner(value):
        raise WrongLine(f'`{name}` is no path inside of the folder: {value!r}')


_CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    'ricordi_dump': _check_header,
    'folder': _check_folder,
    'removed': _check_removed,
    'moved': _check_moved,
    'group': _check_group,
}
