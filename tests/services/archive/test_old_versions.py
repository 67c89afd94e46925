"""Archives of AiiDA 0 and 1: migrated, imported, looked into; what cannot be taken over is told."""

from __future__ import annotations

import io
import json
import os
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.rows import ComputerRow, GroupRow, LinkRow, NodeRow
from ricordi.config import Profile
from ricordi.errors import CorruptStorage, IncompatibleStorageSchema, Interrupted
from ricordi.manager import use_storage
from ricordi.progress import Run, Stop
from ricordi.remedies import Remedy
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.services.archive.info import archive_profile, get_archive_info, get_version
from ricordi.services.archive.migrate import migrate_archive
from services.archive.old_layouts import SYMBOLS, VERSIONS, OldArchive, archive_of, changed_archive, uuid
from services.archive.tools import everything

PLAIN = ImportRequest(import_group=False)


def migrated(old: OldArchive, folder: Path, ending: str = '.aiida') -> Any:
    """All that is in an archive once it is migrated."""
    folder.mkdir(exist_ok=True)
    source, target = old.write(folder / f'old{ending}'), folder / 'new.aiida'
    migrate_archive(source, target, overwrite=True)
    return everything(target)


# every version ---------------------------------------------------------------------------------------------


def test_the_same_graph_in_every_version_is_the_same_graph(tmp_path: Path) -> None:
    last, bare = migrated(archive_of('0.13'), tmp_path), migrated(archive_of('0.13', bare=True), tmp_path)
    kinds = ('node', 'link', 'group_node', 'log', 'comment', 'objects')
    assert [len(last[kind]) for kind in kinds] == [6, 5, 3, 1, 1, 4]
    for version in VERSIONS:
        before = bare if version in VERSIONS[:3] else last
        assert migrated(archive_of(version), tmp_path) == before, version


@pytest.mark.parametrize('ending', ['.tar', '.tar.gz'])
def test_a_tar_file_holds_what_a_zip_file_does(tmp_path: Path, ending: str) -> None:
    assert migrated(archive_of('0.10'), tmp_path, ending) == migrated(archive_of('0.10'), tmp_path)


def test_a_migrated_archive_is_one_of_today(tmp_path: Path) -> None:
    source, target = archive_of('0.9').write(tmp_path / 'old.aiida'), tmp_path / 'new.aiida'
    done = migrate_archive(source, target)
    assert (done.before, done.after, done.changed, done.notes) == ('0.9', 'main_0001', True, ())
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:2] == ['metadata.json', 'db.sqlite3']
        told = json.loads(archive.read('metadata.json'))
    assert (told['export_version'], told['key_format']) == ('main_0001', 'sha256')
    assert told['creation_parameters'] == {'include_logs': True}
    assert 'from version 0.9 to main_0001' in told['conversion_info'][-1]
    assert 'all_fields_info' not in told


def test_the_oldest_says_what_became_of_it(tmp_path: Path) -> None:
    """Types, files and attributes that are others today."""
    target = tmp_path / 'new.aiida'
    migrate_archive(archive_of('0.1').write(tmp_path / 'old.aiida'), target)
    with use_storage(archive_profile(target)) as storage:
        nodes = {row.uuid: row for row in storage.find(NodeRow)}
        assert nodes[uuid(1)].node_type == 'data.core.int.Int.'
        job = nodes[uuid(2)]
        assert (job.node_type[:19], job.process_type[-14:]) == ('process.calculation', 'arithmetic.add')
        assert job.attributes['times'] == ['2019-04-17T14:28:20.786071+00:00', 'no time']
        assert (job.attributes['process_state'], job.attributes['exit_status']) == ('finished', 0)
        assert 'state' not in job.attributes
        assert nodes[uuid(6)].attributes == {'symbols': ['Si', 'C', 'O']}
        assert nodes[uuid(6)].repository_metadata == {}
        assert {row.transport_type for row in storage.find(ComputerRow)} == {'core.ssh'}
        assert {row.type_string for row in storage.find(GroupRow)} == {'core', 'core.upf'}


# into a profile --------------------------------------------------------------------------------------------


