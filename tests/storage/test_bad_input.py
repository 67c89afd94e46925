"""What cannot be opened or written says so: what it is, the way out, the exit code."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import LinkRow, NodeRow, UserRow
from ricordi.config.profile import Profile
from ricordi.errors import (
    AccessError,
    ConfigurationError,
    CorruptStorage,
    InvalidOperation,
    NotEnoughSpace,
    ReadOnlyStorage,
    StorageError,
    UnreachableStorage,
    ValidationError,
)
from ricordi.storage.psql.dialect import PsqlDialect
from ricordi.storage.session import Session
from ricordi.storage.sqlite.dialect import SqliteDialect

root = os.geteuid() == 0


def database_of(profile: Profile) -> Path:
    return Path(profile.storage_config['filepath']) / 'database.sqlite'


# -- SQLite --------------------------------------------------------------------------------------------------


def test_a_missing_database_is_named_and_not_made(sqlite_profile: Profile, of: SimpleNamespace) -> None:
    with pytest.raises(UnreachableStorage, match=r'database\.sqlite.*mounted') as caught:
        of.open(sqlite_profile)
    assert caught.value.exit_code == 3
    assert not database_of(sqlite_profile).exists()


@pytest.mark.parametrize(
    ('content', 'reason'), [(b'', 'empty file'), (b'not a database at all' * 100, 'not a SQLite database')]
)
def test_a_file_that_is_no_database_is_corrupt(
    sqlite_profile: Profile, of: SimpleNamespace, content: bytes, reason: str
) -> None:
    database_of(sqlite_profile).parent.mkdir()
    database_of(sqlite_profile).write_bytes(content)
    with pytest.raises(CorruptStorage, match=reason):
        of.open(sqlite_profile)


def test_a_truncated_database_is_corrupt(reference_sqlite_profile: Profile, of: SimpleNamespace) -> None:
    path = database_of(reference_sqlite_profile)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(CorruptStorage, match=f'{path}.*damaged'):  # noqa: PT012
        storage = of.open(reference_sqlite_profile)
        list(storage.find(NodeRow))
        list(storage.find(LinkRow))


def test_a_damaged_file_tree_is_a_problem_that_maintenance_names(sqlite_storage: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    pk = sqlite_storage.insert(K.NODE, [{'user_pk': user}])[0]
    sqlite_storage.session.execute("UPDATE db_dbnode SET repository_metadata = '{broken' WHERE id = ?", (pk,))
    report = sqlite_storage.maintain(full=True, dry_run=True)
    assert [(found.kind, found.nodes[0][0]) for found in report.problems] == [('file tree', pk)]


def test_a_folder_in_place_of_the_database_is_told(sqlite_profile: Profile, of: SimpleNamespace) -> None:
    database_of(sqlite_profile).mkdir(parents=True)
    with pytest.raises(UnreachableStorage, match='is a folder'):
        of.open(sqlite_profile)


@pytest.mark.parametrize('path', [None, 'relative/path', 17])
def test_a_profile_without_an_absolute_path_is_refused(make_profile: Any, of: SimpleNamespace, path: object) -> None:
    with pytest.raises(ConfigurationError, match='absolute path'):
        of.open(make_profile('core.sqlite_dos', {'filepath': path}))


def test_a_file_in_place_of_the_storage_folder_is_told(sqlite_profile: Profile, of: SimpleNamespace) -> None:
    database_of(sqlite_profile).parent.write_text('a file')
    with pytest.raises(InvalidOperation, match='needs a folder'):
        of.kind(sqlite_profile).initialise(sqlite_profile, of.repository(sqlite_profile))


def test_a_locked_database_is_told_after_a_while(sqlite_storage: Any) -> None:
    sqlite_storage.dialect.busy_seconds = 0.2
    session = Session(sqlite_storage.dialect)
    with closing(sqlite3.connect(sqlite_storage.dialect.path, isolation_level=None)) as other:
        other.execute('BEGIN EXCLUSIVE')
        with pytest.raises(AccessError, match=r'locked by another program for more than 0\.2 s') as caught:
            session.execute('SELECT count(*) FROM db_dbnode')
        assert caught.value.exit_code == 5
        with pytest.raises(AccessError), session.transaction():
            pass
        other.execute('ROLLBACK')
    assert session.execute('SELECT count(*) FROM db_dbnode').fetchone() == (0,)
    session.close()


def test_a_reader_in_the_way_of_a_commit_loses_nothing(sqlite_storage: Any) -> None:
    sqlite_storage.dialect.busy_seconds = 0.2
    session = Session(sqlite_storage.dialect)
    with closing(sqlite3.connect(sqlite_storage.dialect.path, isolation_level=None)) as other:
        other.execute('BEGIN')
        other.execute('SELECT * FROM db_dbuser').fetchall()
        with pytest.raises(AccessError), session.transaction():
            session.execute("INSERT INTO db_dbuser VALUES (1, 'a', '', '', '')")
    with session.transaction():
        session.execute("INSERT INTO db_dbuser VALUES (1, 'a', '', '', '')")
    assert [row.email for row in sqlite_storage.find(UserRow)] == ['a']
    session.close()


@pytest.mark.skipif(root, reason='the superuser may do anything')
def test_missing_permissions_are_told(sqlite_storage: Any, of: SimpleNamespace) -> None:
    path = sqlite_storage.dialect.path
    path.chmod(0)
    with pytest.raises(UnreachableStorage, match='permission to read'):
        of.open(sqlite_storage.profile)
    path.chmod(0o400)
    with closing(of.open(sqlite_storage.profile)) as storage, pytest.raises(ReadOnlyStorage, match='permissions'):
        storage.insert(K.USER, [{'email': 'a'}])
    path.chmod(0o600)


def test_a_database_that_cannot_be_written_can_be_read(sqlite_storage: Any) -> None:
    session = Session(SqliteDialect(sqlite_storage.dialect.path, read_only=True))
    assert session.execute('SELECT count(*) FROM db_dbnode').fetchone() == (0,)
    with pytest.raises(ReadOnlyStorage, match='permissions'), session.transaction():
        session.execute("INSERT INTO db_dbuser VALUES (1, 'a', '', '', '')")
    session.close()


@pytest.mark.skipif(not (root and shutil.which('mount')), reason='needs to mount a small disk')
def test_a_full_disk_is_told_and_the_database_stays_whole(
    tmp_path: Path, make_profile: Any, of: SimpleNamespace
) -> None:
    disk = tmp_path / 'small'
    disk.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], capture_output=True).returncode:
        pytest.skip('a disk cannot be mounted here')
    try:
        profile = make_profile('core.sqlite_dos', {'filepath': str(disk / 'storage')})
        of.initialise(profile)
        with closing(of.open(profile)) as storage:
            user = storage.insert(K.USER, [{'email': 'a'}])[0]
            rows = [{'user_pk': user, 'description': 'x' * 10_000}] * 1000
            with pytest.raises(NotEnoughSpace, match='nothing of the change was kept'):
                storage.insert(K.NODE, rows)
            with pytest.raises(NotEnoughSpace), storage.transaction():  # noqa: PT012
                storage.insert(K.NODE, rows[:1])
                try:
                    storage.insert(K.NODE, rows)
                except NotEnoughSpace as error:
                    with pytest.raises((NotEnoughSpace, StorageError)):
                        storage.insert(K.NODE, rows)
                    raise error
            assert list(storage.find(NodeRow)) == []
            assert storage.insert(K.NODE, rows[:10]) == [*range(1, 11)]
    finally:
        subprocess.run(['umount', disk], check=True)


# -- PostgreSQL ------------------------------------------------------------------------------------------------


def refused(profile: Profile, of: SimpleNamespace, **changes: object) -> str:
    profile.storage_config.update(changes)
    with pytest.raises(UnreachableStorage) as caught:
        of.open(profile)
    assert caught.value.exit_code == 3
    assert 'secret' not in str(caught.value)
    return str(caught.value)


def test_a_wrong_database_password_or_server_is_told_without_the_password(
    psql_profile: Profile, of: SimpleNamespace, postgres: Any
) -> None:
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        connection.execute('DROP ROLE IF EXISTS alice')
        connection.execute("CREATE ROLE alice LOGIN PASSWORD 'right'")
    good = dict(psql_profile.storage_config)
    message = refused(psql_profile, of, database_name='nowhere')
    assert 'database nowhere' in message
    assert 'check database_name' in message
    message = refused(psql_profile, of, **{**good, 'database_username': 'alice', 'database_password': 'secret'})
    assert 'password authentication failed' in message
    assert 'user alice' in message
    message = refused(psql_profile, of, **{**good, 'database_port': 1, 'database_password': 'secret'})
    assert f'{good["database_hostname"]}:1' in message
    assert 'check that the server runs' in message
    message = refused(psql_profile, of, **{**good, 'database_hostname': 'no.such.host.invalid'})
    assert 'check database_hostname' in message


def test_the_password_is_in_no_representation(psql_profile: Profile) -> None:
    psql_profile.storage_config['database_password'] = 'secret'
    dialect = PsqlDialect(psql_profile.storage_config)
    assert 'secret' not in repr(dialect) + dialect.place + str(dialect.identity)


def test_a_user_without_rights_is_told(psql_storage: Any, of: SimpleNamespace, postgres: Any) -> None:
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        connection.execute('DROP ROLE IF EXISTS bob')
        connection.execute("CREATE ROLE bob LOGIN PASSWORD 'secret'")
    message = refused(psql_storage.profile, of, database_username='bob', database_password='secret')
    assert 'may not do that' in message


def drop_connections(storage: Any, postgres: Any) -> None:
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        name = storage.profile.storage_config['database_name']
        connection.execute('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s', (name,))


def test_a_connection_lost_in_a_transaction_is_told(psql_storage: Any, postgres: Any) -> None:
    with pytest.raises(UnreachableStorage, match='was lost'), psql_storage.transaction():  # noqa: PT012
        psql_storage.insert(K.USER, [{'email': 'a'}])
        drop_connections(psql_storage, postgres)
        psql_storage.insert(K.USER, [{'email': 'b'}])
    assert list(psql_storage.find(UserRow)) == []


def test_a_connection_lost_while_idle_is_made_anew(psql_storage: Any, postgres: Any) -> None:
    psql_storage.insert(K.USER, [{'email': 'a'}])
    drop_connections(psql_storage, postgres)
    assert [row.email for row in psql_storage.find(UserRow)] == ['a']


@pytest.mark.parametrize(
    ('values', 'reason'),
    [
        ({'attributes': {'a': ['x', 'b\x00']}}, r"attributes\['a'\]\[1\].*u0000"),
        ({'attributes': {'a\x00': 1}}, 'attributes.*u0000'),
        ({'extras': {'a': '\ud800'}}, r"extras\['a'\].*Unicode"),
        ({'label': 'x\x00'}, 'NUL'),
        ({'label': '\ud800'}, 'Unicode'),
        ({'label': 'x' * 256}, 'too long'),
        ({'computer_pk': 2**80}, 'range|large'),
    ],
)
def test_values_that_postgresql_cannot_keep_are_refused(psql_storage: Any, values: dict[str, Any], reason: str) -> None:
    user = psql_storage.insert(K.USER, [{'email': 'a'}])[0]
    for rows in ([{'user_pk': user, **values}], [{'user_pk': user, **values}] * 3):
        with pytest.raises(ValidationError, match=reason):
            psql_storage.insert(K.NODE, rows)
    assert list(psql_storage.find(NodeRow)) == []


@pytest.mark.parametrize('values', [{'label': '\ud800'}, {'computer_pk': 2**80}, {'label': object()}])
def test_values_that_sqlite_cannot_keep_are_refused(sqlite_storage: Any, values: dict[str, Any]) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    for number in (1, 3):
        with pytest.raises(ValidationError, match=r'Unicode|64 bits|cannot be stored'):
            sqlite_storage.insert(K.NODE, [{'user_pk': user, **values}] * number)
    assert list(sqlite_storage.find(NodeRow)) == []


# -- archives ----------------------------------------------------------------------------------------------------


@pytest.fixture
def open_archive(make_profile: Callable[..., Profile]) -> Callable[[Path], Any]:
    from ricordi.repository.archive.zip import ZipRepository
    from ricordi.storage.sqlite.zip import SqliteZipStorage

    def open_storage(path: Path) -> Any:
        return SqliteZipStorage.open(make_profile('core.sqlite_zip', {'filepath': str(path)}), ZipRepository(path))

    return open_storage


def test_broken_archives_are_told(tmp_path: Path, open_archive: Callable[[Path], Any]) -> None:
    import zipfile

    from ricordi.errors import IncompatibleStorageSchema

    whole = Path(__file__).parents[1] / 'data' / 'reference.aiida'
    path = tmp_path / 'archive.aiida'
    with pytest.raises(UnreachableStorage, match=f'no archive {path}'):
        open_archive(path)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(CorruptStorage, match='only a part'):
        open_archive(path)
    for metadata, error, reason in (
        ('{"export_version": "0.12"}', IncompatibleStorageSchema, '0.12, and main_0001 is needed'),
        ('{"export_version": "main_0007"}', IncompatibleStorageSchema, 'update Ricordi'),
        ('{"export_version": "main_0001"}', CorruptStorage, 'no database'),
        ('not json', CorruptStorage, r'metadata\.json'),
        ('{}', CorruptStorage, 'does not tell its version'),
    ):
        with zipfile.ZipFile(path, 'w') as archive:
            archive.writestr('metadata.json', metadata)
        with pytest.raises(error, match=reason):
            open_archive(path)


def test_a_damaged_object_of_an_archive_is_told(tmp_path: Path, open_archive: Callable[[Path], Any]) -> None:
    import zipfile

    whole = Path(__file__).parents[1] / 'data' / 'reference.aiida'
    path = tmp_path / 'archive.aiida'
    with zipfile.ZipFile(whole) as archive:
        member = max((info for info in archive.infolist() if 'repo/' in info.filename), key=lambda i: i.compress_size)
    content = bytearray(whole.read_bytes())
    content[member.header_offset + 1000] ^= 0xFF
    path.write_bytes(content)
    with closing(open_archive(path)) as storage, pytest.raises(CorruptStorage, match=member.filename[5:]):
        storage.repository.get_object_content(member.filename[5:])


# -- the rest ------------------------------------------------------------------------------------------------------


def test_reading_a_sqlite_storage_imports_no_sqlalchemy(reference_sqlite_profile: Profile) -> None:
    code = f"""
import sys
from ricordi.backend.rows import NodeRow
from ricordi.config.profile import Profile
from ricordi.storage.sqlite.dos import SqliteDosStorage as S
from ricordi.repository.container.container import Container
p = Profile('p', {reference_sqlite_profile.dictionary!r})
s = S.open(p, Container(S.repository_location(p).path))
list(s.named_keys()), s.get_info(), list(s.find(NodeRow))
print([name for name in ('sqlalchemy', 'psycopg') if name in sys.modules])
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ('[]\n', '')
