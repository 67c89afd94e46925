"""What is damaged in a place in a bucket: all hosts know it, the next backup puts it anew, and it goes when it may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backup.conftest import ORIGIN, FewRows
from backup.in_buckets import SMALL, BeforeRequest, Dying, Killed, opened
from ricordi.backend.repair import Mending, RepairOrder, RepairSource
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.backup.repository import BackupRepository
from ricordi.errors import CorruptStorage
from ricordi.progress import Run
from ricordi.repository.bucket.listed.catalogue_file import CatalogueFile
from ricordi.repository.bucket.listed.notes import notes_in
from ricordi.repository.bucket.listed.repository import ListedRepository
from ricordi.repository.container.container import Container
from ricordi.services.backups.verify import findings_in

memory_store = pytest.importorskip('obstore.store', reason='obstore is not installed').MemoryStore
CUT = 20
"""Bytes at the end of a pack without which it does not tell what is in it."""
MERGING = SMALL._replace(pack_bytes=100_000, merge_from=4)


@pytest.fixture
def client() -> Any:
    return memory_store()


def names(client: Any, folder: str) -> list[str]:
    import obstore

    return sorted(one['path'] for page in obstore.list(client, folder) for one in page)


def change(client: Any, name: str, deed: Callable[[bytearray], None]) -> None:
    import obstore

    content = bytearray(bytes(obstore.get(client, name).bytes()))
    deed(content)
    obstore.put(client, name, bytes(content))


def store_of(backups: BackupRepository) -> ListedRepository:
    assert isinstance(backups.objects, ListedRepository)
    return backups.objects


def take(client: Any, nodes: dict[int, str], source: Container, **given: Any) -> int:
    """Back up as a host that has never been here; how many objects that put."""
    return opened(client, **given).take(FewRows(nodes), source, ORIGIN).added.objects


def forget(client: Any, kept: int, **given: Any) -> None:
    backups = opened(client, **given)
    assert backups.forget(backups.names()[:-kept] if kept else backups.names()).trouble == ''


def findings(client: Any, read: bool = True, remember: bool = True) -> list[Finding]:
    """What a host finds that has never been here."""
    options = VerifyOptions(read=read, remember=remember)
    return [one for one in findings_in(opened(client), options, Run()) if isinstance(one, Finding)]


def kinds(client: Any, **given: Any) -> list[tuple[str, bool]]:
    return sorted((one.kind, one.notice) for one in findings(client, **given))


def pack_of(client: Any, key: str) -> str:
    store = store_of(opened(client))
    store.look_again()
    (copy,) = store.catalogue.copies(bytes.fromhex(key))
    return f'packs/{str(copy.pack)[:2]}/{copy.pack}'


def spoil(client: Any, key: str) -> str:
    """Damage the only copy of an object; the name of its pack."""
    store = store_of(opened(client))
    store.look_again()
    (copy,) = store.catalogue.copies(bytes.fromhex(key))
    name = pack_of(client, key)

    def flip(content: bytearray) -> None:
        content[copy.start] ^= 1

    change(client, name, flip)
    return name


def cut(client: Any, key: str) -> str:
    """Damage the list of the pack of an object; its name."""
    name = pack_of(client, key)

    def without_end(content: bytearray) -> None:
        content[-CUT:] = bytes(CUT)

    change(client, name, without_end)
    return name


def faults(client: Any) -> list[str]:
    """What is wrong with what a host sees that has never been here; every object of every snapshot is read."""
    backups = opened(client)
    records, unreadable = backups.read_all()
    assert not unreadable
    found = [fault for record in records for fault in backups.check(record)]
    for record in records:
        for key in backups.database(record).named_keys():
            backups.objects.get_object_content(key)
    return found


# -- notes ------------------------------------------------------------------------------------------------------


def test_what_one_host_found_damaged_another_puts_anew(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    spoil(client, nodes[1])
    assert take(client, nodes, source) == 0
    assert kinds(client) == [('damaged object', False)]
    assert take(client, nodes, source) == 1
    assert take(client, nodes, source) == 0
    assert kinds(client) == [('damaged copy', True)]
    assert len(names(client, 'notes')) == 1


def test_who_may_write_nothing_leaves_no_note(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    spoil(client, nodes[1])
    assert kinds(client, remember=False) == [('damaged object', False)]
    assert names(client, 'notes') == names(client, 'clock') == []
    assert take(client, nodes, source) == 0


def test_a_copy_that_was_read_well_later_is_damaged_no_more(
    client: Any, source: Container, nodes: dict[int, str]
) -> None:
    take(client, nodes, source)
    spoil(client, nodes[1])
    assert kinds(client) == [('damaged object', False)]
    with pytest.raises(CorruptStorage):
        opened(client).objects.get_object_content(nodes[1])
    spoil(client, nodes[1])  # the same bit once more
    assert kinds(client) == []
    assert take(client, nodes, source) == 0


def test_what_was_read_by_one_host_counts_as_read_on_all(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    findings(client)
    store = store_of(opened(client))
    [*store.verify(VerifyOptions(), lambda: iter(()))]
    state = store.verification_state()
    assert state is not None
    assert state.recent_share == 1.0


def test_notes_of_hosts_that_verify_at_once_are_all_kept(client: Any, source: Container, nodes: dict[int, str]) -> None:
    for number in count(1):
        client = memory_store()
        take(client, nodes, source)
        spoil(client, nodes[1])
        store = store_of(host := opened(client))

        def by_another(client: Any = client) -> None:
            spoil(client, nodes[9])
            assert ('damaged object', False) in kinds(client)

        steps = BeforeRequest(host, number, by_another)
        [*store.verify(VerifyOptions(read=True), lambda: iter(()))]
        if steps.count < number:
            break
        assert take(client, nodes, source) == 2, f'before step {number}'
        kinds(client)
        assert len(names(client, 'notes')) == 1
    assert number > 8


def test_who_dies_while_he_takes_notes_takes_none_away(client: Any, source: Container, nodes: dict[int, str]) -> None:
    for number in count(1):
        client = memory_store()
        take(client, nodes, source)
        spoil(client, nodes[1])
        kinds(client)
        spoil(client, nodes[9])
        dying = opened(client)
        steps = Dying(dying, number)
        with suppress(Killed):
            [*store_of(dying).verify(VerifyOptions(read=True), lambda: iter(()))]
        if steps.count < number:
            break
        assert take(client, nodes, source) >= 1, f'before step {number}'
    assert number > 8


def test_a_note_that_is_damaged_says_nothing(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    spoil(client, nodes[1])
    kinds(client)
    (name,) = names(client, 'notes')
    change(client, name, lambda content: content.extend(b' '))
    assert take(client, nodes, source) == 0


@pytest.mark.parametrize('content', [b'', b'[]', b'{"format": 2}', b'{"format": 1, "copies": [1], "read": {}}'])
def test_what_is_no_note_is_none(content: bytes) -> None:
    import hashlib

    assert notes_in(f'notes/{hashlib.sha256(content).hexdigest()}.json', content) is None


def test_lists_and_notes_of_an_earlier_program_are_taken_over(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    path, pack = tmp_path / 'lists.sqlite', uuid4()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute('CREATE TABLE bad (hash BLOB NOT NULL, uuid BLOB NOT NULL, PRIMARY KEY (hash, uuid)) WITHOUT ROWID')
        raw.execute('INSERT INTO bad VALUES (?, ?)', (b'h', pack.bytes))
        raw.execute('PRAGMA user_version = 1')
    file = CatalogueFile(path)
    assert file.rows('SELECT hash, uuid, time, is_bad FROM bad') == [(b'h', pack.bytes, 0, 1)]
    file.close()
    file = CatalogueFile(path)
    assert file.rows('SELECT count(*) FROM bad') == [(1,)]
    assert file.losses == 0
    file.close()


# -- packs that do not tell what is in them -----------------------------------------------------------------------


def test_a_pack_that_tells_nothing_goes_when_all_lies_elsewhere(
    client: Any, source: Container, nodes: dict[int, str]
) -> None:
    take(client, nodes, source)
    name = cut(client, nodes[1])
    forget(client, 1)
    assert name in names(client, 'packs')
    assert take(client, nodes, source) > 0
    assert kinds(client, read=False) == [('damaged pack', True)]
    forget(client, 2)
    assert name not in names(client, 'packs')
    assert kinds(client) == []
    assert faults(client) == []
    assert names(client, 'condemned') == []


def test_it_goes_with_the_last_snapshot_that_may_need_it(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    name = cut(client, nodes[1])
    assert name in names(client, 'packs')
    forget(client, 0)
    assert names(client, 'packs') == []
    assert kinds(client) == []


def test_it_stays_where_the_other_copy_is_damaged_and_nobody_has_noticed(
    client: Any, source: Container, nodes: dict[int, str]
) -> None:
    take(client, nodes, source)
    name = cut(client, nodes[1])
    assert take(client, nodes, source) > 0
    spoil(client, nodes[1])
    forget(client, 2)
    assert name in names(client, 'packs')
    assert take(client, nodes, source) == 1, 'what was found is noted'
    forget(client, 3)
    assert name not in names(client, 'packs')
    assert faults(client) == []


def test_a_host_that_knows_what_is_in_it_saves_it(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    knowing = opened(client)
    knowing.objects.look_again()
    name = cut(client, nodes[1])
    assert ('damaged pack', False) in kinds(client)
    (record,) = knowing.snapshots()
    assert opened(client).names() == [record.name]
    assert [*opened(client).check(record)] != []
    assert knowing.forget([]).trouble == ''
    assert name not in names(client, 'packs')
    assert faults(client) == []
    assert kinds(client) == []


def without_list(client: Any, source: Container, nodes: dict[int, str]) -> str:
    """A place with a pack that tells nothing, and all that was in it in others."""
    take(client, nodes, source)
    name = cut(client, nodes[1])
    take(client, nodes, source)
    return name


def test_whoever_backs_up_or_forgets_meanwhile_or_dies_loses_nothing(source: Container, nodes: dict[int, str]) -> None:
    for number in count(1, 2):
        client = memory_store()
        without_list(client, source, nodes)
        knowing = opened(client)
        knowing.objects.look_again()
        forgetting = opened(client)
        steps = BeforeRequest(
            forgetting,
            number,
            lambda client=client: (take(client, nodes, source), opened(client).forget([])),
        )
        assert forgetting.forget(forgetting.names()[:1]).trouble == ''
        assert faults(client) == [], f'before step {number}'
        if steps.count < number:
            break
    for number in count(1, 2):
        client = memory_store()
        without_list(client, source, nodes)
        dying = opened(client)
        steps = Dying(dying, number)
        with suppress(Killed):
            dying.forget(dying.names()[:1])
        assert faults(client) == [], f'before step {number}'
        if steps.count < number:
            break
        take(client, nodes, source)
        forget(client, 1, dead_seconds=-1.0)
        assert faults(client) == []
        assert kinds(client) == [], f'before step {number}'
    assert number > 10


# -- repair -------------------------------------------------------------------------------------------------------


def mend(backups: BackupRepository, source: Container, nodes: dict[int, str]) -> list[Mending]:
    """Have what nodes name put anew from a source, as far as it cannot be read."""
    order, sources = RepairOrder(tuple(nodes.values())), [RepairSource('source', source)]
    told = backups.objects.repair(order, sources, lambda: iter(()), Run())
    return [one for one in told if isinstance(one, Mending)]


def damaged_in_two_ways(client: Any, source: Container, nodes: dict[int, str]) -> list[str]:
    """A place in which the packs of two objects are gone and damaged; their keys."""
    import obstore

    take(client, nodes, source)
    spoil(client, nodes[1])
    kept = pack_of(client, nodes[1])
    gone = next(key for key in nodes.values() if pack_of(client, key) != kept)
    obstore.delete(client, [pack_of(client, gone)])
    return sorted([nodes[1], gone])


def test_what_is_gone_or_damaged_is_put_anew_from_a_source_and_a_second_repair_has_nothing_to_do(
    client: Any, source: Container, nodes: dict[int, str]
) -> None:
    keys = damaged_in_two_ways(client, source, nodes)
    mended = mend(opened(client), source, nodes)
    assert {*keys} <= {one.subject for one in mended}
    assert {one.deed for one in mended} == {'take it from a source'}
    assert mend(opened(client), source, nodes) == []
    for key in nodes.values():
        opened(client).objects.get_object_content(key)


def test_a_repair_beside_whoever_backs_up_or_forgets_or_that_dies_is_done_by_the_next(
    source: Container, nodes: dict[int, str]
) -> None:
    for number in count(1, 2):
        client = memory_store()
        damaged_in_two_ways(client, source, nodes)
        mending = opened(client)
        steps = BeforeRequest(
            mending, number, lambda client=client: (take(client, nodes, source), opened(client).forget([]))
        )
        mend(mending, source, nodes)
        forget(client, 1)
        take(client, nodes, source)
        assert mend(opened(client), source, nodes) == [], f'before step {number}'
        if steps.count < number:
            break
    for number in count(1, 2):
        client = memory_store()
        damaged_in_two_ways(client, source, nodes)
        dying = opened(client)
        steps = Dying(dying, number)
        with suppress(Killed):
            mend(dying, source, nodes)
        mend(opened(client), source, nodes)
        assert mend(opened(client), source, nodes) == [], f'before step {number}'
        if steps.count < number:
            break
    assert number > 3


# -- damaged copies -----------------------------------------------------------------------------------------------


def test_damage_that_nothing_needs_any_more_goes_with_the_next_removal(
    client: Any, source: Container, nodes: dict[int, str]
) -> None:
    take(client, nodes, source)
    name = spoil(client, nodes[1])
    kinds(client)
    take(client, nodes, source)
    forget(client, 2)
    assert name not in names(client, 'packs')
    assert kinds(client) == []
    assert faults(client) == []


def test_the_only_copy_stays_however_damaged(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    name = spoil(client, nodes[1])
    kinds(client)
    before = names(client, 'packs')
    forget(client, 1)
    assert names(client, 'packs') == before
    assert name in before
    assert kinds(client) == [('damaged object', False)]


# -- small packs --------------------------------------------------------------------------------------------------


def nights(client: Any, nodes: dict[int, str], source: Container, number: int = 5) -> None:
    """Backups that each put a little."""
    for night in range(number):
        take(client, dict(list(nodes.items())[: night + 2]), source)


def plan(client: Any, **given: Any) -> Iterator[str]:
    from ricordi.backup.forgetting import would_free

    report = would_free(opened(client, **given), [], Run())
    assert report.maintenance is not None
    return (f'{step.name}: {step.detail}' for step in report.maintenance.steps)


def test_small_packs_become_one_and_a_second_run_has_nothing_to_do(
    client: Any, source: Container, nodes: dict[int, str]
) -> None:
    nights(client, nodes, source)
    before = names(client, 'packs')
    assert len(before) >= 5
    assert [*plan(client, limits=MERGING)] == [f'repack: {len(before)} packs that are small are written anew']
    assert names(client, 'packs') == before
    forget(client, 5, limits=MERGING)
    assert len(names(client, 'packs')) == 1
    assert [*plan(client, limits=MERGING)] == []
    assert faults(client) == []


def test_few_or_young_small_packs_are_left_alone(client: Any, source: Container, nodes: dict[int, str]) -> None:
    nights(client, nodes, source, 2)
    number = len(names(client, 'packs'))
    assert [*plan(client, limits=MERGING._replace(merge_from=number + 1))] == []
    assert [*plan(client, limits=MERGING._replace(merge_from=1, leftover_seconds=3600.0))] == []


def test_merging_beside_whoever_backs_up_or_merges_loses_nothing(source: Container, nodes: dict[int, str]) -> None:
    for number in count(1, 2):
        client = memory_store()
        nights(client, nodes, source, 3)
        merging = opened(client, MERGING)
        steps = BeforeRequest(
            merging,
            number,
            lambda client=client: (
                take(client, nodes, source, limits=MERGING),
                opened(client, MERGING).forget(opened(client).names()[:1]),
            ),
        )
        trouble = merging.forget([]).trouble
        assert not trouble or 'nothing more was removed' in trouble, 'another has removed what it was reading'
        assert faults(client) == [], f'before step {number}'
        if steps.count < number:
            break
    for number in count(1, 2):
        client = memory_store()
        nights(client, nodes, source, 3)
        dying = opened(client, MERGING)
        steps = Dying(dying, number)
        with suppress(Killed):
            dying.forget([])
        assert faults(client) == [], f'before step {number}'
        if steps.count < number:
            break
        forget(client, 3, limits=MERGING)
        assert names(client, 'condemned') == []
    assert number > 10


def test_a_backup_beside_which_packs_are_merged_is_whole(source: Container, nodes: dict[int, str]) -> None:
    for number in count(1, 2):
        client = memory_store()
        nights(client, nodes, source, 3)
        taking = opened(client, MERGING)
        steps = BeforeRequest(taking, number, lambda client=client: opened(client, MERGING).forget([]))
        taking.take(FewRows(nodes), source, ORIGIN)
        assert faults(client) == [], f'before step {number}'
        if steps.count < number:
            break
    assert number > 10


def test_a_snapshot_that_lacks_much_is_one_finding(client: Any, source: Container, nodes: dict[int, str]) -> None:
    take(client, nodes, source)
    take(client, {**nodes, 1: nodes[2]}, source)
    for name in {pack_of(client, key) for key in nodes.values()}:
        change(client, name, lambda content: content.clear())
    found = [one for one in findings(client, read=False) if one.kind == 'damaged snapshot']
    assert len(found) == 2
    assert all('are not there' in one.detail or 'cannot be' in one.detail for one in found)
