"""Which keys of objects the file trees of nodes name (formats/repository.md, *File tree of a node*), and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ricordi.backend.storage import KeyUse
from ricordi.storage.columns import ValueKind
from ricordi.storage.session import Session

KEYS_AT_ONCE = 10_000


def named_keys(session: Session) -> Iterator[str]:
    """All keys that nodes name: distinct, ascending, computed and sorted in the database, streamed."""
    return (key for (key,) in session.dialect.stream(session, session.dialect.named_keys, ()))


def uses_of_keys(session: Session, keys: Iterable[str]) -> Iterator[KeyUse]:
    """Which nodes name these keys and under which path, by pk and path."""
    wanted = sorted(set(keys))
    decode = session.dialect.decoder(ValueKind.JSON)
    for begin in range(0, len(wanted), KEYS_AT_ONCE):
        portion = wanted[begin : begin + KEYS_AT_ONCE]
        chosen = set(portion)
        sql, parameters = session.dialect.nodes_naming(portion)
        for pk, uuid, tree in session.dialect.stream(session, f'{sql} ORDER BY id', parameters):
            for path, key in files_of(tree if decode is None else decode(tree)):
                if key in chosen:
                    yield KeyUse(key, pk, uuid, path)


def files_of(tree: Any, path: str = '') -> Iterator[tuple[str, str]]:
    """Path and key of each file in a file tree. A file or folder may itself be called `k` or `o`."""
    if not isinstance(tree, dict):
        return
    if isinstance(tree.get('k'), str):
        yield path, tree['k']
    folder = tree.get('o')
    if isinstance(folder, dict):
        for name, entry in folder.items():
            yield from files_of(entry, f'{path}/{name}' if path else name)
