"""Catalogues that are written while a container is filled for the first time: right without a look at the index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ricordi.repository.container.catalogue import catalogued_packs, keep_catalogues, read_catalogue
from ricordi.repository.container.container import Container
from ricordi.repository.limits import USUAL

CONTENTS = [b'%d is its number. ' % number * 20 for number in range(60)]
IN_SMALL_STEPS = USUAL._replace(commit_objects=3, put_objects=2, first_commits=2)


class Stopped(Exception):
    """Raised by a test in the middle of the work."""


def take_over(source: Container, target: Container, told: Callable[[int], None] = lambda size: None) -> None:
    keys = sorted(source.list_objects())
    target.put_known_objects(lambda: source.known_objects(keys), told)


def told(container: Container) -> set[Any]:
    """All that the catalogues say."""
    return {row for pack_id in catalogued_packs(container.layout) for row in read_catalogue(container.layout, pack_id)}


def rows(container: Container) -> set[Any]:
    """All that the index says."""
    return {row for pack_id in container.index.packs() for row in container.index.objects_of_pack(pack_id)}


@pytest.fixture
def source(new_container: Callable[..., Container]) -> Container:
    source = new_container()
    source.put_objects_into_pack(CONTENTS[::2], 'yes')
    source.put_objects_into_pack(CONTENTS[1::2], 'no')
    return source


@pytest.mark.parametrize('limits', [USUAL, IN_SMALL_STEPS])
@pytest.mark.parametrize('pack_size', [1000, 1 << 30])
def test_after_a_first_filling_the_catalogues_say_what_the_index_says(
    new_container: Callable[..., Container], source: Container, limits: Any, pack_size: int
) -> None:
    target = new_container(pack_size_target=pack_size)
    target.limits = limits
    take_over(source, target)
    packs = target.index.packs()
    assert (len(packs) > 3) == (pack_size == 1000)
    assert catalogued_packs(target.layout) == sorted(packs)
    assert told(target) == rows(target)
    assert keep_catalogues(target, packs).written == 0  # their heads are in step as well
    assert not [*target.layout.sandbox.iterdir()]


def test_a_filling_that_ends_early_leaves_no_draft(new_container: Callable[..., Container], source: Container) -> None:
    target = new_container()
    target.limits = IN_SMALL_STEPS
    sizes: list[int] = []

    def stop(size: int) -> None:
        sizes.append(size)
        if len(sizes) == 6:
            raise Stopped

    with pytest.raises(Stopped):
        take_over(source, target, stop)
    assert rows(target)
    assert told(target) <= rows(target)
    assert not [*target.layout.sandbox.iterdir()]


@pytest.mark.parametrize('pack_size', [1000, 1 << 30])
@pytest.mark.parametrize('cut', [0, 55])
def test_what_is_put_later_stands_in_the_catalogues_as_well(
    new_container: Callable[..., Container], source: Container, pack_size: int, cut: int
) -> None:
    target = new_container(pack_size_target=pack_size)
    keys = sorted(source.list_objects())
    for some in (keys[:20], keys[20:22], keys[22:]):
        target.put_known_objects(lambda some=some: source.known_objects(some), lambda size: None)  # type: ignore[misc]
        last = target.layout.catalogue / str(max(target.index.packs()))
        with last.open('ab') as file:  # as a kill may leave it: a record that was cut
            file.write(b'x' * cut)
    assert told(target) == rows(target)
    assert target.index.count() == len(CONTENTS)
    assert keep_catalogues(target, target.index.packs()).written > 0  # first lines are behind
    assert told(target) == rows(target)


def test_a_catalogue_of_a_copy_of_the_pack_goes_on(new_container: Callable[..., Container], source: Container) -> None:
    target = new_container()
    keys = sorted(source.list_objects())
    target.put_known_objects(lambda: source.known_objects(keys[:50]), lambda size: None)
    pack = target.layout.pack_path(0)
    copy = pack.with_name('copy')
    copy.write_bytes(pack.read_bytes())
    copy.replace(pack)
    target.put_known_objects(lambda: source.known_objects(keys[50:]), lambda size: None)
    assert told(target) == rows(target)


def test_where_catalogues_cannot_be_written_the_objects_are_there(
    new_container: Callable[..., Container], source: Container
) -> None:
    target = new_container()
    target.layout.catalogue.write_bytes(b'a file in the place of the folder')
    take_over(source, target)
    assert target.index.count() == len(CONTENTS)
    assert not [*target.layout.sandbox.iterdir()]


def test_a_catalogue_that_knows_more_than_an_index_that_was_begun_anew_stays(
    new_container: Callable[..., Container], source: Container
) -> None:
    target = new_container()
    take_over(source, target)
    before = told(target)
    with target.index.transaction():
        target.index.delete([row.key for row in before])
    key = next(iter(source.list_objects()))
    target.put_known_objects(lambda: source.known_objects([key]), lambda size: None)
    assert target.index.count() == 1
    assert told(target) == before
