"""Maintenance of a store in a bucket, beside others and full, with and without the database's own references."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import obstore
import pytest

from ricordi.backend.maintenance import Amount, MaintenanceOptions, MaintenanceReport, Traffic
from ricordi.progress import Run, Stop
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.publishing import pack_name

Maintain = Callable[..., MaintenanceReport]


def contents(number: int, seed: int = 0, size: int = 500) -> list[bytes]:
    source = random.Random(seed)
    return [source.randbytes(size) for _ in range(number)]


def names(report: MaintenanceReport) -> list[str]:
    return [step.name for step in report.steps]


def packs_in_bucket(bucket: BucketRepository) -> int:
    return len([*bucket.store.listed('packs')])


def test_what_is_in_the_database_is_packed_beside_others_and_a_second_run_finds_nothing(
    bucket: BucketRepository, maintain: Maintain
) -> None:
    wanted = contents(100, size=900)
    keys = [bucket.put_object_from_bytes(content) for content in wanted]
    plan = maintain(bucket, dry_run=True)
    assert [(step.name, step.objects) for step in plan.steps] == [('pack', 100)]
    assert plan.traffic == Traffic(puts=2, sent=90_000)
    assert plan.notes[0].text.startswith('about 2 requests')
    assert bucket.get_info()['loose']['objects'] == 100
    report = maintain(bucket)
    assert report.before.loose.objects == 100
    assert report.after is not None
    assert (report.after.loose.objects, report.after.packed.objects) == (0, 100)
    assert report.after.packs == packs_in_bucket(bucket) == 2
    assert [bucket.get_object_content(key) for key in keys] == wanted
    assert report.traffic is not None
    assert (report.traffic.puts, report.traffic.sent > 90_000) == (2, True)
    assert 'requests to the object store (2 to put)' in report.notes[0].text
    assert maintain(bucket).nothing_to_do


@pytest.mark.parametrize('how', [{}, {'full': True}, {'dry_run': True}])
def test_where_there_is_nothing_to_do_the_rows_are_looked_at_once(
    bucket: BucketRepository, maintain: Maintain, how: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = bucket.put_objects(contents(20))
    maintain(bucket, keys)
    asked = []

    def rows(statement: str, parameters: Any = (), ask: Any = bucket.database.rows) -> Any:
        asked.append(statement)
        return ask(statement, parameters)

    monkeypatch.setattr(bucket.database, 'rows', rows)
    assert maintain(bucket, keys, **how).nothing_to_do
    assert sum('sum(size)' in statement for statement in asked) == 1


def test_what_can_be_compressed_lies_compressed_and_is_read_as_it_was(
    bucket: BucketRepository, maintain: Maintain
) -> None:
    content = b'a line that comes again\n' * 40
    key = bucket.put_object_from_bytes(content)
    report = maintain(bucket, compress='auto')
    assert report.after is not None
    assert report.after.packed.bytes < len(content) / 4
    bucket.cache.drop([bytes.fromhex(key)])
    assert bucket.get_object_content(key) == content


def test_small_packs_are_merged_and_the_old_ones_leave_the_bucket(bucket: BucketRepository, maintain: Maintain) -> None:
    wanted = {}
    for seed in range(8):
        batch = contents(3, seed)
        wanted.update(zip(bucket.put_objects(batch), batch, strict=True))
    assert packs_in_bucket(bucket) == 8
    report = maintain(bucket)
    assert names(report) == ['repack', 'remove packs']
    assert packs_in_bucket(bucket) == 1
    assert bucket.get_info()['waste_bytes'] == 0
    assert {key: handle.read() for key, handle in bucket.iter_object_streams(wanted)} == wanted
    assert maintain(bucket).nothing_to_do


def test_packs_out_of_use_stay_for_their_grace(opened: Any, maintain: Maintain) -> None:
    bucket = opened(grace_seconds=3600.0)
    bucket.initialise()
    for seed in range(8):
        bucket.put_objects(contents(3, seed))
    assert names(maintain(bucket)) == ['repack', 'remove packs']
    assert packs_in_bucket(bucket) == 9
    assert maintain(bucket).nothing_to_do
    assert names(maintain(bucket, grace_seconds=0.0)) == ['remove packs']
    assert packs_in_bucket(bucket) == 1


@pytest.mark.parametrize('guarded', [False, True])
def test_full_maintenance_removes_garbage_and_waste(
    bucket: BucketRepository, maintain: Maintain, add_node: Any, guarded: bool
) -> None:
    if guarded:
        bucket.guard_nodes()
    keys = bucket.put_objects(contents(100, size=900))
    inline = [bucket.put_object_from_bytes(content) for content in contents(4, seed=1)]
    named = [*keys[::2], inline[0]]
    add_node(*named)
    plan = maintain(bucket, named, full=True, dry_run=True)
    assert plan.before.garbage is not None
    assert (plan.before.garbage.objects, plan.steps[0].name) == (53, 'remove garbage')
    report = maintain(bucket, named, full=True)
    assert names(report) == ['remove garbage', 'pack', 'repack', 'remove packs']
    assert list(bucket.list_objects()) == sorted(named)
    assert report.after is not None
    assert (report.after.packed.objects, report.after.waste_bytes, report.after.garbage) == (51, 0, (0, 0))
    assert report.after.packs == packs_in_bucket(bucket)
    assert {key: len(handle.read()) for key, handle in bucket.iter_object_streams(named)}[inline[0]] == 500
    assert maintain(bucket, named, full=True).nothing_to_do


def test_nothing_is_removed_where_something_is_missing_or_nobody_is_certain(
    bucket: BucketRepository, maintain: Maintain
) -> None:
    (garbage,) = bucket.put_objects(contents(1))
    report = maintain(bucket, ['d' * 64], full=True)
    assert [(one.kind, one.key) for one in report.problems] == [('missing', 'd' * 64)]
    assert (report.problem_count, report.before.missing) == (1, 1)
    maintain(bucket, [], full=True, keep_unnamed=True)
    maintain(bucket, [])
    assert bucket.has_object(garbage)


@pytest.mark.parametrize('options', [{}, {'dry_run': True}])
def test_a_pack_that_is_gone_is_told_by_full_maintenance_with_nothing_to_do(
    bucket: BucketRepository, maintain: Maintain, options: Any
) -> None:
    keys = bucket.put_objects(contents(3))
    assert maintain(bucket, full=True, **options).problem_count == 0
    place = bucket.index.find(keys[0])
    assert place is not None
    assert place.pack is not None
    bucket.store.delete([pack_name(place.pack)])
    report = maintain(bucket, full=True, **options)
    ((kind, key, detail),) = [one[:3] for one in report.problems]
    assert (kind, key in keys, 'in which it and 2 other objects are, is not' in detail) == ('missing', True, True)
    assert report.nothing_to_do


def test_what_was_put_lately_is_no_garbage_yet_and_counts_as_put_anew_when_it_is_put_again(
    opened: Any, maintain: Maintain, raw: Any
) -> None:
    bucket = opened(grace_seconds=1000.0)
    bucket.initialise()
    bucket.guard_nodes()
    old, again = bucket.put_objects(contents(2))
    young = bucket.put_object_from_bytes(b'young')
    raw.execute("UPDATE ricordi_bucket.objects SET touched = touched - interval '1 h' WHERE pack IS NOT NULL")
    bucket.put_objects(contents(2)[1:])
    report = maintain(bucket, full=True, grace_seconds=1000.0)
    assert report.steps[0].objects == 1
    assert bucket.has_objects([old, again, young]) == [False, True, True]


def test_damaged_objects_are_told_and_stay_where_they_are(bucket: BucketRepository, maintain: Maintain) -> None:
    keys = bucket.put_objects(contents(10, size=1500))
    bucket.delete_objects(keys[5:])
    place = bucket.index.find(keys[2])
    assert place is not None
    assert place.pack is not None
    path = f'{bucket.uuid}/{pack_name(place.pack)}'
    data = bytearray(obstore.get(bucket._client(), path).bytes())
    data[place.start + 7] ^= 1
    obstore.put(bucket._client(), path, bytes(data))
    report = maintain(bucket, full=True)
    assert [(one.kind, one.key) for one in report.problems] == [('damaged', keys[2])]
    assert bucket.index.find(keys[2]) == place
    assert bucket.has_objects(keys[:5]) == [True] * 5
    assert [len(bucket.get_object_content(key)) for key in (keys[0], keys[4])] == [1500, 1500]
    assert maintain(bucket, full=True, suspects=(keys[2],)).problem_count == 1


def test_what_a_killed_writer_has_left_is_taken_away(opened: Any, maintain: Maintain) -> None:
    bucket = opened(leftover_seconds=-10.0)
    bucket.initialise()
    begun = bucket.index.intend(5, 'somebody')
    bucket.store.put(pack_name(begun), b'begun')
    late = uuid4()
    bucket.store.put(pack_name(late), b'late')
    bucket.store.put('packs/of-a-person', b'kept')
    report = maintain(bucket, full=True)
    assert names(report) == ['remove packs', 'sweep']
    assert report.traffic is not None
    assert report.traffic.lists == 1  # for what is missing, for what has no row, and to take that away
    assert [one.name for one in bucket.store.listed('packs')] == ['packs/of-a-person']
    assert maintain(bucket, full=True).nothing_to_do


def test_a_pack_whose_grace_has_yet_to_begin_frees_nothing_by_the_plan(
    bucket: BucketRepository, maintain: Maintain
) -> None:
    keys = bucket.put_objects_into_pack(contents(3))
    bucket.delete_objects(keys)
    for grace, freed in ((3600, False), (0, True)):
        (step,) = maintain(bucket, dry_run=True, grace_seconds=grace).steps
        assert (step.name, step.detail, step.freed > 0) == ('remove packs', '1 pack out of use', freed)
    assert maintain(bucket, grace_seconds=3600).steps[0].freed == 0
    assert packs_in_bucket(bucket) == 1
    assert maintain(bucket, grace_seconds=3600).nothing_to_do
    assert maintain(bucket, grace_seconds=0).steps[0].freed > 0
    assert packs_in_bucket(bucket) == 0


def test_a_pack_that_was_given_up_while_it_was_uploaded_is_put_anew(bucket: BucketRepository, raw: Any) -> None:
    given_up: list[Any] = []
    publish = bucket.index.publish

    def publish_too_late(pack: Any, *arguments: Any) -> bool:
        if not given_up:
            raw.execute("UPDATE ricordi_bucket.packs SET state = 'condemned', condemned = now()")
            given_up.append(pack)
        return publish(pack, *arguments)

    bucket.index.publish = publish_too_late  # type: ignore[method-assign]
    (key,) = bucket.put_objects([b'put anew'])
    assert bucket.get_object_content(key) == b'put anew'
    place = bucket.index.find(key)
    assert place is not None
    assert place.pack not in given_up


def test_a_reader_who_knows_an_old_place_finds_the_new_one(bucket: BucketRepository, maintain: Maintain) -> None:
    large = random.Random(1).randbytes(60_000)
    keys = bucket.put_objects(contents(3))
    (key,) = bucket.put_objects_into_pack([large])
    old = [bucket.index.find(one) for one in keys]
    with bucket.open(keys[0]) as opened_before:
        maintain(bucket, [*keys, key], full=True, repack='all')
        assert opened_before.read() == contents(3)[0]
    assert [handle.read() for _, handle in bucket.reader.streams_at(old)] == contents(3)


def test_a_run_that_is_told_to_stop_says_what_is_left(bucket: BucketRepository) -> None:
    keys = [bucket.put_object_from_bytes(content) for content in contents(5)]
    stop = Stop()
    stop.request('SIGTERM')
    report = bucket.maintain(MaintenanceOptions(), lambda: iter(sorted(keys)), Run(stop=stop))
    assert report.interrupted == 'SIGTERM'
    assert [(step.name, step.objects) for step in report.left] == [('pack', 5)]
    assert bucket.get_info()['loose']['objects'] == 5


def test_where_rows_may_be_lost_no_garbage_goes_and_all_else_is_done(bucket: BucketRepository) -> None:
    keys = [bucket.put_object_from_bytes(content) for content in contents(5)]
    asked: list[str] = []

    def distrust() -> str:
        asked.append('asked')
        return 'rows are lost'

    for options in (MaintenanceOptions(full=True, dry_run=True), MaintenanceOptions(full=True)):
        report = bucket.maintain(options, lambda: iter(sorted(keys[:3])), distrust=distrust)
        assert (report.distrust, report.before.garbage, names(report)) == ('rows are lost', Amount(2, 1000), ['pack'])
    assert bucket.has_objects(keys) == [True] * 5
    bucket.maintain(MaintenanceOptions(full=True), lambda: iter(sorted(keys)), distrust=distrust)
    assert len(asked) == 2  # with nothing to remove nobody is asked
    report = bucket.maintain(MaintenanceOptions(full=True), lambda: iter(sorted(keys[:3])))
    assert (report.distrust, bucket.has_objects(keys)) == ('', [True] * 3 + [False] * 2)


def test_two_hosts_pack_at_once_and_take_different_objects(opened: Any, bucket: BucketRepository) -> None:
    from ricordi.repository.bucket.counting import UseLook
    from ricordi.repository.bucket.database import Link
    from ricordi.repository.bucket.maintenance.inline import InlinePacking
    from ricordi.repository.bucket.maintenance.maintenance import BucketWork, Problems

    wanted = contents(30)
    keys = [bucket.put_object_from_bytes(content) for content in wanted]
    other = opened(pack_bytes=5000)
    theirs = InlinePacking(BucketWork(other, MaintenanceOptions(), Run(), Problems(), UseLook(other.database), 0.0))
    ours = InlinePacking(BucketWork(bucket, MaintenanceOptions(), Run(), Problems(), UseLook(bucket.database), 0.0))

    def while_they_hold_some(link: Link) -> int:
        held = len(theirs._filled(link).entries)
        assert ours.carry_out().objects == 30 - held
        return held

    assert other.database.once(while_they_hold_some) == 20
    assert theirs.carry_out().objects == 20
    assert [bucket.get_object_content(key) for key in keys] == wanted


def test_requests_grow_with_the_packs_that_are_touched_not_with_objects(
    bucket: BucketRepository, maintain: Maintain
) -> None:
    all_contents = contents(400, size=100)
    keys = bucket.put_objects_into_pack(all_contents[:200])
    keys += bucket.put_objects_into_pack(all_contents[200:])
    report = maintain(bucket, keys[10:200] + keys[210:], full=True, max_waste=20)
    # too little waste to be worth more than a look
    assert report.traffic.requests == report.traffic.lists == 1
    report = maintain(bucket, keys[150:200] + keys[210:], full=True, max_waste=20)
    # the first pack is read, what is left of it is put into a new one, and it goes; the second is not touched
    assert (report.traffic.gets, report.traffic.puts, report.traffic.deletes) == (1, 1, 1)
    assert [bucket.get_object_content(key) for key in keys[150:200]] == all_contents[150:200]


def test_live_maintenance_does_not_look_for_garbage_that_it_leaves(
    bucket: BucketRepository, maintain: Maintain, raw: Any, add_node: Callable[..., int]
) -> None:
    bucket.guard_nodes()
    bucket.put_object_from_bytes(b'garbage')
    assert maintain(bucket, []).before.garbage is None
    assert maintain(bucket, [], dry_run=True).before.garbage == Amount(1, 7)
    assert maintain(bucket, [], full=True).before.garbage == Amount(1, 7)
