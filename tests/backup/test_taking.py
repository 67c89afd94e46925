"""Snapshots in a backup repository: what is put, what is not put again, what is read back."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from backup.conftest import ORIGIN, FewRows, tree_of, written
from ricordi.backend.snapshots import Misfit
from ricordi.backup.checking import SoundPieces, faults_of
from ricordi.backup.key_spool import KeySpool, common, lacking
from ricordi.backup.pieces import pieces_in
from ricordi.backup.records import SnapshotRecord
from ricordi.backup.repository import BackupRepository
from ricordi.errors import BusyBackupRepository, CorruptStorage, Interrupted
from ricordi.manager import open_backup
from ricordi.progress import Progress, Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.repository.limits import Limits


def test_a_snapshot_is_read_back_as_it_was_taken(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    rows = FewRows(nodes)
    expected = {part: list(rows.pieces(part)) for part in rows.parts}
    record = backups.take(rows, source, ORIGIN, tags=('nightly',))
    assert backups.snapshots() == [record] == [backups.find(record.name)]
    assert record.complete
    assert (record.objects.objects, record.tags, record.origin) == (12, ('nightly',), ORIGIN)
    assert record.objects.bytes == sum(map(source.get_object_size, nodes.values()))
    assert record.rows['db_dbnode'] == 12
    with backups.database(record) as database:
        assert {part: list(database.pieces(part)) for part in database.parts} == expected
        assert list(database.named_keys()) == sorted(nodes.values())
        assert database.misfits(5) == [Misfit('db_dbnode', 1, 'label', 'it holds NUL')]
        assert (database.source, database.schema, database.sequences) == ('sqlite', 'main_0002', {'db_dbnode': 99})
    for key in nodes.values():
        assert backups.objects.get_object_content(key) == source.get_object_content(key)


def test_what_lies_compressed_in_a_pack_is_taken_over_as_it_lies(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    for limits in (Limits(), Limits(large_bytes=500)):  # the second has every object streamed
        with Container(backups.place.container, limits) as store:
            backups.objects = store
            backups.take(FewRows(nodes), source, ORIGIN)
            for key in nodes.values():
                theirs, ours = source.index.find(key), store.index.find(key)
                assert ours is not None
                if theirs is not None:
                    assert (ours.compressed, ours.length) == (theirs.compressed, theirs.length)
                    assert store.read_stored(ours) == source.read_stored(theirs)
            store.delete_objects(nodes.values())


def test_an_unchanged_storage_adds_a_manifest_and_nothing_else(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    backups.take(FewRows(nodes), source, ORIGIN)
    before = written(backups.place.folder)
    record = backups.take(FewRows(nodes), source, ORIGIN)
    after = written(backups.place.folder)
    assert after.keys() - before.keys() == {f'snapshots/{record.name}.json'}
    assert {name: after[name] for name in before} == before
    assert (record.added.objects, record.added_pieces.objects) == (0, 0)


def test_what_changed_alone_is_put_again(backups: BackupRepository, source: Container, nodes: dict[int, str]) -> None:
    backups.take(FewRows(nodes), source, ORIGIN)
    touched = backups.take(FewRows(nodes, labels={2: 'touched'}), source, ORIGIN)
    assert (touched.added.objects, touched.added_pieces.objects) == (0, 2)  # a piece, and the list that tells of it
    key = source.put_object_from_bytes(b'one more')
    more = backups.take(FewRows({**nodes, 13: key}), source, ORIGIN)
    assert more.added == (1, len(b'one more'))
    assert list(backups.database(touched).named_keys()) == sorted(nodes.values())
    assert list(backups.database(more).named_keys()) == sorted([*nodes.values(), key])


@pytest.mark.parametrize('form', ['packed', 'loose', 'gone'])
def test_a_snapshot_without_objects_that_are_lost_says_so_and_has_all_others(
    backups: BackupRepository, source: Container, nodes: dict[int, str], form: str
) -> None:
    key = next(key for key in nodes.values() if (source.index.find(key) is not None) == (form == 'packed'))
    row = source.index.find(key)
    if row is not None:
        with source.layout.pack_path(row.pack_id).open('r+b') as pack:
            pack.seek(row.offset + 20)
            pack.write(b'####')
    elif form == 'loose':
        Path(source.loose_path(key)).write_bytes(b'another content')
    else:
        Path(source.loose_path(key)).unlink()
    record = backups.take(FewRows(nodes), source, ORIGIN)
    assert not record.complete
    assert (record.missing, record.missing_count, record.added.objects) == ((key,), 1, 11)
    assert [*lacking(sorted(nodes.values()), backups.objects.list_objects())] == [key]
    # put back into the storage, it comes along
    source.delete_objects([key])
    source.put_object_from_bytes(_content_of(key))
    assert backups.take(FewRows(nodes), source, ORIGIN).complete


def _content_of(key: str) -> bytes:
    import hashlib

    every = [word % number * 99 for word in (b'plain %d', b'compressed %d', b'loose %d') for number in range(4)]
    return next(content for content in every if hashlib.sha256(content).hexdigest() == key)


def test_the_database_is_let_go_of_before_objects_are_copied(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    rows = FewRows(nodes)

    class Watching(Progress):
        def begin(self, step: str, total: int | None, unit: str = 'bytes') -> None:
            if step == 'copy objects':
                seen.append(rows.closed)

    seen: list[bool] = []
    backups.take(rows, source, ORIGIN, run=Run(Watching()))
    assert seen == [True]


@pytest.mark.parametrize('step', ['copy the database', 'copy objects'])
def test_one_that_is_stopped_makes_no_snapshot_and_the_next_puts_the_rest(
    backups: BackupRepository, source: Container, nodes: dict[int, str], step: str
) -> None:
    stop = Stop()

    class Stopping(Progress):
        at = ''

        def begin(self, step: str, total: int | None, unit: str = 'bytes') -> None:
            self.at = step

        def advance(self, amount: int) -> None:
            if self.at == step:
                stop.request('SIGTERM')

    with Container(backups.place.container, Limits(batch_objects=1, commit_objects=1)) as backups.objects:
        with pytest.raises(Interrupted, match='SIGTERM'):
            backups.take(FewRows(nodes), source, ORIGIN, run=Run(Stopping(), stop))
        assert backups.names() == []
        kept = {*backups.objects.list_objects()}
        assert kept
        record = backups.take(FewRows(nodes), source, ORIGIN)
        whole = {*backups.objects.list_objects()}
        assert record.added.objects + record.added_pieces.objects == len(whole - kept) < len(whole)


def test_two_at_once_make_two_whole_snapshots(
    backups: BackupRepository, source: Container, nodes: dict[int, str], place: Path
) -> None:
    with open_backup(place) as other:

        def meanwhile() -> None:
            rows.before_pieces = lambda: None
            made.append(other.take(FewRows(nodes), source, ORIGIN))

        made: list[object] = []
        rows = FewRows(nodes, before_pieces=meanwhile)
        made.append(backups.take(rows, source, ORIGIN))
    assert sorted(map(repr, made)) == sorted(map(repr, backups.snapshots()))
    assert all(record.complete for record in backups.snapshots())
    assert [*lacking(sorted(nodes.values()), backups.objects.list_objects())] == []


def test_beside_another_packer_objects_go_loose(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    with packer_lock(Container(backups.place.container).layout):
        assert backups.take(FewRows(nodes), source, ORIGIN).complete
    assert backups.objects.get_info()['packed']['objects'] == 0
    assert backups.take(FewRows(nodes), source, ORIGIN).added == (0, 0)


def test_while_snapshots_are_removed_none_is_made(
    backups: BackupRepository, source: Container, nodes: dict[int, str], place: Path
) -> None:
    with (
        open_backup(place) as other,
        other.place.locked('exclusive', None, None),
        pytest.raises(BusyBackupRepository, match='in use'),
    ):
        backups.take(FewRows(nodes), source, ORIGIN)
    assert backups.take(FewRows(nodes), source, ORIGIN).complete


def test_a_full_disk_leaves_the_place_whole(
    backups: BackupRepository, source: Container, nodes: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backups.take(FewRows(nodes), source, ORIGIN)
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) > 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, content)

    labels = dict.fromkeys(nodes, 'another label' * 20)
    with monkeypatch.context() as patch:
        patch.setattr(os, 'write', full)
        with pytest.raises(OSError, match='No space'):
            backups.take(FewRows(nodes, labels), source, ORIGIN)
    assert backups.snapshots() == [first]
    assert backups.take(FewRows(nodes, labels), source, ORIGIN).complete


# keys ------------------------------------------------------------------------------------------------------


def test_keys_are_given_in_order_and_once_however_many_portions_they_came_in() -> None:
    keys = [f'{number * 7919 % 256:02x}' + f'{number % 50:062x}' for number in range(400)]
    with KeySpool(at_once=7) as spool:
        spool.add(keys[:150]).add(keys[150:])
        assert list(spool.ascending()) == sorted(set(keys))
        assert spool.count_and_digest()[0] == len(set(keys))
    digests = bytes.fromhex(''.join(keys))
    with KeySpool(at_once=7) as spool:
        spool.add_digests([digests[:64], b'', digests[64:3200], digests[3200:]])
        assert list(spool.ascending()) == sorted(set(keys))


def test_streams_of_keys_are_compared() -> None:
    assert list(lacking('abdf', 'bce')) == ['a', 'd', 'f']
    assert list(common('abdf', 'bcef')) == ['b', 'f']
    assert list(lacking('ab', '')) == ['a', 'b']


@pytest.mark.parametrize(
    ('tree', 'number'),
    [
        (lambda key: tree_of(key), 1),
        (lambda key: tree_of(key).replace('"file"', '"k"').replace('"k": "', '"k" : "'), 1),
        (lambda key: tree_of(key).replace('file', 'caf\\u00e9'), 1),
        (lambda key: json.dumps({'o': {f'a "k": "{key}"': {'o': {}}}}), 0),
        (lambda key: '{}', 0),
        (lambda key: 'no JSON', 0),
    ],
)
def test_keys_are_found_in_file_trees_of_any_form(
    backups: BackupRepository, source: Container, tree: Callable[[str], str], number: int
) -> None:
    key = next(source.list_objects())
    record = backups.take(FewRows({}, trees={1: tree(key)}), source, ORIGIN)
    assert list(backups.database(record).named_keys()) == [key] * number


# damage ----------------------------------------------------------------------------------------------------


def test_a_damaged_piece_is_no_piece(backups: BackupRepository, source: Container, nodes: dict[int, str]) -> None:
    record = backups.take(FewRows(nodes), source, ORIGIN)
    pack = backups.place.container / 'packs' / '0'
    content = bytearray(pack.read_bytes())
    pack.write_bytes(bytes(byte ^ 1 for byte in content))
    with pytest.raises(CorruptStorage), backups.database(record) as database:
        list(database.pieces(record.parts[0].part))


def test_a_damaged_manifest_is_named_and_hides_no_other(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    good, bad = (backups.take(FewRows(nodes), source, ORIGIN) for _ in range(2))
    path = backups.place.snapshots / f'{bad.name}.json'
    path.write_bytes(path.read_bytes().replace(b'"sqlite"', b'"sqlitf"'))
    records, faults = backups.read_all()
    assert records == [good]
    assert list(faults) == [bad.name]
    with pytest.raises(CorruptStorage, match='not what its name says'):
        backups.find(bad.name)


def test_what_is_wrong_with_a_snapshot_is_told(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    Path(source.loose_path(lost := next(key for key in nodes.values() if not source.index.find(key)))).unlink()
    record = backups.take(FewRows(nodes), source, ORIGIN)
    assert record.missing == (lost,)
    assert list(backups.check(record)) == []  # it says so itself
    assert list(backups.check(record._replace(keys_digest='0' * 64))) == [
        'the nodes of the snapshot name other objects than its manifest says'
    ]
    gone = next(key for key in nodes.values() if key != lost)
    backups.objects.delete_objects([gone])
    assert [gone in fault for fault in backups.check(record)] == [True]
    fixed = next(one for one in record.parts if one.part.part == 'fixed')
    backups.objects.delete_objects([fixed.lists[0].key])
    assert 'rows of db_dbnode from pk 1 on cannot be found' in next(backups.check(record))


def test_a_piece_that_several_snapshots_have_is_read_once_to_check_them(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    records = [backups.take(FewRows(nodes, labels={2: label}), source, ORIGIN) for label in ('', 'touched', 'again')]
    pieces = {key for record in records for key in piece_keys(record, backups.objects)}
    with ReadKeys(backups.place.container) as store:
        backups.objects = store
        assert [faults for _, faults in backups.check_all(records)] == [[], [], []]
        read = [key for key in store.read if key in pieces]
    assert len(pieces) < 3 * len(piece_keys(records[0], store))
    assert sorted(read) == sorted(pieces)


def test_a_damaged_piece_is_told_of_each_snapshot_that_has_it(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    records = [backups.take(FewRows(nodes, labels={2: label}), source, ORIGIN) for label in ('', 'touched')]
    shared = {*piece_keys(records[0], backups.objects)} & {*piece_keys(records[1], backups.objects)}
    backups.objects.delete_objects([min(shared)])
    found = [faults for _, faults in backups.check_all(records)]
    assert [min(shared) in fault for faults in found for fault in faults] == [True, True]


@pytest.mark.parametrize('most', [0, 3])
def test_more_pieces_than_are_remembered_are_read_anew(
    backups: BackupRepository, source: Container, nodes: dict[int, str], most: int
) -> None:
    records = [backups.take(FewRows(nodes, labels={2: label}), source, ORIGIN) for label in ('', 'touched')]
    with closing(SoundPieces(most)) as sound:
        assert [[*faults_of(record, backups.objects, sound)] for record in records] == [[], []]


class ReadKeys(Container):
    """Notes of which objects the content is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[str] = []

    def get_object_content(self, key: str) -> bytes:
        self.read.append(key)
        return super().get_object_content(key)


def piece_keys(record: SnapshotRecord, store: Container) -> list[str]:
    """The keys of the pieces of a snapshot."""
    return [entry.key for part in record.parts for lists in part.lists for entry in pieces_in(store, lists)]
