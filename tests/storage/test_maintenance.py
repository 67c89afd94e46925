"""Maintenance of the database: only where there is something to gain, with room enough, and nothing twice."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import OUT_OF_ROOM, MaintenanceOptions
from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import NodeRow
from ricordi.errors import InvalidOperation, NotEnoughSpace
from ricordi.progress import Progress, Run, Stop

FULL = MaintenanceOptions(full=True)
DRY = MaintenanceOptions(full=True, dry_run=True)


@pytest.fixture
def locked(storage: Any) -> Iterator[None]:
    with ProfileAccessManager(storage.profile).lock():
        yield


@pytest.fixture
def bloated(storage: Any, locked: None) -> Any:
    """A storage of which most nodes were deleted."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = storage.insert(K.NODE, [{'user_pk': user, 'description': 'x' * 500}] * 4000)
    storage.delete(K.NODE, pks[:3000])
    if storage.dialect.name == 'postgresql':
        storage.session.execute('SELECT pg_stat_force_next_flush()')
    return storage


def names(report: Any) -> list[str]:
    return [step.name for step in report.steps if step.name.endswith('database')]


def test_what_the_database_has_to_gain_is_planned_done_and_then_done_with(bloated: Any) -> None:
    plan = bloated.maintain(DRY)
    assert 'vacuum database' in names(plan)
    assert all(step.seconds is None for step in plan.steps)
    before = bloated.get_info()['database']['bytes']
    report = bloated.maintain(FULL)
    assert names(report) == names(plan)
    assert all(step.seconds is not None for step in report.steps)
    vacuum = next(step for step in report.steps if step.name == 'vacuum database')
    assert 0 <= vacuum.freed - (before - bloated.get_info()['database']['bytes']) < 100_000  # statistics take a page
    assert len(list(bloated.find(NodeRow))) == 1000
    if bloated.dialect.name == 'postgresql':
        bloated.session.execute('SELECT pg_stat_force_next_flush()')
    assert bloated.maintain(FULL).nothing_to_do


def test_live_maintenance_leaves_the_database_alone(bloated: Any) -> None:
    assert names(bloated.maintain(MaintenanceOptions())) == []
    assert names(bloated.maintain(MaintenanceOptions(dry_run=True))) == []


def test_the_allowed_waste_is_the_callers(bloated: Any) -> None:
    assert 'vacuum database' not in names(bloated.maintain(MaintenanceOptions(full=True, dry_run=True, max_waste=90)))


def test_a_request_to_stop_is_heard_before_the_database(bloated: Any) -> None:
    class StopAtTheEnd(Stop):
        """Lets the repository do its work, for it has none, and then stops."""

        reason = 'SIGTERM'

    report = bloated.maintain(FULL, run=Run(stop=StopAtTheEnd()))
    assert (names(report), report.interrupted) == ([], 'SIGTERM')


def test_progress_is_told_of_the_steps(bloated: Any) -> None:
    class Recorder(Progress):
        steps: list[str] = []

        def begin(self, step: str, total: int | None, unit: Any = 'bytes') -> None:
            self.steps.append(step)

    bloated.maintain(FULL, run=Run(Recorder()))
    assert 'vacuum database' in Recorder.steps


def test_inside_a_transaction_it_is_refused(bloated: Any) -> None:
    with pytest.raises(InvalidOperation, match='transaction'), bloated.transaction():
        bloated.maintain(FULL)


def test_without_room_for_a_vacuum_only_the_rest_is_done(sqlite_storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = sqlite_storage.insert(K.NODE, [{'user_pk': user, 'description': 'x' * 500}] * 1000)
    sqlite_storage.delete(K.NODE, pks)
    garbage = sqlite_storage.repository.put_object_from_bytes(b'garbage')
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage(10**9, 10**9, 1000))
    with ProfileAccessManager(sqlite_storage.profile).lock():
        assert sqlite_storage.maintain(DRY).space_needed > 1000
        report = sqlite_storage.maintain(FULL)
        assert not sqlite_storage.repository.has_object(garbage)
        assert report.interrupted == OUT_OF_ROOM
        assert [step.name for step in report.left] == ['vacuum database']
        assert report.left[0].space_needed > 1000
        with pytest.raises(NotEnoughSpace, match=r'only 1\.00 kB are'):
            sqlite_storage.maintain(FULL)


def test_nothing_stays_beside_a_database_whose_statistics_were_made_or_that_was_vacuumed(
    sqlite_storage: Any,
) -> None:
    path = sqlite_storage.dialect.path
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = sqlite_storage.insert(K.NODE, [{'user_pk': user, 'description': 'x' * 500}] * 4000)
    sqlite_storage.delete(K.NODE, pks[:2000])
    sqlite_storage.close()
    assert [one.name for one in path.parent.glob(f'{path.name}*')] == [path.name]
    with (
        closing(type(sqlite_storage).open(sqlite_storage.profile, sqlite_storage.repository)) as anew,
        ProfileAccessManager(anew.profile).lock(),
    ):
        assert names(anew.maintain(FULL)) == ['vacuum database', 'analyze database']
    assert [one.name for one in path.parent.glob(f'{path.name}*')] == [path.name]


def test_a_journal_of_a_change_that_was_begun_goes_with_the_connection(sqlite_storage: Any) -> None:
    path = sqlite_storage.dialect.path
    sqlite_storage.session.execute('BEGIN IMMEDIATE')
    sqlite_storage.insert(K.USER, [{'email': 'a'}])
    sqlite_storage.close()
    assert [one.name for one in path.parent.glob(f'{path.name}*')] == [path.name]


def test_statistics_are_made_once_for_a_large_table(storage: Any, locked: None) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    storage.insert(K.NODE, [{'user_pk': user}] * 1500)
    if storage.dialect.name == 'postgresql':
        storage.session.execute('SELECT pg_stat_force_next_flush()')
    assert names(storage.maintain(FULL)) == ['analyze database']
    assert names(storage.maintain(FULL)) == []


def test_a_vacuumed_database_is_whole_and_keeps_its_form(sqlite_storage: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = sqlite_storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'x': 'y' * 999}}] * 1000)
    sqlite_storage.delete(K.NODE, pks[::2])
    expected = list(sqlite_storage.find(NodeRow))
    with ProfileAccessManager(sqlite_storage.profile).lock():
        sqlite_storage.maintain(FULL)
    assert list(sqlite_storage.find(NodeRow)) == expected
    with closing(sqlite3.connect(sqlite_storage.dialect.path)) as raw:
        assert raw.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
        assert raw.execute('PRAGMA journal_mode').fetchall() == [('delete',)]


def test_a_vacuum_killed_at_any_instant_leaves_the_database_whole(sqlite_storage: Any, of: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = sqlite_storage.insert(K.NODE, [{'user_pk': user, 'description': str(n) * 500} for n in range(4000)])
    sqlite_storage.delete(K.NODE, pks[::2])
    expected = [(row.pk, row.description) for row in sqlite_storage.find(NodeRow)]
    sqlite_storage.close()
    for number in range(12):
        pid = os.fork()
        if pid == 0:
            storage = of.open(sqlite_storage.profile)
            while True:
                storage.session.execute('VACUUM')
        time.sleep(0.03 + 0.02 * number)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with closing(of.open(sqlite_storage.profile)) as storage:
            assert storage.session.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
            assert [(row.pk, row.description) for row in storage.find(NodeRow)] == expected
