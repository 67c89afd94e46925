"""A restored profile holds what was backed up; what cannot be restored is told, and leaves nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from ricordi.backend.repository import FreeSpace
from ricordi.backend.rows import EntityKind
from ricordi.config import load_config
from ricordi.config.profile import Profile
from ricordi.errors import (
    CorruptStorage,
    IncompatibleStorageSchema,
    Interrupted,
    InvalidOperation,
    MultipleObjectsError,
    NoBackupRepository,
    NotEnoughSpace,
    NotExistent,
    ProfileConfigurationError,
    StorageExists,
    UnreachableStorage,
    ValidationError,
)
from ricordi.manager import open_backup, use_storage
from ricordi.progress import Run, Stop
from ricordi.repository.container.container import Container
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.opening import open_source, split_place
from ricordi.services.backups.restore import restore
from ricordi.services.profiles.setup import Request
from ricordi.storage.snapshots.parts import SETTINGS

Ask = Callable[..., Request]


def content_of(profile: Profile) -> dict[tuple[str, str], bytes]:
    """The rows of all tables but the settings, and every object by its key."""
    with use_storage(profile) as storage:
        keys = list(storage.named_keys())
        found = {('objects', key): storage.repository.get_object_content(key) for key in keys}
        with storage.snapshot() as snapshot:
            for part in snapshot.parts:
                if part.table != SETTINGS:
                    found[part.table, part.part] = b''.join(piece.data for piece in snapshot.pieces(part))
    return found


@contextmanager
def nothing_left(home: Path) -> Iterator[None]:
    """See that an attempt leaves neither a profile nor a storage in the configuration folder."""
    before = sorted(path.name for path in (home / 'repository').glob('*')), load_config().profile_names
    yield
    assert (sorted(path.name for path in (home / 'repository').glob('*')), load_config().profile_names) == before


@pytest.mark.parametrize('target', ['sqlite', 'psql'])
def test_a_snapshot_comes_back_as_it_was(
    mixed: Profile, place: Path, target: str, request: pytest.FixtureRequest
) -> None:
    report = restore(str(place), request.getfixturevalue(f'to_{target}')())
    profile = load_config().get_profile('back')
    restored, source = content_of(profile), content_of(mixed)
    assert restored.keys() == source.keys()
    assert {key: value for key, value in restored.items() if key[0] == 'objects'} == {
        key: value for key, value in source.items() if key[0] == 'objects'
    }
    if target == 'sqlite':
        assert restored == source
    assert (report.maker, report.of, report.problem_count) == ('ricordi', 'mixed', 0)
    assert report.objects.objects == sum(kind == 'objects' for kind, _ in source)
    assert report.rows['db_dblink'] == source['db_dblink', ''].count(b'\n')


@pytest.mark.parametrize('target', ['sqlite', 'psql'])
def test_what_verdi_backed_up_comes_back_and_is_left_as_it_is(
    home: Path, verdi_backup: Path, target: str, request: pytest.FixtureRequest
) -> None:
    before = {path: path.stat().st_mtime_ns for path in verdi_backup.rglob('*') if path.is_file()}
    report = restore(str(verdi_backup), request.getfixturevalue(f'to_{target}')())
    assert {path: path.stat().st_mtime_ns for path in verdi_backup.rglob('*') if path.is_file()} == before
    assert (report.maker, report.objects.objects, report.problem_count) == ('verdi', 23, 0)
    profile = load_config().get_profile('back')
    assert profile.default_user_email == 'alice@example.org'
    restored = content_of(profile)
    assert restored['db_dbnode', 'fixed'].count(b'\n') == 74
    assert restored['db_dblink', ''].count(b'\n') == 88


def test_the_next_key_on_postgresql_is_one_that_was_never_given_out(
    home: Path, tmp_path: Path, to_psql: Ask, verdi_psql: Path
) -> None:
    (dump,) = verdi_psql.glob('backup_*/db.psql')
    text = dump.read_text()
    dump.write_text(text.replace("db_dbnode_id_seq', 74, true", "db_dbnode_id_seq', 200, true"))
    restore(str(verdi_psql), to_psql())
    with use_storage(load_config().get_profile('back')) as storage:
        assert storage.insert(EntityKind.NODE, [{'node_type': 'data.core.int.Int.', 'user_pk': 1}]) == [201]


def test_the_profile_is_the_default_one_only_where_there_is_no_other(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask
) -> None:
    assert restore(str(verdi_sqlite), to_sqlite('first')).created.is_default
    assert not restore(str(verdi_sqlite), to_sqlite('second')).created.is_default


def test_the_default_user_is_the_one_that_the_profile_had(mixed: Profile, tmp_path: Path, to_sqlite: Ask) -> None:
    for email, expected in (('bob@example.org', 'bob@example.org'), ('nobody@example.org', 'alice@example.org')):
        config = load_config()
        config.set_default_user_email(config.get_profile('mixed'), email)
        back_up(config.get_profile('mixed'), tmp_path / email)
        report = restore(str(tmp_path / email), to_sqlite(email.partition('@')[0]))
        assert report.created.profile.default_user_email == expected


# -- which one ----------------------------------------------------------------------------------------------------


def test_a_place_may_name_a_snapshot_and_a_folder_may_have_an_at_in_its_name(tmp_path: Path) -> None:
    (tmp_path / 'a@b').mkdir()
    assert split_place(f'{tmp_path}/a@b') == (tmp_path / 'a@b', None)
    assert split_place(f'{tmp_path}/a@b@latest') == (tmp_path / 'a@b', 'latest')
    assert split_place(f'{tmp_path}/c@2026') == (tmp_path / 'c', '2026')
    assert split_place(f'{tmp_path}/c@') == (tmp_path / 'c', None)


def test_snapshots_are_found_by_name_and_by_profile(place: Path, mixed: Profile, home: Path, tmp_path: Path) -> None:
    config = load_config()
    other = config.create_profile('other', mixed.storage_backend, mixed.storage_config)
    config.store()
    second = back_up(mixed, place).record
    third = back_up(other, place).record
    assert second is not None
    assert third is not None

    def name_of(text: str, of: str | None = None) -> str:
        with open_source(text, of) as source:
            return source.name

    assert name_of(f'{place}@latest') == third.name
    assert name_of(f'{place}@{second.name}') == second.name
    assert name_of(str(place), 'mixed') == name_of(str(place), mixed.uuid) == second.name
    assert name_of(f'{place}@latest', 'mixed') == second.name
    with pytest.raises(InvalidOperation, match=f'several profiles:\n  {third.name}  other on '):
        name_of(str(place))
    with pytest.raises(NotExistent, match=f"no snapshot '1999'.*there are:\n  {third.name}"):
        name_of(f'{place}@1999')
    with pytest.raises(NotExistent, match="no snapshot of a profile 'nobody'"):
        name_of(str(place), 'nobody')
    with pytest.raises(NotExistent, match="not of profile 'mixed'"):
        name_of(f'{place}@{third.name}', 'mixed')
    with pytest.raises(MultipleObjectsError):
        name_of(f'{place}@20')


def test_backups_of_verdi_are_found_by_name(verdi_sqlite: Path) -> None:
    (older,) = verdi_sqlite.glob('backup_*')
    newer = older.with_name('backup_20991231235959_abcd')
    newer.mkdir()
    for entry in older.iterdir():
        (newer / entry.name).symlink_to(entry)

    def name_of(text: Path | str) -> str:
        with open_source(str(text)) as source:
            return source.name

    assert name_of(verdi_sqlite) == older.name, 'what `last-backup` says is the newest'
    (verdi_sqlite / 'last-backup').unlink()
    assert name_of(verdi_sqlite) == name_of(f'{verdi_sqlite}@latest') == newer.name
    assert name_of(f'{verdi_sqlite}@2026') == name_of(f'{verdi_sqlite}@{older.name}') == name_of(older) == older.name
    with pytest.raises(InvalidOperation, match='several backups'):
        name_of(f'{verdi_sqlite}@backup_20')
    with pytest.raises(NotExistent, match=f'there are: {older.name}'):
        name_of(f'{verdi_sqlite}@1999')


def test_what_is_no_backup_is_refused(home: Path, tmp_path: Path, to_sqlite: Ask) -> None:
    (tmp_path / 'void').mkdir()
    (tmp_path / 'file').touch()
    (tmp_path / 'cut' / 'live-backup').mkdir(parents=True)
    refusals = {
        'nowhere': (UnreachableStorage, 'there is nothing'),
        'file': (UnreachableStorage, 'no folder'),
        'void': (NoBackupRepository, 'holds no backup'),
        'cut': (InvalidOperation, 'cut short'),
    }
    for name, (kind, told) in refusals.items():
        with nothing_left(home), pytest.raises(kind, match=told):
            restore(str(tmp_path / name), to_sqlite())


# -- what is missing, damaged, taken ------------------------------------------------------------------------------


def test_objects_that_the_backup_lacks_are_named_and_the_rest_is_restored(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask, without_pack: Callable[[Path], None]
) -> None:
    (backup,) = verdi_sqlite.glob('backup_*')
    without_pack(backup / 'container')
    report = restore(str(verdi_sqlite), to_sqlite())
    assert (report.problem_count, report.objects.objects, report.rows['db_dbnode']) == (23, 0, 74)
    assert all(problem.nodes for problem in report.problems)
    assert 'back' in load_config().profile_names


def test_a_damaged_object_is_named_and_not_put(home: Path, verdi_sqlite: Path, to_sqlite: Ask) -> None:
    (pack,) = verdi_sqlite.glob('backup_*/container/packs/0')
    with closing(sqlite3.connect(pack.parents[1] / 'packs.idx')) as index:
        key, offset = index.execute('SELECT hashkey, offset FROM db_object ORDER BY length DESC').fetchone()
    with pack.open('r+b') as file:
        file.seek(offset + 100)
        file.write(b'\0\0not what was there\0\0')
    report = restore(str(verdi_sqlite), to_sqlite())
    assert [(problem.kind, problem.key) for problem in report.problems] == [('damaged', key)]
    with use_storage(load_config().get_profile('back')) as storage:
        assert not storage.repository.has_object(key)
        assert report.objects.objects == 22


def test_a_name_that_is_taken_is_refused_before_anything_is_read(home: Path, mixed: Profile, to_sqlite: Ask) -> None:
    with pytest.raises(ProfileConfigurationError, match='already'):
        restore('/no/such/place', to_sqlite('mixed'))


def test_a_folder_with_a_storage_is_left_alone(verdi_sqlite: Path, mixed: Profile, to_sqlite: Ask) -> None:
    before = content_of(mixed)
    with pytest.raises(StorageExists, match='nothing of it was changed'):
        restore(str(verdi_sqlite), to_sqlite('back', mixed.storage_config['filepath']))
    assert content_of(mixed) == before
    assert load_config().profile_names == ['mixed']


@pytest.mark.parametrize(('version', 'told'), [('main_0003', 'update Ricordi'), ('abc', 'then migrate')])
def test_a_schema_that_is_not_known_is_refused(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask, version: str, told: str
) -> None:
    (database,) = verdi_sqlite.glob('backup_*/database.sqlite')
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute('UPDATE alembic_version SET version_num = ?', (version,))
    with nothing_left(home), pytest.raises(IncompatibleStorageSchema, match=told):
        restore(str(verdi_sqlite), to_sqlite())


def test_an_older_schema_is_migrated_on_the_way(home: Path, verdi_backup: Path, to_sqlite: Ask) -> None:
    for database in verdi_backup.glob('backup_*/database.sqlite'):
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = 'main_0001'")
    for dump in verdi_backup.glob('backup_*/db.psql'):
        dump.write_text(dump.read_text().replace('\nmain_0002\n', '\nmain_0001\n'))
    report = restore(str(verdi_backup), to_sqlite())
    assert (report.rows['db_dbnode'], report.objects.objects) == (74, 23)
    with use_storage(load_config().get_profile('back')) as storage:
        query = "SELECT node_type, json_extract(extras, '$._aiida_hash') IS NULL FROM db_dbnode"
        types = set(storage.session.execute(query).fetchall())
    assert ('process.calculation.calcjob.CalcJobNode.', 1) in types
    assert ('process.calculation.calcjob.CalcJobNode.', 0) not in types


def test_a_dump_that_was_cut_short_is_refused(home: Path, verdi_backup: Path, to_sqlite: Ask) -> None:
    for dump in verdi_backup.glob('backup_*/db.psql'):
        os.truncate(dump, dump.stat().st_size - 100)
        with nothing_left(home), pytest.raises(CorruptStorage, match='cut short'):
            restore(str(verdi_backup), to_sqlite())


def test_a_damaged_piece_of_the_database_leaves_nothing(home: Path, place: Path, to_sqlite: Ask) -> None:
    with open_backup(place) as backup:
        (snapshot,) = backup.snapshots()
        links = next(one for one in snapshot.parts if one.part.table == 'db_dblink')
        key = links.lists[0].key
    with closing(sqlite3.connect(place / 'container' / 'packs.idx')) as index:
        query = 'SELECT pack_id, offset, length FROM db_object WHERE hashkey = ?'
        pack, offset, length = index.execute(query, (key,)).fetchone()
    with (place / 'container' / 'packs' / str(pack)).open('r+b') as file:
        file.seek(offset)
        file.write(bytes(length))
    with nothing_left(home), pytest.raises(CorruptStorage, match=key[:8]):
        restore(str(place), to_sqlite())


def test_what_postgresql_would_refuse_is_named_before_anything_is_written(
    verdi_sqlite: Path, mixed: Profile, tmp_path: Path, to_psql: Ask
) -> None:
    folder = Path(mixed.storage_config['filepath'])
    for database in (folder / 'database.sqlite', *verdi_sqlite.glob('backup_*/database.sqlite')):
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute('UPDATE db_dbnode SET attributes = \'{"x": NaN}\' WHERE id = 3')
    back_up(mixed, tmp_path / 'own')
    for place in (tmp_path / 'own', verdi_sqlite):
        with pytest.raises(ValidationError, match='db_dbnode, pk 3, attributes: it is no JSON'):
            restore(str(place), to_psql())
    assert not (tmp_path / 'on-psql').exists()


# -- an early end -------------------------------------------------------------------------------------------------


def test_an_interrupted_restore_leaves_nothing(home: Path, verdi_sqlite: Path, to_sqlite: Ask) -> None:
    stop = Stop()
    stop.request('SIGTERM')
    with nothing_left(home), pytest.raises(Interrupted, match='SIGTERM'):
        restore(str(verdi_sqlite), to_sqlite(), run=Run(stop=stop))


def test_rows_that_cannot_be_put_take_the_objects_with_them(
    home: Path, verdi_sqlite: Path, to_psql: Ask, tmp_path: Path
) -> None:
    (database,) = verdi_sqlite.glob('backup_*/database.sqlite')
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute('PRAGMA foreign_keys = off')
        connection.execute('UPDATE db_dblink SET input_id = 99999 WHERE id = 1')
    request = to_psql()
    with pytest.raises(Exception, match=r'99999|foreign|reference'):
        restore(str(verdi_sqlite), request)
    assert not (tmp_path / 'on-psql').exists()
    assert load_config().profile_names == []
    config = request.storage_config
    where = {key: config[f'database_{key}'] for key in ('port',)} | {'host': config['database_hostname']}
    with psycopg.connect(user='postgres', dbname=config['database_name'], **where) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_a_disk_that_is_too_small_is_told_before_anything_is_put(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Container, 'free_space', lambda self: FreeSpace(67 << 20, 'here'))
    restore(str(verdi_sqlite), to_sqlite('fits'))
    monkeypatch.setattr(Container, 'free_space', lambda self: FreeSpace(65 << 20, 'here'))
    with nothing_left(home), pytest.raises(NotEnoughSpace, match='free at here'):
        restore(str(verdi_sqlite), to_sqlite())


def test_a_disk_that_fills_up_on_the_way_leaves_nothing(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def full(descriptor: int) -> None:
        if '/packs/' in str(Path(f'/proc/self/fd/{descriptor}').readlink()):
            raise OSError(28, os.strerror(28))
        real(descriptor)

    monkeypatch.setattr(os, 'fsync', full)
    with nothing_left(home), pytest.raises(NotEnoughSpace, match='disk is full'):
        restore(str(verdi_sqlite), to_sqlite())
