"""Codes found by what a person gives: pk, uuid, the start of a uuid, a label, or `label@computer`."""

from __future__ import annotations

from ricordi.backend.identifiers import find_named, one_of
from ricordi.backend.rows import NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent
from ricordi.model.node_types import CODE
from ricordi.services.codes.list import CodeFilter, list_codes


def is_code(row: NodeRow) -> bool:
    """Whether a row is that of a code."""
    return row.node_type.startswith(CODE)


def find_code(storage: StorageBackend, identifier: str) -> NodeRow:
    """The code that an identifier names.

    :raises ricordi.errors.NotExistent: there is none.
    :raises ricordi.errors.MultipleObjectsError: there are several; the message names them.
    """
    row = one_of(find_named(storage, NodeRow, identifier, is_code), f'code {identifier!r}')
    if row is not None:
        return row
    from ricordi.services.suggestion import did_you_mean

    known = [code.full_label for code in list_codes(storage, CodeFilter(hidden=True))]
    hint = did_you_mean(identifier, known)
    raise NotExistent(f'there is no code {identifier!r} in profile {storage.profile.name!r}{hint}')
