"""Checks of a database, shared out between two processes, find what one finds, whatever becomes of the other."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deadlines import DEADLINE, wait_for_end_of, wait_until
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.errors import Interrupted, StoppedWorker
from ricordi.progress import Run
from ricordi.repository.worker_process import WorkerProcess
from ricordi.services import checks_beside
from ricordi.services.checks_beside import SharedChecks, Sharing, findings_of
from ricordi.services.verify import verify_open_storage

SHARED, ALONE = Sharing(0, 2), Sharing(0, 1)
DAMAGE = (
    'UPDATE db_dbnode SET user_id = 99 WHERE id IN (3, 4)',
    "UPDATE db_dbnode SET attributes = '[]', node_type = 'nothing' WHERE id = 5",
    "UPDATE db_dbnode SET repository_metadata = '[1]', label = CAST(x'ff' AS TEXT) WHERE id = 6",
    'UPDATE db_dbnode SET extras = \'{"a": 1e999}\' WHERE id = 7',
    'INSERT INTO db_dblink (input_id, output_id, label, type) SELECT output_id, input_id, label, type FROM db_dblink',
    "UPDATE db_dbcomment SET mtime = 'never'",
    'DROP INDEX IF EXISTS ix_db_dbnode_db_dbnode_label',
)


@pytest.fixture
def damaged(reference_storage: Any) -> Any:
    """The reference profile with something wrong for many a check."""
    with closing(sqlite3.connect(reference_storage.dialect.path, isolation_level=None)) as raw:
        for statement in DAMAGE:
            raw.execute(statement)
    return reference_storage


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[WorkerProcess]]:
    """The processes that were begun; when the test ends, none is left."""
    found: list[WorkerProcess] = []
    begin = WorkerProcess.__init__

    def noted(self: WorkerProcess, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        found.append(self)

    monkeypatch.setattr(WorkerProcess, '__init__', noted)
    yield found
    assert all(worker.process.returncode is not None for worker in found)


def nothing() -> None:
    """Nobody asks the work to end."""


def found_in(storage: Any, sharing: Sharing, thorough: bool = False) -> list[Finding]:
    return list(findings_of(storage, thorough, nothing, sharing))


@pytest.mark.parametrize('thorough', [False, True])
def test_two_processes_find_what_one_finds_in_the_same_order(
    damaged: Any, started: list[WorkerProcess], thorough: bool
) -> None:
    expected = list(damaged.verify_database(thorough))
    assert len({finding.kind for finding in expected}) > 8
    assert found_in(damaged, ALONE, thorough) == expected
    assert not started
    assert found_in(damaged, SHARED, thorough) == expected
    assert len(started) == 1


def test_all_that_the_other_process_can_do_it_finds_as_this_one_does(
    damaged: Any, monkeypatch: pytest.MonkeyPatch, started: list[WorkerProcess]
) -> None:
    """This one leaves to it whatever it does not keep for itself."""
    expected, took, asked = list(damaged.verify_database(True)), SharedChecks._take, list[str]()
    ask = WorkerProcess.ask

    def noted(worker: WorkerProcess, question: Any) -> Any:
        asked.append(question)
        return ask(worker, question)

    def take(shared: SharedChecks, least_work: float) -> Any:
        if least_work == 0 and shared._left and shared._left[0].work:
            return None
        return took(shared, least_work)

    monkeypatch.setattr(SharedChecks, '_take', take)
    monkeypatch.setattr(WorkerProcess, 'ask', noted)
    assert found_in(damaged, SHARED, thorough=True) == expected
    with closing(damaged.database_checks(True)) as checks:
        names = {check.name for check in checks.listed}
        kept = {check.name for check in checks.listed if not check.work}
    assert set(asked[1:]) == names - kept
    assert kept == {'which tables there are', 'the integrity of the database'}


def test_the_heaviest_check_is_that_of_the_other_process_however_late_its_thread_comes_to_work(
    damaged: Any, monkeypatch: pytest.MonkeyPatch, started: list[WorkerProcess]
) -> None:
    elsewhere, ask, asked = SharedChecks._elsewhere, WorkerProcess.ask, list[Any]()

    def late(shared: SharedChecks, *arguments: Any) -> None:
        wait_until(lambda: not shared._left, 'all others are done here')
        elsewhere(shared, *arguments)

    def noted(worker: WorkerProcess, question: Any) -> Any:
        asked.append(question)
        return ask(worker, question)

    monkeypatch.setattr(SharedChecks, '_elsewhere', late)
    monkeypatch.setattr(WorkerProcess, 'ask', noted)
    assert found_in(damaged, SHARED) == list(damaged.verify_database())
    with closing(damaged.database_checks()) as checks:
        assert asked[1:] == [max(checks.listed, key=lambda check: check.work).name]


def test_a_small_database_is_looked_at_without_another_process(damaged: Any, started: list[WorkerProcess]) -> None:
    assert found_in(damaged, Sharing()) == list(damaged.verify_database())
    assert not started


def test_a_verification_of_all_shares_out_the_database(damaged: Any, started: list[WorkerProcess]) -> None:
    alone, shared = (
        verify_open_storage(damaged, VerifyOptions(remember=False), Run(), sharing=sharing)
        for sharing in (ALONE, SHARED)
    )
    assert len(started) == 1
    assert shared.findings == alone.findings
    assert shared.counts == alone.counts
    assert [topic.name for topic in shared.topics] == [topic.name for topic in alone.topics]


def write_and_delete(path: Path, begun: threading.Event, enough: threading.Event) -> None:
    """Store nodes with links between them, and delete those before, over and over, each time in one transaction."""
    with closing(sqlite3.connect(path, timeout=DEADLINE, isolation_level=None)) as raw:
        (last,) = raw.execute('SELECT max(id) FROM db_dbnode').fetchone()
        (kind,) = raw.execute("SELECT node_type FROM db_dbnode WHERE node_type LIKE 'process.calculation.%'").fetchone()
        while not enough.is_set():
            raw.execute('BEGIN IMMEDIATE')
            raw.execute('DELETE FROM db_dblink WHERE output_id > ?', (last,))
            raw.execute('DELETE FROM db_dbnode WHERE id > ?', (last,))
            for number in range(1, 41):
                raw.execute(
                    'INSERT INTO db_dbnode (id, uuid, node_type, label, description, ctime, mtime, attributes, extras, '
                    "repository_metadata, user_id) SELECT ?, ?, ?, label, '', ctime, mtime, '{}', '{}', '{}', user_id "
                    'FROM db_dbnode WHERE id = ?',
                    (last + number, str(uuid4()), kind if number % 2 else 'data.core.int.Int.', last),
                )
            raw.executemany(
                "INSERT INTO db_dblink (input_id, output_id, label, type) VALUES (?, ?, 'x', ?)",
                [(last + one, last + one + 1, 'create' if one % 2 else 'input_calc') for one in range(1, 40)],
            )
            raw.execute('COMMIT')
            begun.set()


@pytest.mark.parametrize('thorough', [False, True])
def test_beside_a_writer_two_processes_find_nothing(reference_storage: Any, thorough: bool) -> None:
    """Each looks at moments of its own; no finding is made of two."""
    expected = found_in(reference_storage, ALONE, thorough)
    assert [finding for finding in expected if not finding.notice] == []
    begun, enough = threading.Event(), threading.Event()
    arguments = (reference_storage.dialect.path, begun, enough)
    writer = threading.Thread(target=write_and_delete, args=arguments)
    writer.start()
    try:
        assert begun.wait(DEADLINE)
        for _ in range(5):
            assert found_in(reference_storage, SHARED, thorough) == expected
        assert writer.is_alive()
    finally:
        enough.set()
        writer.join()
    assert found_in(reference_storage, SHARED, thorough) == expected


# what becomes of the other process -------------------------------------------------------------------------


def test_where_no_process_can_be_started_all_is_done_here(damaged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_beside, 'start_worker', lambda module: None)
    assert found_in(damaged, SHARED) == list(damaged.verify_database())


@pytest.mark.parametrize('question', [1, 2, 3])
def test_what_a_killed_process_does_not_answer_is_done_here(
    damaged: Any, monkeypatch: pytest.MonkeyPatch, started: list[WorkerProcess], question: int
) -> None:
    ask, asked = WorkerProcess.ask, list[Any]()

    def killed(worker: WorkerProcess, words: Any) -> Any:
        asked.append(words)
        if len(asked) == question:
            worker.process.kill()
        return ask(worker, words)

    monkeypatch.setattr(WorkerProcess, 'ask', killed)
    assert found_in(damaged, SHARED, thorough=True) == list(damaged.verify_database(True))
    assert started[0].process.returncode == -signal.SIGKILL


def test_what_a_stopped_process_does_not_answer_is_done_here_and_that_is_told(
    damaged: Any, monkeypatch: pytest.MonkeyPatch, started: list[WorkerProcess]
) -> None:
    ask = WorkerProcess.ask

    def stopped(worker: WorkerProcess, words: Any) -> Any:
        worker.process.send_signal(signal.SIGSTOP)
        return ask(worker, words)

    monkeypatch.setattr(WorkerProcess, 'ask', stopped)
    with pytest.warns(StoppedWorker):
        assert found_in(damaged, SHARED) == list(damaged.verify_database())


@pytest.mark.parametrize('error', [StoppedWorker('stopped'), MemoryError(), TypeError('no answer')])
def test_whatever_goes_wrong_with_its_answer_the_check_is_done_here(
    damaged: Any, monkeypatch: pytest.MonkeyPatch, started: list[WorkerProcess], error: Exception
) -> None:
    """A warning is an error where a user has made it one (`python -W error`)."""
    ask = WorkerProcess.ask

    def failing(worker: WorkerProcess, words: Any) -> Any:
        answer = ask(worker, words)
        if isinstance(words, str):
            raise error
        return answer

    monkeypatch.setattr(WorkerProcess, 'ask', failing)
    assert found_in(damaged, SHARED, thorough=True) == list(damaged.verify_database(True))
    assert len(started) == 1


def test_a_fault_of_the_process_is_no_finding(damaged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it can not open, for one: this process has it open, and does the work."""
    expected = list(damaged.verify_database())
    ask = WorkerProcess.ask
    monkeypatch.setattr(
        WorkerProcess, 'ask', lambda worker, words: ask(worker, {} if isinstance(words, dict) else words)
    )
    assert found_in(damaged, SHARED) == expected


