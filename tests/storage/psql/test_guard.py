"""On PostgreSQL, full maintenance keeps others out of the database, wherever they run, and names them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from deadlines import wait_until
from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import DatabaseSession
from ricordi.config.profile import Profile
from ricordi.errors import InvalidOperation, LockedProfileError, LockingProfileError, UnreachableStorage
from ricordi.progress import Progress, Run, Unit
from ricordi.storage.psql import guard
from ricordi.storage.psql.sessions import has_ended

OTHER = """
import sys, time
from ricordi.config.profile import Profile
from ricordi.storage.psql.dos import PsqlDosStorage as S
from ricordi.repository.container.container import Container
profile = Profile('other', {dictionary!r})
{work}
print('ready', flush=True)
sys.stdin.read()
"""
OPEN = 'storage = S.open(profile, Container(S.repository_location(profile).path))'
GUARD = 'guard = S.full_guard(profile); guard.__enter__()'


@pytest.fixture
def other_process() -> Callable[..., Any]:
    """Another process of Ricordi that does something in the database and stays."""

    @contextmanager
    def run(profile: Profile, work: str) -> Iterator[subprocess.Popen[str]]:
        code = OTHER.format(dictionary=profile.dictionary, work=work)
        with subprocess.Popen(
            [sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == 'ready\n'
            try:
                yield process
            finally:
                process.kill()

    return run


def wait_until_alone(profile: Profile, of: SimpleNamespace) -> None:
    kind = of.kind(profile)
    wait_until(lambda: all(session.own for session in kind.sessions(profile)), 'the sessions of others end')


def test_sessions_of_other_programs_are_users_of_the_profile(
    psql_storage: Any, of: SimpleNamespace, postgres: Any
) -> None:
    profile = psql_storage.profile
    assert all(session.own for session in of.kind(profile).sessions(profile))
    uri = postgres.uri(profile.storage_config['database_name'])
    with psycopg.connect(uri, application_name='pgAdmin of Bob') as other:
        other.execute('SELECT 1')
        (found,) = [session for session in of.kind(profile).sessions(profile) if not session.own]
        assert (found.pid, found.user, found.application) == (other.info.backend_pid, 'postgres', 'pgAdmin of Bob')
        assert found.since is not None
        with pytest.raises(LockingProfileError, match=rf'session {found.pid}.*pgAdmin of Bob') as caught:
            of.kind(profile).full_guard(profile).__enter__()
        assert caught.value.exit_code == 5
    wait_until_alone(profile, of)
    with of.kind(profile).full_guard(profile):
        pass


def test_the_guard_keeps_other_processes_out_until_it_ends(
    psql_storage: Any, of: SimpleNamespace, other_process: Any
) -> None:
    psql_storage.close()
    profile = psql_storage.profile
    with other_process(profile, GUARD) as process:
        with pytest.raises(LockedProfileError, match=rf'locked for maintenance.*:{process.pid}:') as caught:
            of.open(profile)
        assert caught.value.exit_code == 5
        with pytest.raises(LockingProfileError, match=f':{process.pid}:'):
            of.kind(profile).full_guard(profile).__enter__()
    wait_until_alone(profile, of)
    of.open(profile).close()


def test_the_session_of_a_process_that_has_just_ended_is_not_in_the_way(
    psql_storage: Any, of: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, '-c', '']) as process:
        pass
    name = f'ricordi {socket.gethostname()[:35]}:{process.pid}:abcdef'
    left = [DatabaseSession(1, 'ada', name, '', datetime.now(UTC), own=False)] * 3
    listed = guard.list_sessions
    monkeypatch.setattr(guard, 'list_sessions', lambda raw: [left.pop()] if left else listed(raw))
    with of.kind(psql_storage.profile).full_guard(psql_storage.profile):
        assert left == []
    here = DatabaseSession(1, 'ada', f'ricordi {socket.gethostname()[:35]}:{os.getpid()}:abcdef', '', None, own=False)
    assert [has_ended(one) for one in (here, here._replace(application='psql'))] == [False, False]


def test_one_that_was_refused_is_in_nobodys_way_though_the_server_has_not_heard_of_its_end(
    psql_storage: Any, of: SimpleNamespace, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, unheard = psql_storage.profile, list[Any]()
    other = psycopg.connect(postgres.uri(profile.storage_config['database_name']))
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, 'close', lambda connection: unheard.append(connection))
        with pytest.raises(LockingProfileError):
            of.kind(profile).full_guard(profile).__enter__()
    other.close()
    wait_until_alone(profile, of)
    with of.kind(profile).full_guard(profile):
        assert unheard
    for connection in unheard:
        connection.close()


def test_an_open_storage_of_another_process_keeps_the_guard_out(
    psql_storage: Any, of: SimpleNamespace, other_process: Any
) -> None:
    with (
        other_process(psql_storage.profile, OPEN) as process,
        pytest.raises(LockingProfileError, match=f':{process.pid}:'),
    ):
        of.kind(psql_storage.profile).full_guard(psql_storage.profile).__enter__()


def test_what_the_process_has_open_itself_is_not_in_the_way(psql_storage: Any, of: SimpleNamespace) -> None:
    profile = psql_storage.profile
    with closing(of.open(profile)) as second, of.kind(profile).full_guard(profile):
        assert second.get_info()['entities']['node'] == 0
        of.open(profile).close()


def test_full_maintenance_that_is_handed_the_check_of_a_guard_takes_none_of_its_own(
    psql_storage: Any, of: SimpleNamespace
) -> None:
    profile, full = psql_storage.profile, MaintenanceOptions(full=True)
    guard = of.kind(profile).full_guard
    with ProfileAccessManager(profile).lock(guards=[lambda: guard(profile)]) as check:
        with pytest.raises(LockingProfileError, match='another lock of this process'):
            psql_storage.maintain(full)
        psql_storage.maintain(full, run=Run(lock_check=check))
        psql_storage.maintain(full=True, run=Run(lock_check=check))
    psql_storage.maintain(full=True)


def test_the_lock_of_a_profile_tells_that_its_guard_of_the_database_was_lost(
    psql_storage: Any, of: SimpleNamespace, postgres: Any
) -> None:
    profile = psql_storage.profile
    guard = of.kind(profile).full_guard
    garbage = psql_storage.repository.put_object_from_bytes(b'garbage')
    with ProfileAccessManager(profile).lock(guards=[lambda: guard(profile)]) as check:
        check()
        lose = At('remove garbage', lambda: end_all_sessions(postgres, psql_storage))
        with pytest.raises(UnreachableStorage, match='kept others out'):
            psql_storage.maintain(MaintenanceOptions(full=True), run=Run(lose, lock_check=check))
        assert psql_storage.repository.get_object_content(garbage) == b'garbage'


def test_closing_leaves_no_session_behind(psql_storage: Any, of: SimpleNamespace) -> None:
    list(psql_storage.named_keys())
    psql_storage.close()
    kind = of.kind(psql_storage.profile)
    # asking is a session too, of which the next one may still see the end
    wait_until(lambda: kind.sessions(psql_storage.profile) == [], 'no session is left')


def test_full_maintenance_without_the_lock_is_refused(storage: Any) -> None:
    with pytest.raises(InvalidOperation, match='lock'):
        storage.maintain(MaintenanceOptions(full=True))
    storage.maintain(MaintenanceOptions(full=True, dry_run=True))
    storage.maintain(MaintenanceOptions())


def test_full_maintenance_asks_for_the_database_too(psql_storage: Any, of: SimpleNamespace, postgres: Any) -> None:
    uri = postgres.uri(psql_storage.profile.storage_config['database_name'])
    with ProfileAccessManager(psql_storage.profile).lock():
        with psycopg.connect(uri) as other, pytest.raises(LockingProfileError, match=str(other.info.backend_pid)):
            psql_storage.maintain(MaintenanceOptions(full=True))
        other.close()
        wait_until_alone(psql_storage.profile, of)
        psql_storage.maintain(MaintenanceOptions(full=True))


# a guard that is lost on the way ---------------------------------------------------------------------------


@pytest.fixture
def with_garbage(psql_storage: Any) -> Iterator[tuple[Any, str]]:
    """A storage with an object that no node names, locked for maintenance."""
    garbage = psql_storage.repository.put_object_from_bytes(b'garbage')
    with ProfileAccessManager(psql_storage.profile).lock():
        yield psql_storage, garbage


class At(Progress):
    """Does something when a step begins."""

    def __init__(self, step: str, action: Callable[[], Any]) -> None:
        self.step, self.action = step, action

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        if step == self.step:
            self.action()


def end_all_sessions(postgres: Any, storage: Any) -> None:
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        connection.execute(
            'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s',
            (storage.profile.storage_config['database_name'],),
        )


def test_nothing_is_removed_after_the_connection_that_kept_others_out_is_lost(
    with_garbage: tuple[Any, str], postgres: Any
) -> None:
    storage, garbage = with_garbage
    named = storage.repository.put_object_from_bytes(b'named')
    user = storage.insert(EntityKind.USER, [{'email': 'a'}])[0]
    storage.insert(EntityKind.NODE, [{'user_pk': user, 'repository_metadata': {'o': {'file': {'k': named}}}}])
    lose = At('remove garbage', lambda: end_all_sessions(postgres, storage))
    with pytest.raises(UnreachableStorage, match=r'kept others out.*nothing more was removed'):
        storage.maintain(MaintenanceOptions(full=True), run=Run(lose))
    assert storage.repository.get_object_content(garbage) == b'garbage'
    assert storage.repository.get_object_content(named) == b'named'


def test_nothing_is_removed_after_somebody_came_in_who_does_not_ask(
    with_garbage: tuple[Any, str], postgres: Any
) -> None:
    storage, garbage = with_garbage
    storage.repository.put_object_from_bytes(b'more')
    uri = postgres.uri(storage.profile.storage_config['database_name'])
    with contextlib.ExitStack() as stack:
        user = storage.insert(EntityKind.USER, [{'email': 'a'}])[0]
        tree = {'o': {'file': {'k': key_of(b'more')}}}
        storage.insert(EntityKind.NODE, [{'user_pk': user, 'repository_metadata': tree}])
        come_in = At(
            'remove garbage', lambda: stack.enter_context(psycopg.connect(uri, application_name='another program'))
        )
        with pytest.raises(LockingProfileError, match=r'(?s)others have come into.*another program') as raised:
            storage.maintain(MaintenanceOptions(full=True), run=Run(come_in))
    assert raised.value.exit_code == 5
    assert storage.repository.get_object_content(garbage) == b'garbage'


def key_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
