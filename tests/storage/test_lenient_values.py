"""Values that AiiDA keeps and we refuse are taken where a storage was told to; and a storage can be emptied."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind, NodeRow, UserRow
from ricordi.config.profile import Profile
from ricordi.errors import InvalidOperation, ValidationError

K = EntityKind


def node(storage: Any, **fields: Any) -> int:
    user = next(storage.find(UserRow), None)
    pk = storage.insert(K.USER, [{'email': 'a@b.c'}])[0] if user is None else user.pk
    return int(storage.insert(K.NODE, [{'user_pk': pk, 'node_type': 'data.', **fields}])[0])


def test_naive_times_are_local_and_keys_become_texts_where_that_is_wanted(storage: Any) -> None:
    naive = datetime(2024, 5, 6, 7, 8, 9)
    for fields in ({'ctime': naive}, {'attributes': {1: 'x'}}):
        with pytest.raises(ValidationError):
            node(storage, **fields)
    storage.lenient = True
    pk = node(storage, ctime=naive, attributes={1: 'x', 'y': {None: (1, 2)}})
    row = storage.get(NodeRow, pk)
    assert row.ctime == naive.astimezone(UTC)
    assert row.attributes == {'1': 'x', 'y': {'null': [1, 2]}}
    storage.update(K.NODE, pk, {'extras': {2: 3}})
    storage.update_json(K.NODE, pk, 'extras', {4: 5})
    assert storage.get(NodeRow, pk).extras == {'2': 3, '4': 5}


def test_what_json_cannot_carry_is_refused_all_the_same(storage: Any) -> None:
    storage.lenient = True
    for bad in (float('nan'), object(), {1}):
        with pytest.raises(ValidationError):
            node(storage, attributes={'a': bad})
    with pytest.raises(ValidationError, match='no field'):
        node(storage, colour='red')


def test_a_long_label_is_kept_where_the_database_has_room(storage: Any, profile: Profile) -> None:
    with pytest.raises(ValidationError, match='too long'):
        node(storage, label='x' * 256)
    storage.lenient = True
    if 'psql' in profile.storage_backend:
        with pytest.raises(ValidationError, match='too long'):
            node(storage, label='x' * 256)
    else:
        assert len(storage.get(NodeRow, node(storage, label='x' * 256)).label) == 256


def test_a_storage_that_is_emptied_keeps_its_settings_and_can_be_filled_again(
    storage: Any, profile: Profile, of: SimpleNamespace
) -> None:
    storage.set_global_variable('kept', 1)
    node(storage)
    key = storage.repository.put_object_from_filelike(io.BytesIO(b'content'))
    before = storage.repository.uuid
    with storage.transaction(), pytest.raises(InvalidOperation):
        storage.clear()
    storage.clear()
    assert list(storage.find(NodeRow)) == list(storage.find(UserRow)) == []
    assert not storage.repository.has_object(key)
    assert storage.get_global_variable('kept') == 1
    assert storage.repository.uuid != before
    node(storage)
    again = of.open(profile)  # which sees whether database and container belong together
    assert again.repository_doubt() == ''
    again.close()
