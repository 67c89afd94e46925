"""A large database is put by a process of its own beside the objects, and committed after them."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deadlines import DEADLINE, wait_for_end_of
from ricordi.backend.rows import NodeRow
from ricordi.backup.places.folder import FolderPlace
from ricordi.backup.repository import BackupRepository
from ricordi.config import load_config
from ricordi.errors import Interrupted, StillInUse, UnreachableStorage
from ricordi.manager import use_storage
from ricordi.progress import Progress, Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.worker_process import WorkerProcess
from ricordi.services.backups import rows_beside
from ricordi.services.backups.filling import FillingLimits
from ricordi.services.backups.restore import restore
from ricordi.services.backups.rows_beside import RowsBeside
from ricordi.services.profiles.setup import Request

Ask = Callable[..., Request]
BESIDE, SERIAL = FillingLimits(0, 2), FillingLimits(0, 1)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[RowsBeside]:
    """The processes that were begun."""
    found: list[RowsBeside] = []
    begin = RowsBeside.__init__

    def noted(self: RowsBeside, *arguments: object) -> None:
        begin(self, *arguments)  # type: ignore[arg-type]
        found.append(self)

    monkeypatch.setattr(RowsBeside, '__init__', noted)
    return found


def database_of(profile: str) -> Path:
    return Path(load_config().get_profile(profile).storage_config['filepath']) / 'database.sqlite'


def dumped(path: Path) -> list[str]:
    """All that a database holds, but for what is another in each one."""
    with closing(sqlite3.connect(path)) as database:
        return [line for line in database.iterdump() if 'repository|uuid' not in line]


def nodes_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute('SELECT count(*) FROM db_dbnode').fetchone()[0])


def test_it_is_the_same_as_one_after_the_other(
    home: Path, place: Path, to_sqlite: Ask, started: list[RowsBeside]
) -> None:
    beside = restore(str(place), to_sqlite('beside'), limits=BESIDE)
    assert len(started) == 1
    serial = restore(str(place), to_sqlite('serial'), limits=SERIAL)
    assert len(started) == 1
    assert dumped(database_of('beside')) == dumped(database_of('serial'))
    assert beside.rows == serial.rows
    assert beside.objects == serial.objects


def test_into_a_bucket_the_rows_are_put_beside_and_the_database_guards_them_after(
    home: Path, place: Path, to_sqlite: Ask, bucket_config: Ask, started: list[RowsBeside]
) -> None:
    config: Any = bucket_config()
    request = replace(to_sqlite(), backend='ricordi.psql_bucket', storage_config=config)
    report = restore(str(place), request, limits=BESIDE)
    assert len(started) == 1
    with use_storage(load_config().get_profile('back')) as storage:
        assert report.rows['db_dbnode'] == sum(1 for _ in storage.find(NodeRow)) > 0
        keys = sorted({*storage.named_keys()})
        assert [*storage.repository.list_objects()] == keys
        assert storage.repository.guard_fault() == ''
        with pytest.raises(StillInUse):
            storage.repository.delete_objects(keys[:1])


def test_a_small_database_is_put_without_another_process(
    home: Path, place: Path, to_sqlite: Ask, started: list[RowsBeside]
) -> None:
    restore(str(place), to_sqlite())
    assert not started


def test_no_row_is_seen_before_all_objects_are_there(
    home: Path, place: Path, to_sqlite: Ask, started: list[RowsBeside], monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Container.put_known_objects
    seen: list[int] = []

    def look_after(container: Container, *arguments: object) -> None:
        put(container, *arguments)  # type: ignore[arg-type]
        if started:
            started[0]._filled.result(DEADLINE)  # all rows are put by now
            seen.append(nodes_in(container.layout.folder.parent / 'database.sqlite'))

    monkeypatch.setattr(Container, 'put_known_objects', look_after)
    assert restore(str(place), to_sqlite(), limits=BESIDE).rows['db_dbnode'] == nodes_in(database_of('back'))
    assert seen == [0]


def test_where_the_process_is_killed_the_rows_are_put_without_it(
    home: Path, place: Path, to_sqlite: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = RowsBeside.commit

    def killed_before(rows: RowsBeside, run: Run) -> object:
        assert rows._worker is not None
        rows._filled.result(DEADLINE)
        rows._worker.process.kill()
        rows._filled = rows._ask('anything')
        return commit(rows, run)

    monkeypatch.setattr(RowsBeside, 'commit', killed_before)
    assert restore(str(place), to_sqlite(), limits=BESIDE).rows['db_dbnode'] == nodes_in(database_of('back')) > 0


def test_where_it_cannot_be_started_the_rows_are_put_without_it(
    home: Path, place: Path, to_sqlite: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_beside, 'start_worker', lambda module: None)
    assert restore(str(place), to_sqlite(), limits=BESIDE).rows['db_dbnode'] == nodes_in(database_of('back')) > 0


def test_one_that_is_killed_while_it_commits_leaves_no_profile(
    home: Path, place: Path, to_sqlite: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = WorkerProcess.ask

    def unanswered(worker: WorkerProcess, question: object) -> object:
        if question == rows_beside.COMMIT:
            worker.process.kill()
        return ask(worker, question)

    monkeypatch.setattr(WorkerProcess, 'ask', unanswered)
    with pytest.raises(UnreachableStorage, match='run again'):
        restore(str(place), to_sqlite(), limits=BESIDE)
    assert load_config().profile_names == ['mixed']
    assert not list((home / 'repository').iterdir())


def test_a_restore_that_is_asked_to_end_leaves_neither_profile_nor_process(
    home: Path, place: Path, to_sqlite: Ask, started: list[RowsBeside]
) -> None:
    stop = Stop()

    class EndsAtObjects(Progress):
        def begin(self, step: str, total: int | None, unit: object = 'bytes') -> None:
            if step == 'put rows':
                stop.request('SIGTERM')

    with pytest.raises(Interrupted):
        restore(str(place), to_sqlite(), limits=BESIDE, run=Run(EndsAtObjects(), stop))
    assert started[0]._worker is not None
    assert started[0]._worker.process.returncode == -signal.SIGKILL
    assert load_config().profile_names == ['mixed']
    assert not list((home / 'repository').iterdir())


def test_the_process_ends_with_the_one_that_started_it_and_commits_nothing(
    home: Path, place: Path, to_sqlite: Ask, tmp_path: Path
) -> None:
    told = tmp_path / 'pid'
    child = os.fork()
    if not child:
        try:

            def ends(rows: RowsBeside, run: Run) -> None:
                assert rows._worker is not None
                rows._filled.result(DEADLINE)
                told.write_text(str(rows._worker.process.pid))
                os._exit(0)

            RowsBeside.commit = ends  # type: ignore[method-assign, assignment]
            restore(str(place), to_sqlite(), limits=BESIDE)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    wait_for_end_of(int(told.read_text()))
    (folder,) = (home / 'repository').iterdir()
    assert nodes_in(folder / 'database.sqlite') == 0
    assert BackupRepository(FolderPlace(place), Container(place / 'container')).snapshots()
    assert restore(str(place), to_sqlite()).rows['db_dbnode'] > 0
