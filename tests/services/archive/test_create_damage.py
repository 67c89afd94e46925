"""`archive create` on damage: one message without a traceback, the right exit code, and no half file."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.cli.main import run
from ricordi.config import Profile
from ricordi.errors import CorruptStorage, Interrupted, ValidationError
from ricordi.manager import use_storage
from ricordi.orm import CalcJobNode, SinglefileData
from ricordi.progress import Run, Stop
from ricordi.services.archive.create import ArchiveRequest, create_archive
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.storage.archive import source as archive_source

Damage = Callable[[Path], object]


@pytest.fixture
def container(sqlite: Profile) -> Path:
    """The container of a profile of 18 files, a third each: packed and compressed, packed, loose."""
    for compress in ('yes', 'no', None):
        with use_storage(sqlite) as storage:
            for number in range(6):
                SinglefileData(BytesIO(f'{compress} {number}\n'.encode() * 90), backend=storage).store()
            if compress:
                storage.maintain(compress=compress)
    return Path(sqlite.storage_config['filepath']) / 'container'


def a_loose(container: Path) -> Path:
    return sorted(path for path in (container / 'loose').rglob('*') if path.is_file())[3]


def flip(path: Path, place: float) -> None:
    """Change one byte of a file, a part of the way in."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def row(change: str) -> Damage:
    def execute(container: Path) -> None:
        with closing(sqlite3.connect(container / 'packs.idx', isolation_level=None)) as raw:
            raw.execute(f'UPDATE db_object SET {change} WHERE id = 3')

    return execute


OBJECTS: dict[str, Damage] = {
    'a loose one is missing': lambda container: a_loose(container).unlink(),
    'a loose one is changed': lambda container: flip(a_loose(container), 0.5),
    'a loose one is cut': lambda container: os.truncate(a_loose(container), 5),
    'a loose one is a folder': lambda container: become_folder(a_loose(container)),
    'a compressed stream is changed': lambda container: flip(container / 'packs' / '0', 0.01),
    'a packed one is changed': lambda container: flip(container / 'packs' / '0', 0.9),
    'the pack is cut': lambda container: os.truncate(container / 'packs' / '0', 1000),
    'the pack is gone': lambda container: (container / 'packs' / '0').unlink(),
    'the pack is a folder': lambda container: become_folder(container / 'packs' / '0'),
    'the row leads elsewhere': row('offset = offset + 1'),
    'the row leads far': row('offset = 1 << 50'),
    'the row is too short': row('length = length - 3'),
    'the row is too long': row('length = 1 << 40'),
    'the row cannot be': row("size = 'x', length = -1"),
    'the row names no pack': row('pack_id = 7'),
    'the row is wrong about compression': row('compressed = 1 - compressed'),
    'the row is another one': row("hashkey = '0' || substr(hashkey, 2)"),
}
INDEX: dict[str, Damage] = {
    'it is gone': lambda container: (container / 'packs.idx').unlink(),
    'it is garbage': lambda container: (container / 'packs.idx').write_bytes(b'x' * 9000),
    'it is cut': lambda container: os.truncate(container / 'packs.idx', 5000),
    'it is empty': lambda container: os.truncate(container / 'packs.idx', 0),
}


def create(capfd: pytest.CaptureFixture[str], target: Path) -> tuple[int, str]:
    """The exit code of a creation, and what it tells; nothing is left of it in the folder of the archive."""
    code = run(['-p', 'empty', 'archive', 'create', '--all', str(target)])
    gc.collect()
    assert list(target.parent.iterdir()) == []
    return code, capfd.readouterr().err


@pytest.mark.parametrize('name', OBJECTS)
def test_an_object_that_cannot_be_read_is_named(
    container: Path,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    every_container_has: Callable[..., None],
    name: str,
) -> None:
    OBJECTS[name](container)
    target = tmp_path / 'archives' / 'x.aiida'
    target.parent.mkdir()
    for workers in (0, 3):
        every_container_has(few_questions=1, processors=workers)
        code, told = create(capfd, target)
        assert code == 6, told
        assert 'It is named by node' in told
        assert told.count('\n') == 1


