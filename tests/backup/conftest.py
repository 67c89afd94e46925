"""Fixtures of the tests of backup repositories: places, containers to back up, a database of a few rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, TablePart
from ricordi.backup.records import SnapshotOrigin
from ricordi.backup.repository import BackupRepository
from ricordi.manager import open_backup
from ricordi.repository.container.container import Container

USERS = TablePart('db_dbuser', '', ('id', 'email'), 4)
FIXED = TablePart('db_dbnode', 'fixed', ('id', 'uuid', 'repository_metadata'), 4)
CHANGING = TablePart('db_dbnode', 'changing', ('id', 'label'), 4)
ORIGIN = SnapshotOrigin('core.sqlite_dos', 'main', 'a' * 32, 'c' * 32, '', 'here')


def tree_of(key: str) -> str:
    """The file tree of a node with one file."""
    return json.dumps({'o': {'file': {'k': key}}})


@dataclass
class FewRows(DatabaseSnapshot):
    """A database of so many nodes, each of which names one object.

    :param keys: by primary key of the node.
    :param trees: the JSON text of other file trees, by primary key.
    """

    keys: Mapping[int, str]
    labels: Mapping[int, str] = field(default_factory=dict)
    trees: Mapping[int, str] = field(default_factory=dict)
    before_pieces: Callable[[], None] = lambda: None
    closed: bool = False

    source = 'sqlite'
    schema = 'main_0002'
    parts = (USERS, FIXED, CHANGING)
    sequences: Mapping[str, int] = field(default_factory=lambda: {'db_dbnode': 99})

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        assert not self.closed
        self.before_pieces()
        rows = self._rows(part)
        for start in range(0, max(rows, default=0) + 1, part.width):
            some = {pk: line for pk, line in rows.items() if start <= pk < start + part.width}
            if some:
                yield Piece(min(some), len(some), 0, ''.join(some[pk] for pk in sorted(some)).encode())

    def _rows(self, part: TablePart) -> dict[int, str]:
        nodes = sorted({*self.keys, *self.trees})
        if part == USERS:
            return {1: '1\tada@example.org\n'}
        if part == CHANGING:
            return {pk: f'{pk}\t{self.labels.get(pk, "")}\n' for pk in nodes}
        trees = {pk: tree_of(key) for pk, key in self.keys.items()} | dict(self.trees)
        escaped = {pk: tree.replace('\\', '\\\\') for pk, tree in trees.items()}
        return {pk: f'{pk}\tuuid-{pk}\t{escaped[pk]}\n' for pk in nodes}

    def named_keys(self) -> Iterator[str]:
        assert not self.closed
        return iter(sorted(set(self.keys.values())))

    def misfits(self, most: int) -> list[Misfit]:
        return [Misfit('db_dbnode', 1, 'label', 'it holds NUL')][:most]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the backup repository is to be."""
    return tmp_path / 'place'


@pytest.fixture
def backups(place: Path) -> Iterator[BackupRepository]:
    """An empty backup repository."""
    with open_backup(place, create=True) as repository:
        yield repository


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Container]:
    """The objects of a storage: twelve, some packed, some of these compressed, some loose."""
    with Container(tmp_path / 'source') as container:
        container.initialise()
        container.put_objects_into_pack([b'plain %d' % number * 99 for number in range(4)])
        container.put_objects_into_pack([b'compressed %d' % number * 99 for number in range(4)], 'yes')
        for number in range(4):
            container.put_object_from_bytes(b'loose %d' % number * 99)
        yield container


@pytest.fixture
def nodes(source: Container) -> dict[int, str]:
    """Nodes that name all objects of the storage."""
    return dict(enumerate(source.list_objects(), 1))


def written(folder: Path) -> dict[str, bytes]:
    """The files of a folder, but for locks and what SQLite keeps beside an index."""
    names = ('-wal', '-shm', '.lock')
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and not path.name.endswith(names)
    }
