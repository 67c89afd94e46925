"""Containers that are not as they should be: nothing is waited for, nothing is lost, the message says what is wrong."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceReport
from ricordi.errors import CorruptStorage, LostObject, UnreachableStorage
from ricordi.repository.container.container import Container

Maintain = Callable[..., MaintenanceReport]
Contents = Callable[..., list[bytes]]
Holds = Callable[[Container, list[bytes]], None]
MODES = pytest.mark.parametrize('full', [False, True])


@pytest.fixture
def filled(container: Container, contents: Contents) -> Container:
    """Some packed and some loose objects."""
    container.put_objects_into_pack(contents(20))
    for content in contents(5, seed=1):
        container.put_object_from_bytes(content)
    return container


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path)


# things that are no files ----------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize('make', [make_pipe, make_folder, make_loop])
def test_what_is_no_file_is_no_object(
    filled: Container, contents: Contents, maintain: Maintain, assert_holds: Holds, make: Any, full: bool
) -> None:
    path = Path(filled.loose_path('ab' * 32))
    path.parent.mkdir(exist_ok=True)
    make(path)
    named = [*filled.list_objects()]
    assert not filled.has_object('ab' * 32)
    assert maintain(filled, named, full=full).problem_count == 0
    assert os.path.lexists(path)
    assert_holds(filled, contents(20) + contents(5, seed=1))


def test_a_pipe_that_a_node_names_is_a_missing_object(filled: Container, maintain: Maintain) -> None:
    path = Path(filled.loose_path('ab' * 32))
    path.parent.mkdir(exist_ok=True)
    make_pipe(path)
    report = maintain(filled, [*filled.list_objects(), 'ab' * 32])
    assert [problem.kind for problem in report.problems] == ['missing']
    with pytest.raises(CorruptStorage):
        filled.get_object_content('ab' * 32)


def test_a_folder_in_place_of_a_pack_lock_is_left(filled: Container, maintain: Maintain) -> None:
    (filled.layout.packs / '7.lock').mkdir()
    assert maintain(filled, full=True).problem_count == 0


# a damaged index -------------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(
    'change',
    [
        "size = 'many'",
        'length = 1.5',
        '"offset" = -5',
        '"offset" = 9223372036854775807',
        "pack_id = x'00'",
        "hashkey = 'no key'",
        "hashkey = CAST(x'ff' || hashkey AS TEXT)",
    ],
)
def test_rows_that_cannot_be_are_told_and_nothing_is_lost(
    filled: Container, contents: Contents, maintain: Maintain, assert_holds: Holds, change: str, full: bool
) -> None:
    keys = [*filled.list_objects()]
    with closing(sqlite3.connect(filled.layout.index)) as index:
        index.execute(f'UPDATE db_object SET {change} WHERE id = 3')
        index.commit()
    told = ''
    try:
        report = maintain(filled, keys, full=full, repack='all' if full else 'auto')
    except CorruptStorage as error:
        told = str(error)
    # live maintenance reads no packed object
    assert not full or 'is damaged' in told or report.problem_count == 1
    for content in contents(20)[:2] + contents(20)[3:] + contents(5, seed=1):
        assert filled.get_object_content(filled.put_object_from_bytes(content)) == content


def test_loose_files_stay_where_the_index_does_not_find_what_was_written_to_it(
    filled: Container, contents: Contents, maintain: Maintain, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, loose = filled.index.find_many, [*filled.layout.loose_keys(2)]
    monkeypatch.setattr(filled.index, 'find_many', lambda keys: (row for row in find(keys) if row.key != loose[0]))
    with pytest.raises(CorruptStorage, match='no loose object was removed'):
        maintain(filled)
    assert [*filled.layout.loose_keys(2)] == loose


def test_an_index_with_damaged_pages_is_not_written_to(
    filled: Container, contents: Contents, maintain: Maintain, new_container: Callable[..., Container]
) -> None:
    filled.put_objects_into_pack(contents(2000, seed=9))
    keys, folder = [*filled.list_objects()], filled.layout.folder
    filled.close()
    with closing(sqlite3.connect(filled.layout.index)) as index:
        index.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        root = index.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_db_object_hashkey'").fetchone()[0]
        (page_bytes,) = index.execute('PRAGMA page_size').fetchone()
    with filled.layout.index.open('r+b') as file:
        file.seek((root - 1) * page_bytes + 8)
        file.write(os.urandom(200))
    before = filled.layout.pack_sizes()
    with closing(Container(folder)) as damaged, pytest.raises(CorruptStorage, match=r'index .* is damaged'):
        maintain(damaged, keys)
    assert filled.layout.pack_sizes() == before


# missing and linked folders --------------------------------------------------------------------------------


def test_where_index_and_packs_are_gone_no_empty_index_takes_their_place(filled: Container, maintain: Maintain) -> None:
    filled.close()
    filled.layout.index.unlink()
    shutil.rmtree(filled.layout.packs)
    with closing(Container(filled.layout.folder)) as found, pytest.raises(CorruptStorage, match=r'index .* is gone'):
        maintain(found, [])
    assert not filled.layout.index.exists()


def test_without_the_folder_of_packs_nothing_is_packed_and_what_is_lost_is_told(
    filled: Container, maintain: Maintain
) -> None:
    loose = filled.put_object_from_filelike(io.BytesIO(b'not packed yet'))
    filled.close()
    shutil.rmtree(filled.layout.packs)
    with closing(Container(filled.layout.folder)) as found:
        with pytest.raises(LostObject, match='is not there, and with it all that was packed') as refused:
            maintain(found, [])
        assert 'no object is lost' not in str(refused.value)
        assert found.get_object_content(loose) == b'not packed yet'
        filled.layout.packs.mkdir()
        maintain(found, [loose])
        assert (filled.layout.packs / '1').read_bytes().count(b'not packed yet') == 1


@pytest.mark.parametrize('make', [make_pipe, Path.touch])
def test_what_is_no_folder_of_packs_is_told_as_one_that_is_gone(
    filled: Container, maintain: Maintain, make: Callable[[Path], None]
) -> None:
    packed, loose = [*filled.list_objects()], filled.put_object_from_filelike(io.BytesIO(b'not packed yet'))
    loose_ones = {key for key in packed if Path(filled.loose_path(key)).exists()}
    filled.close()
    shutil.rmtree(filled.layout.packs)
    make(filled.layout.packs)
    with closing(Container(filled.layout.folder)) as found:
        with pytest.raises(LostObject, match='is not there, and with it all that was packed'):
            maintain(found, [])
        assert found.get_object_content(loose) == b'not packed yet'
        assert found.has_objects(packed) == [key in loose_ones for key in packed]
        lost = next(key for key in packed if key not in loose_ones)
        with pytest.raises(LostObject, match='packs/0 is gone'):
            found.get_object_content(lost)


@pytest.mark.parametrize('make', [make_pipe, make_folder, make_loop])
def test_what_stands_in_the_place_of_the_lock_of_packers_is_named(
    filled: Container, maintain: Maintain, make: Callable[[Path], None]
) -> None:
    loose = filled.put_object_from_filelike(io.BytesIO(b'not packed yet'))
    filled.layout.packer_lock.unlink(missing_ok=True)
    make(filled.layout.packer_lock)
    with pytest.raises(UnreachableStorage, match=r'packer\.lock: a .* stands in the place of that file: remove it'):
        maintain(filled, [loose])


def test_erasing_follows_a_link_and_can_be_done_again(filled: Container, tmp_path: Path) -> None:
    place, link = tmp_path / 'elsewhere', filled.layout.folder
    filled.close()
    link.rename(place)
    link.symlink_to(place)
    with closing(Container(link)) as found:
        found.erase()
        assert not place.exists()
        assert not os.path.lexists(link)
        found.erase()


def test_erasing_ends_what_an_erasure_that_was_cut_short_left(filled: Container) -> None:
    filled.layout.config.unlink()
    filled.erase()
    assert not filled.layout.folder.exists()


def test_erasing_leaves_what_others_have_put_among_the_files_of_a_container_and_follows_no_link(
    filled: Container, tmp_path: Path
) -> None:
    folder, outside = filled.layout.folder, tmp_path / 'outside'
    outside.mkdir()
    (outside / '0').write_text('no pack of ours')
    (outside / 'ab').write_text('no object of ours')
    (filled.layout.packs / 'notes.txt').write_text('theirs')
    (filled.layout.loose / 'ab').mkdir(exist_ok=True)
    (filled.layout.loose / 'ab' / 'README').write_text('theirs')
    (filled.layout.loose / 'fedc').symlink_to(outside)
    (folder / 'packer.lock').unlink(missing_ok=True)
    (folder / 'packer.lock').symlink_to(outside / '0')
    filled.erase()
    assert sorted(path.name for path in outside.iterdir()) == ['0', 'ab']
    left = {str(path.relative_to(folder)) for path in folder.rglob('*') if not path.is_dir() or path.is_symlink()}
    assert left == {'packs/notes.txt', 'loose/ab/README', 'loose/fedc', 'packer.lock'}


def test_erasing_leaves_what_is_no_part_of_a_container(filled: Container) -> None:
    thesis = filled.layout.folder / 'thesis' / 'chapter 1'
    thesis.parent.mkdir()
    thesis.touch()
    filled.layout.config.unlink()
    filled.erase()
    assert [path.name for path in filled.layout.folder.iterdir()] == ['thesis']
    assert thesis.exists()


def test_a_repack_of_aiida_that_was_killed_is_told_live(filled: Container, maintain: Maintain) -> None:
    with filled.index.transaction():
        filled.index.renumber(0, -1)
    filled.layout.pack_path(0).rename(filled.layout.pack_path(-1))
    assert 'cannot read 20 objects' in ' '.join(note.text for note in maintain(filled).notes)
    assert maintain(filled, full=True).notes == ()
