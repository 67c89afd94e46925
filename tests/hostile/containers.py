"""The doors of the repository: the rows of its index, and what else may lie in the folder of a container."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, ClassVar

from hostile.archives import damaged
from hostile.configurations import put, put_config, remove
from hostile.forks import Ended
from hostile.runner import Case, Door

Row = list[Any]

READING = (
    ('storage', 'info'),
    ('storage', 'info', '--detailed'),
    ('storage', 'maintain', '--dry-run'),
    ('storage', 'maintain', '--full', '--dry-run'),
    ('node', 'repo', 'ls', '51'),
    ('node', 'repo', 'cat', '52'),
    ('node', 'repo', 'dump', '51', '{d}/files'),
    ('node', 'show', '51'),
    ('status',),
    ('archive', 'create', '--all', '--force', '{d}/x.aiida'),
    ('profile', 'dump', '--all', '--also-ungrouped', '--path', '{d}/dump', '--overwrite'),
)
WRITING = (
    ('storage', 'maintain'),
    ('storage', 'maintain', '--compress'),
    ('storage', 'maintain', '--full', '--yes'),
    ('storage', 'maintain', '--full', '--repack', 'all', '--yes'),
    ('archive', 'import', '{archive}'),
)
NUMBERS: tuple[Any, ...] = (
    *(None, 0, 1, -1, 2, 7, 1.5, -0.5, 1e308, 2**31, 2**62, 2**63 - 1, -(2**63), '', 'x', '1', '0x1', '1.5', '../../x'),
    *(b'', b'\xff\xfe', b'1', 'x' * 100_000, float('inf'), '99999999999999999999', '١', '0/../1'),
)
KEYS: tuple[Any, ...] = (
    *(
        None,
        '',
        'x',
        'A' * 64,
        'a' * 63,
        'a' * 65,
        'g' * 64,
        '../' * 21 + 'x',
        5,
        1.5,
        b'\xff' * 64,
        'a' * 64,
        'a' * 1_000_000,
    ),
    *('\x1b[2J', 'a\0b', '\u202e' * 64, '/etc/passwd'),
)
CHANGES = (
    'DROP TABLE db_object',
    'DROP INDEX ix_db_object_hashkey',
    'ALTER TABLE db_object ADD COLUMN more TEXT',
    'ALTER TABLE db_object DROP COLUMN length',
    'ALTER TABLE db_object RENAME COLUMN hashkey TO hash',
    'CREATE TABLE more (x)',
    'CREATE VIEW v AS SELECT length(hex(zeroblob(300000000)))',
    'ALTER TABLE db_object RENAME TO other; CREATE VIEW db_object AS SELECT * FROM other',
    "CREATE TRIGGER t BEFORE DELETE ON db_object BEGIN SELECT RAISE(ABORT, 'no'); END",
    "CREATE TRIGGER t BEFORE INSERT ON db_object BEGIN SELECT RAISE(ABORT, 'no'); END",
    'CREATE TRIGGER t AFTER UPDATE ON db_object BEGIN DELETE FROM db_object; END',
    'PRAGMA user_version = 7; PRAGMA application_id = 5',
    'DELETE FROM db_object',
    'UPDATE db_object SET offset = 0',
    'UPDATE db_object SET length = length + 1',
    'UPDATE db_object SET size = size * 1000000',
    'UPDATE db_object SET pack_id = id',
    'UPDATE db_object SET pack_id = -1',
    'UPDATE db_object SET compressed = NOT compressed',
    'DROP INDEX ix_db_object_hashkey; INSERT INTO db_object (hashkey, compressed, size, "offset", length, pack_id) '
    'SELECT hashkey, compressed, size, "offset", length, pack_id FROM db_object',
    'INSERT INTO db_object (hashkey, compressed, size, "offset", length, pack_id) '
    "SELECT printf('%064x', value), 0, 5, value, 5, value % 3 FROM generate_numbers",
)
MANY = (
    'WITH RECURSIVE generate_numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM generate_numbers LIMIT 20000) '
)


class InContainer(Door):
    """A profile whose container is put back before each seed."""

    may_change: ClassVar = ('.aiida', 'tmp', 'made')

    def set_up(self) -> None:
        self.profile.make()
        self.profile.run('-p', 'p', 'node', 'comment', 'add', '-N', '1', '--', 'text')
        (self.folder / 'made').mkdir()
        self.profile.keep()
        self.container = self.profile.repository

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        self.profile.put_back()
        told = f'seed {seed}, {self.change(chance)}'
        fill = {'d': self.folder / 'made', 'archive': Path(__file__).parents[1] / 'data' / 'reference.aiida'}
        for words in (*chance.sample(READING, 3), *chance.sample(WRITING, 2), chance.choice(READING)):
            yield Case(told, ('-p', 'p', *(word.format(**fill) for word in words)))
        shutil.rmtree(self.folder / 'made')
        (self.folder / 'made').mkdir()

    def change(self, chance: random.Random) -> str:
        """Change the container; returns what was done."""
        raise NotImplementedError


class Index(InContainer):
    """An index with rows that no program has written, or that is none."""

    name: ClassVar = 'index'
    cases_in_ci: ClassVar = 100

    def change(self, chance: random.Random) -> str:
        before = rows_of(self.container)
        told = self._change(chance)
        after = rows_of(self.container)
        self._untouched = [key for key, row in before.items() if after.get(key) == row]
        return told

    def look(self, case: Case, ended: Ended) -> str | None:
        """What nobody has touched is there as before, whatever maintenance makes of the rest."""
        rows = rows_of(self.container)
        lost = [key for key in self._untouched if not is_kept(self.container, key, rows.get(key))]
        return f'{len(lost)} objects are lost whose rows were right, such as {lost[0]}' if lost else None

    def _change(self, chance: random.Random) -> str:
        index = self.container / 'packs.idx'
        kind = chance.random()
        if kind < 0.1:
            index.write_bytes(damaged(index.read_bytes(), chance))
            return 'bytes'
        if kind < 0.2:
            index.unlink()
            put(index, chance)
            return 'another kind'
        with closing(sqlite3.connect(index)) as raw, suppress(sqlite3.Error):
            if kind < 0.4:
                sql = chance.choice(CHANGES)
                raw.executescript(MANY + sql if 'generate_numbers' in sql else sql)
                return sql
            self._loosen(raw)
            told = [self._spoil(raw, chance) for _ in range(chance.choice((1, 1, 2, 5)))]
            raw.commit()
            return ' '.join(told)[:300]
        return 'nothing'

    def _loosen(self, raw: sqlite3.Connection) -> None:
        """Have a table that takes any value."""
        raw.executescript(
            'CREATE TABLE loose (id INTEGER PRIMARY KEY, hashkey, compressed, size, "offset", length, pack_id);'
            'INSERT INTO loose SELECT id, hashkey, compressed, size, "offset", length, pack_id FROM db_object;'
            'DROP TABLE db_object; ALTER TABLE loose RENAME TO db_object;'
            'CREATE UNIQUE INDEX ix_db_object_hashkey ON db_object (hashkey);'
            'PRAGMA writable_schema = ON;'
            "UPDATE sqlite_master SET sql = 'CREATE TABLE db_object (id INTEGER NOT NULL, hashkey VARCHAR NOT NULL, "
            'compressed BOOLEAN NOT NULL, size INTEGER NOT NULL, "offset" INTEGER NOT NULL, length INTEGER NOT NULL, '
            "pack_id INTEGER NOT NULL, PRIMARY KEY (id))' WHERE name = 'db_object';"
        )

    def _spoil(self, raw: sqlite3.Connection, chance: random.Random) -> str:
        column = chance.choice(('hashkey', 'compressed', 'size', 'offset', 'length', 'pack_id'))
        value = chance.choice(KEYS if column == 'hashkey' else NUMBERS)
        where = chance.choice(('', f'WHERE id = (SELECT id FROM db_object LIMIT 1 OFFSET {chance.randrange(9)})'))
        with suppress(sqlite3.Error):
            raw.execute(f'UPDATE db_object SET "{column}" = ? {where}', (value,))
        return f'{column} = {str(value)[:40]!r} {where}'


class Containers(InContainer):
    """A folder in which anything lies."""

    name: ClassVar = 'containers'
    cases_in_ci: ClassVar = 100

    def change(self, chance: random.Random) -> str:
        return '; '.join(self._one(chance) for _ in range(chance.choice((1, 1, 2, 4))))

    def _one(self, chance: random.Random) -> str:
        match chance.randrange(5):
            case 0:
                path = self.container / 'config.json'
                remove(path)
                put_config(path, (self.folder / 'template' / path.relative_to(self.profile.home)).read_bytes(), chance)
            case 1:
                there = sorted(self.container.rglob('*'))
                path = chance.choice([path for path in there if not path.is_symlink()] or [self.container / 'x'])
                remove(path)
                if chance.random() < 0.8:
                    put(path, chance)
            case 2:
                path = self._odd_name(chance)
                with suppress(OSError, ValueError):  # what is in its place already
                    path.parent.mkdir(parents=True, exist_ok=True)
                    put(path, chance)
            case 3:
                path = self.container / chance.choice(
                    ('packs/0', 'packs/1', 'packs/7', 'loose/aa/' + 'b' * 62, 'sandbox/x')
                )
                with suppress(OSError), path.open('ab') as file:
                    file.truncate(chance.choice((0, 1, 1 << 20, 1 << 36)))  # most of it holes
            case _:
                path = chance.choice((*sorted(self.container.iterdir()), self.container))
                with suppress(OSError):
                    path.chmod(chance.choice((0, 0o111, 0o444, 0o7777)))
        return str(path.relative_to(self.container))[:100]

    def _odd_name(self, chance: random.Random) -> Path:
        name = chance.choice(
            (
                *(
                    '1.5',
                    '-1',
                    '-2',
                    '99999999999999999999',
                    '²',
                    '01',
                    '0x1',
                    'x',
                    '7.lock',
                    'lock',
                    '0.lock',
                    ' 1',
                    '1\n',
                ),
                *('\udcff', '\x1b[2J', '\u202e', 'n' * 255, '.nfs0001', '.hidden', 'a' * 64, '0.tmp', 'packs.idx-wal'),
                *('ab', 'zz', 'a', 'abc', 'AB', 'ab/' + 'c' * 62, 'ab/' + 'C' * 62, 'ab/x', 'ab/' + 'c' * 62 + '/x'),
            )
        )
        return self.container / chance.choice(('packs', 'loose', 'sandbox', 'duplicates', '.', 'loose/00')) / name


def rows_of(container: Path) -> dict[str, Row]:
    """Key → pack, offset, length, and whether compressed; none if the index cannot be read."""
    index = container / 'packs.idx'
    if not index.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f'{index.as_uri()}?mode=ro', uri=True)) as raw:
            found = raw.execute('SELECT hashkey, pack_id, "offset", length, compressed FROM db_object').fetchall()
    except sqlite3.Error:
        return {}
    return {key: row for key, *row in found if isinstance(key, str)}


def is_kept(container: Path, key: str, row: Row | None) -> bool:
    """Whether the bytes of an object are there, loose or in a pack."""
    content = b''
    with suppress(OSError, zlib.error, ValueError, TypeError):
        if row is not None:
            pack, offset, length, compressed = row
            with (container / 'packs' / str(pack)).open('rb') as file:
                file.seek(offset)
                content = file.read(length)
            content = zlib.decompress(content) if compressed else content
    if hashlib.sha256(content).hexdigest() == key:
        return True
    loose = container / 'loose' / key[:2] / key[2:]
    return loose.is_file() and hashlib.sha256(loose.read_bytes()).hexdigest() == key
