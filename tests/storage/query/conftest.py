"""Graphs of provenance for queries."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi.backend.rows import EntityKind as K


@pytest.fixture
def graph(storage: Any) -> Any:
    """Makes nodes and `create` links between them: `graph(5, '0>1 1>2')`; a `!` after a pair makes it a `return`."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]

    def make(count: int, links: str) -> list[int]:
        pks = storage.insert(K.NODE, [{'user_pk': user, 'label': str(number)} for number in range(count)])
        rows = []
        for link in links.split():
            source, target = link.rstrip('!').split('>')
            kind = 'return' if link.endswith('!') else 'create'
            rows.append({'input_pk': pks[int(source)], 'output_pk': pks[int(target)], 'label': 'x', 'type': kind})
        if rows:
            storage.insert(K.LINK, rows)
        return pks

    return make
