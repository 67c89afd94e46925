"""What a verification finds in a bucket, and how a pack explains itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.errors import CorruptStorage, LostObject
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.pack_form import entries_of
from ricordi.repository.bucket.publishing import pack_name


def verified(bucket: BucketRepository, named: list[str], **options: Any) -> tuple[list[Finding], dict[str, Topic]]:
    found = [*bucket.verify(VerifyOptions(**options), lambda: iter(sorted(named)))]
    topics = {one.name: one for one in found if isinstance(one, Topic)}
    return [one for one in found if isinstance(one, Finding)], topics


@pytest.fixture
def filled(bucket: BucketRepository) -> tuple[BucketRepository, list[str], list[str]]:
    """A store with six packs of three objects; the keys of objects, the names of packs in their order."""
    source = random.Random(0)
    keys: list[str] = []
    packs: list[str] = []
    for _ in range(6):
        keys += bucket.put_objects([source.randbytes(400) for _ in range(3)])
        place = bucket.index.find(keys[-1])
        assert place is not None
        assert place.pack is not None
        packs.append(pack_name(place.pack))
    return bucket, keys, packs


def test_a_sound_store_has_no_findings(filled: tuple[BucketRepository, list[str], list[str]]) -> None:
    bucket, keys, _ = filled
    findings, topics = verified(bucket, keys, read=True)
    assert findings == []
    assert topics['packs'].checked == 6
    assert topics['content of objects'].checked == 18


def test_packs_that_are_gone_or_cut_and_objects_that_are_missing_are_found(
    filled: tuple[BucketRepository, list[str], list[str]],
) -> None:
    bucket, keys, packs = filled
    bucket.store.delete([packs[1]])
    bucket.store.put(packs[3], bucket.store.get(packs[3])[:-100])
    findings, _ = verified(bucket, [*keys, 'd' * 64])
    assert sorted((one.kind, one.where or one.key) for one in findings) == [
        ('missing object', 'd' * 64),
        ('missing pack', packs[1]),
        ('wrong pack size', packs[3]),
    ]
    findings, _ = verified(bucket, keys, read=True)
    assert {one.key for one in findings if one.kind == 'damaged object'} == {*keys[3:6]}
    with pytest.raises(LostObject, match='restore it from a backup'):
        bucket.get_object_content(keys[3])


@pytest.mark.parametrize('number', [1, 8000])
def test_a_pack_lists_its_objects_so_that_the_index_could_be_made_anew(
    opened: Callable[..., BucketRepository], number: int
) -> None:
    bucket = opened(pack_bytes=10 << 20, listed=50_000, rows=50_000)
    bucket.initialise()
    source = random.Random(0)
    bucket.put_objects(source.randbytes(8) for _ in range(number))
    ((pack, size),) = bucket.database.rows('SELECT uuid, bytes FROM packs')
    name = pack_name(pack)
    listed = entries_of(lambda start, length: bucket.store.get_range(name, start, length), size)
    known = {(place.hash, *place[2:6]) for place in bucket.index.placements()}
    assert {tuple(entry) for entry in listed} == known
    assert len(listed) == number
    with pytest.raises(CorruptStorage, match='list of objects'):
        entries_of(lambda start, length: bucket.store.get_range(name, start, length), size - 1)