@pytest.mark.parametrize('ending', ['.aiida', '.tar.gz'])
def test_an_old_archive_is_imported_as_a_new_one_is(sqlite: Profile, tmp_path: Path, ending: str) -> None:
    path = archive_of('0.6').write(tmp_path / f'old{ending}')
    planned = import_archive(sqlite, path, PLAIN, dry_run=True)
    done = import_archive(sqlite, path, PLAIN)
    assert (planned.new, planned.objects) == (done.new, done.objects) == (done.new, 4)
    there, given = everything(sqlite), migrated(archive_of('0.6'), tmp_path)
    for kind in ('node', 'link', 'group', 'group_node', 'comment', 'log', 'computer', 'objects'):
        assert there[kind] == given[kind], kind
    again = import_archive(sqlite, path, PLAIN)
    assert (again.objects, again.existing['node']) == (0, 6)


def test_an_old_archive_is_not_imported_where_that_is_forbidden(sqlite: Profile, tmp_path: Path) -> None:
    path = archive_of('0.6').write(tmp_path / 'old.aiida')
    with pytest.raises(IncompatibleStorageSchema, match=r'0\.6.*needed') as refused:
        import_archive(sqlite, path, ImportRequest(migrate=False))
    assert refused.value.remedy == Remedy('migrate archive', (str(path),))


# looked into -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize('ending', ['.aiida', '.tar.gz'])
def test_an_old_archive_is_read_as_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    (tmp_path / 'temporary').mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path / 'temporary'))
    path = archive_of('0.4').write(tmp_path / f'old{ending}')
    before = path.read_bytes()
    assert get_version(path) == ('0.4', 'main_0001')
    assert get_archive_info(path, detailed=False)['objects'] is None
    assert get_archive_info(path, detailed=True)['entities']['node'] == 6
    assert everything(path) == migrated(archive_of('0.4'), tmp_path / 'other')
    (kept,) = (tmp_path / 'temporary').glob('ricordi-archives-*/*.aiida')
    made = kept.stat().st_ino
    archive_profile(path)
    assert (kept.stat().st_ino, path.read_bytes()) == (made, before), 'used again'


def test_where_nothing_can_be_kept_an_old_archive_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    (tmp_path / f'ricordi-archives-{os.getuid()}').write_text('in the way')
    path = archive_of('0.13').write(tmp_path / 'old.aiida')
    assert len(everything(path)['node']) == 6


# what cannot be taken over ---------------------------------------------------------------------------------


def notes_of(tmp_path: Path, version: str, change: Callable[[OldArchive], object]) -> tuple[str, ...]:
    """What is told of the migration of a changed archive."""
    target = tmp_path / 'new.aiida'
    done = migrate_archive(changed_archive(version, tmp_path / 'old.aiida', change), target, overwrite=True)
    with zipfile.ZipFile(target) as archive:
        assert json.loads(archive.read('metadata.json'))['conversion_info'][1:] == list(done.notes)
    return done.notes


def test_links_and_members_that_lead_nowhere_are_left_out_and_told(tmp_path: Path) -> None:
    def cut(old: OldArchive) -> None:
        old.data['links_uuid'].append({**old.data['links_uuid'][0], 'input': uuid(99)})
        old.data['groups_uuid'][uuid(8)] += [uuid(98), uuid(1)]
        old.data['groups_uuid'][uuid(97)] = [uuid(1)]
        old.files[f'nodes/00/00/{uuid(96)[4:]}/path/x'] = b'x'

    links, members, files = notes_of(tmp_path, '0.10', cut)
    assert (links.partition(':')[0], uuid(99) in links) == ('1 links were left out', True)
    assert members.startswith('2 members of groups')
    assert all(uuid(number) in members for number in (97, 98))
    assert files.startswith('1 files were left out')
    assert everything(tmp_path / 'new.aiida') == migrated(archive_of('0.10'), tmp_path / 'whole')


def test_links_that_provenance_forbids_today_are_left_out_and_told(tmp_path: Path) -> None:
    def add(old: OldArchive) -> None:
        old.data['links_uuid'].append({'input': uuid(4), 'output': uuid(3), 'label': 'x', 'type': 'createlink'})

    (note,) = notes_of(tmp_path, '0.3', add)
    assert note.startswith('1 links were left out: no createlink can come from a calculation.work.WorkCalculation')


