"""Groups as folders: labels with slashes in them, read as paths."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.backend.rows import GroupRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent, UsageError
from ricordi.model.labels import PATH_SEPARATOR, is_group_path
from ricordi.remedies import Remedy


@dataclass(frozen=True, slots=True)
class PathEntry:
    """A step of a path.

    :param virtual: whether there are groups below it but none of this label.
    :param groups_below: how many groups are below it.
    """

    path: str
    virtual: bool
    groups_below: int
    description: str | None


@dataclass(frozen=True, slots=True)
class PathListing:
    """What is below a path.

    :param invalid: labels that are no paths, having an empty step.
    """

    entries: tuple[PathEntry, ...]
    invalid: tuple[str, ...]


def list_paths(
    storage: StorageBackend, path: str = '', type_string: str = 'core', recursive: bool = False
) -> PathListing:
    """What is below a path among the groups of a type, by path.

    :param path: empty for the top.
    :param recursive: all the way down, rather than one step.
    :raises ricordi.errors.UsageError: the path begins or ends with a slash, or has two in a row.
    :raises ricordi.errors.NotExistent: no group is at the path or below it.
    """
    path = '' if path == PATH_SEPARATOR else path
    if path and not is_group_path(path):
        raise UsageError(f'{path!r} is no path: it must not begin or end with a slash, or have two in a row')
    groups = {row.label: row for row in storage.find(GroupRow, {'type_string': type_string})}
    above = f'{path}{PATH_SEPARATOR}' if path else ''
    below = [label for label in groups if label.startswith(above)]
    if path and path not in groups and not below:
        raise NotExistent(
            f'no group of type {type_string!r} is at or below {path!r}', remedy=Remedy('list group paths')
        )
    counts: dict[str, int] = {}
    for label in filter(is_group_path, below):
        for step in _steps(label, above, recursive):
            counts[step] = counts.get(step, 0) + (step != label)
    entries = tuple(_entry(step, groups.get(step), count) for step, count in sorted(counts.items(), key=_by_steps))
    return PathListing(entries, tuple(sorted(label for label in below if not is_group_path(label))))


def _steps(label: str, above: str, recursive: bool) -> list[str]:
    """The paths on the way to a label, below `above`: the first one only unless recursive."""
    names = label[len(above) :].split(PATH_SEPARATOR)
    depth = len(names) if recursive else 1
    return [above + PATH_SEPARATOR.join(names[: number + 1]) for number in range(depth)]


def _by_steps(item: tuple[str, int]) -> str:
    return item[0]


def _entry(step: str, group: GroupRow | None, below: int) -> PathEntry:
    return PathEntry(step, group is None, below, None if group is None else group.description or '')
