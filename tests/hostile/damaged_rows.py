"""The door of rows: a profile in whose database values stand that no program should have let in."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

from hostile.archives import LISTS, TABLES
from hostile.runner import Case, Door
from hostile.values import odd_value

DELETING = (
    ('node', 'delete', '1', '--yes'),
    ('group', 'delete', '1', '--yes'),
    ('group', 'delete', '2', '--yes'),
    ('computer', 'delete', '1', '--yes'),
    ('node', 'delete', '9', '--yes'),
)
OTHERS = (
    ('storage', 'maintain', '--dry-run'),
    ('storage', 'maintain', '--full', '--yes'),
    ('storage', 'info'),
    ('profile', 'dump', '--all', '--path', '{d}', '--overwrite'),
    ('archive', 'create', '--all', '--force', '{d}.aiida'),
    ('node', 'graph', 'generate', '1', '--output-file', '{d}.html', '--overwrite'),
)
REFERRING = {'id', 'dbnode_id', 'input_id', 'output_id', 'user_id', 'dbcomputer_id', 'dbgroup_id', 'aiidauser_id'}


class DamagedRows(Door):
    """A profile on SQLite with values that cannot be read."""

    name: ClassVar = 'damaged rows'
    cases_in_ci: ClassVar = 120
    may_change: ClassVar = ('.aiida', 'tmp', 'made')

    def set_up(self) -> None:
        self.profile.make()
        self.profile.keep()
        (self.folder / 'made').mkdir()

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        self.profile.put_back()
        (database,) = self.profile.home.rglob('database.sqlite')
        with closing(sqlite3.connect(database)) as raw:
            for _ in range(chance.choice((1, 1, 3))):
                table = chance.choice(TABLES)
                columns = [row[1] for row in raw.execute(f'PRAGMA table_info({table})') if row[1] not in REFERRING]
                try:
                    raw.execute(
                        f'UPDATE {table} SET {chance.choice(columns or ["id"])} = ? '
                        f'WHERE id = (SELECT id FROM {table} LIMIT 1 OFFSET {chance.randrange(9)})',
                        (odd_value(chance),),
                    )
                except sqlite3.IntegrityError:
                    pass
            raw.commit()
        for words in (*chance.sample(LISTS, 5), *chance.sample(OTHERS, 2), *chance.sample(DELETING, 2)):
            yield Case(f'seed {seed}', ('-p', 'p', *(word.format(d=self.folder / 'made' / 'x') for word in words)))