def test_fields_and_entities_that_are_not_known_are_told(tmp_path: Path) -> None:
    def add(old: OldArchive) -> None:
        old.rows['Node']['1']['colour'] = 'red'
        old.rows['Workflow'] = {'1': {}}

    assert notes_of(tmp_path, '0.8', add) == (
        'fields that no archive has were left out: node.colour (1)',
        '1 entries of kind Workflow were left out: no archive has such',
    )


def test_values_that_are_not_there_are_empty(tmp_path: Path) -> None:
    def empty(old: OldArchive) -> None:
        old.rows['Node']['1'] |= {'label': None, 'description': None, 'mtime': None}
        old.data['node_attributes']['1'] = old.data['node_extras']['1'] = None
        old.rows['Computer']['7'] |= {'hostname': None, 'metadata': None}
        del old.rows['User']['1']['institution']
        old.rows['Comment']['1']['user'] = None

    assert notes_of(tmp_path, '0.13', empty) == ()
    found = everything(tmp_path / 'new.aiida')
    (node,) = (row for row in found['node'] if row['uuid'] == uuid(1))
    assert (node['label'], node['description'], node['attributes'], node['extras']) == ('', '', {}, {})
    assert (found['computer'][0]['hostname'], found['computer'][0]['metadata']) == ('', {})
    assert found['user'][0]['institution'] == ''
    assert found['comment'] == []


def test_an_archive_without_nodes_is_imported(sqlite: Profile, tmp_path: Path) -> None:
    def clear(old: OldArchive) -> None:
        old.files.clear()
        old.data |= {'node_attributes': {}, 'node_extras': {}, 'links_uuid': [], 'groups_uuid': {}}
        for name in ('Node', 'Log', 'Comment', 'Group'):
            old.rows.pop(name)

    done = import_archive(sqlite, changed_archive('0.11', tmp_path / 'old.aiida', clear), PLAIN)
    assert (done.new['computer'], done.new.get('node', 0)) == (1, 0)


def test_symbols_that_cannot_be_read_stay_a_file(tmp_path: Path) -> None:
    def spoil(old: OldArchive) -> None:
        (name,) = (name for name in old.files if name.endswith('symbols.npy'))
        old.files[name] = SYMBOLS[:-1]

    notes_of(tmp_path, '0.3', spoil)
    (node,) = (row for row in everything(tmp_path / 'new.aiida')['node'] if row['uuid'] == uuid(6))
    assert node['attributes'] == {'array|symbols': [3]}
    assert list(node['repository_metadata']['o']) == ['symbols.npy']


# what is refused -------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, Callable[[OldArchive], object], str]] = {
    'attributes': ('0.9', lambda old: old.data['node_attributes'].pop('3'), 'attributes of the node with pk 3'),
    'extras': ('0.9', lambda old: old.data['node_extras'].pop('3'), 'extras of the node with pk 3'),
    'active': ('0.6', lambda old: old.data['node_attributes']['4'].update(process_state='running'), 'is running'),
    'twice': ('0.9', lambda old: old.rows['Node']['2'].update(uuid=uuid(1)), 'uuid'),
    'email': ('0.9', lambda old: old.rows['User']['1'].update(email=None), 'email'),
    'user': ('0.9', lambda old: old.rows['Node']['1'].update(user=5), 'names a user that is not in it'),
    'log': ('0.9', lambda old: old.rows['Log']['1'].update(dbnode=55), 'names a node that is not in it'),
    'time': ('0.9', lambda old: old.rows['Node']['1'].update(ctime='yesterday'), 'yesterday'),
    'text': ('0.9', lambda old: old.rows['Node']['1'].update(label=['x']), 'label'),
    'pk': ('0.9', lambda old: old.rows['Node'].update({'x': {}}), 'x'),
    'row': ('0.9', lambda old: old.rows['Node'].update({'9': 3}), 'no fields'),
    'path': ('0.9', lambda old: old.files.update({f'nodes/aa/bb/{"c" * 32}/path/../x': b''}), 'leads out'),
    'crossed': (
        '0.9',
        lambda old: old.files.update({f'nodes/00/00/{uuid(3)[4:]}/path/out.txt/x': b''}),
        'lies in what is a file',
    ),
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_cannot_be_is_refused_by_name(sqlite: Profile, tmp_path: Path, name: str) -> None:
    version, change, message = REFUSED[name]
    path = changed_archive(version, tmp_path / 'old.aiida', change)
    with pytest.raises(CorruptStorage, match=message) as refused:
        import_archive(sqlite, path, PLAIN)
    assert str(path) in str(refused.value)
    assert everything(sqlite)['node'] == []
    assert len(str(refused.value)) < 600


