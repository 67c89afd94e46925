"""What a repair mends in a bucket: objects, rows of the index, what the database notes of nodes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.progress import Run
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.counting import UseLook
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.maintenance.leftovers import BucketSweep, PackRemoval
from ricordi.repository.bucket.maintenance.step import BucketWork
from ricordi.repository.bucket.publishing import pack_name
from ricordi.repository.maintenance.problems import Problems

Filled = tuple[BucketRepository, dict[str, bytes]]


@pytest.fixture
def contents() -> list[bytes]:
    """Of small objects, and of one that is a pack of its own."""
    source = random.Random(0)
    return [*(source.randbytes(2000 + number) for number in range(4)), source.randbytes(60_000)]


@pytest.fixture
def filled(bucket: BucketRepository, contents: list[bytes]) -> Filled:
    """A store with two packs."""
    import io

    keys = [*bucket.put_objects(contents[:4]), *bucket.put_objects([io.BytesIO(contents[4])])]
    return bucket, dict(zip(keys, contents, strict=True))


def place_of(bucket: BucketRepository, key: str) -> Placement:
    place = bucket.index.find(key)
    assert place is not None
    return place


def pack_of(bucket: BucketRepository, key: str) -> str:
    """The name of the pack in which an object is."""
    pack = place_of(bucket, key).pack
    assert pack is not None
    return pack_name(pack)


def spoil(bucket: BucketRepository, key: str) -> None:
    """Turn a bit of an object where it lies."""
    name = pack_of(bucket, key)
    data = bytearray(bucket.store.get(name))
    data[place_of(bucket, key).start + 7] ^= 1
    bucket.store.put(name, data)


def forget(bucket: BucketRepository, keys: Iterable[str], packs: bool = True) -> None:
    """Have the index lose objects, and the packs that they were in."""
    names = [place_of(bucket, key).pack for key in keys]
    bucket.database.change('DELETE FROM objects WHERE hash = ANY(%b)', ([bytes.fromhex(key) for key in keys],))
    if packs:
        bucket.database.change('DELETE FROM packs WHERE uuid = ANY(%s)', (names,))


def repaired(
    bucket: BucketRepository, keys: Iterable[str] = (), sources: Iterable[BucketRepository] = (), **more: Any
) -> tuple[dict[str, Mending], list[str]]:
    """What was done about each, and the names of what was set aside."""
    given = [RepairSource(f'source {number}', one) for number, one in enumerate(sources, 1)]
    told = [*bucket.repair(RepairOrder(tuple(keys), **more), given, lambda: iter(()))]
    mendings = {one.subject: one for one in told if isinstance(one, Mending)}
    return mendings, [one.place for one in told if isinstance(one, SetAside)]


def planned_sweep(bucket: BucketRepository) -> BucketSweep:
    """A sweep that has looked at what lies in the bucket."""
    sweep = BucketSweep(work_on(bucket))
    sweep.plan()
    return sweep


def work_on(bucket: BucketRepository) -> BucketWork:
    """What a step of a maintenance is handed that keeps nothing for any time."""
    return BucketWork(bucket, MaintenanceOptions(full=True), Run(), Problems(), UseLook(bucket.database), 0)


def findings(bucket: BucketRepository, keys: Iterable[str]) -> list[Finding]:
    told = bucket.verify(VerifyOptions(read=True), lambda: iter(sorted(keys)))
    return [one for one in told if isinstance(one, Finding)]


def test_what_is_damaged_comes_from_the_first_source_that_has_it_sound_and_is_kept(
    filled: Filled, new_store: Callable[[], BucketRepository], contents: list[bytes]
) -> None:
    bucket, known = filled
    bad, good = new_store(), new_store()
    for store in (bad, good):
        store.put_objects(contents)
    first, _, _, _, large = known
    for key in (first, large):
        spoil(bucket, key)
    spoil(bad, first)
    before = place_of(bucket, first)
    found = findings(bucket, known)
    assert {one.key for one in found} == {first, large}
    assert {one.deed for one in repaired(bucket, known, [bad, good], dry_run=True)[0].values()} == {
        'take it from a source'
    }
    assert len(findings(bucket, known)) == 2
    done, aside = repaired(bucket, known, [bad, good])
    assert {key: one.source for key, one in done.items()} == {first: 'source 2', large: 'source 1'}
    assert findings(bucket, known) == []
    assert {key: bucket.get_object_content(key) for key in known} == known
    kept = next(name for name in aside if first in name)
    assert kept.startswith('set-aside/')
    assert f'pack-{before.pack}-at-{before.start}-' in kept
    assert sum(a != b for a, b in zip(bucket.store.get(kept), known[first], strict=True)) == 1


def test_what_nobody_has_is_left_and_told(filled: Filled) -> None:
    bucket, known = filled
    spoil(bucket, next(iter(known)))
    done, aside = repaired(bucket, [*known, 'd' * 64])
    assert {key: (one.fault, one.deed) for key, one in done.items()} == {
        next(iter(known)): ('damaged object', ''),
        'd' * 64: ('missing object', ''),
    }
    assert aside == []


@pytest.mark.parametrize('rows_of_packs', ['gone', 'there'])
def test_packs_of_which_the_index_lost_the_objects_are_taken_up_again(filled: Filled, rows_of_packs: str) -> None:
    bucket, known = filled
    places = {key: place_of(bucket, key) for key in known}
    forget(bucket, known, packs=rows_of_packs == 'gone')
    wanted = [*known][1:]
    assert {one.deed for one in repaired(bucket, wanted, dry_run=True)[0].values()} == {'correct the index'}
    assert not bucket.holds_objects
    done, _ = repaired(bucket, wanted)
    assert {(one.fault, one.deed) for one in done.values()} == {('missing object', 'correct the index')}
    assert sorted(done) == sorted(wanted)
    assert {key: place_of(bucket, key) for key in known} == places
    assert findings(bucket, known) == []
    assert bucket.database.rows('SELECT DISTINCT state FROM packs') == [('live',)]


def test_what_is_damaged_in_a_pack_without_a_row_does_not_come_in(filled: Filled) -> None:
    bucket, known = filled
    spoil(bucket, next(iter(known)))
    forget(bucket, known)
    done, _ = repaired(bucket, known)
    assert [key for key, one in done.items() if not one.deed] == [next(iter(known))]
    assert sorted(bucket.list_objects()) == sorted([*known][1:])


def test_the_sweep_leaves_what_a_repair_takes_up_and_a_repair_what_the_sweep_takes(
    opened: Callable[..., BucketRepository], contents: list[bytes]
) -> None:
    bucket, sweeper = opened(leftover_seconds=-10.0), opened(leftover_seconds=-10.0)
    bucket.initialise()
    (key,) = bucket.put_objects(contents[:1])
    forget(bucket, [key])
    read, deleted = bucket.store.get_ranges, sweeper.store.delete

    taken: list[bool] = []
    sweep = planned_sweep(sweeper)

    def read_while_it_is_swept(*arguments: Any) -> Any:
        if bucket.database.rows('SELECT 1 FROM packs'):
            sweep.carry_out()
            planned_sweep(sweeper).carry_out()
            taken.append(True)
        return read(*arguments)

    bucket.store.get_ranges = read_while_it_is_swept  # type: ignore[method-assign]
    assert repaired(bucket, [key])[0][key].deed == 'correct the index'
    assert taken
    bucket.store.get_ranges = read  # type: ignore[method-assign]
    assert bucket.get_object_content(key) == contents[0]
    forget(bucket, [key])

    def delete_while_it_is_repaired(names: list[str]) -> None:
        assert repaired(bucket, [key])[0][key].deed == 'take it from a second copy'
        deleted(names)

    sweeper.store.delete = delete_while_it_is_repaired  # type: ignore[method-assign]
    planned_sweep(sweeper).carry_out()
    assert bucket.get_object_content(key) == contents[0]
    assert findings(bucket, [key]) == []


def test_a_pack_that_lost_its_objects_is_not_condemned_while_it_is_taken_up(
    bucket: BucketRepository, contents: list[bytes]
) -> None:
    (key,) = bucket.put_objects(contents[:1])
    forget(bucket, [key], packs=False)
    read = bucket.store.get_ranges

    def read_while_empty_packs_are_removed(*arguments: Any) -> Any:
        if bucket.database.rows("SELECT 1 FROM packs WHERE state = 'writing'"):
            PackRemoval(work_on(bucket)).carry_out()
        return read(*arguments)

    bucket.store.get_ranges = read_while_empty_packs_are_removed  # type: ignore[method-assign]
    assert repaired(bucket, [key])[0][key].deed == 'correct the index'
    assert bucket.database.rows('SELECT state FROM packs') == [('live',)]
    assert bucket.get_object_content(key) == contents[0]


def test_a_repair_that_was_killed_while_it_took_up_a_pack_is_made_up_for_by_the_next(filled: Filled) -> None:
    bucket, known = filled
    forget(bucket, known)
    publish = bucket.index.publish

    def killed(*arguments: Any) -> bool:
        raise KeyboardInterrupt

    bucket.index.publish = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        repaired(bucket, known)
    bucket.index.publish = publish  # type: ignore[method-assign]
    assert bucket.database.rows('SELECT DISTINCT state FROM packs') == [('writing',)]
    assert all(one.deed for one in repaired(bucket, known)[0].values())
    assert findings(bucket, known) == []


def test_an_object_comes_out_of_a_condemned_pack_which_stays_condemned(filled: Filled) -> None:
    bucket, known = filled
    forget(bucket, known, packs=False)
    bucket.database.change("UPDATE packs SET state = 'condemned', condemned = clock_timestamp()")
    done, _ = repaired(bucket, known)
    assert {one.deed for one in done.values()} == {'take it from a second copy'}
    assert bucket.database.rows("SELECT count(*) FROM packs WHERE state = 'condemned'") == [(2,)]
    assert findings(bucket, known) == []


def test_a_row_that_says_what_is_not_so_is_corrected_from_the_pack(filled: Filled) -> None:
    bucket, known = filled
    right = place_of(bucket, [*known][1])
    bucket.database.change('UPDATE objects SET start = 5, size = 7 WHERE hash = %b', (right.hash,))
    done, _ = repaired(bucket, known)
    assert [(one.fault, one.deed) for one in done.values()] == [('wrong index row', 'correct the index')]
    assert place_of(bucket, right.key) == right


def test_packs_that_are_gone_or_cut_are_made_up_for(
    filled: Filled, new_store: Callable[[], BucketRepository], contents: list[bytes], maintain: Callable[..., Any]
) -> None:
    bucket, known = filled
    first, *_, last = known
    small, large = pack_of(bucket, first), pack_of(bucket, last)
    bucket.store.delete([large])
    bucket.store.put(small, bucket.store.get(small)[:-100])
    copy = new_store()
    copy.put_objects(contents)
    packs = tuple(one.where for one in findings(bucket, known) if one.where)
    assert {*packs} == {small, large}
    done, _ = repaired(bucket, (), [copy], packs=packs)
    assert {done[key].deed for key in [*known][:4]} == {'write it anew into another pack'}
    assert done[last].source == 'source 1'
    assert findings(bucket, known) == []
    assert maintain(bucket, full=True).problem_count == 0
    assert {key: bucket.get_object_content(key) for key in known} == known


def test_nothing_is_swept_as_long_as_a_pack_is_missing_in_place_of_which_it_may_be(
    opened: Callable[..., BucketRepository], contents: list[bytes], maintain: Callable[..., Any]
) -> None:
    """A database that was put back names packs that were repacked since; these have no row in it."""
    bucket = opened(leftover_seconds=-10.0)
    bucket.initialise()
    keys = bucket.put_objects(contents[:2])
    old_name, old, rows = (
        pack_of(bucket, keys[0]),
        place_of(bucket, keys[0]),
        bucket.database.rows('SELECT hash, start FROM objects'),
    )
    maintain(bucket, full=True, repack='all')
    new = place_of(bucket, keys[0])
    bucket.database.change("INSERT INTO packs (uuid, state, bytes, writer) VALUES (%s, 'live', 1, '')", (old.pack,))
    for hash, start in rows:
        bucket.database.change('UPDATE objects SET pack = %s, start = %s WHERE hash = %b', (old.pack, start, hash))
    bucket.database.change('DELETE FROM packs WHERE uuid = %s', (new.pack,))
    report = maintain(bucket, full=True)
    assert [(one.kind, one.key in keys) for one in report.problems] == [('missing', True)]
    done, _ = repaired(bucket, (), packs=(old_name,))
    assert {*done} == {*keys}
    assert [bucket.get_object_content(key) for key in keys] == contents[:2]
    assert maintain(bucket, full=True).problem_count == 0


def test_what_the_database_lost_of_what_nodes_name_is_noted_anew(
    bucket: BucketRepository,
    raw: Any,
    add_node: Callable[..., int],
    contents: list[bytes],
    maintain: Callable[..., Any],
) -> None:
    keys = bucket.put_objects(contents[:2])
    bucket.guard_nodes()
    add_node(*keys)
    assert bucket.guard_fault() == ''
    raw.execute('TRUNCATE ricordi_bucket.objects CASCADE')
    assert bucket.guard_fault()
    done, _ = repaired(bucket, keys[:1])
    assert {*done} == {keys[0], 'node_references'}
    assert bucket.guard_fault() == ''
    assert raw.execute('SELECT count(*) FROM ricordi_bucket.node_references').fetchone() == (2,)
    raw.execute('ALTER TABLE db_dbnode DISABLE TRIGGER USER')
    lost, garbage = add_node('d' * 64), bucket.put_object_from_bytes(b'perhaps')
    raw.execute('DELETE FROM ricordi_bucket.node_references WHERE hash = %b', (bytes.fromhex(keys[0]),))
    assert [one.kind for one in findings(bucket, [*keys, 'd' * 64])] == ['missing object', 'unnoted references']
    repaired(bucket, ['d' * 64])
    assert bucket.guard_fault() == ''
    report = maintain(bucket, named=[*keys, 'd' * 64], full=True)
    assert [one.key for one in report.problems] == ['d' * 64]
    raw.execute('DELETE FROM db_dbnode WHERE id = %s', (lost,))
    assert [one.kind for one in findings(bucket, keys)] == ['unnoted references']
    maintain(bucket, named=keys, full=True)
    assert bucket.has_object(garbage)
    repaired(bucket)
    assert findings(bucket, keys) == []
    maintain(bucket, named=keys, full=True)
    assert bucket.has_objects([*keys[:2], garbage]) == [True, True, False]
