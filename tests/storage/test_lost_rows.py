"""Where rows of the database may be lost, nothing is removed for want of a name: a lost row may have had it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.backend.rows import EntityKind as K
from sqlite_pages import hide_last_rows, zero_last_page

FULL = MaintenanceOptions(full=True)
NODES = 40
INDEX_OF_INPUTS = "SELECT name FROM sqlite_schema WHERE tbl_name = 'db_dblink' AND sql LIKE '%(input_id)%'"


def fill(storage: Any) -> None:
    """Nodes with a file each, the last two linked, and an object that no node names."""
    keys = storage.repository.put_objects_into_pack([b'%d' % number for number in range(NODES + 1)])
    user, _ = storage.insert(K.USER, [{'email': 'a'}, {'email': 'b'}])
    rows = [
        {'user_pk': user, 'repository_metadata': {'o': {'a': {'k': key}}}, 'label': 'x' * 200} for key in keys[:NODES]
    ]
    pks = storage.insert(K.NODE, rows)
    storage.insert(K.LINK, [{'input_pk': pks[-2], 'output_pk': pks[-1], 'type': 'input_calc', 'label': 'a'}])


def database_of(storage: Any) -> Path:
    return Path(storage.dialect.path)


def maintained(storage: Any, options: MaintenanceOptions = FULL) -> MaintenanceReport:
    with ProfileAccessManager(storage.profile).lock():
        report: MaintenanceReport = storage.maintain(options)
        return report


def check_nothing_goes(storage: Any, reason: str) -> None:
    """The plan and the run refuse for the same reason, and each object stays."""
    there = storage.repository.get_info()['packed']['objects']
    loose = storage.repository.put_object_from_bytes(b'what is to be packed')
    for options in (FULL._replace(dry_run=True), FULL._replace(repack='all')):
        report = maintained(storage, options)
        assert reason in report.distrust
        assert [step.name for step in report.steps if step.name != 'recover'] == ['pack']
        assert report.clean is None
    assert storage.repository.get_info()['packed']['objects'] == there + 1  # packed all the same
    assert storage.repository.has_object(loose)


def test_what_no_node_names_goes_where_no_row_is_lost(storage: Any) -> None:
    fill(storage)
    report = maintained(storage)
    assert (report.distrust, report.before.garbage.objects, report.after.garbage.objects) == ('', 1, 0)


def test_rows_that_a_damaged_page_hides_are_known_by_their_index(sqlite_storage: Any) -> None:
    fill(sqlite_storage)
    sqlite_storage.session.execute('DELETE FROM db_dblink')
    hide_last_rows(database_of(sqlite_storage), 'db_dbnode')
    check_nothing_goes(sqlite_storage, f'{NODES} in the index of it')


def test_rows_that_other_rows_name_are_known_by_these(storage: Any) -> None:
    fill(storage)
    storage.session.execute(
        'ALTER TABLE db_dblink DISABLE TRIGGER ALL' if is_psql(storage) else 'PRAGMA foreign_keys=0'
    )
    if is_psql(storage):
        storage.session.execute('ALTER TABLE db_dbnode DISABLE TRIGGER ALL')
    storage.session.execute('DELETE FROM db_dbnode WHERE id = (SELECT max(id) FROM db_dbnode)')
    check_nothing_goes(storage, 'rows of db_dblink name nodes that are not in the database')


def test_a_file_that_is_not_in_order_is_not_trusted(sqlite_storage: Any) -> None:
    fill(sqlite_storage)
    hide_last_rows(database_of(sqlite_storage), 'db_dbuser')
    check_nothing_goes(sqlite_storage, 'is damaged')


def test_what_cannot_be_read_is_not_trusted(sqlite_storage: Any) -> None:
    fill(sqlite_storage)
    (name,) = sqlite_storage.session.execute(INDEX_OF_INPUTS).fetchone()
    zero_last_page(database_of(sqlite_storage), name)
    check_nothing_goes(sqlite_storage, 'is damaged (database disk image is malformed)')


def test_what_a_verification_has_found_holds_until_the_next(sqlite_storage: Any) -> None:
    fill(sqlite_storage)
    sqlite_storage.repository.note_verified(3, of_rows=1)
    check_nothing_goes(sqlite_storage, 'open findings')
    sqlite_storage.repository.note_verified(2, of_rows=0)
    assert maintained(sqlite_storage).after.garbage.objects == 0


def test_a_damaged_database_is_not_rebuilt(sqlite_storage: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    sqlite_storage.insert(K.NODE, [{'user_pk': user, 'label': 'x' * 250}] * 800)
    sqlite_storage.session.execute('DELETE FROM db_dbnode WHERE id < 700')
    assert 'vacuum database' in [step.name for step in maintained(sqlite_storage, FULL._replace(dry_run=True)).steps]
    hide_last_rows(database_of(sqlite_storage), 'db_dbnode')
    report = maintained(sqlite_storage)
    assert report.distrust
    assert 'vacuum database' not in [step.name for step in report.steps]


def test_with_nothing_to_remove_nobody_looks(sqlite_storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(sqlite_storage)
    maintained(sqlite_storage)
    asked: list[str] = []
    monkeypatch.setattr(type(sqlite_storage.dialect), 'lost_rows', lambda dialect, session: asked.append('') or '')
    for options in (FULL, FULL._replace(dry_run=True), MaintenanceOptions()):
        maintained(sqlite_storage, options)
    assert not asked


def is_psql(storage: Any) -> bool:
    return bool(storage.dialect.name == 'postgresql')
