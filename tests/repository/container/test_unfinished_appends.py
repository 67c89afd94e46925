"""What was appended to a pack and not committed goes again, and nothing of anybody else's with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ricordi.repository.container.container import Container
from ricordi.repository.container.pack_writer import pack_to_append_to

Limited = Callable[..., Container]


def failing_after(contents: list[bytes], act: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    yield from contents
    act()
    raise RuntimeError('the source ends in the middle')


@pytest.fixture
def in_small_writes(limited: Limited) -> Container:
    """The container, of which each group is written to the pack at once, and not committed."""
    return limited(flush_bytes=1, put_objects=1)


def test_a_pack_is_cut_back_to_what_was_committed(in_small_writes: Container) -> None:
    in_small_writes.put_objects_into_pack([b'committed'])
    with pytest.raises(RuntimeError):
        in_small_writes.put_objects_into_pack(failing_after([b'a' * 100, b'b' * 100, b'c' * 100]))
    assert in_small_writes.layout.pack_path(0).read_bytes() == b'committed'


def test_a_pack_that_was_begun_goes_as_a_whole(in_small_writes: Container) -> None:
    with pytest.raises(RuntimeError):
        in_small_writes.put_objects_into_pack(failing_after([b'a' * 100, b'b' * 100, b'c' * 100]))
    assert in_small_writes.layout.pack_sizes() == {}


def test_what_another_program_has_appended_meanwhile_stays(in_small_writes: Container) -> None:
    in_small_writes.put_objects_into_pack([b'committed'])
    pack = in_small_writes.layout.pack_path(0)

    def append() -> None:
        with pack.open('ab') as handle:
            handle.write(b'of another program')

    with pytest.raises(RuntimeError):
        in_small_writes.put_objects_into_pack(failing_after([b'a' * 100, b'b' * 100], append))
    assert pack.read_bytes().startswith(b'committed')
    assert b'of another program' in pack.read_bytes()


@pytest.mark.parametrize('named_by', ['a lock', 'rows'])
def test_no_pack_is_gone_on_with_where_a_later_one_is_named(container: Container, named_by: str) -> None:
    container.put_objects_into_pack([b'first'])
    if named_by == 'a lock':
        (container.layout.packs / '7.lock').touch()
    else:
        row = next(container.index.objects_of_pack(0))
        with container.index.transaction():
            container.index.put([row._replace(key='a' * 64, pack_id=7)])
    assert pack_to_append_to(container.layout, container.index, 1000) == 8
    assert Path(container.layout.pack_path(0)).exists()


def test_a_pack_that_has_its_size_exactly_is_full(container: Container) -> None:
    container.put_objects_into_pack([b'first'])
    assert [pack_to_append_to(container.layout, container.index, target) for target in (4, 5, 6)] == [1, 1, 0]