def test_a_file_without_data_is_refused(tmp_path: Path) -> None:
    for ending in ('.aiida', '.tar.gz'):
        old = archive_of('0.9').write(tmp_path / f'old{ending}')
        if ending == '.aiida':
            with zipfile.ZipFile(old, 'w') as archive:
                archive.writestr('metadata.json', '{"export_version": "0.9"}')
        else:
            with tarfile.open(old, 'w:gz') as tar:
                header = tarfile.TarInfo('metadata.json')
                header.size = 25
                tar.addfile(header, io.BytesIO(b'{"export_version": "0.9"}'))
        with pytest.raises(CorruptStorage, match=r'no data\.json'):
            migrate_archive(old, tmp_path / 'new.aiida')


def test_a_tar_file_may_hold_hard_links_and_nothing_odd(tmp_path: Path) -> None:
    path = tmp_path / 'old.tar'
    place = f'nodes/00/00/{uuid(3)[4:]}/path'
    for kind, name in ((tarfile.LNKTYPE, 'hard'), (tarfile.SYMTYPE, 'soft'), (tarfile.FIFOTYPE, 'pipe')):
        archive_of('0.9').write(path)
        with tarfile.open(path, 'a') as tar:
            header = tarfile.TarInfo(f'{place}/{name}')
            header.type, header.linkname = kind, f'{place}/out.txt'
            tar.addfile(header)
        if name != 'hard':
            with pytest.raises(CorruptStorage, match='neither a file nor a folder'):
                migrate_archive(path, tmp_path / 'new.aiida')
            continue
        migrate_archive(path, tmp_path / 'linked.aiida')
        (node,) = (row for row in everything(tmp_path / 'linked.aiida')['node'] if row['uuid'] == uuid(3))
        tree = node['repository_metadata']['o']
        assert tree['hard'] == tree['out.txt']


def test_work_on_an_old_archive_ends_when_it_is_asked_to(sqlite: Profile, tmp_path: Path) -> None:
    stop = Stop()
    stop.request('SIGTERM')
    for ending in ('.aiida', '.tar.gz'):
        path = archive_of('0.9').write(tmp_path / f'old{ending}')
        with pytest.raises(Interrupted, match='nothing was changed'):
            import_archive(sqlite, path, PLAIN, run=Run(stop=stop))


@pytest.mark.parametrize('seed', range(2))
@pytest.mark.parametrize('ending', ['.aiida', '.tar.gz', '.tar'])
def test_a_damaged_file_ends_in_words_or_in_a_graph(sqlite: Profile, tmp_path: Path, seed: int, ending: str) -> None:
    chance, path = random.Random(seed), archive_of('0.3').write(tmp_path / f'old{ending}')
    content, before, whole = path.read_bytes(), everything(sqlite), everything(path)
    for _ in range(10):
        broken = bytearray(content)
        at = chance.randrange(len(broken))
        if chance.random() < 0.5:
            broken[at] ^= 1 << chance.randrange(8)
        else:
            del broken[at : at + chance.choice((1, 512, 5000))]
        path.write_bytes(broken)
        try:
            import_archive(sqlite, path, PLAIN, dry_run=True)
            migrate_archive(path, tmp_path / 'new.aiida', overwrite=True)
        except (CorruptStorage, IncompatibleStorageSchema):
            continue
        finally:
            assert everything(sqlite) == before
        found = everything(tmp_path / 'new.aiida')
        assert found == whole or ending == '.tar', 'accepted, though not what it was'  # a tar file has no checksums


def test_links_that_are_left_are_those_of_the_archive(tmp_path: Path) -> None:
    target = tmp_path / 'new.aiida'
    migrate_archive(archive_of('0.2').write(tmp_path / 'old.aiida'), target)
    with use_storage(archive_profile(target)) as storage:
        assert sorted(row.type for row in storage.find(LinkRow)) == [
            'call_calc',
            'create',
            'input_calc',
            'input_work',
            'return',
        ]
