"""The door of archives: a sound one with something exchanged, given to every verb that reads one."""

from __future__ import annotations

import json
import random
import sqlite3
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import ClassVar

from hostile.forks import Ended
from hostile.profiles import REFERENCE
from hostile.runner import Case, Door
from hostile.values import odd_value

Members = dict[str, bytes]
Raw = sqlite3.Connection

TABLES = (
    *('db_dbuser', 'db_dbcomputer', 'db_dbauthinfo', 'db_dbnode', 'db_dbnode', 'db_dbnode', 'db_dbgroup'),
    *('db_dbcomment', 'db_dblog', 'db_dblink', 'db_dbgroup_dbnodes'),
)
EXPENSIVE = 'length(hex(zeroblob(300000000)))'
SCHEMAS = (
    f"UPDATE sqlite_master SET sql = replace(sql, 'CONSTRAINT uq_', 'CHECK ({EXPENSIVE} > 1), CONSTRAINT uq_')",
    f"UPDATE sqlite_master SET sql = replace(sql, '(label)', '({EXPENSIVE})') WHERE type = 'index'",
    "UPDATE sqlite_master SET sql = sql || ' WHERE label > 1' WHERE type = 'index' AND sql IS NOT NULL",
    f"UPDATE sqlite_master SET sql = replace(sql, 'extras JSON', 'extras JSON AS ({EXPENSIVE})')",
    f"UPDATE sqlite_master SET sql = replace(sql, 'extras JSON', 'extras JSON DEFAULT ({EXPENSIVE})')",
    "UPDATE sqlite_master SET sql = replace(sql, 'label VARCHAR(255)', 'label VARCHAR(255) COLLATE NOCASE')",
    "UPDATE sqlite_master SET rootpage = 3 WHERE name = 'db_dbnode'",
    "UPDATE sqlite_master SET name = 'x', tbl_name = 'x' WHERE name = 'db_dblog'",
    f'CREATE VIEW v AS SELECT {EXPENSIVE}',
    f'CREATE TRIGGER t AFTER INSERT ON db_dbnode BEGIN SELECT {EXPENSIVE}; END',
    'CREATE TABLE more (x)',
    'CREATE VIRTUAL TABLE f USING fts5(x)',
    'DROP TABLE db_dblog',
    'ALTER TABLE db_dbnode ADD COLUMN more TEXT',
    'PRAGMA application_id = 5; PRAGMA user_version = 7; PRAGMA encoding = "UTF-16"',
)
CIRCLE = (
    'INSERT INTO db_dblink (input_id, output_id, label, type) '
    "SELECT output_id, input_id, 'c' || id, 'input_calc' FROM db_dblink"
)


