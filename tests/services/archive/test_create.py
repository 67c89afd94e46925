"""Archives hold what was asked for, all of it, checked; and none is left behind where one could not be made."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import ComputerRow, NodeRow
from ricordi.backend.rows import EntityKind as K
from ricordi.backend.storage import StorageBackend
from ricordi.errors import Interrupted, InvalidOperation, NotExistent, ProblemsFound, UsageError
from ricordi.manager import maintain_storage, use_storage
from ricordi.progress import Run, Stop
from ricordi.remedies import Remedy
from ricordi.services.archive.create import ArchiveRequest, create_archive
from ricordi.services.archive.info import archive_profile
from ricordi.services.profiles.profiles import find_profile
from services.archive.tools import REFERENCE, everything

ALL = ArchiveRequest(everything=True, authinfos=True)


@pytest.fixture
def storage(reference_home: Path) -> Iterator[StorageBackend]:
    """The storage of the profile `loose`."""
    with use_storage(find_profile('loose')) as opened:
        yield opened


def pk_of(storage: StorageBackend, **equal: Any) -> str:
    """The pk, as text, of the first node with these values."""
    return str(next(storage.find(NodeRow, equal)).pk)


# the whole -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('level', [0, 1, 6, 9])
def test_an_archive_of_everything_holds_everything(reference_home: Path, tmp_path: Path, level: int) -> None:
    path = tmp_path / 'all.aiida'
    made = create_archive(find_profile('loose'), path, replace(ALL, level=level))
    assert everything(path) == everything('loose') == everything(REFERENCE)
    assert zipfile.ZipFile(path).testzip() is None
    assert (made.entities['node'], made.objects, made.archive_bytes) == (74, 23, path.stat().st_size)


@pytest.mark.parametrize('compress', ['yes', 'no'])
def test_packed_objects_come_along_and_compressed_ones_as_they_are(
    reference_home: Path, tmp_path: Path, compress: Any
) -> None:
    profile, path = find_profile('loose'), tmp_path / 'all.aiida'
    maintain_storage(profile, MaintenanceOptions(full=True, compress=compress))
    create_archive(profile, path, ALL)
    assert everything(path) == everything('loose')
    if compress == 'no':
        return
    with use_storage(profile) as storage, zipfile.ZipFile(path) as archive:
        taken_over = 0
        for key in storage.named_keys():
            row = storage.repository.index.find(key)
            info = archive.getinfo(f'repo/{key}')
            if row.compressed:
                archive.fp.seek(info.header_offset + 30 + len(info.filename))
                assert archive.fp.read(info.compress_size) == storage.repository.read_stored(row)[2:-4]
                taken_over += 1
        assert taken_over


@pytest.mark.parametrize('compress', ['yes', 'no', 'loose'])
def test_large_objects_are_streamed(
    reference_home: Path, tmp_path: Path, compress: Any, every_container_has: Callable[..., None]
) -> None:
    every_container_has(large_bytes=1000)
    profile, path = find_profile('loose'), tmp_path / 'all.aiida'
    if compress != 'loose':
        maintain_storage(profile, MaintenanceOptions(full=True, compress=compress))
    create_archive(profile, path, ALL)
    assert everything(path) == everything('loose')
    assert zipfile.ZipFile(path).testzip() is None


def test_a_zlib_stream_with_a_preset_dictionary_is_deflated_anew() -> None:
    from ricordi.zipfiles.packed import raw_deflate

    deflater = zlib.compressobj(zdict=b'dictionary')
    assert raw_deflate(deflater.compress(b'dictionary') + deflater.flush()) is None
    assert raw_deflate(b'no stream') is None
    assert zlib.decompress(raw_deflate(zlib.compress(b'content')) or b'', -15) == b'content'


def test_metadata_and_database_come_first_in_the_directory(reference_home: Path, tmp_path: Path) -> None:
    create_archive(find_profile('loose'), tmp_path / 'all.aiida', ALL)
    with zipfile.ZipFile(tmp_path / 'all.aiida') as archive:
        assert archive.namelist()[:2] == ['metadata.json', 'db.sqlite3']
        assert archive.getinfo('metadata.json').compress_type == zipfile.ZIP_STORED
        metadata = json.loads(archive.read('metadata.json'))
    with zipfile.ZipFile(REFERENCE) as archive:
        theirs = json.loads(archive.read('metadata.json'))
    assert metadata.keys() == theirs.keys()
    rules = 'graph_traversal_rules'
    assert metadata['creation_parameters'][rules] == theirs['creation_parameters'][rules]
    assert (metadata['export_version'], metadata['key_format']) == ('main_0001', 'sha256')


def test_an_archive_can_be_made_from_an_archive(reference_home: Path, tmp_path: Path) -> None:
    create_archive(archive_profile(REFERENCE), tmp_path / 'again.aiida', ALL)
    assert everything(tmp_path / 'again.aiida') == everything(REFERENCE)


# a part ----------------------------------------------------------------------------------------------------


def archived(storage: StorageBackend, path: Path, **request: Any) -> dict[str, Any]:
    """What is in an archive of a part of the storage."""
    create_archive(storage.profile, path, ArchiveRequest(**request), overwrite=True)
    return everything(path)


def test_with_a_node_comes_all_that_it_came_from(storage: StorageBackend, tmp_path: Path) -> None:
    from ricordi.model.traversal import EXPORT_RULES, choose_rules
    from ricordi.services.traversal import traverse

    path = tmp_path / 'part.aiida'
    for row in list(storage.find(NodeRow))[::7]:
        expected = traverse(storage, [row.pk], choose_rules(EXPORT_RULES)).nodes
        uuids = {storage.get(NodeRow, pk).uuid for pk in expected}
        found = archived(storage, path, nodes=(str(row.pk),))
        assert {node['uuid'] for node in found['node']} == uuids
        links = [
            link for link in everything_linked(storage) if link['input_pk'] in uuids and link['output_pk'] in uuids
        ]
        assert found['link'] == links


def everything_linked(storage: StorageBackend) -> list[dict[str, Any]]:
    return everything('loose')['link']


def test_rules_can_be_switched(storage: StorageBackend, tmp_path: Path) -> None:
    created = next(link for link in everything('loose')['link'] if link['type'] == 'create')['output_pk']
    alone = archived(storage, tmp_path / 'a.aiida', nodes=(created,), switches={'create_backward': False})
    assert [node['uuid'] for node in alone['node']] == [created]
    assert not alone['link']
    with pytest.raises(UsageError, match="'create_forward' cannot be switched"):
        archived(storage, tmp_path / 'b.aiida', nodes=(created,), switches={'create_forward': False})


def test_a_group_comes_with_its_members_and_no_other_group(storage: StorageBackend, tmp_path: Path) -> None:
    whole = everything('loose')
    for group in whole['group']:
        found = archived(storage, tmp_path / 'g.aiida', groups=(group['uuid'],))
        assert found['group'] == [group]
        members = [row for row in whole['group_node'] if row['group_pk'] == group['uuid']]
        assert found['group_node'] == members
        assert {row['node_pk'] for row in members} <= {node['uuid'] for node in found['node']}
        named = {node['user_pk'] for node in found['node']} | {group['user_pk']}
        assert {user['email'] for user in found['user']} == named | {row['user_pk'] for row in found['comment']}


def test_a_computer_comes_alone_and_authinfos_only_when_asked_for(storage: StorageBackend, tmp_path: Path) -> None:
    label = next(storage.find(ComputerRow)).label
    found = archived(storage, tmp_path / 'c.aiida', computers=(label,))
    assert [computer['label'] for computer in found['computer']] == [label]
    assert not found['node']
    assert not found['authinfo']
    whole = everything('loose')
    with_authinfos = archived(storage, tmp_path / 'c.aiida', computers=(label,), authinfos=True)
    uuid = found['computer'][0]['uuid']
    assert with_authinfos['authinfo'] == [row for row in whole['authinfo'] if row['computer_pk'] == uuid]


def test_comments_and_logs_can_be_left_out(storage: StorageBackend, tmp_path: Path) -> None:
    found = archived(storage, tmp_path / 'x.aiida', everything=True, comments=False, logs=False)
    assert not found['comment']
    assert not found['log']
    assert len(found['node']) == 74


def test_what_was_chosen_is_told_in_the_metadata(storage: StorageBackend, tmp_path: Path) -> None:
    node = next(storage.find(NodeRow))
    archived(storage, tmp_path / 'x.aiida', nodes=(str(node.pk),))
    with zipfile.ZipFile(tmp_path / 'x.aiida') as archive:
        parameters = json.loads(archive.read('metadata.json'))['creation_parameters']
    assert parameters['entities_starting_set'] == {'node': [node.uuid]}


def test_a_dry_run_counts_and_writes_nothing(reference_home: Path, tmp_path: Path) -> None:
    made = create_archive(find_profile('loose'), tmp_path / 'all.aiida', ALL, dry_run=True)
    real = create_archive(find_profile('loose'), tmp_path / 'real.aiida', ALL)
    assert (made.entities, made.objects, made.content_bytes) == (real.entities, real.objects, real.content_bytes)
    assert made.archive_bytes is None
    assert [path.name for path in tmp_path.glob('*.aiida')] == ['real.aiida']


# refusals --------------------------------------------------------------------------------------------------


def test_an_unsealed_process_is_refused_by_name(reference_home: Path, tmp_path: Path) -> None:
    with use_storage(find_profile('mixed')) as storage:
        running = next(row for row in storage.find(NodeRow) if row.attributes.get('process_state') == 'running')
    with pytest.raises(InvalidOperation, match=f'not sealed cannot go into an archive: {running.pk} .{running.uuid}'):
        create_archive(find_profile('mixed'), tmp_path / 'all.aiida', ALL)
    assert not list(tmp_path.glob('*aiida*'))


def test_the_state_of_a_process_that_has_ended_is_left_behind(storage: StorageBackend, tmp_path: Path) -> None:
    process = next(row for row in storage.find(NodeRow) if row.node_type.startswith('process.'))
    storage.update(K.NODE, process.pk, {'attributes': {**process.attributes, 'checkpoints': 'secret code'}})
    found = archived(storage, tmp_path / 'x.aiida', everything=True)
    assert next(node for node in found['node'] if node['uuid'] == process.uuid)['attributes'] == process.attributes
    with zipfile.ZipFile(tmp_path / 'x.aiida') as archive:
        assert b'secret code' not in archive.read('db.sqlite3')


def test_of_nothing_an_empty_archive_is_made(storage: StorageBackend, tmp_path: Path) -> None:
    found = archived(storage, tmp_path / 'x.aiida')
    assert {kind: rows for kind, rows in found.items() if rows} == {}


@pytest.mark.parametrize(
    ('request_', 'message'),
    [
        (ArchiveRequest(everything=True, nodes=('1',)), 'contradict'),
        (ArchiveRequest(everything=True, level=10), 'from 0 to 9'),
    ],
)
def test_requests_that_mean_nothing_are_refused(
    reference_home: Path, tmp_path: Path, request_: ArchiveRequest, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        create_archive(find_profile('loose'), tmp_path / 'x.aiida', request_)


def test_what_is_not_there_is_named(reference_home: Path, tmp_path: Path) -> None:
    with pytest.raises(NotExistent, match='4711'):
        create_archive(find_profile('loose'), tmp_path / 'x.aiida', ArchiveRequest(nodes=('4711',)))


def test_a_file_is_overwritten_only_when_asked_for_and_a_folder_never(reference_home: Path, tmp_path: Path) -> None:
    path = tmp_path / 'x.aiida'
    path.write_bytes(b'old')
    with pytest.raises(UsageError, match=r'there is a file .* already') as refused:
        create_archive(find_profile('loose'), path, ALL)
    assert refused.value.remedy == Remedy('overwrite')
    assert path.read_bytes() == b'old'
    create_archive(find_profile('loose'), path, ALL, overwrite=True)
    assert zipfile.is_zipfile(path)
    with pytest.raises(UsageError, match='folder'):
        create_archive(find_profile('loose'), tmp_path, ALL, overwrite=True)


def test_a_missing_object_is_told_with_the_nodes_that_name_it(reference_home: Path, tmp_path: Path) -> None:
    profile, path = find_profile('loose'), tmp_path / 'x.aiida'
    path.write_bytes(b'old')
    with use_storage(profile) as storage:
        use = next(storage.uses_of_keys([next(storage.named_keys())]))
        Path(storage.repository.loose_path(use.key)).unlink()
    for dry_run in (True, False):
        with pytest.raises(ProblemsFound, match=f'{use.key}.*{use.uuid}'):
            create_archive(profile, path, ALL, overwrite=True, dry_run=dry_run)
    assert path.read_bytes() == b'old'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['home', 'x.aiida']


@pytest.mark.parametrize('large', [False, True])
def test_a_damaged_object_does_not_go_into_an_archive(
    reference_home: Path, tmp_path: Path, large: bool, every_container_has: Callable[..., None]
) -> None:
    if large:
        every_container_has(large_bytes=1)
    with use_storage(find_profile('loose')) as storage:
        key = next(key for key in storage.named_keys() if storage.repository.get_object_size(key) > 100)
        path = Path(storage.repository.loose_path(key))
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    with pytest.raises(ProblemsFound, match=f'object {key} is damaged'):
        create_archive(find_profile('loose'), tmp_path / 'x.aiida', ALL)
    assert not (tmp_path / 'x.aiida').exists()


def test_an_interrupted_run_leaves_no_archive(reference_home: Path, tmp_path: Path) -> None:
    stop = Stop()
    stop.request('SIGTERM')
    with pytest.raises(Interrupted):
        create_archive(find_profile('loose'), tmp_path / 'x.aiida', ALL, run=Run(stop=stop))
    assert not list(tmp_path.glob('*x.aiida*'))
