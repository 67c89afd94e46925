"""The index is made anew from catalogues, from what is left of it, and from the packs themselves."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from ricordi.backend.repair import Mending, RepairOrder, SetAside
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.errors import Interrupted
from ricordi.progress import Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.container.index import PackedObject

Maintain = Callable[..., Any]
Contents = Callable[[int], list[bytes]]


@pytest.fixture
def packed(new_container: Callable[..., Container], contents: Contents) -> Container:
    """Three packs: plain, compressed, mixed."""
    container = new_container(pack_size_target=30_000)
    container.put_objects_into_pack(contents(15))
    container.put_objects_into_pack(contents(30)[15:], 'yes')
    container.put_objects_into_pack(contents(45)[30:], 'auto')
    return container


def rows(container: Container) -> set[PackedObject]:
    return {row for pack_id in container.index.packs() for row in container.index.objects_of_pack(pack_id)}


def rebuild(container: Container, keys: list[str]) -> list[Any]:
    return list(container.repair(RepairOrder(new_index=True), [], lambda: iter(sorted(keys)), Run()))


def lose(container: Container) -> None:
    container.close()
    for path in container.layout.folder.glob('packs.idx*'):
        path.unlink()


def overwrite_with_zeros(container: Container) -> None:
    container.index.checkpoint()
    container.close()
    content = container.layout.index.read_bytes()
    container.layout.index.write_bytes(bytes(200) + content[200:])


def zero_a_page(container: Container) -> None:
    container.index.checkpoint()
    container.close()
    content = container.layout.index.read_bytes()
    container.layout.index.write_bytes(content[:4096] + bytes(4096) + content[8192:])


def cut(container: Container) -> None:
    container.index.checkpoint()
    container.close()
    content = container.layout.index.read_bytes()
    container.layout.index.write_bytes(content[: len(content) // 2])


def fill_with_text(container: Container) -> None:
    lose(container)
    container.layout.index.write_bytes(b'no database at all' * 1000)


DAMAGE = {
    'gone': lose,
    'head': overwrite_with_zeros,
    'page': zero_a_page,
    'cut': cut,
    'no database': fill_with_text,
}


@pytest.mark.parametrize('catalogues', [True, False])
@pytest.mark.parametrize('damage', DAMAGE)
def test_an_index_that_is_gone_or_damaged_is_made_anew(
    packed: Container, maintain: Maintain, damage: str, catalogues: bool
) -> None:
    if catalogues:
        maintain(packed)
    keys, before = list(packed.list_objects()), rows(packed)
    DAMAGE[damage](packed)
    found = [one for one in packed.verify(VerifyOptions(), lambda: iter(keys)) if isinstance(one, Finding)]
    assert any(one.kind == 'damaged object index' for one in found)
    done = rebuild(packed, keys)
    assert [one.deed for one in done if isinstance(one, Mending)] == ['make the index anew']
    assert bool([one for one in done if isinstance(one, SetAside)]) == (damage != 'gone')
    assert rows(packed) == before
    found = [one for one in packed.verify(VerifyOptions(read=True), lambda: iter(keys)) if isinstance(one, Finding)]
    assert [one for one in found if not one.notice] == []
    assert maintain(packed, keys, full=True).problem_count == 0


def test_catalogues_that_are_behind_are_believed_only_as_far_as_they_are_right(
    packed: Container, maintain: Maintain, contents: Contents
) -> None:
    maintain(packed)
    packed.put_objects_into_pack(contents(50)[45:])
    keys = list(packed.list_objects())
    kept = {path.name: path.read_bytes() for path in packed.layout.catalogue.iterdir()}
    last = max(packed.index.packs())
    maintain(packed, keys, full=True, repack='all')
    for path in packed.layout.catalogue.iterdir():
        path.unlink()
    for name, content in kept.items():
        (packed.layout.catalogue / name).write_bytes(content)
    before = rows(packed)
    lose(packed)
    rebuild(packed, keys)
    assert rows(packed) == before
    assert last >= 0


def test_what_no_node_names_and_no_catalogue_knows_is_not_looked_for(packed: Container) -> None:
    keys = list(packed.list_objects())
    compressed = {row.key for row in rows(packed) if row.compressed}
    lose(packed)
    rebuild(packed, sorted(compressed))
    assert {row.key for row in rows(packed)} == compressed
    assert len(compressed) < len(keys)


def test_the_old_index_is_kept_and_can_be_read(packed: Container) -> None:
    keys, before = list(packed.list_objects()), rows(packed)
    with packed.index.transaction():
        packed.index.connection.execute("UPDATE db_object SET hashkey = 'no key' WHERE id = 3")
    done = rebuild(packed, keys)
    assert rows(packed) == before
    (place,) = [one.place for one in done if isinstance(one, SetAside) and one.place.endswith('packs.idx')]
    with closing(sqlite3.connect(packed.layout.folder / place)) as old:
        assert old.execute("SELECT count(*) FROM db_object WHERE hashkey = 'no key'").fetchone() == (1,)


def test_rows_that_say_what_cannot_be_lead_to_a_new_index(packed: Container) -> None:
    keys, before = list(packed.list_objects()), rows(packed)
    with packed.index.transaction():
        packed.index.connection.execute(
            "UPDATE db_object SET length = 'long', hashkey = hashkey || x'00ff' WHERE id % 7 = 0"
        )
    done = list(packed.repair(RepairOrder(), [], lambda: iter(keys), Run()))
    assert [one.deed for one in done if isinstance(one, Mending)] == ['make the index anew']
    assert rows(packed) == before


def test_damage_beside_the_index_leaves_all_other_objects(packed: Container, maintain: Maintain) -> None:
    maintain(packed)
    keys, before = list(packed.list_objects()), rows(packed)
    victim = max((row for row in before if row.pack_id == 0), key=lambda row: row.length)
    with packed.layout.pack_path(0).open('r+b') as file:
        file.seek(victim.offset)
        file.write(hashlib.sha256(b'').digest())
    lose(packed)
    rebuild(packed, keys)
    assert rows(packed) == before - {victim}


def test_an_empty_object_divides_no_stretch_that_is_looked_through(container: Container) -> None:
    keys = container.put_objects_into_pack([b'a long object that nobody knows the place of' * 3, b''])
    container.index.connection.execute('UPDATE db_object SET "offset" = 20 WHERE length = 0')
    container.index.connection.execute('DELETE FROM db_object WHERE length > 0')
    done = list(container.repair(RepairOrder(tuple(keys)), [], lambda: iter(sorted(keys)), Run()))
    assert [one.deed for one in done if isinstance(one, Mending)] == ['correct the index']
    assert container.get_object_content(keys[0]).startswith(b'a long object')


def test_a_new_index_is_given_up_where_the_work_is_told_to_end(packed: Container) -> None:
    keys = list(packed.list_objects())
    lose(packed)
    stop = Stop()
    stop.request('SIGTERM')
    before = {path.name for path in packed.layout.folder.rglob('*')}
    with pytest.raises(Interrupted, match='SIGTERM'):
        list(packed.repair(RepairOrder(new_index=True), [], lambda: iter(sorted(keys)), Run(stop=stop)))
    assert {path.name for path in packed.layout.folder.rglob('*')} == before | {'packer.lock'}
