"""One step of work with the frontend, timed; run by orm.py. The script is the same for both: only the import differs.

    AIIDA_PATH=HOME python benchmarks/orm_steps.py ricordi|aiida STEP

Prints the seconds and CPU seconds of the step, or of one repetition where it is repeated, without those of importing
and loading; and how many rows came.
"""

from __future__ import annotations

import importlib
import io
import os
import random
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clock import Clock

CHAIN_START, CHAIN_END = 5, 99
"""Pks of the first structure and of the last results of the first workflow that make_profile.py makes."""
NAMES = ('CalcJobNode', 'Data', 'Dict', 'Node', 'ProcessNode', 'QueryBuilder', 'SinglefileData', 'User', 'load_node')
"""Touched before the clock starts: one of the two sides imports its classes when they are first asked for."""

BARE_DICT = (
    'INSERT INTO db_dbnode (uuid, node_type, label, description, ctime, mtime, attributes, extras, '
    "repository_metadata, user_id) VALUES (?, 'data.core.dict.Dict.', '', '', '2024-01-01 00:00:00.000000', "
    "'2024-01-01 00:00:00.000000', ?, '{}', '{}', 1)"
)


class Steps:
    """The steps, by name; each returns how many repetitions it made."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.orm = importlib.import_module(f'{package}.orm')
        importlib.import_module(package).load_profile()
        self.rows = 0
        for name in NAMES:
            getattr(self.orm, name)

    def query(self, *parts: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
        """A QueryBuilder with these appended."""
        builder = self.orm.QueryBuilder()
        for positional, named in parts:
            builder.append(*positional, **named)
        return builder

    def drain(self, builder: Any) -> int:
        """Read all rows without keeping them."""
        for _ in builder.iterall():
            self.rows += 1
        return 1

    def columns(self) -> int:
        """Plain columns of all nodes."""
        project = ['id', 'uuid', 'node_type', 'label', 'ctime']
        return self.drain(self.query(((self.orm.Node,), {'project': project})))

    def attributes(self) -> int:
        """The attributes of all nodes."""
        return self.drain(self.query(((self.orm.Node,), {'project': ['id', 'attributes']})))

    def objects(self) -> int:
        """All nodes as objects."""
        return self.drain(self.query(((self.orm.Node,), {'project': '*'})))

    def load_node(self) -> int:
        """Single nodes and their attributes, loaded by pk."""
        pks = random.Random(1).sample(range(1, self.orm.QueryBuilder().append(self.orm.Node).count() + 1), 300)
        for pk in pks:
            self.rows += len(self.orm.load_node(pk).base.attributes.all)
        return len(pks)

    def join(self) -> int:
        """The two-hop join Data, CalcJob, Dict."""
        orm = self.orm
        return self.drain(
            self.query(
                ((orm.Data,), {'tag': 'data', 'project': 'id'}),
                ((orm.CalcJobNode,), {'tag': 'calc', 'with_incoming': 'data', 'project': 'id'}),
                ((orm.Dict,), {'with_incoming': 'calc', 'project': 'id'}),
            )
        )

    def finished(self) -> int:
        """Five columns of the processes that have finished."""
        project = ['id', 'uuid', 'node_type', 'label', 'ctime']
        filters = {'attributes.process_state': 'finished'}
        return self.drain(self.query(((self.orm.ProcessNode,), {'filters': filters, 'project': project})))

    def ancestors(self) -> int:
        """What the end of a chain came from."""
        return self.walk('with_descendants', CHAIN_END)

    def descendants(self) -> int:
        """What the beginning of a chain led to."""
        return self.walk('with_ancestors', CHAIN_START)

    def walk(self, keyword: str, pk: int) -> int:
        """Traverse from a node, several times. Nodes are counted once (the peer repeats them)."""
        node = self.orm.Node
        for _ in range(20):
            parts = ((node,), {'filters': {'id': pk}, 'tag': 'n'}), ((node,), {keyword: 'n', 'project': 'id'})
            self.rows += len({pk for (pk,) in self.query(*parts).all()})
        return 20

    def store_dict(self) -> int:
        """Single Dict nodes."""
        for number in range(200):
            self.orm.Dict({'number': number, 'energy': -1.5, 'units': {'energy': 'eV'}}).store()
        return 200

    def bare_dict(self) -> int:
        """The rows of single Dict nodes by bare SQLite, each made durable: the least that storing one can take."""
        path = Path(os.environ['AIIDA_PATH'], '.aiida', 'repository', 'bench', 'database.sqlite')
        database = sqlite3.connect(path, isolation_level=None)
        database.execute('PRAGMA journal_mode = PERSIST')
        for number in range(200):
            database.execute('BEGIN IMMEDIATE')
            database.execute(BARE_DICT, (str(uuid.uuid4()), f'{{"number": {number}, "energy": -1.5}}'))
            database.execute('COMMIT')
        database.close()
        return 200

    def store_file(self) -> int:
        """Single files of 5 KB."""
        source = random.Random(time.time_ns())
        for _ in range(100):
            self.orm.SinglefileData(io.BytesIO(source.randbytes(5_000)), filename='data.bin').store()
        return 100

    def bulk(self) -> int:
        """Rows of 20,000 Dict nodes at once."""
        insert = bulk_ricordi if self.package == 'ricordi' else bulk_aiida
        rows = [
            {
                'node_type': 'data.core.dict.Dict.',
                'attributes': {'number': n, 'energy': -1.5},
                'extras': {},
                'label': '',
            }
            for n in range(20_000)
        ]
        insert(self.orm, rows)
        return 1


def bulk_ricordi(orm: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows through the storage contract."""
    from ricordi.backend.rows import EntityKind
    from ricordi.manager import get_manager

    user = orm.User.collection.get_default().pk
    pks = get_manager().get_profile_storage().insert(EntityKind.NODE, [{**row, 'user_pk': user} for row in rows])
    assert len(set(pks)) == len(rows)


def bulk_aiida(orm: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows through aiida-core's storage."""
    from aiida.manage import get_manager
    from aiida.orm.entities import EntityTypes

    user = orm.User.collection.get_default().pk
    pks = (
        get_manager()
        .get_profile_storage()
        .bulk_insert(EntityTypes.NODE, [{**row, 'user_id': user} for row in rows], allow_defaults=True)
    )
    assert len(set(pks)) == len(rows)


def main() -> None:
    """Run the step named on the command line; the first query is not part of it."""
    package, name = sys.argv[1:]
    steps = Steps(package)
    step: Callable[[], int] = getattr(steps, name)
    steps.orm.QueryBuilder().append(steps.orm.User, project='id').all()
    clock = Clock()
    repetitions = step()
    print(clock.stop(repetitions), steps.rows // repetitions)


if __name__ == '__main__':
    main()
