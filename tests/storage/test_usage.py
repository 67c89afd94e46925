"""What takes the space: damaged rows, sums that do not fit into memory, limits of the look ahead of a deletion."""

from __future__ import annotations

import hashlib
import sqlite3
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind
from ricordi.backend.usage import Dimension, Freed, ObjectSize, Share, UsageQuestion
from ricordi.errors import NotEnoughSpace
from ricordi.progress import Progress
from ricordi.repository.archive.sizes import archived_sizes
from ricordi.repository.container.container import Container
from ricordi.storage.usage.freed import FreedLimits, freed_by
from ricordi.storage.usage.kinds import file_kind, size_class
from ricordi.storage.usage.sums import open_sums
from ricordi.storage.usage.usage import UsageLimits, usages
from ricordi.zipfiles.directory import ZipDirectory

K = EntityKind


@pytest.fixture
def filled(storage: Any) -> tuple[Any, list[int]]:
    """A storage with twenty nodes: each has an object of its own, and one that all have; and the pks."""
    user = storage.insert(K.USER, [{'email': 'alice@example.org'}])[0]
    common = storage.repository.put_object_from_bytes(b'c' * 1000)
    rows = []
    for number in range(20):
        own = storage.repository.put_object_from_bytes(b'%d' % number * 10)
        tree = {'o': {'own': {'k': own}, 'common': {'k': common}}}
        rows.append({'user_pk': user, 'node_type': f'data.type{number % 7}.', 'repository_metadata': tree})
    return storage, storage.insert(K.NODE, rows)


@pytest.mark.parametrize('by', list(Dimension))
def test_sums_are_the_same_where_few_fit_into_memory(filled: tuple[Any, list[int]], by: Dimension) -> None:
    storage, _ = filled
    questions = (UsageQuestion(by, 8),)
    parts = (storage.session, storage._rows, storage.repository, questions, Progress())
    assert usages(*parts, UsageLimits(2, 2)) == usages(*parts)


def test_of_very_many_categories_only_the_largest_come_back() -> None:
    with open_sums(most_in_memory=10) as sums:
        for number in range(1000):
            sums.add(number % 100, 1, number, 2 * number, shared=number % 2 == 0)
            sums.add_nodes(f'{number % 3}', 1)
        assert sums.count() == 103
        first, second = sums.largest(2, with_nodes=True)
    expected = [number for number in range(1000) if number % 100 == 99]
    assert first == Share(99, 10, sum(expected), 2 * sum(expected), 0, 0, 0)
    assert (second.category, second.shared_objects, second.freed_bytes) == (98, 10, 0)


def test_sums_without_room_say_what_to_do() -> None:
    def fill() -> None:
        with open_sums(most_in_memory=10) as sums:
            sums._database.execute('PRAGMA max_page_count = 20')
            for number in range(100_000):
                sums.add(f'{number}', 1, 1, 1, shared=False)

    with pytest.raises(NotEnoughSpace, match='TMPDIR'):
        fill()


def test_deleting_all_but_one_frees_all_but_what_that_one_has(filled: tuple[Any, list[int]]) -> None:
    storage, pks = filled
    own = sum(len(b'%d' % number * 10) for number in range(1, 20))
    parts = (storage.session, storage._rows, storage.repository)
    for limits in (FreedLimits(), FreedLimits(most_keys=3), FreedLimits(most_scanned=0)):
        assert freed_by(*parts, pks[1:], limits) == Freed(19, own)
        assert freed_by(*parts, pks, limits).objects == 21


def test_of_few_nodes_out_of_very_many_the_most_is_told(filled: tuple[Any, list[int]]) -> None:
    storage, pks = filled
    limits = FreedLimits(most_scanned=5, worthwhile_part=2)
    told = freed_by(storage.session, storage._rows, storage.repository, pks[:1], limits)
    assert told == Freed(2, 1010, exact=False)
    assert freed_by(storage.session, storage._rows, storage.repository, pks[:10], limits).exact


# damaged rows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize('by', [Dimension.TYPE, Dimension.FILE, Dimension.NODE])
def test_rows_that_are_damaged_hide_no_others(new_sqlite: Any, by: Dimension) -> None:
    storage, path = new_sqlite
    user = storage.insert(K.USER, [{'email': 'alice@example.org'}])[0]
    key = storage.repository.put_object_from_bytes(b'x' * 50)
    tree = {'o': {'a.txt': {'k': key}}}
    pks = storage.insert(K.NODE, [{'user_pk': user, 'node_type': 'data.', 'repository_metadata': tree}] * 5)
    with sqlite3.connect(path) as database:
        change = 'UPDATE db_dbnode SET {} WHERE id = ?'
        database.execute(change.format("repository_metadata = 'no JSON'"), (pks[0],))
        odd = b'{"o": {"b\xff.txt": {"k": "\xfe' + b'f' * 63 + b'"}}}'
        database.execute(change.format('repository_metadata = CAST(? AS TEXT)'), (odd, pks[1]))
        database.execute(change.format("node_type = CAST(x'ff' AS TEXT)"), (pks[2],))
        database.execute(change.format("node_type = x'00ff'"), (pks[3],))
        unreadable = b'{"o": {"b\xff.txt": {"k": "' + key.encode() + b'"}}}'
        database.execute(change.format('repository_metadata = CAST(? AS TEXT)'), (unreadable, pks[4]))
    database.close()
    told = storage.usage(UsageQuestion(by, 10))
    assert (told.total.objects, told.total.stored_bytes, told.total.nodes, told.missing) == (1, 50, 5, 1)
    assert [(place.pk, place.path) for place in told.files[0].places] == [
        (pks[2], 'a.txt'),
        (pks[3], 'a.txt'),
        (pks[4], ''),
    ]
    assert storage.freed_by(pks[2:]) == Freed(1, 50)
    for some in (pks[:3], pks[2:3], pks[3:], pks[:4]):
        assert storage.freed_by(some) == Freed(0, 0)


