"""Missing and damaged objects, cut and vanished packs, and what crashes of disk-objectstore left behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceReport
from ricordi.errors import CorruptStorage
from ricordi.repository.container.container import Container

Maintain = Callable[..., MaintenanceReport]
Contents = Callable[..., list[bytes]]
Holds = Callable[[Container, list[bytes]], None]
Spoil = Callable[..., None]


def problems(report: MaintenanceReport) -> list[tuple[str, str]]:
    return [(problem.kind, problem.key) for problem in report.problems]


# missing ---------------------------------------------------------------------------------------------------


def test_where_named_objects_are_missing_all_is_packed_and_nothing_removed(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds
) -> None:
    packed = container.put_objects_into_pack(contents(20))
    for content in contents(10, seed=1):
        container.put_object_from_bytes(content)
    container.delete_objects(packed[:8])
    container.layout.pack_path(5).write_bytes(b'who knows what this is')
    size = container.layout.pack_path(0).stat().st_size
    missing = ['0' * 64, 'f' * 64]
    report = maintain(container, [*packed[8:10], *missing], full=True, repack='all')
    assert problems(report) == [('missing', key) for key in missing]
    assert report.problem_count == 2
    assert report.before.missing == 2
    assert 'nothing was removed' in ' '.join(note.text for note in report.notes)
    assert 'repack' not in [step.name for step in report.steps]
    assert 'remove garbage' not in [step.name for step in report.steps]
    assert container.layout.pack_path(0).stat().st_size >= size
    assert container.layout.pack_path(5).exists()
    assert container.get_info()['loose']['objects'] == 0
    assert_holds(container, contents(20)[8:] + contents(10, seed=1))


def test_many_missing_objects_are_all_counted_and_the_first_named(container: Container, maintain: Maintain) -> None:
    report = maintain(container, [f'{number:064x}' for number in range(250)], full=True, dry_run=True)
    assert report.problem_count == 250
    assert len(report.problems) == 100


# damaged loose files ---------------------------------------------------------------------------------------


def test_a_damaged_loose_object_is_not_given_out(container: Container) -> None:
    key = container.put_object_from_bytes(b'what was measured')
    Path(container.loose_path(key)).chmod(0o644)
    Path(container.loose_path(key)).write_bytes(b'what was measure')
    for read in (container.get_object_content, lambda key: [*container.iter_object_streams([key])]):
        with pytest.raises(CorruptStorage, match='does not hold what its name says'):
            read(key)


def test_a_sound_packed_copy_is_read_in_place_of_a_damaged_loose_one(container: Container) -> None:
    (key,) = container.put_objects_into_pack([b'what was measured'])
    loose = Path(container.loose_path(key))
    loose.parent.mkdir(exist_ok=True)
    loose.write_bytes(b'')
    assert container.get_object_content(key) == b'what was measured'
    loose.write_bytes(b'what was measured')
    container.layout.pack_path(0).unlink()
    assert Container(container.layout.folder).get_object_content(key) == b'what was measured'


# damaged objects -------------------------------------------------------------------------------------------


@pytest.fixture(params=['small', 'compressed', 'large', 'large-compressed'])
def damaged(request: pytest.FixtureRequest, container: Container, spoil: Spoil) -> tuple[Container, list[bytes]]:
    """A container with four objects in a pack, of which the second is damaged."""
    size = 6 << 20 if 'large' in request.param else 2000
    contents = [bytes([number]) * 1000 + os.urandom(size) for number in range(4)]
    container.put_objects_into_pack(contents, 'yes' if 'compressed' in request.param else 'no')
    second = sorted(container.index.objects_of_pack(0), key=lambda row: row.offset)[1]
    spoil(container.layout.pack_path(0), second.offset + second.length // 2, 20)
    return container, contents


@pytest.mark.parametrize('compress', ['keep', 'yes', 'no'])
def test_a_damaged_object_stays_where_it_is_and_is_named(
    damaged: tuple[Container, list[bytes]],
    maintain: Maintain,
    assert_holds: Holds,
    key_of: Callable[[bytes], str],
    compress: str,
) -> None:
    container, contents = damaged
    key = key_of(contents[1])
    row = container.index.find(key)
    before = container.layout.pack_path(0).read_bytes()
    for _ in range(2):
        report = maintain(container, full=True, repack='all', compress=compress)
        assert problems(report) == [('damaged', key)]
        assert 'in pack 0 at byte' in report.problems[0].detail
        assert container.index.find(key) == row
        assert row is not None
        stays = slice(row.offset, row.offset + row.length)
        assert container.layout.pack_path(0).read_bytes()[stays] == before[stays]
        assert_holds(container, [contents[0], *contents[2:]])


def test_a_damaged_object_is_not_read_in_silence(
    damaged: tuple[Container, list[bytes]], key_of: Callable[[bytes], str]
) -> None:
    container, contents = damaged
    key = key_of(contents[1])
    with pytest.raises(CorruptStorage, match='damaged'), container.open(key) as handle:
        handle.read()
    assert container.get_object_content(key_of(contents[2])) == contents[2]


def test_a_good_copy_in_a_loose_file_replaces_the_damaged_one(
    damaged: tuple[Container, list[bytes]], maintain: Maintain, assert_holds: Holds, key_of: Callable[[bytes], str]
) -> None:
    container, contents = damaged
    path = Path(container.loose_path(key_of(contents[1])))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(contents[1])
    assert not maintain(container, full=True, repack='all').problems
    assert_holds(container, contents)
    assert not maintain(container, full=True, repack='all').problems


def test_a_good_copy_among_the_duplicates_replaces_the_damaged_one(
    damaged: tuple[Container, list[bytes]], maintain: Maintain, assert_holds: Holds, key_of: Callable[[bytes], str]
) -> None:
    container, contents = damaged
    for number, content in enumerate((b'rubbish', contents[1])):
        (container.layout.duplicates / f'{key_of(contents[1])}.{number}').write_bytes(content)
    assert not maintain(container, full=True, repack='all').problems
    assert_holds(container, contents)


def test_a_good_copy_at_the_same_place_of_another_pack_replaces_the_damaged_one(
    container: Container, maintain: Maintain, assert_holds: Holds, spoil: Spoil
) -> None:
    contents = [os.urandom(2000) for _ in range(4)]
    container.put_objects_into_pack(contents)
    shutil.copy(container.layout.pack_path(0), container.layout.pack_path(1))
    container.put_objects_into_pack([b'so that pack 1 is in use'])
    assert container.index.packs()[1].objects == 1
    spoil(container.layout.pack_path(0), 3000, 50)
    assert not maintain(container, full=True, repack='all').problems
    assert_holds(container, contents)


def test_damaged_garbage_is_removed_without_a_word(
    damaged: tuple[Container, list[bytes]], maintain: Maintain, assert_holds: Holds, key_of: Callable[[bytes], str]
) -> None:
    container, contents = damaged
    keep = [contents[0], *contents[2:]]
    report = maintain(container, map(key_of, keep), full=True, repack='all')
    assert not report.problems
    assert_holds(container, keep)
    assert container.get_info()['packed']['objects'] == 3


@pytest.mark.parametrize('size', [100, 6 << 20])
def test_a_loose_file_with_other_content_than_its_name_says_stays_and_is_named(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds, size: int
) -> None:
    for content in contents(10):
        container.put_object_from_bytes(content)
    key = container.put_object_from_bytes(os.urandom(size))
    Path(container.loose_path(key)).write_bytes(os.urandom(size - 1))
    for full in (False, True):
        report = maintain(container, full=full)
        assert problems(report) == [('damaged', key)]
        assert 'does not hold what its name says' in report.problems[0].detail
        assert Path(container.loose_path(key)).exists()
    assert container.get_info()['packed']['objects'] == 10
    assert [path.name for path in container.layout.packs.iterdir()] == ['0']
    assert container.layout.pack_path(0).stat().st_size == container.index.packs()[0].end
    assert_holds(container, contents(10))


def test_a_tail_is_not_cut_from_a_pack_whose_rows_point_beside_their_bytes(
    container: Container, maintain: Maintain
) -> None:
    """As two packers at once leave it: the bytes of one lie behind what its rows say."""
    keys = container.put_objects_into_pack([b'a' * 500, b'b' * 500])
    pack = container.layout.pack_path(0)
    pack.write_bytes(b'x' * 300 + pack.read_bytes())
    report = maintain(container, keys, full=True, repack='none')
    assert {key for _, key in problems(report)} == set(keys)
    assert pack.stat().st_size == 1300
    assert pack.read_bytes().endswith(b'b' * 500)


@pytest.mark.parametrize('size', [1000, 3 << 20])
def test_what_is_put_in_again_is_read_before_the_damaged_copy(container: Container, spoil: Spoil, size: int) -> None:
    contents = [os.urandom(size), os.urandom(size)]
    keys = container.put_objects_into_pack(contents)
    spoil(container.layout.pack_path(0), 500)
    assert container.get_object_content(keys[1]) == contents[1]
    container.put_object_from_bytes(contents[0])
    assert container.get_object_content(keys[1]) == contents[1]
    assert container.get_object_content(keys[0]) == contents[0]
    assert {key: stream.read() for key, stream in container.iter_object_streams(keys)} == dict(
        zip(keys, contents, strict=True)
    )


def test_a_pack_that_was_removed_does_not_vouch_for_an_object_though_it_is_still_open(container: Container) -> None:
    (key,) = container.put_objects_into_pack([b'content'])
    assert container.get_object_content(key) == b'content'
    container.layout.pack_path(0).unlink()
    assert container.put_object_from_bytes(b'content') == key
    container.close()
    assert container.get_object_content(key) == b'content'


# packs that are cut or gone --------------------------------------------------------------------------------


@pytest.mark.parametrize('full', [False, True])
def test_of_a_cut_pack_every_object_that_is_left_stays_and_the_others_are_named(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds, full: bool
) -> None:
    wanted = contents(20)
    keys = container.put_objects_into_pack(wanted)
    pack = container.layout.pack_path(0)
    rows = sorted(container.index.objects_of_pack(0), key=lambda row: row.offset)
    os.truncate(pack, rows[15].offset + 1)
    for content in contents(5, seed=1):
        container.put_object_from_bytes(content)
    lost = {row.key for row in rows[15:]}
    report = maintain(container, full=full, repack='all')
    assert {key for _, key in problems(report)} == lost
    assert {kind for kind, _ in problems(report)} == {'damaged'}
    assert 'pack 0 ends at byte' in report.problems[0].detail
    assert pack.stat().st_size == rows[15].offset + 1, 'nothing is written where rows say that lost objects lie'
    assert set(keys) <= set(container.list_objects())
    assert container.has_objects(keys) == [key not in lost for key in keys]
    assert_holds(container, [c for c, key in zip(wanted, keys, strict=True) if key not in lost] + contents(5, seed=1))


def test_what_a_cut_pack_has_lost_can_be_put_in_again(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds
) -> None:
    container.put_objects_into_pack(contents(20))
    os.truncate(container.layout.pack_path(0), 10)
    assert maintain(container, full=True).problem_count == 20
    for content in contents(20):
        container.put_object_from_bytes(content)
    assert not maintain(container, full=True).problems
    assert_holds(container, contents(20))
    assert maintain(container, full=True).nothing_to_do


@pytest.mark.parametrize('full', [False, True])
def test_the_objects_of_a_pack_that_is_gone_are_named_and_nothing_else_is_touched(
    new_container: Callable[..., Container], contents: Contents, maintain: Maintain, assert_holds: Holds, full: bool
) -> None:
    container = new_container(pack_size_target=10_000)
    container.put_objects_into_pack(contents(30))
    lost = {row.key for row in container.index.objects_of_pack(1)}
    kept = [content for pack in (0, 2) for content in contents_of(container, pack)]
    container.layout.pack_path(1).unlink()
    container.close()
    report = maintain(container, full=full)
    assert {key for _, key in problems(report)} == lost
    assert {kind for kind, _ in problems(report)} == {'missing'}
    assert report.before.missing in (None, len(lost))
    assert 'pack 1 is gone' in report.problems[0].detail
    assert set(container.layout.pack_sizes()) >= {0, 2}
    assert_holds(container, kept)
    key = min(lost)
    with pytest.raises(CorruptStorage, match='packs/1 is gone; restore it from a backup'):
        container.open(key)


def contents_of(container: Container, pack: int) -> Iterator[bytes]:
    for row in container.index.objects_of_pack(pack):
        yield container.get_object_content(row.key)


# what disk-objectstore left --------------------------------------------------------------------------------


@pytest.mark.parametrize('moment', ['pack written', 'rows moved', 'old pack gone', 'linked back', 'rows moved back'])
def test_a_repack_of_disk_objectstore_that_was_killed_is_settled(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds, moment: str
) -> None:
    wanted, layout = contents(20), container.layout
    container.put_objects_into_pack(wanted[:10])
    with container.index.transaction():
        container.index.renumber(0, 3)
    layout.pack_path(0).rename(layout.pack_path(3))
    moments = ['pack written', 'rows moved', 'old pack gone', 'linked back', 'rows moved back']
    shutil.copy(layout.pack_path(3), layout.pack_path(-1))
    (layout.packs / '-1.lock').touch()
    if moments.index(moment) >= 1:
        with container.index.transaction():
            container.index.renumber(3, -1)
    if moments.index(moment) >= 2:
        layout.pack_path(3).unlink()
    if moments.index(moment) >= 3:
        os.link(layout.pack_path(-1), layout.pack_path(3))
    if moments.index(moment) >= 4:
        with container.index.transaction():
            container.index.renumber(-1, 3)
    assert_holds(container, wanted[:10])
    for content in wanted[10:15]:
        container.put_object_from_bytes(content)
    maintain(container)
    container.put_objects_into_pack(wanted[15:])
    assert_holds(container, wanted)
    assert not maintain(container, full=True, repack='none').problems
    assert_holds(container, wanted)
    assert min(container.layout.pack_sizes()) >= 0
    assert set(container.layout.pack_sizes()) == set(container.index.packs())
    assert container.layout.pack_locks() == []
    assert not maintain(container, full=True, repack='all').problems
    assert_holds(container, wanted)


@pytest.mark.parametrize('profile', ['aborted_before_commit', 'aborted_after_remove', 'mixed', 'loose'])
@pytest.mark.parametrize('full', [False, True])
def test_reference_containers_are_maintained_and_keep_every_object(
    reference_home: Path, maintain: Maintain, profile: str, full: bool
) -> None:
    (folder,) = {path.parent for path in reference_home.rglob('packs.idx') if profile in str(path)}
    with Container(folder) as container:
        keys = list(container.list_objects())
        assert len(keys) > 10
        before = {key: handle.read() for key, handle in container.iter_object_streams(keys)}
        report = maintain(container, full=full, repack='all')
        assert not report.problems
        assert list(container.list_objects()) == keys
        assert {key: handle.read() for key, handle in container.iter_object_streams(keys)} == before
        assert all(container.get_object_hash(key) == key for key in keys)
        if full:
            assert min(container.layout.pack_sizes()) >= 0
            assert set(container.layout.pack_sizes()) == set(container.index.packs())
            assert list(container.layout.sandbox.iterdir()) == []
            assert list(container.layout.duplicates.iterdir()) == []
            assert container.layout.pack_locks() == []
            assert maintain(container, full=True).nothing_to_do


# duplicates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('full', [False, True])
def test_second_copies_are_dropped_or_become_the_first(
    container: Container, maintain: Maintain, assert_holds: Holds, key_of: Callable[[bytes], str], full: bool
) -> None:
    container.put_objects_into_pack([b'packed'])
    container.put_object_from_bytes(b'loose')
    folder = container.layout.duplicates
    for content in (b'packed', b'loose', b'nowhere else'):
        (folder / f'{key_of(content)}.{os.urandom(16).hex()}').write_bytes(content)
    (folder / f'{"0" * 64}.1').write_bytes(b'rubbish')
    (folder / 'README').write_text('not a copy')
    report = maintain(container, map(key_of, (b'packed', b'loose', b'nowhere else')), full=full)
    assert not report.problems
    assert sorted(path.name[:6] for path in folder.iterdir()) == ['000000', 'README']
    assert container.get_info()['packed']['objects'] == 3
    assert_holds(container, [b'packed', b'loose', b'nowhere else'])
    assert maintain(container, full=full).nothing_to_do


def test_a_second_copy_that_nobody_names_goes_with_the_garbage(
    container: Container, maintain: Maintain, key_of: Callable[[bytes], str]
) -> None:
    (container.layout.duplicates / f'{key_of(b"garbage")}.1').write_bytes(b'garbage')
    maintain(container, [], full=True)
    assert list(container.list_objects()) == []
    assert maintain(container, [], full=True).nothing_to_do


def test_the_report_of_a_damaged_container_is_the_same_as_its_plan(
    container: Container, contents: Contents, maintain: Maintain, snapshot: Callable[..., Any]
) -> None:
    container.put_objects_into_pack(contents(20))
    os.truncate(container.layout.pack_path(0), 10_000)
    container.close()
    before = snapshot(container.layout.folder)
    plan = maintain(container, full=True, dry_run=True)
    container.close()
    assert snapshot(container.layout.folder) == before
    assert problems(plan) == problems(maintain(container, full=True))
