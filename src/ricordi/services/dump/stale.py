"""Folders of a dump that have no reason any more: their node, or its membership, or the group is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.services.dump.log import DumpLog

_AT_ONCE = 1000


def stale_folders(storage: StorageBackend, log: DumpLog, dumped_groups: Sequence[str]) -> list[str]:
    """The paths of the folders and links to remove, the deepest first.

    :param dumped_groups: uuids of the groups that this run dumps: what is in one of them is not ungrouped any more.
    """
    nodes = {uuid for entry in log.entries.values() for uuid in (entry.uuid, entry.top)}
    groups: dict[str, set[str]] = {}
    for entry in log.entries.values():
        groups.setdefault(entry.group, set()).add(entry.top)
    gone = nodes - set(_existing(storage, EntityKind.NODE, nodes))
    here = set(_existing(storage, EntityKind.GROUP, groups))
    grouped = set(_members(storage, dumped_groups, groups.get('', ())))
    left = {
        group: tops - set(_members(storage, [group], tops)) for group, tops in groups.items() if group and group in here
    }

    def is_stale(uuid: str, top: str, group: str) -> bool:
        if uuid in gone or top in gone:
            return True
        if not group:
            return top in grouped
        return group not in here or top in left[group]

    paths = [path for path, one in log.entries.items() if is_stale(one.uuid, one.top, one.group)]
    return sorted(paths, key=lambda path: path.count('/'), reverse=True)


def gone_groups(storage: StorageBackend, log: DumpLog) -> list[str]:
    """The uuids of the groups that were dumped and are not in the storage any more."""
    known = [uuid for uuid in log.roots if uuid]
    here = set(_existing(storage, EntityKind.GROUP, known))
    return [uuid for uuid in known if uuid not in here]


def _existing(storage: StorageBackend, kind: EntityKind, uuids: Iterable[str]) -> Iterator[str]:
    for some in _portions(uuids):
        query = Query(
            (Vertex('one', kind),),
            filters=(('one', Comparison(Field('uuid'), 'in', tuple(some))),),
            projections=(Projection('one', Field('uuid')),),
        )
        yield from (uuid for (uuid,) in storage.query_rows(query))


def _members(storage: StorageBackend, groups: Sequence[str], uuids: Iterable[str]) -> Iterator[str]:
    """Those of the nodes that are in one of the groups."""
    if not groups:
        return
    for some in _portions(uuids):
        query = Query(
            (Vertex('group', EntityKind.GROUP), Vertex('node', EntityKind.NODE)),
            (Edge('member', 'group', 'node', EdgeKind.MEMBER),),
            (
                ('group', Comparison(Field('uuid'), 'in', tuple(groups))),
                ('node', Comparison(Field('uuid'), 'in', tuple(some))),
            ),
            (Projection('node', Field('uuid')),),
        )
        yield from (uuid for (uuid,) in storage.query_rows(query))


def _portions(uuids: Iterable[str]) -> Iterator[list[str]]:
    stream = (uuid for uuid in uuids if uuid)
    while some := list(islice(stream, _AT_ONCE)):
        yield some
