"""What takes the space: sums over the objects that nodes name, by type, group, month …, with names for a person.

What a sum is of is a *category* of a *dimension*: `core.scf` of the dimension `group`. Sums can be narrowed to one or
several categories, as `group=core.scf` and `month=2025-03`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ricordi.backend.identifiers import find_named, one_of
from ricordi.backend.rows import ComputerRow, GroupRow, NodeRow, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.backend.usage import Category, Dimension, LargeFile, Share, Usage, UsageQuestion
from ricordi.errors import NotExistent, UsageError
from ricordi.model.node_types import class_name
from ricordi.progress import Run

Chosen = tuple[tuple[Dimension, Category | tuple[int, ...]], ...]

LONGEST_SIZE = 18
"""Digits of a number of bytes; there are no objects that are larger."""

KINDS: dict[Dimension, type[Any]] = {
    Dimension.GROUP: GroupRow,
    Dimension.COMPUTER: ComputerRow,
    Dimension.USER: UserRow,
    Dimension.NODE: NodeRow,
}
"""The dimensions whose categories are rows, told by their pks."""


@dataclass(frozen=True, slots=True)
class NamedShare:
    """What a category takes.

    :param name: for a person; None: what has none of the dimension, such as nodes without a group.
    :param pk: of the group, computer, user or node that it is; else None.
    :param share: its sums.
    """

    name: str | None
    pk: int | None
    share: Share


@dataclass(frozen=True, slots=True)
class SpaceReport:
    """What takes the space of a storage, or of what of it was chosen.

    :param shares: by the dimension asked for, the largest first; months in their order.
    :param usage: all that the storage has told.
    """

    shares: tuple[NamedShare, ...]
    usage: Usage

    @property
    def files(self) -> tuple[LargeFile, ...]:
        """The largest files."""
        return self.usage.files


def space_used(
    storage: StorageBackend,
    by: Dimension,
    top: int,
    chosen: Chosen = (),
    run: Run | None = None,
    with_database: bool = True,
) -> SpaceReport:
    """Sum up what nodes take; nothing is changed, and no content is read.

    :param by: which sums to tell.
    :param top: how many of them, and how many of the largest files.
    :param chosen: only what has all of these; see `parse_choice`.
    :param with_database: whether the sizes of the database are told, too; not where something is chosen.
    :raises ricordi.errors.InvalidOperation: the storage cannot tell.
    """
    (report,) = spaces_used(storage, (UsageQuestion(by, top, chosen, with_database and not chosen),), run)
    return report


def spaces_used(
    storage: StorageBackend, questions: Sequence[UsageQuestion], run: Run | None = None
) -> tuple[SpaceReport, ...]:
    """The answers to several questions that choose the same, all in one go; see `space_used`."""
    return tuple(_named(storage, usage) for usage in storage.usages(questions, run=run))


def _named(storage: StorageBackend, usage: Usage) -> SpaceReport:
    by = usage.question.by
    names = _names(storage, by, [share.category for share in usage.shares])
    shares = (NamedShare(names.get(one.category), _pk(by, one.category), one) for one in usage.shares)
    return SpaceReport(tuple(shares), usage)


def _pk(by: Dimension, category: Category) -> int | None:
    return category if by in KINDS and isinstance(category, int) else None


def parse_choice(storage: StorageBackend, text: str) -> tuple[Dimension, Category | tuple[int, ...]]:
    """What `group=core.scf` chooses.

    :param text: a dimension, the sign `=` and a category; nothing after the sign: what has none.
    :raises ricordi.errors.UsageError: there is no such dimension, or the category can be none of it.
    :raises ricordi.errors.NotExistent: there is no such group, computer, user or node.
    """
    name, sign, value = text.partition('=')
    if not sign or name not in list(Dimension):
        raise UsageError(f'{text!r} chooses nothing: write it like group=LABEL, with one of {", ".join(Dimension)}')
    dimension = Dimension(name)
    return dimension, _category(storage, dimension, value)


def _category(storage: StorageBackend, dimension: Dimension, value: str) -> Category | tuple[int, ...]:
    if dimension is Dimension.SIZE:
        if not value.isdecimal() or value.strip('0') not in ('', '1') or len(value) > LONGEST_SIZE:
            raise UsageError(f'{value!r} is no class of sizes: give its lower end in bytes, as 0, 1, 10, 100 …')
        return int(value)
    if not value:
        if dimension in (Dimension.PROCESS, Dimension.GROUP, Dimension.COMPUTER):
            return None
        raise UsageError(f'there is nothing without a {dimension}: give one after the sign `=`')
    if dimension is Dimension.GROUP:
        from ricordi.services.groups.groups import find_group

        return find_group(storage, value).pk
    if dimension is Dimension.COMPUTER:
        from ricordi.services.computers.computers import find_computer

        return find_computer(storage, value).pk
    if dimension is Dimension.USER:
        found = one_of(find_named(storage, UserRow, value), f'user {value!r}')
        if found is None:
            raise NotExistent(f'there is no user {value!r} in profile {storage.profile.name!r}')
        return int(found.pk)
    if dimension is Dimension.NODE:
        from ricordi.services.nodes.finding import find_pks

        return tuple(find_pks(storage, value.split(',')))
    return value


def _names(storage: StorageBackend, by: Dimension, categories: Sequence[Category]) -> dict[Category, str]:
    """What to call categories; those that have no name are left out."""
    if by is Dimension.SIZE:
        return {one: size_name(one) for one in categories if isinstance(one, int)}
    if by not in KINDS:
        return {one: str(one) for one in categories if one is not None}
    pks = [one for one in categories if isinstance(one, int)]
    found: Iterable[Any] = storage.find(KINDS[by], {'pk': pks}) if pks else ()
    names: dict[Category, str] = {one: f'({by} {one}, deleted)' for one in pks}
    return names | {row.pk: _name(by, row) for row in found}


def _name(by: Dimension, row: Any) -> str:
    if by is Dimension.NODE:
        return f'{row.pk} {class_name(row.node_type)} {row.label}'.strip()
    return str(row.email if by is Dimension.USER else row.label)


def size_name(lower: int) -> str:
    """A class of sizes in words, by its lower end in bytes."""
    if not lower:
        return 'empty'
    units = ('B', 'kB', 'MB', 'GB', 'TB', 'PB')
    step = (len(str(lower)) - 1) // 3
    unit = units[min(step, len(units) - 1)]
    return f'from {lower // 1000 ** min(step, len(units) - 1)} {unit}'
