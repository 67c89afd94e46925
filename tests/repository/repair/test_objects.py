"""Objects are mended from second copies, catalogues, sources and by a look through the packs; nothing is destroyed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.progress import Run
from ricordi.repository.container.container import Container

CONTENTS = {
    'small loose': b'a small loose object',
    'large loose': b'a large loose object' * 60_000,
    'packed plain': b'an object in a pack' * 20,
    'packed compressed': b'an object in a pack, compressed' * 200,
    'large packed': bytes(range(256)) * 4500,
}
KEYS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
FILLING = [b'filling %d' % number * 30 for number in range(6)]


def fill(container: Container) -> None:
    """The contents in their places, with others before and after; no catalogue."""
    for name in ('small loose', 'large loose'):
        container.put_object_from_bytes(CONTENTS[name])
    container.put_objects_into_pack([FILLING[0], CONTENTS['packed plain'], FILLING[1]])
    container.put_objects_into_pack([FILLING[2], CONTENTS['packed compressed'], FILLING[3]], 'yes')
    container.put_objects_into_pack([FILLING[4], CONTENTS['large packed'], FILLING[5]])


@pytest.fixture
def broken(new_container: Callable[..., Container]) -> Container:
    """A container to be broken."""
    container = new_container()
    fill(container)
    return container


@pytest.fixture
def good(new_container: Callable[..., Container]) -> RepairSource:
    """A source with all of it."""
    container = new_container()
    container.put_objects_into_pack([*CONTENTS.values(), *FILLING], 'auto')
    return RepairSource('good', container)


def named(container: Container) -> Callable[[], Iterator[str]]:
    keys = sorted({*KEYS.values(), *(hashlib.sha256(content).hexdigest() for content in FILLING)})
    return lambda: iter(keys)


def faults(container: Container) -> list[Finding]:
    """What a verification finds that reads all."""
    found = container.verify(VerifyOptions(read=True), named(container))
    return [one for one in found if isinstance(one, Finding) and not one.notice]


def order_of(found: list[Finding], **more: Any) -> RepairOrder:
    keys = tuple(one.key for one in found if one.key)
    overlapping = tuple(one.key for one in found if one.kind == 'overlapping index rows')
    anew = any(one.kind == 'damaged object index' for one in found)
    return RepairOrder(keys, overlapping, anew, **more)


def repair(container: Container, *sources: RepairSource, **more: Any) -> list[Mending]:
    """Mend all that a verification finds; what was done about each fault."""
    order = order_of(faults(container), **more)
    done = container.repair(order, sources, named(container), Run())
    return [one for one in done if isinstance(one, Mending)]


def place_of(container: Container, name: str) -> tuple[Path, int, int]:
    """The file in which an object lies, from where, and how many bytes of it."""
    row = container.index.find(KEYS[name])
    if row is not None:
        return container.layout.pack_path(row.pack_id), row.offset, row.length
    path = Path(container.loose_path(KEYS[name]))
    return path, 0, path.stat().st_size


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open('r+b') as file:
        file.seek(offset)
        file.write(content)


def flip(container: Container, name: str) -> None:
    path, offset, length = place_of(container, name)
    byte = path.read_bytes()[offset + length // 2]
    overwrite(path, offset + length // 2, bytes([byte ^ 1]))


def zero(container: Container, name: str) -> None:
    path, offset, length = place_of(container, name)
    overwrite(path, offset + 2, bytes(min(length - 2, 512)))


def cut(container: Container, name: str) -> None:
    path, offset, length = place_of(container, name)
    content = path.read_bytes()
    path.write_bytes(content[: offset + length // 2])


def remove(container: Container, name: str) -> None:
    place_of(container, name)[0].unlink()


def exchange(container: Container, name: str) -> None:
    path, offset, length = place_of(container, name)
    overwrite(path, offset, (b'another content' * (length // 15 + 1))[:length])


DAMAGE = {'bit flip': flip, 'zeroed block': zero, 'truncation': cut, 'removal': remove, 'swapped content': exchange}


@pytest.mark.parametrize('damage', DAMAGE)
@pytest.mark.parametrize('name', CONTENTS)
def test_whatever_was_damaged_is_mended_from_a_good_source(
    broken: Container, good: RepairSource, name: str, damage: str
) -> None:
    DAMAGE[damage](broken, name)
    assert KEYS[name] in {one.key for one in faults(broken)}
    planned = repair(broken, good, dry_run=True)
    assert KEYS[name] in {one.key for one in faults(broken)}, 'a dry run has mended it'
    done = repair(broken, good)
    assert [one.deed for one in planned] == [one.deed for one in done] == ['take it from a source'] * len(done)
    assert faults(broken) == []
    for key in (*KEYS.values(),):
        assert hashlib.sha256(broken.get_object_content(key)).hexdigest() == key
    assert repair(broken, good) == []


@pytest.mark.parametrize('name', CONTENTS)
def test_a_damaged_copy_is_kept(broken: Container, good: RepairSource, name: str) -> None:
    path, offset, length = place_of(broken, name)
    exchange(broken, name)
    damaged = path.read_bytes()[offset : offset + length]
    done = list(broken.repair(order_of(faults(broken)), [good], named(broken)))
    (kept,) = [one.place for one in done if isinstance(one, SetAside)]
    assert (broken.layout.folder / kept).read_bytes() == damaged
    assert KEYS[name] in kept


@pytest.mark.parametrize('name', CONTENTS)
def test_without_a_source_what_is_left_is_told_and_nothing_is_changed(
    broken: Container, name: str, snapshot: Callable[[Path], Any]
) -> None:
    exchange(broken, name)
    before = snapshot(broken.layout.packs) | snapshot(broken.layout.loose)
    (left,) = repair(broken)
    assert (left.fault, left.deed, left.subject) == ('damaged object', '', KEYS[name])
    assert snapshot(broken.layout.packs) | snapshot(broken.layout.loose) == before


def test_a_source_with_other_bytes_is_passed_over(
    broken: Container, good: RepairSource, new_container: Callable[..., Container]
) -> None:
    bad = new_container()
    bad.put_objects_into_pack([CONTENTS['packed plain']])
    exchange(bad, 'packed plain')
    exchange(broken, 'packed plain')
    (left,) = repair(broken, RepairSource('bad', bad))
    assert left.deed == ''
    assert 'bad' in left.detail
    (done,) = repair(broken, RepairSource('bad', bad), good)
    assert (done.deed, done.source) == ('take it from a source', 'good')
    assert faults(broken) == []


# copies at hand --------------------------------------------------------------------------------------------


def loose_copy(container: Container, name: str, content: bytes | None = None) -> Path:
    path = Path(container.loose_path(KEYS[name]))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENTS[name] if content is None else content)
    return path


def test_a_sound_loose_copy_takes_the_place_of_a_damaged_packed_one(broken: Container) -> None:
    exchange(broken, 'packed plain')
    loose_copy(broken, 'packed plain')
    (done,) = repair(broken)
    assert done.deed == 'take it from a second copy'
    assert faults(broken) == []


def test_a_damaged_loose_copy_of_a_packed_object_is_set_aside(broken: Container) -> None:
    path = loose_copy(broken, 'packed compressed', b'something else')
    (done,) = repair(broken)
    assert (done.deed, path.exists()) == ('set a damaged copy aside', False)
    assert [kept.read_bytes() for kept in broken.layout.set_aside.iterdir()] == [b'something else']
    assert faults(broken) == []


def test_an_object_comes_from_the_second_copies(broken: Container) -> None:
    remove(broken, 'small loose')
    (broken.layout.duplicates / f'{KEYS["small loose"]}.1').write_bytes(b'damaged')
    (broken.layout.duplicates / f'{KEYS["small loose"]}.2').write_bytes(CONTENTS['small loose'])
    done = repair(broken)
    assert [one.deed for one in done] == ['take it from a second copy']
    assert faults(broken) == []
    assert [kept.read_bytes() for kept in broken.layout.set_aside.iterdir()] == [b'damaged']


def test_the_empty_object_needs_no_source(broken: Container) -> None:
    key = broken.put_object_from_bytes(b'')
    Path(broken.loose_path(key)).unlink()
    (done,) = broken.repair(RepairOrder((key,)), [], named(broken))
    assert isinstance(done, Mending)
    assert done.deed == 'take it from a second copy'
    assert broken.get_object_content(key) == b''


# wrong rows ------------------------------------------------------------------------------------------------


def change_row(container: Container, name: str, **values: Any) -> None:
    row = container.index.find(KEYS[name])
    assert row is not None
    changed = row._replace(**{column: change(getattr(row, column)) for column, change in values.items()})
    with container.index.transaction():
        container.index.put([changed])


WRONG = {
    'offset': {'offset': lambda old: old + 3},
    'offset of the first': {'offset': lambda old: 0},
    'length': {'length': lambda old: old - 1, 'size': lambda old: old - 1},
    'longer': {'length': lambda old: old + 5, 'size': lambda old: old + 5},
    'length of a stream': {'length': lambda old: old - 1, 'compressed': lambda old: 1},
    'size': {'size': lambda old: old + 1, 'compressed': lambda old: 1},
    'compressed': {'compressed': lambda old: 1 - old, 'size': lambda old: 1 * old},
    'pack': {'pack_id': lambda old: 77},
    'impossible': {'offset': lambda old: -7},
    'text': {'size': lambda old: 'much'},
}


ELSEWHERE = ('offset', 'pack', 'impossible', 'text')
"""What leaves nothing to go by but a look through the packs; that all lengths are tried is shown with small objects."""
WRONG_ROWS = [
    (name, wrong, catalogued)
    for name in ('packed plain', 'packed compressed', 'large packed')
    for wrong in WRONG
    for catalogued in (True, False)
    if catalogued or name != 'large packed' or wrong not in ELSEWHERE
]


@pytest.mark.parametrize(('name', 'wrong', 'catalogued'), WRONG_ROWS)
def test_a_wrong_row_is_put_right_from_what_lies_in_the_pack(
    broken: Container, maintain: Callable[..., Any], name: str, wrong: str, catalogued: bool
) -> None:
    if catalogued:
        maintain(broken)
    right = broken.index.find(KEYS[name])
    change_row(broken, name, **WRONG[wrong])
    assert faults(broken)
    repair(broken)
    assert faults(broken) == []
    assert broken.index.find(KEYS[name]) == right


def test_swapped_rows_are_put_right(broken: Container) -> None:
    first, second = (broken.index.find(KEYS[name]) for name in ('packed plain', 'packed compressed'))
    assert first is not None
    assert second is not None
    with broken.index.transaction():
        broken.index.put([first._replace(key=second.key), second._replace(key=first.key)])
    assert faults(broken)
    repair(broken)
    assert faults(broken) == []
    assert broken.index.find(first.key) == first


def test_a_row_that_is_gone_comes_back(broken: Container) -> None:
    with broken.index.transaction():
        broken.index.delete([KEYS['packed plain'], KEYS['packed compressed']])
    done = repair(broken)
    assert [one.deed for one in done] == ['correct the index'] * 2
    assert faults(broken) == []
