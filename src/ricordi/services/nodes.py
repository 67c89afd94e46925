"""Nodes found by what a person gives: a pk, a uuid, or the start of a uuid. Any number of them, by few queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ricordi.backend.identifiers import looks_like_pk
from ricordi.backend.query import Comparison, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import MultipleObjectsError, NotExistent, WrongValue

_HEX = frozenset('0123456789abcdef')
_UUID_DIGITS = 32
_FEWEST_DIGITS = 4
"""A start of a uuid has so many digits: a word that went astray (`add`, `be`) shall name no node."""
_FEWEST_OF_A_NUMBER = 8
"""Digits alone are a pk; only so many, and no node with this pk, are the start of a uuid."""


def find_node(storage: StorageBackend, identifier: str | int) -> NodeRow:
    """The node that a pk, a uuid or the start of a uuid names.

    :raises ricordi.errors.WrongValue: it looks like none of these.
    :raises ricordi.errors.NotExistent: there is none.
    :raises ricordi.errors.MultipleObjectsError: several uuids start like this.
    """
    text = str(identifier).strip()
    if looks_like_pk(text):
        row = _row_by_pk(storage, int(text))
        if row is not None:
            return row
    return _find_by_uuid(storage, text)


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
    texts = list(dict.fromkeys(str(identifier).strip() for identifier in identifiers))
    numbers = [int(text) for text in texts if looks_like_pk(text)]
    known_pks = {pk for pk, _ in _existing(storage, 'pk', numbers)}
    uuids = [text.lower() for text in texts if _is_whole_uuid(text)]
    known_uuids = {uuid: pk for pk, uuid in _existing(storage, 'uuid', uuids)}
    found: dict[int, None] = {}
    missing = []
    for text in texts:
        if looks_like_pk(text) and int(text) in known_pks:
            found[int(text)] = None
        elif text.lower() in known_uuids:
            found[known_uuids[text.lower()]] = None
        else:
            try:
                found[_find_by_uuid(storage, text).pk or 0] = None
            except NotExistent:
                missing.append(text)
    if missing:
        shown = ', '.join(missing[:10]) + (f' and {len(missing) - 10:,} more' if len(missing) > 10 else '')
        raise NotExistent(f'there is no node {shown} in profile {storage.profile.name!r}')
    return list(found)


def _find_by_uuid(storage: StorageBackend, text: str) -> NodeRow:
    digits = text.replace('-', '').lower()
    if not digits or not _HEX.issuperset(digits) or len(digits) > _UUID_DIGITS:
        raise WrongValue(f'{text!r} names no node: give a pk, a uuid or the start of a uuid')
    if len(digits) < _FEWEST_DIGITS and not looks_like_pk(text):
        raise WrongValue(f'{text!r} is too short for the start of a uuid: give {_FEWEST_DIGITS} digits of it or more')
    if looks_like_pk(text) and len(digits) < _FEWEST_OF_A_NUMBER:
        raise NotExistent(f'there is no node {text} in profile {storage.profile.name!r}')
    found = storage.find_uuid_prefix(EntityKind.NODE, digits, limit=3)
    if not found:
        raise NotExistent(f'there is no node {text} in profile {storage.profile.name!r}')
    if len(found) > 1:
        listed = ', '.join(f'{row.uuid} (pk {row.pk})' for row in found[:2] if isinstance(row, NodeRow))
        raise MultipleObjectsError(f'more than one uuid starts with {text}: {listed} …; give more of it, or the pk')
    (row,) = found
    assert isinstance(row, NodeRow)
    return row


def _row_by_pk(storage: StorageBackend, pk: int) -> NodeRow | None:
    row = storage.get(EntityKind.NODE, pk) if pk < 1 << 31 else None
    assert row is None or isinstance(row, NodeRow)
    return row


def _is_whole_uuid(text: str) -> bool:
    return len(text) == _UUID_DIGITS + 4 and text.count('-') == 4 and _HEX.issuperset(text.replace('-', '').lower())


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
