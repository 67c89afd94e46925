"""A database that AiiDA made goes into a new one, of either kind, and a snapshot of that is the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.config.profile import Profile
from ricordi.storage.snapshots.parts import SETTINGS


def all_pieces(snapshot: DatabaseSnapshot) -> dict[tuple[str, str], list[Any]]:
    return {(part.table, part.part): list(snapshot.pieces(part)) for part in snapshot.parts}


def without_settings(pieces: dict[tuple[str, str], list[Any]]) -> dict[tuple[str, str], list[Any]]:
    return {key: value for key, value in pieces.items() if key[0] != SETTINGS}


@pytest.fixture(params=['sqlite', 'psql'])
def reference(request: pytest.FixtureRequest) -> Profile:
    return request.getfixturevalue(f'reference_{request.param}_profile')


def test_what_was_filled_gives_the_snapshot_it_was_filled_from(
    reference: Profile, storage: Any, of: SimpleNamespace
) -> None:
    source = of.open(reference)
    with source.snapshot() as snapshot:
        before = all_pieces(snapshot)
        keys = list(snapshot.named_keys())
        storage.fill(snapshot)
        kind = snapshot.source
    with storage.snapshot() as again:
        after = all_pieces(again)
        assert list(again.named_keys()) == keys
        assert keys
        if again.source == kind or kind == 'postgresql':
            assert without_settings(after) == without_settings(before)
    storage.close()
    of.open(storage.profile).close()
