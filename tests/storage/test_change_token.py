"""Who keeps rows in memory learns from one question that something was changed, whoever did it."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind, UserRow
from ricordi.config.profile import Profile

K = EntityKind


def add_user(storage: Any, email: str) -> int:
    return int(storage.insert(K.USER, [{'email': email}])[0])


def test_the_token_stays_while_there_are_only_readers(sqlite_storage: Any) -> None:
    add_user(sqlite_storage, 'a@b.c')
    before = sqlite_storage.change_token()
    assert len(list(sqlite_storage.find(UserRow))) == 1
    assert sqlite_storage.change_token() == before is not None


def test_own_changes_and_those_of_another_connection_give_another_token(
    sqlite_storage: Any, sqlite_profile: Profile, of: SimpleNamespace
) -> None:
    tokens = [sqlite_storage.change_token()]
    add_user(sqlite_storage, 'own@b.c')
    tokens.append(sqlite_storage.change_token())
    other = of.open(sqlite_profile)
    add_user(other, 'other@b.c')
    other.close()
    tokens.append(sqlite_storage.change_token())
    assert len({*tokens}) == 3


def test_what_is_rolled_back_gives_another_token_also_as_part_of_a_transaction(sqlite_storage: Any) -> None:
    tokens = [sqlite_storage.change_token()]
    with sqlite_storage.transaction():
        pk = add_user(sqlite_storage, 'a@b.c')
        tokens.append(sqlite_storage.change_token())
        with suppress(ZeroDivisionError), sqlite_storage.transaction():
            sqlite_storage.update(K.USER, pk, {'institution': 'x'})
            tokens.append(sqlite_storage.change_token())
            raise ZeroDivisionError
        tokens.append(sqlite_storage.change_token())
    with pytest.raises(ZeroDivisionError), sqlite_storage.transaction():
        raise ZeroDivisionError
    tokens.append(sqlite_storage.change_token())
    assert len({*tokens}) == len(tokens)


def test_another_thread_has_another_token(sqlite_storage: Any) -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(sqlite_storage.change_token()))
    thread.start()
    thread.join(60)
    assert found[0] not in (None, sqlite_storage.change_token())


def test_postgresql_has_none(psql_storage: Any) -> None:
    assert psql_storage.change_token() is None