@pytest.mark.parametrize('name', INDEX)
def test_an_index_that_cannot_be_read_is_named(
    container: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    INDEX[name](container)
    target = tmp_path / 'archives' / 'x.aiida'
    target.parent.mkdir()
    code, told = create(capfd, target)
    assert (code, told.count('\n')) == (3, 1), told
    assert 'packs.idx' in told


def test_a_wrong_size_in_the_index_is_of_no_account(container: Path, sqlite: Profile, tmp_path: Path) -> None:
    row('size = size + 3')(container)
    made = create_archive(sqlite, tmp_path / 'x.aiida', ArchiveRequest(everything=True))
    assert made.objects == 18


# rows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('backend', ['core.sqlite_dos', 'core.psql_dos'])
@pytest.mark.parametrize(
    ('attributes', 'told'),
    [({'a': 'x' * (33 << 20)}, 'larger than 32 MiB'), ({'a': [0] * 2_000_001}, 'more than 2,000,000 elements')],
    ids=['bytes', 'elements'],
)
def test_a_row_that_no_import_takes_is_refused_with_its_name(
    new_profile: Callable[..., Profile], tmp_path: Path, backend: str, attributes: dict[str, object], told: str
) -> None:
    profile = new_profile(backend)
    with use_storage(profile) as storage:
        node = {'node_type': 'data.core.dict.Dict.', 'user_pk': 1}
        _, pk = storage.insert(K.NODE, [{**node, 'attributes': {}}, {**node, 'attributes': attributes}])
    target = tmp_path / 'archives' / 'x.aiida'
    target.parent.mkdir()
    with pytest.raises(ValidationError, match=f'the node with pk {pk} .*{told}|node with pk {pk}.*{told}'):
        create_archive(profile, target, ArchiveRequest(everything=True))
    assert list(target.parent.iterdir()) == []
    create_archive(profile, target, ArchiveRequest(nodes=('1',)))


def test_a_row_that_is_as_large_as_can_be_is_taken_by_the_import_too(
    new_profile: Callable[..., Profile], tmp_path: Path
) -> None:
    profile = new_profile()
    with use_storage(profile) as storage:
        storage.insert(
            K.NODE, [{'node_type': 'data.core.dict.Dict.', 'user_pk': 1, 'attributes': {'a': 'x' * (31 << 20)}}]
        )
    create_archive(profile, tmp_path / 'x.aiida', ArchiveRequest(everything=True))
    import_archive(new_profile(name='other'), tmp_path / 'x.aiida', ImportRequest(), dry_run=True)


# ending early ------------------------------------------------------------------------------------------------


class LateStop(Stop):
    """Asked for an end when it is looked at for the fifth time."""

    looks = 0

    @property
    def reason(self) -> str | None:
        self.looks += 1
        return 'SIGTERM' if self.looks > 5 else None


@pytest.mark.parametrize('backend', ['core.sqlite_dos', 'core.psql_dos'])
def test_the_sql_of_a_creation_ends_when_it_is_asked_to(
    new_profile: Callable[..., Profile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    endless = 'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT max(x) FROM r'
    monkeypatch.setattr(archive_source, 'MEMBERS_OF_GROUPS', f'INSERT INTO seed {endless}')
    target = tmp_path / 'archives' / 'x.aiida'
    target.parent.mkdir()
    with pytest.raises(Interrupted, match='no archive was written'):
        create_archive(new_profile(backend), target, ArchiveRequest(), run=Run(stop=LateStop()))
    assert list(target.parent.iterdir()) == []


def test_an_index_that_is_damaged_is_told_before_a_process_that_runs(
    sqlite: Profile, container: Path, tmp_path: Path
) -> None:
    with use_storage(sqlite) as storage:
        CalcJobNode(backend=storage).store()
    (container / 'packs.idx').write_bytes(b'no index' * 1000)
    with pytest.raises(CorruptStorage, match=r'packs\.idx is damaged'):
        create_archive(sqlite, tmp_path / 'all.aiida', ArchiveRequest(everything=True))
