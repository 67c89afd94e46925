"""An archive that cannot be trusted is refused with its fault named, before anything is written."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.repository import FreeSpace
from ricordi.config import Profile
from ricordi.errors import (
    CorruptStorage,
    IncompatibleStorageSchema,
    NotEnoughSpace,
    RicordiError,
    UnreachableStorage,
    ValidationError,
)
from ricordi.manager import use_storage
from ricordi.repository.container.container import Container
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.services.archive.info import archive_profile
from ricordi.storage.archive import schema as archive_schema
from services.archive.tools import REFERENCE, changed, everything, files_in

PLAIN = ImportRequest(import_group=False)
SWAP = 'UPDATE db_dblink SET input_id = output_id, output_id = input_id'
ONE_KEY = "(SELECT atom FROM db_dbnode, json_tree(repository_metadata) WHERE key = 'k' LIMIT 1)"


@pytest.fixture
def refused(sqlite: Profile) -> Callable[..., None]:
    """Sees that an archive is refused, with an error of a class whose message matches, and that nothing changes."""

    def check(archive: Path, message: str, error: type[RicordiError] = CorruptStorage) -> None:
        with use_storage(sqlite) as storage:
            folder = storage.repository.layout.folder.parent
        before = files_in(folder)
        for dry_run in (True, False):
            with pytest.raises(error, match=message) as caught:
                import_archive(sqlite, archive, PLAIN, dry_run=dry_run)
            assert str(archive) in str(caught.value)
        assert files_in(folder) == before

    return check


def first_key(content: dict[str, bytes]) -> str:
    return next(name for name in content if name.startswith('repo/') and len(content[name]) > 100)


# the database ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('statements', 'message', 'error'),
    [
        ('UPDATE db_dblink SET output_id = 4711 WHERE id = 1', 'link with pk 1 names the node 4711', CorruptStorage),
        ('UPDATE db_dbnode SET user_id = 4711 WHERE id = 5', 'node with pk 5 names the user 4711', CorruptStorage),
        ('UPDATE db_dbnode SET dbcomputer_id = 99 WHERE id = 5', 'names the computer 99', CorruptStorage),
        ('UPDATE db_dbcomment SET dbnode_id = 4711', 'comment .* names the node 4711', CorruptStorage),
        ('UPDATE db_dbgroup_dbnodes SET dbnode_id = 4711 WHERE id = 1', 'membership .* names the node', CorruptStorage),
        ("UPDATE db_dbnode SET uuid = 'x' WHERE id = 1", 'node with pk 1 .*: uuid', CorruptStorage),
        ('UPDATE db_dbnode SET uuid = upper(uuid) WHERE id = 1', 'pk 1 .*: uuid', CorruptStorage),
        ("UPDATE db_dbnode SET ctime = 'today' WHERE id = 1", 'pk 1 .*: ctime', CorruptStorage),
        ("UPDATE db_dbnode SET attributes = '{' WHERE id = 1", 'pk 1 .*: attributes', CorruptStorage),
        ("UPDATE db_dbnode SET attributes = '[1]' WHERE id = 1", 'pk 1 .*: attributes', CorruptStorage),
        ('UPDATE db_dbnode SET extras = \'{"a": NaN}\' WHERE id = 1', 'pk 1 .*: extras', CorruptStorage),
        (
            f'UPDATE db_dbnode SET extras = \'{{"a": {"9" * 5000}}}\' WHERE id = 1',
            r'pk 1 .*: extras \(an integer has too many digits',
            CorruptStorage,
        ),
        (
            f'UPDATE db_dbgroup SET extras = \'{{"a": {"[" * 990}{"]" * 990}}}\' WHERE id = 1',
            r'group with pk 1 .*: extras \(it is nested',
            CorruptStorage,
        ),
        (
            "UPDATE db_dbnode SET attributes = '{\"a\": 1}' || char(0) || 'garbage' WHERE id = 1",
            r'pk 1 .*: attributes \(it is no JSON',
            CorruptStorage,
        ),
        ('UPDATE db_dbnode SET extras = \'{"a": "\\ud800"}\' WHERE id = 1', 'half a character', CorruptStorage),
        (
            'UPDATE db_dbcomputer SET metadata = \'{"mpirun_command": 5}\' WHERE id = 1',
            'mpirun_command',
            CorruptStorage,
        ),
        ("UPDATE db_dbnode SET mtime = '2026-01-01' WHERE id = 1", 'pk 1 .*: mtime', CorruptStorage),
        ("UPDATE db_dbnode SET node_type = 'data.core.int.Int' WHERE id = 1", 'pk 1 .*: node_type', CorruptStorage),
        (
            'UPDATE db_dbnode SET repository_metadata = \'{"o": {"\\ud800": {}}}\' WHERE id = 1',
            'file tree',
            CorruptStorage,
        ),
        ("UPDATE db_dbnode SET label = x'0065' WHERE id = 1", 'pk 1 .*: label', CorruptStorage),
        ("UPDATE db_dbnode SET label = CAST(x'61ff' AS TEXT) WHERE id = 1", 'no UTF-8', CorruptStorage),
        ('UPDATE db_dbauthinfo SET enabled = 7 WHERE id = 1', 'pk 1 .*: enabled', CorruptStorage),
        ("UPDATE db_dblink SET type = 'made_up' WHERE id = 1", "type 'made_up'", ValidationError),
        (f"{SWAP} WHERE type = 'create'", 'no link may', ValidationError),
        ('UPDATE db_dblink SET output_id = input_id WHERE id = 1', 'no link may', ValidationError),
        (
            'INSERT INTO db_dblink SELECT 9999, input_id, output_id, label, type FROM db_dblink '
            "WHERE type = 'create' LIMIT 1",
            "two links of type 'create'",
            ValidationError,
        ),
        ('DROP TABLE db_dblog', 'no table db_dblog', CorruptStorage),
        ('ALTER TABLE db_dbnode DROP COLUMN extras', 'no column extras', CorruptStorage),
        ('CREATE VIEW db_extra AS SELECT 1', "a view 'db_extra'", CorruptStorage),
        (
            'CREATE TRIGGER t AFTER INSERT ON db_dbnode BEGIN DELETE FROM db_dblink; END',
            "a trigger 't'",
            CorruptStorage,
        ),
        (
            'UPDATE db_dbnode SET repository_metadata = \'{"o": {"..": {}}}\' WHERE id = 1',
            'file tree',
            CorruptStorage,
        ),
        (
            'UPDATE db_dbnode SET repository_metadata = \'{"o": {"/etc/passwd": {"k": "\' || '
            f"{ONE_KEY} || '\"}}}}}}' WHERE id = 1",
            'file tree',
            CorruptStorage,
        ),
        (
            'UPDATE db_dbnode SET repository_metadata = \'{"o": {"a": {"k": "../../x"}}}\' WHERE id = 1',
            'file tree',
            CorruptStorage,
        ),
    ],
)
def test_rows_that_cannot_be_are_refused(
    refused: Any, tmp_path: Path, statements: str, message: str, error: type[RicordiError]
) -> None:
    refused(changed(tmp_path / 'x.aiida', lambda db: db.execute(statements)), message, error)


EXPENSIVE = 'length(hex(zeroblob(3000000)))'


@pytest.mark.parametrize(
    ('statement', 'named'),
    [
        (
            "UPDATE sqlite_master SET sql = replace(sql, 'CONSTRAINT uq_db_dbnode', "
            f"'CHECK ({EXPENSIVE} > 1), CONSTRAINT uq_db_dbnode') WHERE name = 'db_dbnode'",
            "a table 'db_dbnode'",
        ),
        (f'CREATE INDEX i ON db_dbnode ({EXPENSIVE})', "an? index 'i'"),
        ('CREATE INDEX i ON db_dbnode (label) WHERE id > 5', "an? index 'i'"),
        ('CREATE INDEX i ON db_dbnode (label COLLATE NOCASE)', "an? index 'i'"),
        (f'ALTER TABLE db_dbnode ADD COLUMN x AS ({EXPENSIVE})', "a table 'db_dbnode'"),
        (
            "UPDATE sqlite_master SET sql = replace(sql, 'extras JSON', 'extras JSON DEFAULT (random())') "
            "WHERE name = 'db_dbnode'",
            "a table 'db_dbnode'",
        ),
        ('CREATE TABLE more (x)', "a table 'more'"),
        ('CREATE VIRTUAL TABLE more USING fts5(x)', 'a table'),
        ("UPDATE sqlite_master SET sql = sql || ' STRICT' WHERE name = 'db_dblog'", "a table 'db_dblog'|damaged"),
        ('CREATE TABLE db_dbsetting_2 AS SELECT 1', "a table 'db_dbsetting_2'"),
    ],
)
def test_a_schema_that_no_archive_has_is_refused_before_anything_of_it_is_evaluated(
    refused: Any, tmp_path: Path, statement: str, named: str
) -> None:
    def change(db: sqlite3.Connection) -> None:
        db.execute('PRAGMA writable_schema = ON')
        db.execute(statement)

    archive = changed(tmp_path / 'x.aiida', change)
    refused(archive, named)
    with pytest.raises(CorruptStorage, match=named), use_storage(archive_profile(archive)):
        pass


@pytest.mark.parametrize(
    'sql',
    [
        'CREATE TABLE "db_dbnode" (id INTEGER NOT NULL, "metadata" JSON DEFAULT \'{}\' NOT NULL, PRIMARY KEY (id))',
        'CREATE TABLE db_dblog(\n  uuid CHAR(32) NOT NULL,\n\n UNIQUE (uuid), FOREIGN KEY(dbnode_id) REFERENCES '
        'db_dbnode (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)',
        'create unique index i on db_dbnode(uuid)',
    ],
)
def test_a_schema_may_be_written_in_another_way(sql: str) -> None:
    name = sql.replace('"', ' ').replace('(', ' ').split()[2]
    kind = 'index' if 'index' in sql else 'table'
    assert archive_schema._is_known(kind, name, 'db_dbnode' if kind == 'index' else name, sql)


def test_two_nodes_with_one_uuid_are_refused_though_no_constraint_forbids_it(refused: Any, tmp_path: Path) -> None:
    def double(db: sqlite3.Connection) -> None:
        db.execute('ALTER TABLE db_dbnode RENAME TO old')
        db.execute('CREATE TABLE db_dbnode AS SELECT * FROM old')
        db.execute('DROP TABLE old')
        db.execute('UPDATE db_dbnode SET uuid = (SELECT uuid FROM db_dbnode WHERE id = 2) WHERE id = 1')

    refused(changed(tmp_path / 'x.aiida', double), 'same uuid')


def circle(db: sqlite3.Connection) -> None:
    """Let a calculation use data that comes from it."""
    calculation, data = db.execute("SELECT input_id, output_id FROM db_dblink WHERE type = 'create'").fetchone()
    db.execute(
        "INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (?, ?, 'input_calc', 'in_a_circle')",
        (data, calculation),
    )


def circle_of_calls(db: sqlite3.Connection) -> None:
    """Let two workflows call each other."""
    one, two = (row[0] for row in db.execute("SELECT id FROM db_dbnode WHERE node_type LIKE 'process.work%' LIMIT 2"))
    db.execute("DELETE FROM db_dblink WHERE type = 'call_work'")
    for source, target in ((one, two), (two, one)):
        db.execute(
            "INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (?, ?, 'call_work', 'x')", (source, target)
        )


@pytest.mark.parametrize('change', [circle, circle_of_calls])
def test_circles_are_refused(refused: Any, tmp_path: Path, change: Any) -> None:
    refused(changed(tmp_path / 'x.aiida', change), 'in a circle', ValidationError)


def test_links_to_lower_pks_are_no_circle(sqlite: Profile, tmp_path: Path) -> None:
    def turn(db: sqlite3.Connection) -> None:
        for table, column in (
            *(('db_dblink', 'input_id'), ('db_dblink', 'output_id'), ('db_dbgroup_dbnodes', 'dbnode_id')),
            *(('db_dbcomment', 'dbnode_id'), ('db_dblog', 'dbnode_id'), ('db_dbnode', 'id')),
        ):
            db.execute(f'UPDATE {table} SET {column} = -{column}')
            db.execute(f'UPDATE {table} SET {column} = {column} + 10000')

    import_archive(sqlite, changed(tmp_path / 'x.aiida', turn), PLAIN)
    assert len(everything(sqlite)['link']) == 88


def test_a_database_that_is_none_is_refused(refused: Any, tmp_path: Path) -> None:
    for number, content in enumerate((b'', b'no database' * 1000)):
        archive = changed(tmp_path / f'{number}.aiida', members=lambda m, c=content: m.update({'db.sqlite3': c}))
        refused(archive, 'damaged|no table')


def test_a_database_with_a_damaged_page_is_refused(refused: Any, tmp_path: Path) -> None:
    def damage(members: dict[str, bytes]) -> None:
        content = bytearray(members['db.sqlite3'])
        content[4096 * 20 : 4096 * 20 + 200] = bytes(200)
        members['db.sqlite3'] = bytes(content)

    refused(changed(tmp_path / 'x.aiida', members=damage), 'damaged|cannot be')


# members ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['../evil', '/etc/passwd', 'repo/../../evil', 'C:/evil', '..\\evil', 'repo/not-a-key'])
def test_names_that_lead_out_of_the_archive_are_refused(refused: Any, tmp_path: Path, name: str) -> None:
    refused(changed(tmp_path / 'x.aiida', members=lambda m: m.update({name: b'x'})), 'do not trust it')


@pytest.mark.filterwarnings('ignore:Duplicate name')
def test_two_members_of_one_name_are_refused(refused: Any, tmp_path: Path) -> None:
    archive = changed(tmp_path / 'x.aiida')
    with zipfile.ZipFile(archive, 'a') as file:
        file.writestr(next(name for name in file.namelist() if name.startswith('repo/')), b'other')
    refused(archive, 'one name')


def test_an_object_that_is_not_what_its_name_says_is_refused(refused: Any, tmp_path: Path) -> None:
    def exchange(members: dict[str, bytes]) -> None:
        members[first_key(members)] = b'something else'

    refused(changed(tmp_path / 'x.aiida', members=exchange), 'not what its name says')


def test_a_missing_object_is_refused_with_who_names_it(refused: Any, tmp_path: Path) -> None:
    def remove(members: dict[str, bytes]) -> None:
        del members[first_key(members)]

    refused(changed(tmp_path / 'x.aiida', members=remove), '1 objects .*node [0-9a-f-]{36}')


def test_an_object_that_claims_too_much_is_refused(refused: Any, tmp_path: Path) -> None:
    archive = changed(tmp_path / 'x.aiida')
    set_sizes(archive, 1 << 31)
    refused(archive, 'cannot be|damaged')


def set_sizes(archive: Path, size: int) -> None:
    """Have the directory tell another size of all objects."""
    content = bytearray(archive.read_bytes())
    at = content.find(b'PK\x01\x02')
    while at >= 0:
        if content[at + 46 : at + 51] == b'repo/':
            content[at + 24 : at + 28] = struct.pack('<L', size)
        at = content.find(b'PK\x01\x02', at + 46)
    archive.write_bytes(content)


def test_an_object_that_is_longer_than_it_claims_is_not_unpacked(refused: Any, tmp_path: Path) -> None:
    archive = changed(tmp_path / 'x.aiida')
    set_sizes(archive, 10)
    refused(archive, 'damaged|size')


def test_objects_that_share_their_bytes_are_refused(refused: Any, tmp_path: Path) -> None:
    """How a small file unpacks to a huge one: all entries of the directory point at the same bytes."""
    archive = changed(tmp_path / 'x.aiida')
    content = bytearray(archive.read_bytes())
    entries = []
    at = content.find(b'PK\x01\x02')
    while at >= 0:
        if content[at + 46 : at + 51] == b'repo/':
            entries.append(at)
        at = content.find(b'PK\x01\x02', at + 46)
    content[entries[1] + 42 : entries[1] + 46] = content[entries[0] + 42 : entries[0] + 46]
    archive.write_bytes(content)
    refused(archive, 'shares bytes|where the directory')


def test_an_archive_for_which_there_is_no_room_is_refused(
    refused: Any, sqlite: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Container, 'free_space', lambda container: FreeSpace(1000, 'the disk'))
    with pytest.raises(NotEnoughSpace, match='make room'):
        import_archive(sqlite, REFERENCE, PLAIN)


# the file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('part', [0, 10, 1000, 0.5, 0.99, -1])
def test_a_truncated_file_is_refused(refused: Any, tmp_path: Path, part: float) -> None:
    content = REFERENCE.read_bytes()
    length = int(len(content) * part) if isinstance(part, float) else part
    archive = tmp_path / 'x.aiida'
    archive.write_bytes(content[:length])
    refused(archive, 'only a part of one')


def test_no_file_a_folder_and_a_tar_file_are_told_apart(refused: Any, tmp_path: Path) -> None:
    import tarfile

    refused(tmp_path / 'none.aiida', 'check the path', UnreachableStorage)
    refused(tmp_path, 'folder', UnreachableStorage)
    with tarfile.open(tmp_path / 'old.aiida', 'w:gz') as tar:
        tar.add(REFERENCE, 'data.json')
    refused(tmp_path / 'old.aiida', 'does not tell its version')


@pytest.mark.parametrize(
    ('version', 'message'),
    [('0.14', 'update Ricordi'), ('main_0002', 'update Ricordi'), ('9', 'update Ricordi')],
)
def test_versions_that_are_not_known_are_told_with_the_way_out(
    refused: Any, tmp_path: Path, version: str, message: str
) -> None:
    metadata = json.dumps({'export_version': version}).encode()
    archive = changed(tmp_path / 'x.aiida', members=lambda m: m.update({'metadata.json': metadata}))
    refused(archive, message, IncompatibleStorageSchema)


@pytest.mark.parametrize('metadata', [b'', b'{', b'[]', b'{}', b'{"export_version": 1}', b'\xff\xfe'])
def test_metadata_that_tells_no_version_is_refused(refused: Any, tmp_path: Path, metadata: bytes) -> None:
    refused(changed(tmp_path / 'x.aiida', members=lambda m: m.update({'metadata.json': metadata})), 'metadata.json')
