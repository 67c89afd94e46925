"""Changes that a stored node allows: label, description, extras. Many nodes at once, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from ricordi.backend.query import Comparison, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent, ValidationError, WrongValue
from ricordi.model.keys import check_key
from ricordi.orm.values import clean_dict

Text = Literal['label', 'description']


def read_texts(storage: StorageBackend, pks: Sequence[int], field: Text) -> Iterator[tuple[int, str]]:
    """Pk and label, or description, of some nodes, in the order of `pks`."""
    query = Query(
        (Vertex('node', EntityKind.NODE),),
        filters=(('node', Comparison(Field('pk'), 'in', tuple(pks))),),
        projections=(Projection('node', Field('pk')), Projection('node', Field(field))),
        order_by=(Ordering('node', Field('pk')),),
    )
    texts = dict(storage.query_rows(query, batch_size=1000))
    return ((pk, texts[pk] or '') for pk in pks)


def write_text(storage: StorageBackend, pks: Sequence[int], field: Text, text: str) -> None:
    """Give all of some nodes the same label, or description."""
    storage.bulk_update(EntityKind.NODE, [{'pk': pk, field: text} for pk in pks])


def set_extras(storage: StorageBackend, pks: Sequence[int], values: Mapping[str, Any]) -> None:
    """Set extras of nodes; other keys stay. All nodes are changed, or none.

    :raises ricordi.errors.WrongValue: JSON cannot carry a value, or a key cannot be one.
    """
    try:
        for key in values:
            check_key(key, 'extras')
        new = clean_dict(values, 'extras')
    except ValidationError as error:
        raise WrongValue(str(error)) from None
    with storage.transaction():
        for row in _locked(storage, pks):
            storage.update(EntityKind.NODE, row.pk, {'extras': {**row.extras, **new}})


def unset_extras(storage: StorageBackend, pks: Sequence[int], keys: Sequence[str], dry_run: bool = False) -> None:
    """Remove extras of nodes. All nodes are changed, or none.

    :param dry_run: only see whether it can be done.
    :raises ricordi.errors.NotExistent: a node lacks one of the keys.
    """
    with storage.transaction():
        for row in _locked(storage, pks):
            absent = [key for key in keys if key not in row.extras]
            if absent:
                raise NotExistent(f'node {row.pk} has no extra {", ".join(map(repr, absent))}; nothing was changed')
            left = {key: value for key, value in row.extras.items() if key not in keys}
            if not dry_run:
                storage.update(EntityKind.NODE, row.pk, {'extras': left})


def _locked(storage: StorageBackend, pks: Sequence[int]) -> Iterator[NodeRow]:
    """The rows as they are now, kept from others until the transaction ends."""
    for pk in sorted(pks):
        row = storage.get(NodeRow, pk, lock=True)
        if row is None:
            raise NotExistent(f'node {pk} was deleted meanwhile; nothing was changed')
        yield row
