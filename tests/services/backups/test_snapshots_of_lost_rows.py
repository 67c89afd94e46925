"""A snapshot of a database that has lost rows never pushes out the last complete one, and is told as what it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ricordi.backup.policy import KeepPolicy
from ricordi.config.profile import Profile
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.rehearsal import rehearse
from ricordi.services.backups.snapshots import list_snapshots
from sqlite_pages import hide_last_rows


def test_the_last_complete_snapshot_stays_however_many_came_after_it(mixed: Profile, tmp_path: Path) -> None:
    place = tmp_path / 'place'
    whole = back_up(mixed, place).record
    assert whole is not None
    assert whole.complete
    hide_last_rows(tmp_path / 'mixed' / 'database.sqlite', 'db_dbnode')
    for _ in range(3):  # the second finds nothing changed, and repeats what is known
        made = back_up(mixed, place, policy=KeepPolicy(last=1)).record
        assert made is not None
        assert made.lost_rows
        assert not made.complete
    assert [record.complete for record in list_snapshots(place).records] == [True, False]
    assert rehearse(f'{place}@{whole.name}').succeeded
    report = rehearse(f'{place}@{made.name}')
    assert made.lost_rows in report.findings[0]


def test_a_snapshot_of_a_damaged_file_tree_is_told_and_pushes_out_none_that_is_whole(
    mixed: Profile, tmp_path: Path
) -> None:
    place = tmp_path / 'place'
    assert back_up(mixed, place).record is not None
    with closing(sqlite3.connect(tmp_path / 'mixed' / 'database.sqlite')) as database, database:
        (pk,) = database.execute('SELECT id FROM db_dbnode WHERE repository_metadata LIKE \'%"k"%\' LIMIT 1').fetchone()
        database.execute('UPDATE db_dbnode SET repository_metadata = replace(repository_metadata, \'"k"\', \'"K"\')')
    made = back_up(mixed, place, policy=KeepPolicy(last=1)).record
    assert made is not None
    assert (made.complete, f'that of node {pk} ' in made.lost_rows, 'and 35 more' in made.lost_rows) == (
        False,
        True,
        True,
    )
    assert [record.complete for record in list_snapshots(place).records] == [True, False]
