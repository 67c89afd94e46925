"""Catalogues beside packs: in step with the index after each maintenance, rewritten only where something changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.repository.container.catalogue import catalogued_packs, keep_catalogues, read_catalogue
from ricordi.repository.container.container import Container

Maintain = Callable[..., Any]
Contents = Callable[[int], list[bytes]]


def told(container: Container) -> set[Any]:
    """All that the catalogues say."""
    return {row for pack_id in catalogued_packs(container.layout) for row in read_catalogue(container.layout, pack_id)}


def rows(container: Container) -> set[Any]:
    """All that the index says."""
    return {row for pack_id in container.index.packs() for row in container.index.objects_of_pack(pack_id)}


def times(container: Container) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in container.layout.catalogue.iterdir()}


@pytest.mark.parametrize('options', [{}, {'compress': 'yes'}, {'full': True}, {'full': True, 'repack': 'all'}])
def test_after_a_maintenance_the_catalogues_say_what_the_index_says(
    new_container: Callable[..., Container], maintain: Maintain, contents: Contents, options: dict[str, Any]
) -> None:
    container = new_container(pack_size_target=20_000)
    container.put_objects_into_pack(contents(20), 'yes')
    for content in contents(40)[20:]:
        container.put_object_from_bytes(content)
    maintain(container, **options)
    assert told(container) == rows(container)
    assert len(told(container)) == 40
    assert catalogued_packs(container.layout) == sorted(container.index.packs())


def test_a_second_maintenance_writes_no_catalogue(
    new_container: Callable[..., Container], maintain: Maintain, contents: Contents
) -> None:
    container = new_container(pack_size_target=20_000)
    container.put_objects_into_pack(contents(40))
    maintain(container)
    before = times(container)
    maintain(container)
    maintain(container, full=True, repack='none')
    assert times(container) == before
    container.put_object_from_bytes(b'one more')
    maintain(container)
    assert len(set(times(container).items()) - set(before.items())) == 1


def test_the_catalogue_of_a_pack_that_is_gone_goes(container: Container, maintain: Maintain) -> None:
    container.put_objects_into_pack([b'one', b'two'])
    maintain(container)
    container.delete_objects(list(container.list_objects()))
    maintain(container, full=True)
    assert catalogued_packs(container.layout) == []


def test_a_catalogue_that_knows_more_than_an_index_that_was_begun_anew_stays(
    container: Container, maintain: Maintain
) -> None:
    keys = container.put_objects_into_pack([b'one', b'two', b'three'])
    maintain(container)
    before = told(container)
    with container.index.transaction():
        container.index.delete(keys[:2])
    maintain(container, keys)
    with container.index.transaction():
        container.index.delete(keys)
    maintain(container, keys)
    assert told(container) == before


def test_the_same_objects_in_another_file_have_another_catalogue(container: Container, maintain: Maintain) -> None:
    container.put_objects_into_pack([b'one', b'two'])
    maintain(container)
    pack = container.layout.pack_path(0)
    content = pack.read_bytes()
    pack.rename(pack.with_name('kept'))
    pack.write_bytes(content)
    assert keep_catalogues(container, container.index.packs()).written == 1
    assert keep_catalogues(container, container.index.packs()).written == 0


@pytest.mark.parametrize('damage', [b'', b'{"format": "another"}\n', b'\xff' * 200, b'{"format": "ricordi-catalogue"'])
def test_what_is_no_catalogue_says_nothing_and_is_written_anew(
    container: Container, maintain: Maintain, damage: bytes
) -> None:
    container.put_objects_into_pack([b'one', b'two'])
    maintain(container)
    (container.layout.catalogue / '0').write_bytes(damage)
    assert list(read_catalogue(container.layout, 0)) == []
    maintain(container)
    assert told(container) == rows(container)


def test_a_catalogue_that_ends_early_tells_what_is_left_of_it(container: Container, maintain: Maintain) -> None:
    container.put_objects_into_pack([b'one', b'two'])
    maintain(container)
    path = container.layout.catalogue / '0'
    path.write_bytes(path.read_bytes()[:-1])
    assert len(list(read_catalogue(container.layout, 0))) == 1
    maintain(container)
    assert len(list(read_catalogue(container.layout, 0))) == 2


def test_where_catalogues_cannot_be_written_all_else_is_done_and_that_is_noted(
    container: Container, maintain: Maintain, tmp_path: Path
) -> None:
    container.put_object_from_bytes(b'one')
    container.layout.catalogue.write_bytes(b'a file in the place of the folder')
    report = maintain(container)
    assert report.after.packed.objects == 1
    assert any('catalogues of packs cannot be written' in note.text for note in report.notes)


def test_erasing_a_container_takes_its_catalogues_along(container: Container, maintain: Maintain) -> None:
    container.put_objects_into_pack([b'one'])
    maintain(container)
    container.erase()
    assert not container.layout.folder.exists()
