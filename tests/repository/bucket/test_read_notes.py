"""What was read when is remembered in the database, for all hosts; earlier tables are brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from bucket_versions import TO_SECOND_VERSION
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Subset, Topic, VerifyOptions
from ricordi.progress import Run, Stop
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.publishing import pack_name

AGED = "UPDATE packs SET read_whole = read_whole - interval '40 days' WHERE uuid = %s"


@pytest.fixture
def filled(bucket: BucketRepository) -> list[str]:
    """Keys of objects in three packs, and of one in the database."""
    keys = [bucket.put_objects([b'%d' % number * 500])[0] for number in range(3)]
    return [*keys, bucket.put_object_from_bytes(b'inline')]


def read(bucket: BucketRepository, keys: Iterable[str], run: Run | None = None, **options: Any) -> tuple[Topic, int]:
    """The topic of the content, and how many findings there were."""
    told = [*bucket.verify(VerifyOptions(read=True, **options), lambda: iter(sorted(keys)), run)]
    topic = next(one for one in told if isinstance(one, Topic) and one.name == 'content of objects')
    return topic, sum(isinstance(one, Finding) for one in told)


def state(bucket: BucketRepository) -> Any:
    known = bucket.verification_state()
    assert known is not None
    return known


def test_what_was_read_is_known_on_another_host_and_a_new_pack_is_unread(
    bucket: BucketRepository, filled: list[str], opened: Callable[..., BucketRepository]
) -> None:
    other = opened()
    assert (state(other).read, state(other).oldest) == (0, None)
    topic, _ = read(bucket, filled)
    assert (topic.checked, topic.complete) == (4, True)
    assert bucket.note_verified(2) == ''
    known = state(other)
    assert (known.findings, known.read, known.recent_share) == (2, known.total, 1.0)
    assert known.structure is not None
    assert known.oldest is not None
    bucket.put_objects([b'new' * 500])
    bucket.put_object_from_bytes(b'new inline')
    assert state(other).read == known.total
    assert state(other).total == known.total + 1500 + len('new inline')


def test_packs_without_objects_are_not_waited_for(bucket: BucketRepository, filled: list[str]) -> None:
    bucket.delete_objects(filled[:1])
    read(bucket, filled[1:])
    assert (state(bucket).read, state(bucket).recent_share) == (state(bucket).total, 1.0)


def test_findings_about_rows_are_known_on_another_host(
    bucket: BucketRepository, opened: Callable[..., BucketRepository]
) -> None:
    assert bucket.note_verified(3, of_rows=2) == ''
    assert (state(opened()).findings, state(opened()).of_rows) == (3, 2)
    assert bucket.note_verified(0) == ''
    assert (state(opened()).findings, state(opened()).of_rows) == (0, 0)


def test_notes_in_tables_of_the_second_version_are_read_and_kept(
    bucket: BucketRepository, filled: list[str], opened: Callable[..., BucketRepository]
) -> None:
    read(bucket, filled)
    bucket.note_verified(3)
    for statement in TO_SECOND_VERSION:
        bucket.database.change(statement)
    old = opened()
    assert not old.index.is_current
    assert (state(old).findings, state(old).of_rows, state(old).read) == (3, 0, state(old).total)
    assert old.note_verified(2, of_rows=1) == ''
    assert (state(old).findings, state(old).of_rows) == (2, 0)
    old.index.bring_up_to_date()
    assert old.note_verified(2, of_rows=1) == ''
    assert (state(opened()).findings, state(opened()).of_rows) == (2, 1)


def test_a_part_is_of_what_was_read_longest_ago(bucket: BucketRepository, filled: list[str]) -> None:
    half = Subset(share=0.4)
    read(bucket, filled, subset=half)
    first = state(bucket).read
    assert 0 < first < state(bucket).total
    read(bucket, filled, subset=half)
    read(bucket, filled, subset=half)
    assert state(bucket).read == state(bucket).total
    place = bucket.index.find(filled[1])
    assert place is not None
    bucket.database.change(AGED, (place.pack,))
    assert state(bucket).recent == state(bucket).total - place.stored
    read(bucket, filled, subset=Subset(size=1))
    assert state(bucket).recent == state(bucket).total


def test_parts_that_stay_what_they_are_make_up_the_whole(bucket: BucketRepository, filled: list[str]) -> None:
    checked = [read(bucket, filled, subset=Subset(part=part, parts=3))[0].checked for part in (1, 2, 3)]
    assert sum(checked) == len(filled)
    assert state(bucket).read == state(bucket).total


def test_what_was_asked_to_stop_notes_nothing_that_it_has_not_read(bucket: BucketRepository, filled: list[str]) -> None:
    class StopsWhileReading(Stop):
        @property
        def reason(self) -> str | None:
            return 'enough' if bucket.store.traffic.gets > before else None

    before = bucket.store.traffic.gets
    topic, _ = read(bucket, filled, Run(stop=StopsWhileReading()))
    assert not topic.complete
    assert state(bucket).read < state(bucket).total


def test_a_damaged_object_is_told_each_time_until_it_is_mended_or_gone(
    bucket: BucketRepository, filled: list[str]
) -> None:
    place = bucket.index.find(filled[0])
    assert place is not None
    assert place.pack is not None
    name = pack_name(place.pack)
    sound = bucket.store.get(name)
    bucket.store.put(name, b'?' + sound[1:])
    assert read(bucket, filled)[1] == 1
    assert read(bucket, filled)[1] == 1
    assert state(bucket).findings == 1
    structure = [*bucket.verify(VerifyOptions(), lambda: iter(sorted(filled)))]
    assert [one.key for one in structure if isinstance(one, Finding)] == filled[:1]
    bucket.store.put(name, sound)
    assert read(bucket, filled, remember=False)[1] == 0
    assert state(bucket).findings == 1
    assert read(bucket, filled)[1] == 0
    assert state(bucket).findings == 0


def test_tables_of_the_first_version_are_read_and_brought_up_to_date_when_they_are_written(
    bucket: BucketRepository, filled: list[str], opened: Callable[..., BucketRepository]
) -> None:
    columns = ('findings_of_rows', 'structure_checked', 'findings', 'inline_read', 'damaged', 'unnoted')
    drop = ', DROP COLUMN '.join(columns)
    for statement in (
        f'ALTER TABLE store DROP COLUMN {drop}',
        'ALTER TABLE packs DROP COLUMN read_whole',
        'ALTER TABLE store DROP COLUMN all_named',
        'DROP FUNCTION note_references_gone CASCADE',
        'DROP TABLE references_gone',
        'DELETE FROM migrations WHERE version > 1',
    ):
        bucket.database.change(statement)
    old = opened()
    assert read(old, filled)[0].checked == len(filled)
    assert old.verification_state() is None
    assert old.get_object_content(filled[0]) == b'0' * 500
    old.index.bring_up_to_date()
    read(old, filled)
    assert state(old).read == state(old).total
    assert opened().index.is_current
