"""Which keys of objects the file trees of nodes name (formats/repository.md, *File tree of a node*), and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ricordi.backend.storage import KeyUse
from ricordi.model.file_trees import fault_of_text, named_in, parsed_tree
from ricordi.storage.session import Session

KEYS_AT_ONCE = 10_000


def named_keys(session: Session) -> Iterator[str]:
    """All keys that nodes name: distinct, ascending, computed and sorted in the database, streamed.

    A file tree that is no JSON names nothing; what is no text, in the place of a key, comes as what can be no key.
    `unclear_trees` finds both.
    """
    dialect, last = session.dialect, ''
    try:
        for (key,) in dialect.stream(session, dialect.named_keys, ()):
            yield key
            last = key
    except dialect.unclear_errors:
        if dialect.named_keys_guarded == dialect.named_keys:
            raise
        for (bare,) in dialect.stream(session, dialect.named_keys_guarded, ()):
            key = bare.decode('latin-1')  # which keeps the order, whatever the bytes
            if key > last:
                yield key


def unclear_trees(session: Session, guarded: bool = False) -> Iterator[tuple[int, str, str]]:
    """The nodes whose file tree has a shape that is not known, so that it may name what cannot be told.

    :param guarded: look at what could be a key more closely than usual, and slower.
    :returns: pk and uuid of each, by pk, and what is wrong, in words; in constant memory.
    """
    dialect = session.dialect
    suspects = dialect.suspect_trees_guarded if guarded else dialect.suspect_trees
    rows = dialect.stream(session, suspects, (), forgiving=True)  # a uuid may be as damaged as the tree
    try:
        first = next(rows, None)
    except dialect.unclear_errors:
        if guarded:
            raise
        yield from unclear_trees(session, guarded=True)
        return
    for pk, uuid, text in chain(() if first is None else (first,), rows):
        if fault := fault_of_text(text):
            yield pk, uuid, fault


def uses_of_keys(session: Session, keys: Iterable[str]) -> Iterator[KeyUse]:
    """Which nodes name these keys and under which path, by pk and path."""
    wanted = sorted(set(keys))
    for begin in range(0, len(wanted), KEYS_AT_ONCE):
        portion = wanted[begin : begin + KEYS_AT_ONCE]
        chosen = set(portion)
        sql, parameters = session.dialect.nodes_naming(portion)
        for pk, uuid, tree in session.dialect.stream(session, f'{sql} ORDER BY id', parameters, forgiving=True):
            for path, key in named_in(parsed_tree(tree)):
                if key in chosen:
                    yield KeyUse(key, pk, uuid, path)
