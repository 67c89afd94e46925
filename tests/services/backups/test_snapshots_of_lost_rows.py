"""A snapshot of a database that has lost rows never pushes out the last complete one, and is told as what it is."""

from __future__ import annotations

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
