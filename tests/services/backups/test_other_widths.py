"""Snapshots whose pieces are as wide as earlier versions made them go on being read, compared and shared with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ricordi.backend.snapshots import TablePart
from ricordi.backup.records import PieceEntry, SnapshotRecord
from ricordi.config.profile import Profile
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.rehearsal import rehearse
from ricordi.storage.snapshots.parts import PARTS
from ricordi.storage.snapshots.sqlite.capture import SqliteSnapshot

OTHER_WIDTH = 4


def taken(profile: Profile, place: Path) -> SnapshotRecord:
    record = back_up(profile, place).record
    assert record is not None
    return record


@pytest.fixture
def other(mixed: Profile, tmp_path: Path) -> SnapshotRecord:
    """A snapshot in a new place `all`, of which what changes of nodes is in pieces of another width."""
    parts = tuple(part._replace(width=OTHER_WIDTH) if part.part == 'changing' else part for part in PARTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteSnapshot, 'parts', parts)
        return taken(mixed, tmp_path / 'all')


def lists_by_part(record: SnapshotRecord) -> dict[TablePart, tuple[PieceEntry, ...]]:
    return {one.part: one.lists for one in record.parts}


def test_one_is_compared_row_by_row_when_it_is_rehearsed(other: SnapshotRecord, tmp_path: Path) -> None:
    assert {one.part.width for one in other.parts if one.part.part == 'changing'} == {OTHER_WIDTH}
    report = rehearse(str(tmp_path / 'all'))
    assert (report.succeeded, report.compared, report.findings) == (True, True, ())


def test_the_next_one_shares_with_it_all_that_is_as_wide(other: SnapshotRecord, mixed: Profile, tmp_path: Path) -> None:
    with closing(sqlite3.connect(Path(mixed.storage_config['filepath']) / 'database.sqlite')) as raw, raw:
        raw.execute("UPDATE db_dbnode SET label = label || '!' WHERE id = (SELECT min(id) FROM db_dbnode)")
    after, before = lists_by_part(taken(mixed, tmp_path / 'all')), lists_by_part(other)
    assert after.keys() == {*PARTS}
    assert {part.part for part in after if part not in before} == {'changing'}
    assert all(after[part] == before[part] for part in after if part in before)


def test_while_nothing_changes_it_stands_for_the_next_one(
    other: SnapshotRecord, mixed: Profile, tmp_path: Path
) -> None:
    assert lists_by_part(taken(mixed, tmp_path / 'all')) == lists_by_part(other)