def test_asked_to_end_it_tells_what_was_found_and_leaves_no_process(
    damaged: Any, monkeypatch: pytest.MonkeyPatch, started: list[WorkerProcess]
) -> None:
    """The other process has answered for the nodes by then, of which the first checks say nothing."""
    expected, note, answered = list(damaged.verify_database()), SharedChecks._note, list[str]()

    def noted(shared: SharedChecks, check: Any, found: Any) -> None:
        note(shared, check, found)
        answered.append(check.name)

    def asked_to_end() -> None:
        if 'the rows of kind node' in answered:
            raise Interrupted('asked to end')

    monkeypatch.setattr(SharedChecks, '_note', noted)
    monkeypatch.setattr(SharedChecks, '_here', lambda shared, awaited: asked_to_end())
    told = list[Finding]()
    with pytest.raises(Interrupted):
        told.extend(findings_of(damaged, False, asked_to_end, SHARED))
    assert {finding.kind for finding in told} >= {'dangling reference', 'node type', 'unreadable JSON'}
    assert told == [finding for finding in expected if finding in told]
    assert started[0].process.returncode == -signal.SIGKILL


def test_findings_that_nobody_reads_to_their_end_leave_no_process(damaged: Any, started: list[WorkerProcess]) -> None:
    findings = findings_of(damaged, False, nothing, SHARED)
    next(findings)
    findings.close()  # type: ignore[attr-defined]
    assert started[0].process.returncode == -signal.SIGKILL


