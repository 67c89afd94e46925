"""Objects of known keys on their way from pack to pack: neighbours go together, and each is what its key says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from ricordi.repository.container.container import Container
from ricordi.repository.limits import USUAL

CONTENTS = [b'%d is its number. ' % number * 20 for number in range(30)]
EMPTY = b''


def key_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def take_over(source: Container, target: Container) -> tuple[int, dict[str, str]]:
    """Everything of one container into another: bytes of content that arrived, and what could not be had."""
    sizes: list[int] = []
    unusable: dict[str, str] = {}
    keys = sorted(source.list_objects())
    target.put_known_objects(lambda: source.known_objects(keys), sizes.append, unusable.__setitem__)
    return sum(sizes), unusable


@pytest.mark.parametrize('compress', ['no', 'yes'])
def test_neighbours_arrive_as_they_lie(
    container: Container, new_container: Callable[..., Container], compress: str
) -> None:
    source = new_container()
    source.put_objects_into_pack([*CONTENTS, EMPTY], compress)  # type: ignore[arg-type]
    assert take_over(source, container) == (sum(map(len, CONTENTS)), {})
    assert container.layout.pack_path(0).read_bytes() == source.layout.pack_path(0).read_bytes()
    for content in [*CONTENTS, EMPTY]:
        assert container.get_object_content(key_of(content)) == content


@pytest.mark.parametrize('damaged', [0, 14, 29])
def test_a_damaged_object_is_told_and_its_neighbours_arrive(
    container: Container, new_container: Callable[..., Container], spoil: Callable[..., None], damaged: int
) -> None:
    source = new_container()
    source.put_objects_into_pack(CONTENTS)
    spoil(source.layout.pack_path(0), sum(map(len, CONTENTS[:damaged])) + 3)
    size, unusable = take_over(source, container)
    others = [content for number, content in enumerate(CONTENTS) if number != damaged]
    assert [*unusable] == [key_of(CONTENTS[damaged])]
    assert size == sum(map(len, others))
    assert sorted(container.list_objects()) == sorted(map(key_of, others))
    for content in others:
        assert container.get_object_content(key_of(content)) == content


def test_a_pack_is_full_in_the_middle_of_neighbours(
    container: Container, new_container: Callable[..., Container]
) -> None:
    target = new_container(pack_size_target=1000)
    container.put_objects_into_pack(CONTENTS)
    take_over(container, target)
    assert len(target.layout.pack_sizes()) > 5
    for content in CONTENTS:
        assert target.get_object_content(key_of(content)) == content


def test_what_is_not_wanted_is_left_where_it_lies(
    container: Container, new_container: Callable[..., Container]
) -> None:
    source = new_container()
    source.put_objects_into_pack(CONTENTS)
    wanted = [content for number, content in enumerate(CONTENTS) if number % 5]
    keys = sorted(map(key_of, wanted))
    container.put_known_objects(lambda: source.known_objects(keys), lambda size: None)
    assert container.layout.pack_path(0).read_bytes() == b''.join(wanted)
    assert sorted(container.list_objects()) == keys


def test_a_row_that_cannot_be_is_believed_by_nobody(
    container: Container, new_container: Callable[..., Container]
) -> None:
    source = new_container()
    source.put_objects_into_pack(CONTENTS)
    wrong = key_of(CONTENTS[7])
    with source.index.transaction():
        source.index.connection.execute('UPDATE db_object SET size = size + 1 WHERE hashkey = ?', (wrong,))
    size, unusable = take_over(source, container)
    assert [*unusable] == [wrong]
    assert size == sum(map(len, CONTENTS)) - len(CONTENTS[7])


def test_objects_in_any_forms_and_places_arrive_in_few_commits_or_many(
    new_container: Callable[..., Container],
) -> None:
    limits = USUAL._replace(large_bytes=500, flush_bytes=1000, put_objects=4, commit_objects=9)
    source, target = new_container(), new_container()
    source.limits = target.limits = limits
    plain, streams, large = CONTENTS[:10], CONTENTS[10:20], [b'large %d ' % number * 100 for number in range(3)]
    for contents, compress in ((plain, 'no'), (streams, 'yes'), ([EMPTY, *large], 'no'), (large[:1], 'yes')):
        source.put_objects_into_pack(contents, compress)  # type: ignore[arg-type]
    for content in CONTENTS[20:]:
        source.put_object_from_bytes(content)
    everything = [*CONTENTS, EMPTY, *large]
    assert take_over(source, target) == (sum(map(len, everything)), {})
    assert sorted(target.list_objects()) == sorted(map(key_of, everything))
    for content in everything:
        assert target.get_object_content(key_of(content)) == content
