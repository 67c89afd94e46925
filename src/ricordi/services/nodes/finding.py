"""Nodes found by what a person gives: a pk, a uuid, or the start of a uuid. Any number of them, by few queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ricordi.backend.identifiers import find_named, one_of
from ricordi.backend.query import Comparison, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent, WrongValue
from ricordi.model.identifiers import Way, is_whole_uuid, looks_like_pk, uuid_start

_FEWEST_DIGITS = 4
"""A start of a uuid has so many digits: a word that went astray (`add`, `be`) shall name no node."""
_WAYS = (Way.PK, Way.UUID)
"""No labels: that of a node need not be its own."""


def find_node(storage: StorageBackend, identifier: str | int) -> NodeRow:
    """The node that a pk, a uuid or the start of a uuid names.

    :raises ricordi.errors.WrongValue: it looks like none of these.
    :raises ricordi.errors.NotExistent: there is none.
    :raises ricordi.errors.MultipleObjectsError: several uuids start like this.
    """
    text = _read(identifier)
    row = one_of(find_named(storage, NodeRow, text, ways=_WAYS), f'node with a uuid that starts with {text}')
    if row is None:
        raise NotExistent(f'there is no node {text} in profile {storage.profile.name!r}')
    return row


def _read(identifier: str | int) -> str:
    """The identifier as it is told to a person, if it can name a node."""
    text = str(identifier).strip()
    if looks_like_pk(text):
        return text
    start = uuid_start(text)
    if start is None:
        raise WrongValue(f'{text!r} names no node: give a pk, a uuid or the start of a uuid')
    if len(start) < _FEWEST_DIGITS:
        raise WrongValue(f'{text!r} is too short for the start of a uuid: give {_FEWEST_DIGITS} digits of it or more')
    return text


def find_nodes(storage: StorageBackend, identifiers: Iterable[str | int]) -> list[NodeRow]:
    """The nodes that identifiers name, in their order, each once; errors as of `find_node`."""
    rows = {}
    for identifier in identifiers:
        row = find_node(storage, identifier)
        rows[row.pk] = row
    return list(rows.values())


def find_pks(storage: StorageBackend, identifiers: Sequence[str | int]) -> list[int]:
    """The pks of the nodes that identifiers name, in their order, each once; for any number of them.

    Pks and whole uuids take one query for all of them.

    :raises ricordi.errors.WrongValue: one of them looks like no pk and no uuid.
    :raises ricordi.errors.NotExistent: naming those that are not there.
    :raises ricordi.errors.MultipleObjectsError: several uuids start like one of them.
    """
    texts = list(dict.fromkeys(map(_read, identifiers)))
    numbers = [int(text) for text in texts if looks_like_pk(text)]
    known_pks = {pk for pk, _ in _existing(storage, 'pk', numbers)}
    uuids = {text: uuid_start(text) or '' for text in texts if is_whole_uuid(text)}
    known_uuids = {uuid: pk for pk, uuid in _existing(storage, 'uuid', list(uuids.values()))}
    found: dict[int, None] = {}
    missing = []
    for text in texts:
        if looks_like_pk(text) and int(text) in known_pks:
            found[int(text)] = None
        elif uuids.get(text) in known_uuids:
            found[known_uuids[uuids[text]]] = None
        else:
            try:
                found[find_node(storage, text).pk] = None
            except NotExistent:
                missing.append(text)
    if missing:
        shown = ', '.join(missing[:10]) + (f' and {len(missing) - 10:,} more' if len(missing) > 10 else '')
        raise NotExistent(f'there is no node {shown} in profile {storage.profile.name!r}')
    return list(found)


def _existing(storage: StorageBackend, field: str, values: Sequence[int | str]) -> Iterable[tuple[int, str]]:
    """Pk and uuid of the nodes that have one of these values."""
    if not values:
        return ()
    query = Query(
        (Vertex('node', EntityKind.NODE),),
        filters=(('node', Comparison(Field(field), 'in', tuple(values))),),
        projections=(Projection('node', Field('pk')), Projection('node', Field('uuid'))),
    )
    return storage.query_rows(query, batch_size=1000)
