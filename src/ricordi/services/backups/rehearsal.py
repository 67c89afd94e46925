"""A restore into a temporary storage, checked as a whole and removed again: known beforehand is what will work."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ricordi.backend.maintenance import Amount, Problem
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.errors import Interrupted
from ricordi.files import TemporaryFolder
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.services.backups.filling import Filling
from ricordi.services.backups.opening import open_source
from ricordi.services.backups.source import Maker, RestoreSource
from ricordi.services.backups.temporary import temporary_storage
from ricordi.services.beside import WorkBeside
from ricordi.storage.snapshots.parts import PARTS, SETTINGS

if TYPE_CHECKING:
    from ricordi.backend.snapshots import DatabaseSnapshot, TablePart
    from ricordi.storage.sqlite.dos import SqliteDosStorage

MOST_FINDINGS = 100
TOLD_ELSEWHERE = frozenset({'repository uuid'})
"""Kinds of findings about rows to which a restore gives another value."""


@dataclass(frozen=True, slots=True)
class RehearsalReport:
    """How a restore into a temporary storage went.

    :param place: where the backup is; `maker`, `snapshot`, `taken`, `of`: as of a restore.
    :param rows: by table.
    :param objects: that were restored, and their bytes of content.
    :param database_bytes: of the rows, in the form that snapshots have.
    :param compared: whether a snapshot of what was restored was compared with the backup, row by row.
    :param findings: what is wrong with what was restored, in words: the first ones.
    :param problems: objects that the backup lacks, or that are damaged in it: the first ones.
    :param problem_count: how many there are.
    :param restore_seconds: of the restore alone.
    :param check_seconds: of the checks.
    """

    place: str
    maker: Maker
    snapshot: str
    taken: datetime | None
    of: str
    rows: Mapping[str, int]
    objects: Amount
    database_bytes: int
    compared: bool
    findings: tuple[str, ...]
    problems: tuple[Problem, ...]
    problem_count: int
    restore_seconds: float
    check_seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether all is there and right."""
        return not self.findings and not self.problem_count


def rehearse(
    place: str,
    *,
    of: str | None = None,
    wait: float | None = None,
    run: Run | None = None,
    object_store: Mapping[str, Any] | None = None,
) -> RehearsalReport:
    """Restore a backup into a temporary SQLite storage, check all of it, and remove it again.

    :param place: `PLACE`, or `PLACE@SNAPSHOT`; see `open_source`.
    :param of: name or uuid of the profile of which the newest snapshot is meant.
    :param wait: seconds to wait for those who remove snapshots from the place; None: do not wait.
    :param object_store: how a place in a bucket is reached; see `address_at`.
    :raises ricordi.errors.StorageError: the backup cannot be read, or there is no room.
    :raises ricordi.errors.Interrupted: the run was asked to end.
    """
    run = run or Run()
    with open_source(place, of, wait, run.stop, object_store) as source, temporary_storage() as storage:
        began = time.monotonic()
        filling = Filling(source, run)
        filling.fill(storage)
        restored = time.monotonic()
        rehearsal = _RehearsalCheck(source, filling, storage, run)
        findings = tuple(rehearsal.findings())[:MOST_FINDINGS]
        return RehearsalReport(
            place=str(source.place),
            maker=source.maker,
            snapshot=source.name,
            taken=source.taken,
            of=source.profile,
            rows=filling.snapshot.rows,
            objects=filling.objects,
            database_bytes=filling.snapshot.bytes,
            compared=rehearsal.comparable,
            findings=findings,
            problems=filling.problems,
            problem_count=filling.problem_count,
            restore_seconds=restored - began,
            check_seconds=time.monotonic() - restored,
        )


@dataclass(frozen=True, slots=True)
class _RehearsalCheck:
    source: RestoreSource
    filling: Filling
    storage: SqliteDosStorage
    run: Run

    @property
    def comparable(self) -> bool:
        """Whether a snapshot of what was restored must hold the very same rows as the backup does."""
        return _columns(self.source.snapshot.parts) == _columns(PARTS)

    def findings(self) -> Iterator[str]:
        """What is wrong, in words."""
        if self.source.lost_rows:
            yield f'rows may have been lost before it was backed up: {self.source.lost_rows}'
        yield from self._of_rows()
        # both processors: rows are looked at and compared here, objects are read by other processes
        with closing(WorkBeside(self._verify_objects, self.run)) as objects:
            yield from self._of_values()
            if self.comparable:
                with TemporaryFolder('rehearsal') as scratch, self.storage.snapshot(scratch) as restored:
                    yield from self._of_pieces(restored)
            yield from self._of_objects(objects)

    def _of_rows(self) -> Iterator[str]:
        for table, expected in self.filling.snapshot.rows.items():
            (number,) = self.storage.session.execute(f'SELECT count(*) FROM {table}').fetchone()
            if table != SETTINGS and number != expected:
                yield f'{table} has {number:,} rows, and the backup {expected:,}'

    def _of_values(self) -> Iterator[str]:
        """What a verification of the database finds beside; of missing objects and file trees is told elsewhere."""
        with self.run.step('check rows', None, 'rows'):
            for finding in self.storage.verify_database(check_stop=self._check_stop):
                if not finding.notice and finding.kind not in TOLD_ELSEWHERE:
                    yield _in_words(finding)

    def _verify_objects(self, run: Run) -> Iterator[Finding | Topic]:
        options = VerifyOptions(read=True, remember=False)
        return self.storage.repository.verify(options, self.storage.named_keys, run)

    def _of_objects(self, objects: WorkBeside[Finding | Topic]) -> Iterator[str]:
        """What a verification finds that reads every byte of them; what the backup lacks is told elsewhere."""
        with self.run.step('check objects', None, 'objects'):
            for one in objects.results():
                if isinstance(one, Finding) and not one.notice and not self._is_lacking(one.key):
                    yield _in_words(one)
        self._check_stop()

    def _is_lacking(self, key: str) -> bool:
        """Whether the backup has no such object, or none that is sound."""
        return bool(key) and (key in self.filling.unusable or not is_key(key))

    def _of_pieces(self, restored: DatabaseSnapshot) -> Iterator[str]:
        with self.run.step('compare with the backup', None, 'rows'):
            for part in self.source.snapshot.parts:
                if not self._is_same(part, restored):
                    yield f'the rows of {part.table} are not those of the backup'

    def _is_same(self, part: TablePart, restored: DatabaseSnapshot) -> bool:
        for one, other in zip_longest(self.source.snapshot.pieces(part), restored.pieces(part)):
            self._check_stop()
            if one is None or other is None or _lines(part, one.data) != _lines(part, other.data):
                return False
            self.run.progress.advance(one.rows)
        return True

    def _check_stop(self) -> None:
        if self.run.stop.reason:
            raise Interrupted(f'{self.run.stop.reason}: ended early; nothing is left of the rehearsal')


def _columns(parts: Iterable[TablePart]) -> set[tuple[str, ...]]:
    """What is kept together, however wide the pieces are: a snapshot is asked for those of any width."""
    return {(part.table, *part.columns) for part in parts}


def _in_words(finding: Finding) -> str:
    subject = f'object {finding.key}' if finding.key else finding.kind
    return f'{subject}: {finding.detail}' + (f' ({finding.where})' if finding.where else '')


def _lines(part: TablePart, data: bytes) -> object:
    """The rows of a piece, but for the setting that names the container, which is another now."""
    if part.table != SETTINGS:
        return data
    at = part.columns.index('key')
    return [line for line in data.splitlines() if line.split(b'\t')[at] != b'repository|uuid']
