"""Maintenance as plain data: what is asked for, what is planned, what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ricordi.remedies import Remedy

RepackMode = Literal['auto', 'all', 'none']
CompressMode = Literal['auto', 'yes', 'no', 'keep']

KeyStream = Callable[[], Iterator[str]]
"""Asked anew, yields the keys that nodes name: distinct, ascending."""

Distrust = Callable[[], str]
"""Asked before anything goes for want of a name: why rows that name it may be lost, in words; empty where none is."""


def trusted() -> str:
    """Nothing speaks against what nodes name."""
    return ''


class CleanMark(NamedTuple):
    """What a storage looked like when all that nodes name was packed and at hand, and nothing else was there.

    While both parts are as they were, the keys that nodes name need not be compared with the objects again.

    :param database: changes with the nodes.
    :param container: changes with the objects.
    :param index_state: changes with any write to the index; empty where that cannot be told. While it is as it was, its
        rows need not be counted again.
    :param packs: what was counted in it: number of each pack, and the sums of its rows.
    :param moment: changes with any transaction; empty where that cannot be told. While it is as it was, `database` is
        so, too.
    """

    database: str
    container: str
    index_state: str = ''
    packs: Sequence[Sequence[int]] = ()
    moment: str = ''


class MaintenanceOptions(NamedTuple):
    """What a maintenance shall do.

    :param full: with the profile locked: also remove garbage, repack, vacuum.
    :param dry_run: plan only, write nothing.
    :param repack: `auto`: packs over `max_waste` and packs that are too small; `all`; `none`.
    :param max_waste: percent of a pack that may be waste before `auto` repacks it.
    :param compress: `keep`: what is packed keeps its form, what is loose is packed as it is; `yes`; `no`; `auto`:
        what a sample shows to be worth it.
    :param clean: what the storage looked like when it was last seen clean, if that is known.
    :param adopt: a person says that the container is that of this database alone, whatever speaks against it.
    :param keep_unnamed: remove nothing for want of a name, since what nodes name is not certain.
    :param suspects: keys of objects that an earlier maintenance has found damaged: they are looked at before the plan
        is made, which else reads no content and would count them as sound.
    :param grace_seconds: in a bucket: how long what nobody names stays, since it was put last, and a pack that is out
        of use, since it was condemned. None: nothing stays where nobody else is there (`full`), else what is usual.
    """

    full: bool = False
    dry_run: bool = False
    repack: RepackMode = 'auto'
    max_waste: float = 10.0
    compress: CompressMode = 'keep'
    clean: CleanMark | None = None
    adopt: bool = False
    keep_unnamed: bool = False
    suspects: tuple[str, ...] = ()
    grace_seconds: float | None = None


def maintenance_options(full: bool | MaintenanceOptions, dry_run: bool, asked: Mapping[str, Any]) -> MaintenanceOptions:
    """What `StorageBackend.maintain` was asked for, in whichever form.

    :param full: all of it as `MaintenanceOptions`, or only whether it shall be full.
    :param asked: fields of `MaintenanceOptions` by name; `compress` and `do_repack` may also be said as in AiiDA, by
        True or False.
    :raises TypeError: a name is unknown, or said twice.
    """
    fields = dict(asked)
    if isinstance(full, MaintenanceOptions):
        if dry_run or fields:
            raise TypeError('say what maintenance shall do by MaintenanceOptions or by keywords, not by both')
        return full
    if isinstance(fields.get('compress'), bool):
        fields['compress'] = 'auto' if fields['compress'] else 'keep'
    do_repack = fields.pop('do_repack', None)
    if do_repack is not None:
        fields.setdefault('repack', 'auto' if do_repack else 'none')
    unknown = sorted({*fields} - {*MaintenanceOptions._fields})
    if unknown:
        raise TypeError(f'maintenance knows no {unknown[0]!r}; it knows full, dry_run, repack, max_waste, compress')
    return MaintenanceOptions(full=full, dry_run=dry_run, **fields)


class Traffic(NamedTuple):
    """Requests to an object store, and bytes moved: both cost money, and time.

    :param sent: bytes put there; `received`: bytes read from there.
    """

    puts: int = 0
    gets: int = 0
    lists: int = 0
    deletes: int = 0
    sent: int = 0
    received: int = 0

    def __add__(self, other: tuple[int, ...]) -> Traffic:  # type: ignore[override]
        return Traffic(*(one + more for one, more in zip(self, other, strict=True)))

    def since(self, before: Traffic) -> Traffic:
        """What came after an earlier count."""
        return Traffic(*(one - earlier for one, earlier in zip(self, before, strict=True)))

    @property
    def requests(self) -> int:
        """All of them."""
        return self.puts + self.gets + self.lists + self.deletes


class Amount(NamedTuple):
    """A number of objects and the bytes they take on disk."""

    objects: int = 0
    bytes: int = 0


class ContainerState(NamedTuple):
    """What a container holds, counted without reading content.

    :param content_bytes: bytes of content of all packed objects, uncompressed.
    :param garbage: objects that no node names (None where nobody could say which are named).
    :param waste_bytes: bytes of packs that no index row covers.
    :param missing: keys that nodes name and the container lacks.
    :param files: number of files in the container.
    """

    loose: Amount = Amount()
    packed: Amount = Amount()
    content_bytes: int = 0
    garbage: Amount | None = None
    waste_bytes: int = 0
    missing: int | None = None
    packs: int = 0
    files: int = 0
    index_bytes: int = 0


class MaintenanceStep(NamedTuple):
    """One step, planned or done.

    :param name: `recover`, `pack`, `clean loose`, `remove garbage`, `repack`, `vacuum index`, `vacuum database` …
    :param detail: a line for a person.
    :param objects: how many objects it touches.
    :param read: bytes to read.
    :param write: bytes to write.
    :param freed: bytes of disk given back.
    :param seconds: how long it took; None in a plan.
    """

    name: str
    detail: str = ''
    objects: int = 0
    read: int = 0
    write: int = 0
    freed: int = 0
    seconds: float | None = None


OUT_OF_ROOM = 'not enough free disk'
"""Why a maintenance ended early that had no room for all of its steps."""


class UndoneStep(NamedTuple):
    """What is left of a plan: a step that was not begun, or not done to its end.

    :param detail: a line for a person.
    :param objects: how many objects of the plan it still has to touch.
    :param space_needed: bytes of free disk it asks for, where it was left for want of room; else 0.
    """

    name: str
    detail: str = ''
    objects: int = 0
    space_needed: int = 0


class Problem(NamedTuple):
    """An object that is missing or damaged, or a node of which nobody can tell what it names.

    :param kind: `missing`, `damaged`; `file tree`: the one of a node has a shape that is not known.
    :param key: of the object; empty for a file tree.
    :param detail: what is wrong, in words.
    :param nodes: what names it: (pk, uuid, path) of each, the first ones of many.
    """

    kind: Literal['missing', 'damaged', 'file tree']
    key: str
    detail: str = ''
    nodes: tuple[tuple[int, str, str], ...] = ()


class Note(NamedTuple):
    """Something about a container that a person should know.

    :param remedy: what can be done about it.
    """

    text: str
    remedy: Remedy | None = None


class MaintenanceReport(NamedTuple):
    """A plan (`dry_run`) or what was done; both of one shape.

    :param space_needed: bytes of free disk the plan asks for.
    :param problems: the first ones; `problem_count` is their true number, `unclear_trees` of these are file trees.
    :param interrupted: why the work ended early, or None.
    :param left: what is left to do where it did.
    :param clean: what the storage looks like now, if a full maintenance has left it clean.
    :param doubt: why another database may name objects of the same container; then the container was maintained as it
        is live, and nothing was removed for want of a name. Empty where it is certain that none does.
    :param distrust: why rows of the database may be lost, with the names in them, so that nothing was removed for want
        of a name. Empty where they are trusted, and where there is nothing to remove.
    :param traffic: what it took, or in a plan will about take, of an object store; None where there is none.
    """

    options: MaintenanceOptions
    before: ContainerState
    after: ContainerState | None = None
    steps: tuple[MaintenanceStep, ...] = ()
    space_needed: int = 0
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    interrupted: str | None = None
    notes: tuple[Note, ...] = ()
    clean: CleanMark | None = None
    doubt: str = ''
    unclear_trees: int = 0
    left: tuple[UndoneStep, ...] = ()
    traffic: Traffic | None = None
    distrust: str = ''

    @property
    def nothing_to_do(self) -> bool:
        """Whether the plan was empty."""
        return not self.steps