# a process that loses the one that asks it -----------------------------------------------------------------

WAITS = """
import sys, time
from ricordi.config.profile import Profile
from ricordi.repository.container.container import Container
from ricordi.repository.worker_process import WorkerProcess
from ricordi.services.checks_beside import Sharing, findings_of
from ricordi.storage.sqlite.dos import SqliteDosStorage

begin = WorkerProcess.__init__

def told(self, *arguments, **options):
    begin(self, *arguments, **options)
    print(self.process.pid, flush=True)

WorkerProcess.__init__ = told
config = {'backend': 'core.sqlite_dos', 'config': {'filepath': sys.argv[1]}}
profile = Profile('test', {'storage': config, 'process_control': {'backend': None, 'config': None}})
storage = SqliteDosStorage.open(profile, Container(SqliteDosStorage.repository_location(profile).path))
started = []

def check_stop():
    if started:
        time.sleep(1000)

findings = findings_of(storage, True, check_stop, Sharing(0, 2))
started.append(next(findings))
list(findings)
"""
BUSY = """
import sqlite3
from ricordi.answering import answer_parent, questions_of_parent

asked = questions_of_parent()
answer_parent(asked.get())
sqlite3.connect(':memory:').execute(
    'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n').fetchall()
"""


@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='needs /proc')
def test_of_a_verification_that_is_killed_no_process_is_left(damaged: Any) -> None:
    folder = damaged.dialect.path.parent
    with subprocess.Popen([sys.executable, '-c', WAITS, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        process.kill()
    wait_for_end_of(worker)


def test_a_process_that_is_at_work_ends_with_the_one_that_asks_it() -> None:
    with subprocess.Popen([sys.executable, '-c', BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'["x"]\n')
        process.stdin.flush()
        assert process.stdout.readline() == b'["x"]\n'
        process.stdin.close()
        assert process.wait(DEADLINE) == 1