class Archives(Door):
    """Archives of strangers."""

    name: ClassVar = 'archives'
    cases_in_ci: ClassVar = 130
    on_postgres: ClassVar = True
    may_change: ClassVar = ('.aiida', 'tmp', 'archives')

    def set_up(self) -> None:
        self.profile.make(filled=False)
        self.profile.keep()
        (self.folder / 'archives').mkdir()
        self._made = self.folder / 'archives' / 'x.aiida'
        with zipfile.ZipFile(REFERENCE) as archive:
            self._sound = {name: archive.read(name) for name in archive.namelist()}
        self._taken = False

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        change = chance.choice(CHANGES)
        content = dict(self._sound)
        change(self, content, chance)
        if change is not change_bytes:
            self._write(content)
        told = f'seed {seed}, {change.__name__}'
        for words in chance.sample(READING, 5):
            yield Case(told, tuple(word.format(a=self._made) for word in words))
        self.profile.put_back()
        yield Case(told, ('-p', 'p', 'archive', 'import', '-n', str(self._made)))
        yield Case(told, ('-p', 'p', 'archive', 'import', '--include-authinfos', str(self._made)))
        if self._taken:  # what was taken in can be read
            for words in chance.sample(USING, 4):
                yield Case(f'{told}, imported', ('-p', 'p', *words), codes=(0, 6))

    def look(self, case: Case, ended: Ended) -> str | None:
        if case.arguments[2:4] == ('archive', 'import'):
            self._taken = ended.code == 0
        return None

    def _write(self, content: Members) -> None:
        with zipfile.ZipFile(self._made, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name, value in content.items():
                archive.writestr(name, value)

    def in_database(self, content: Members, act: Callable[[Raw], object]) -> None:
        """Change the database of an archive."""
        path = self.folder / 'x.sqlite3'
        path.write_bytes(content['db.sqlite3'])
        with closing(sqlite3.connect(path)) as raw:
            raw.execute('PRAGMA writable_schema = ON')
            try:
                act(raw)
                raw.commit()
            except sqlite3.Error:
                raw.rollback()  # this database cannot be made so
        content['db.sqlite3'] = path.read_bytes()

    def change_rows(self, content: Members, chance: random.Random) -> None:
        """Odd values in some columns of one row, or of all."""

        def act(raw: Raw) -> None:
            raw.executescript('PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF')
            for _ in range(chance.choice((1, 1, 2, 5))):
                table = chance.choice(TABLES)
                columns = [row[1] for row in raw.execute(f'PRAGMA table_info({table})')]
                where = chance.choice(('', f'WHERE id = (SELECT id FROM {table} LIMIT 1 OFFSET {chance.randrange(5)})'))
                try:
                    raw.execute(f'UPDATE {table} SET {chance.choice(columns)} = ? {where}', (odd_value(chance),))
                except sqlite3.IntegrityError:
                    pass

        self.in_database(content, act)

    def change_schema(self, content: Members, chance: random.Random) -> None:
        """Tables, indexes, views and triggers that no archive has."""
        self.in_database(content, lambda raw: raw.executescript(chance.choice(SCHEMAS)))

    def change_links(self, content: Members, chance: random.Random) -> None:
        """Links in circles."""
        self.in_database(content, lambda raw: raw.execute(CIRCLE))

    def change_metadata(self, content: Members, chance: random.Random) -> None:
        """What an archive says of itself."""
        told = json.loads(content['metadata.json'])
        key = chance.choice((*told, 'export_version', 'conversion_info', 'creation_parameters'))
        odd = odd_value(chance)
        told[key] = odd.decode('latin-1') if isinstance(odd, bytes) else odd
        whole = chance.choice(
            (
                json.dumps(told).encode(),
                json.dumps(
                    {**told, 'export_version': chance.choice(('main_0000', 'main_0000b', '0.9', 'x' * 999))}
                ).encode(),
                b'[' * 100_000,
                b'[' + b'{},' * (5 << 20) + b'{}]',
                b'{"export_version": "main_0001", "x": ' + b'9' * 5000 + b'}',
                b'',
                b'\xff\xfe',
            )
        )
        content['metadata.json'] = whole

    def change_members(self, content: Members, chance: random.Random) -> None:
        """Files that lead out, are missing, or are something else."""
        name = chance.choice(list(content))
        match chance.randrange(4):
            case 0:
                content[chance.choice(('../x', '/tmp/x', 'repo/..', 'repo/' + 'a' * 64, 'x' * 60_000))] = b'x'
            case 1:
                del content[name]
            case 2:
                content[name] = b'something else'
            case 3:
                content[name] = bytes(64 << 20)

    def change_bytes(self, content: Members, chance: random.Random) -> None:
        """Any byte of the file, or of its directory, or of its database."""
        if chance.random() < 0.5:
            content['db.sqlite3'] = damaged(content['db.sqlite3'], chance)
            self._write(content)
            return
        self._write(content)
        whole = self._made.read_bytes()
        at = whole.rfind(b'PK\x01\x02') if chance.random() < 0.5 else 0
        self._made.write_bytes(whole[:at] + damaged(whole[at:], chance))


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Some bytes exchanged, or numbers made large, or the end cut off."""
    broken = bytearray(content)
    for _ in range(chance.choice((1, 3, 20))):
        at = chance.randrange(max(1, len(broken) - 4))
        match chance.randrange(4):
            case 0:
                broken[at] = chance.randrange(256)
            case 1:
                broken[at : at + 4] = struct.pack('<L', chance.choice((0, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 20)))
            case 2:
                broken[at : at + 4] = struct.pack('>L', chance.choice((0, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 20)))
            case 3 if chance.random() < 0.1:
                del broken[at:]
    return bytes(broken)


change_bytes = Archives.change_bytes
CHANGES: tuple[Callable[[Archives, Members, random.Random], None], ...] = (
    *(Archives.change_rows,) * 5,
    Archives.change_schema,
    Archives.change_links,
    Archives.change_metadata,
    Archives.change_members,
    change_bytes,
    change_bytes,
)

LISTS: tuple[tuple[str, ...], ...] = (
    ('node', 'list'),
    ('node', 'list', '--format', 'json'),
    ('node', 'show', '1', '2', '3'),
    ('node', 'show', '--format', 'json', '5'),
    ('node', 'attributes', '1', '4', '7'),
    ('node', 'extras', 'show', '1', '2'),
    ('node', 'tree', '1', '--depth', '3'),
    ('node', 'comment', 'show', '1', '2', '3'),
    ('node', 'repo', 'ls', '1'),
    ('group', 'list'),
    ('group', 'list', '--format', 'json', '--count'),
    ('group', 'show', '1'),
    ('group', 'path', 'ls'),
    ('computer', 'list', '-a'),
    ('computer', 'show', '1'),
    ('user', 'list'),
)
READING = (
    ('archive', 'version', '{a}'),
    ('archive', 'info', '{a}'),
    ('archive', 'info', '--detailed', '{a}'),
    ('archive', 'migrate', '--force', '{a}', '{a}.new'),
    ('--archive', '{a}', 'storage', 'info'),
    *(('--archive', '{a}', *words) for words in LISTS),
    ('--archive', '{a}', 'profile', 'dump', '--all', '--path', '{a}.dump', '--overwrite'),
    ('--archive', '{a}', 'node', 'graph', 'generate', '1', '--output-file', '{a}.html', '--overwrite'),
)
"""`{a}` is the archive."""
USING = (
    ('node', 'list'),
    ('node', 'list', '--format', 'json'),
    ('group', 'list', '-a'),
    ('computer', 'list', '-a'),
    ('user', 'list'),
    ('storage', 'maintain', '--dry-run'),
    ('node', 'tree', '1'),
    ('storage', 'info'),
)