@pytest.fixture
def new_sqlite(sqlite_profile: Any) -> Any:
    """A new SQLite storage, and its database file."""
    from ricordi.storage.sqlite.dos import SqliteDosStorage

    repository = Container(SqliteDosStorage.repository_location(sqlite_profile).path)
    SqliteDosStorage.initialise(sqlite_profile, repository)
    with_storage = SqliteDosStorage.open(sqlite_profile, repository)
    yield with_storage, with_storage.dialect.path
    with_storage.close()


# sizes of objects --------------------------------------------------------------------------------------------


@pytest.fixture
def contents() -> dict[str, bytes]:
    """A hundred contents by their keys."""
    some = [b'%d' % number * (1 + number * 7 % 50) for number in range(100)]
    return {hashlib.sha256(content).hexdigest(): content for content in some}


@pytest.mark.parametrize('prefix_length', [0, 2])
def test_loose_and_packed_objects_come_together_and_in_order(
    tmp_path: Path, contents: dict[str, bytes], prefix_length: int
) -> None:
    container = Container(tmp_path / 'container')
    container.initialise(loose_prefix_len=prefix_length)
    some = list(contents.values())
    container.put_objects_into_pack(some[:60], 'yes')
    for content in some[60:]:
        container.put_object_from_bytes(content)
    both = hashlib.sha256(some[0]).hexdigest()
    container.loose_writer().write([some[0]], both)  # as a packer leaves it that was killed
    sizes = list(container.object_sizes())
    assert [size.key for size in sizes] == sorted(contents)
    assert all(size.content == len(contents[size.key]) for size in sizes)
    assert sum(size.stored for size in sizes) == (
        container.get_info()['packed']['bytes'] + sum(map(len, some[60:])) + len(some[0])
    )
    assert sorted(container.sizes_of([*contents, '0' * 64, '../x'])) == sizes


def test_what_the_index_says_that_cannot_be_counts_as_missing(tmp_path: Path, contents: dict[str, bytes]) -> None:
    container = Container(tmp_path / 'container')
    container.initialise()
    container.put_objects_into_pack(contents.values())
    odd = min(contents)
    with sqlite3.connect(tmp_path / 'container' / 'packs.idx') as index:
        index.execute("UPDATE db_object SET length = 'much' WHERE hashkey = ?", (odd,))
    index.close()
    assert [size.key for size in container.object_sizes()] == sorted(contents)[1:]
    assert list(container.sizes_of([odd])) == []


@pytest.mark.parametrize('run_rows', [7, 50, 1000])
def test_objects_of_an_archive_come_in_order_whatever_fits_into_memory(
    tmp_path: Path, contents: dict[str, bytes], run_rows: int
) -> None:
    path = tmp_path / 'some.aiida'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('metadata.json', '{}')
        for key, content in contents.items():
            archive.writestr(f'repo/{key}', content)
        archive.writestr('repo/no key', 'x')
        packed = {info.filename: info.compress_size for info in archive.infolist()}
    found = list(archived_sizes(ZipDirectory(path), run_rows))
    assert all(one.key < other.key for one, other in pairwise(found))
    expected = {ObjectSize(key, packed[f'repo/{key}'], len(content)) for key, content in contents.items()}
    assert set(found) == expected


# kinds of files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('aiida.out', '.out'),
        ('AIIDA.OUT.3', '.out'),
        ('OUTCAR', 'OUTCAR'),
        ('POSCAR.12', 'POSCAR'),
        ('.bashrc', '.bashrc'),
        ('..x', '..x'),
        ('a.tar.gz', '.gz'),
        ('name.of some length', 'name.of some length'),
        ('1.5', '1'),
        ('', ''),
    ],
)
def test_a_kind_of_file_is_its_ending_or_its_name(name: str, kind: str) -> None:
    assert file_kind(name) == kind


@pytest.mark.parametrize(('content', 'lower'), [(0, 0), (1, 1), (9, 1), (10, 10), (999, 100), (1000, 1000)])
def test_a_class_of_sizes_is_a_power_of_ten(content: int, lower: int) -> None:
    assert size_class(content) == lower


def test_months_come_in_their_order_and_the_last_of_many() -> None:
    with open_sums(2) as sums:
        for number, month in enumerate(('2025-11', '2026-02', '2025-12', '2024-01', '2026-01')):
            sums.add_nodes(month, 5 - number)
        assert [share.category for share in sums.last(3, with_nodes=True)] == ['2025-12', '2026-01', '2026-02']
        assert [share.category for share in sums.largest(2, with_nodes=True)] == ['2025-11', '2026-02']
