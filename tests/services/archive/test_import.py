"""Archives go into a profile as a whole or not at all; what the profile has stays, but for what options change."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.rows import CommentRow, GroupNodeRow, GroupRow, NodeRow, UserRow
from ricordi.backend.rows import EntityKind as K
from ricordi.config import Profile
from ricordi.errors import ConfigurationError, Interrupted, ReadOnlyStorage, UniquenessError, ValidationError
from ricordi.manager import get_config, use_storage
from ricordi.progress import Progress, Run, Stop
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.services.archive import merging as archive_merging
from ricordi.services.archive.create import ArchiveRequest, create_archive
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.services.archive.info import archive_profile
from services.archive.tools import REFERENCE, changed, everything, files_in

CALCULATION = 'process.calculation.calcfunction.CalcFunctionNode.'
PLAIN = ImportRequest(authinfos=True, import_group=False)


def without_me(found: dict[str, Any]) -> dict[str, Any]:
    """What a profile holds, without the user that it had before."""
    return {**found, 'user': [user for user in found['user'] if user['email'] != 'me@example.org']}


# the whole -------------------------------------------------------------------------------------------------


def test_an_archive_comes_into_an_empty_profile_as_it_is(empty: Profile) -> None:
    done = import_archive(empty, REFERENCE, PLAIN)
    assert without_me(everything(empty)) == everything(REFERENCE)
    assert (done.new['node'], done.new['link'], done.objects) == (74, 88, 23)
    with use_storage(empty) as storage:
        assert storage.repository.get_info()['loose']['objects'] == 0, 'objects go straight into packs'


def test_a_second_import_changes_nothing(empty: Profile) -> None:
    import_archive(empty, REFERENCE, PLAIN)
    before = everything(empty)
    for mode in ('none', 'keep_existing', 'update_existing', 'mirror'):
        request = ImportRequest(extras_existing=mode, comments='newest', authinfos=True, import_group=False)
        done = import_archive(empty, REFERENCE, request)
        assert set(done.new.values()) == {0}
        assert (done.objects, done.extras_changed, done.comments_changed) == (0, 0, 0)
    assert everything(empty) == before


@pytest.mark.parametrize('left', [None, 0, 100])
def test_what_a_pack_that_is_gone_or_cut_had_is_put_anew(empty: Profile, left: int | None) -> None:
    import_archive(empty, REFERENCE, PLAIN)
    before = everything(empty)
    with use_storage(empty) as storage:
        pack = storage.repository.layout.pack_path(0)  # type: ignore[attr-defined]
    if left is None:
        pack.unlink()
    else:
        os.truncate(pack, left)
    done = import_archive(empty, REFERENCE, PLAIN)
    assert (done.new['node'], done.objects > 0) == (0, True)
    assert everything(empty) == before


def test_all_nodes_become_members_of_a_group(empty: Profile) -> None:
    done = import_archive(empty, REFERENCE, ImportRequest())
    with use_storage(empty) as storage:
        group = storage.get(GroupRow, done.group_pk)
        members = {row.node_pk for row in storage.find(GroupNodeRow, {'group_pk': done.group_pk})}
        assert members == {row.pk for row in storage.find(NodeRow)}
        assert (group.type_string, group.label) == ('core.import', done.group_label)
        assert storage.get(UserRow, group.user_pk).email == 'me@example.org'
    again = import_archive(empty, REFERENCE, ImportRequest(group='mine'))
    third = import_archive(empty, REFERENCE, ImportRequest(group='mine'))
    assert again.group_pk == third.group_pk != done.group_pk
    with use_storage(empty) as storage:
        assert len(list(storage.find(GroupNodeRow, {'group_pk': third.group_pk}))) == 74


def test_what_goes_out_comes_back_from_any_database_to_any_other(
    empty: Profile, new_profile: Callable[..., Profile], tmp_path: Path
) -> None:
    import_archive(empty, REFERENCE, PLAIN)
    path = tmp_path / 'out.aiida'
    create_archive(empty, path, ArchiveRequest(everything=True, authinfos=True))
    assert without_me(everything(path)) == everything(REFERENCE)
    other = new_profile(name='other')
    import_archive(other, path, PLAIN)
    assert everything(other) == everything(empty)


def test_a_part_on_postgresql_is_what_it_is_on_sqlite(
    new_profile: Callable[..., Profile], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found = []
    for backend in ('core.sqlite_dos', 'core.psql_dos'):
        profile = new_profile(backend, backend[5:])
        import_archive(profile, REFERENCE, PLAIN)
        with use_storage(profile) as storage:
            uuids = sorted(row.uuid for row in storage.find(NodeRow))[::9]
            groups = sorted(row.uuid for row in storage.find(GroupRow))[:2]
        path = tmp_path / f'{backend}.aiida'
        switches = {'input_calc_forward': True, 'call_work_backward': False}
        request_ = ArchiveRequest(nodes=tuple(uuids), groups=tuple(groups), switches=switches, authinfos=True)
        create_archive(profile, path, request_)
        found.append(everything(path))
    assert found[0] == found[1]
    assert 0 < len(found[0]['node']) <= 74


def test_numbers_keep_their_digits_on_both_databases(
    empty: Profile, new_profile: Callable[..., Profile], tmp_path: Path
) -> None:
    values = {'large': 2**70, 'small': 1e-300, 'huge': 1e300, 'third': 1 / 3, 'text': 'ü 1e5', 'deep': [{'e': 1.5e20}]}
    source = new_profile(name='source')
    with use_storage(source) as storage:
        user = next(storage.find(UserRow)).pk
        storage.insert(K.NODE, [{'node_type': 'data.core.dict.Dict.', 'attributes': values, 'user_pk': user}])
    create_archive(source, tmp_path / 'numbers.aiida', ArchiveRequest(everything=True))
    import_archive(empty, tmp_path / 'numbers.aiida', PLAIN)
    with use_storage(empty) as storage:
        assert next(storage.find(NodeRow)).attributes == values
    create_archive(empty, tmp_path / 'back.aiida', ArchiveRequest(everything=True))
    assert everything(tmp_path / 'back.aiida')['node'] == everything(source)['node']


# merging ---------------------------------------------------------------------------------------------------


def change_row(profile: Profile, kind: K, row: Any, **values: Any) -> None:
    with use_storage(profile) as storage:
        storage.update(kind, row.pk, values)


@pytest.mark.parametrize(
    ('mode', 'expected'),
    [
        ('none', {'a': 'ours', 'b': 'ours', '_aiida_hash': 'ours'}),
        ('keep_existing', {'a': 'ours', 'b': 'ours', 'c': 'theirs', '_aiida_hash': 'ours'}),
        ('update_existing', {'a': 'ours', 'b': 'theirs', 'c': 'theirs', '_aiida_hash': 'ours'}),
        ('mirror', {'b': 'theirs', 'c': 'theirs', '_aiida_hash': 'ours'}),
    ],
)
def test_extras_of_nodes_that_are_there_are_merged_by_the_mode(
    empty: Profile, tmp_path: Path, mode: str, expected: dict[str, str]
) -> None:
    import_archive(empty, REFERENCE, PLAIN)
    with use_storage(empty) as storage:
        row = next(storage.find(NodeRow))
    change_row(empty, K.NODE, row, extras={'a': 'ours', 'b': 'ours', '_aiida_hash': 'ours'})
    extras = '{"b": "theirs", "c": "theirs", "_aiida_hash": "theirs"}'
    archive = changed(
        tmp_path / 'x.aiida',
        lambda db: db.execute('UPDATE db_dbnode SET extras = ? WHERE uuid = ?', (extras, row.uuid)),
    )
    with use_storage(empty) as storage:
        others = [other for other in storage.find(NodeRow) if other.pk != row.pk]
    import_archive(empty, archive, ImportRequest(extras_existing=mode, import_group=False))
    with use_storage(empty) as storage:
        assert storage.get(NodeRow, row.pk).extras == expected
        assert [other for other in storage.find(NodeRow) if other.pk != row.pk] == others, 'others are not touched'


def test_new_nodes_can_come_without_extras_and_never_bring_hashes(new_profile: Callable[..., Profile]) -> None:
    with_extras, without = new_profile(name='a'), new_profile(name='b')
    import_archive(with_extras, REFERENCE, PLAIN)
    import_archive(without, REFERENCE, ImportRequest(extras_new=False))
    with use_storage(with_extras) as storage:
        extras = [row.extras for row in storage.find(NodeRow)]
        assert any(extras)
        assert not any(name.startswith('_aiida_') for one in extras for name in one)
    with use_storage(without) as storage:
        assert not any(row.extras for row in storage.find(NodeRow))


@pytest.mark.parametrize(
    ('mode', 'age', 'content'),
    [('leave', 1, 'ours'), ('newest', 1, 'theirs'), ('newest', -1, 'ours'), ('overwrite', -1, 'theirs')],
)
def test_comments_that_are_there_are_merged_by_the_mode(
    empty: Profile, tmp_path: Path, mode: str, age: int, content: str
) -> None:
    import_archive(empty, REFERENCE, PLAIN)
    with use_storage(empty) as storage:
        row = next(storage.find(CommentRow))
    change_row(empty, K.COMMENT, row, content='ours', mtime=row.mtime)
    other = row.mtime.replace(year=row.mtime.year + age, tzinfo=None).isoformat(' ', 'microseconds')
    archive = changed(
        tmp_path / 'x.aiida',
        lambda db: db.execute(
            'UPDATE db_dbcomment SET content = ?, mtime = ? WHERE uuid = ?', ('theirs', other, row.uuid)
        ),
    )
    import_archive(empty, archive, ImportRequest(comments=mode, import_group=False))
    with use_storage(empty) as storage:
        assert storage.get(CommentRow, row.pk).content == content


def test_labels_that_are_taken_get_a_suffix(empty: Profile) -> None:
    with use_storage(empty) as storage:
        user = next(storage.find(UserRow)).pk
        theirs = everything(REFERENCE)
        group, computer = theirs['group'][0]['label'], theirs['computer'][0]['label']
        storage.insert(
            K.GROUP,
            [{'label': label, 'type_string': 'core', 'user_pk': user} for label in (group, f'{group} (Imported #0)')],
        )
        storage.insert(K.COMPUTER, [{'label': computer}])
    done = import_archive(empty, REFERENCE, PLAIN)
    assert done.relabelled[group] == f'{group} (Imported #1)'
    assert done.relabelled[computer] == f'{computer} (Imported #0)'


def test_a_suffix_makes_no_label_too_long(empty: Profile, tmp_path: Path) -> None:
    longest = 'x' * 255
    archive = changed(
        tmp_path / 'longest.aiida', lambda raw: raw.execute('UPDATE db_dbgroup SET label = ? WHERE id = 1', (longest,))
    )
    with use_storage(empty) as storage:
        user, theirs = next(storage.find(UserRow)).pk, everything(archive)
        (type_string,) = {group['type_string'] for group in theirs['group'] if group['label'] == longest}
        storage.insert(K.GROUP, [{'label': longest, 'type_string': type_string, 'user_pk': user}])
    done = import_archive(empty, archive, PLAIN)
    assert done.relabelled[longest] == 'x' * 241 + ' (Imported #0)'


def test_texts_that_aiida_kept_longer_than_their_column_go_where_they_are_allowed_and_are_named_elsewhere(
    empty: Profile, new_profile: Callable[..., Profile], tmp_path: Path
) -> None:
    def lengthen(raw: sqlite3.Connection) -> None:
        raw.execute('UPDATE db_dbgroup SET label = ? WHERE id = 2', ('x' * 300,))
        raw.execute('UPDATE db_dbuser SET institution = ? WHERE id = 1', ('y' * 1300,))

    archive = changed(tmp_path / 'long.aiida', lengthen)
    if empty.storage_backend == 'core.psql_dos':
        before = everything(empty)
        with pytest.raises(ValidationError, match=r'institution of the user with pk 1 is too long.*: 1,300 characters'):
            import_archive(empty, archive, PLAIN)
        assert everything(empty) == before
        return
    import_archive(empty, archive, PLAIN)
    assert without_me(everything(empty)) == everything(archive)
    again = tmp_path / 'again.aiida'
    create_archive(empty, again, ArchiveRequest(everything=True, authinfos=True))
    other = new_profile(name='other')
    import_archive(other, again, PLAIN)
    assert everything(other) == everything(empty)


def test_a_user_and_a_computer_that_are_there_stay_as_they_are(empty: Profile) -> None:
    theirs = everything(REFERENCE)
    with use_storage(empty) as storage:
        storage.insert(K.USER, [{'email': theirs['user'][0]['email'], 'first_name': 'Other'}])
        storage.insert(K.COMPUTER, [{'uuid': theirs['computer'][0]['uuid'], 'label': 'my name for it'}])
    done = import_archive(empty, REFERENCE, PLAIN)
    assert (done.existing['user'], done.existing['computer']) == (1, 1)
    found = everything(empty)
    assert 'Other' in {user['first_name'] for user in found['user']}
    assert 'my name for it' in {computer['label'] for computer in found['computer']}


def test_a_part_and_then_the_whole_are_the_whole(empty: Profile, reference_home: Path, tmp_path: Path) -> None:
    from ricordi.services.profiles.profiles import find_profile

    whole = everything(REFERENCE)
    created = next(link for link in whole['link'] if link['type'] == 'create')['output_pk']
    part = tmp_path / 'part.aiida'
    request = ArchiveRequest(nodes=(created,), switches={'create_backward': False})
    create_archive(find_profile('loose'), part, request)
    import_archive(empty, part, PLAIN)
    done = import_archive(empty, REFERENCE, PLAIN)
    assert (done.existing['node'], done.new['node']) == (1, 73)
    assert without_me(everything(empty)) == whole


def test_a_dry_run_tells_the_same_and_changes_nothing(empty: Profile) -> None:
    before = everything(empty)
    plan = import_archive(empty, REFERENCE, ImportRequest(), dry_run=True)
    assert everything(empty) == before
    done = import_archive(empty, REFERENCE, ImportRequest())
    assert {**plan.new} == {**done.new}
    assert (plan.objects, plan.content_bytes) == (done.objects, done.content_bytes)
    again = import_archive(empty, REFERENCE, ImportRequest(), dry_run=True)
    assert again.existing['node'] == 74
    assert again.new['link'] == again.objects == 0


# contradictions between archive and profile ------------------------------------------------------------------


def other_link(db: sqlite3.Connection, kind: str, column: str) -> None:
    """Let a link of the archive come from, or lead to, another node of the same type."""
    link, old = db.execute(f'SELECT id, {column} FROM db_dblink WHERE type = ? LIMIT 1', (kind,)).fetchone()
    (new,) = db.execute(
        'SELECT b.id FROM db_dbnode AS a JOIN db_dbnode AS b ON b.node_type = a.node_type AND b.id <> a.id '
        f'WHERE a.id = ? AND b.id NOT IN (SELECT {column} FROM db_dblink WHERE type = ?) LIMIT 1',
        (old, kind),
    ).fetchone() or (None,)
    assert new is not None
    db.execute(f'UPDATE db_dblink SET {column} = ? WHERE id = ?', (new, link))


@pytest.mark.parametrize('kind', ['input_calc', 'input_work'])
def test_another_history_of_a_node_that_is_there_is_refused(empty: Profile, tmp_path: Path, kind: str) -> None:
    import_archive(empty, REFERENCE, PLAIN)
    before = everything(empty)
    archive = changed(tmp_path / 'x.aiida', lambda db: other_link(db, kind, 'input_id'))
    with pytest.raises(UniquenessError, match='different histories'):
        import_archive(empty, archive, PLAIN)
    assert everything(empty) == before


def test_links_that_close_a_circle_with_those_of_the_profile_are_refused(
    empty: Profile, new_profile: Callable[..., Profile], tmp_path: Path
) -> None:
    """Data `a` → calculation `b` → data `c` in the profile; `c` → calculation `d` → data `a` in the archive."""
    archive = tmp_path / 'x.aiida'
    first, second = new_profile(name='first'), new_profile(name='second')
    uuids = {name: f'{name * 8}-aaaa-4aaa-8aaa-{name * 12}' for name in 'abcd'}
    for profile, chain in ((first, 'abc'), (second, 'cda')):
        with use_storage(profile) as storage:
            user = next(storage.find(UserRow)).pk
            rows = [
                {
                    'uuid': uuids[name],
                    'node_type': 'process.calculation.calcfunction.CalcFunctionNode.'
                    if name in 'bd'
                    else 'data.core.int.Int.',
                    'attributes': {'sealed': True} if name in 'bd' else {},
                    'user_pk': user,
                }
                for name in chain
            ]
            one, two, three = storage.insert(K.NODE, rows)
            links = [(one, two, 'input_calc'), (two, three, 'create')]
            storage.insert(
                K.LINK, [{'input_pk': a, 'output_pk': b, 'type': kind, 'label': 'x'} for a, b, kind in links]
            )
        create_archive(profile, archive, ArchiveRequest(everything=True), overwrite=True)
        if profile is first:
            import_archive(empty, archive, PLAIN)
    before = everything(empty)
    with pytest.raises(ValidationError, match='come from itself'):
        import_archive(empty, archive, PLAIN)
    assert everything(empty) == before


# what may happen meanwhile -----------------------------------------------------------------------------------


class StopAt(Progress):
    """Asks for an early end when a step begins."""

    def __init__(self, step: str, stop: Stop) -> None:
        self.step, self.stop = step, stop

    def begin(self, step: str, total: int | None, unit: Any = 'bytes') -> None:
        if step == self.step:
            self.stop.request('SIGTERM')


@pytest.mark.parametrize('step', ['check objects', 'add objects', 'add rows'])
def test_an_interrupted_import_leaves_the_profile_as_it_was_and_the_next_one_ends(empty: Profile, step: str) -> None:
    before, stop = everything(empty), Stop()
    with pytest.raises(Interrupted):
        import_archive(empty, REFERENCE, PLAIN, run=Run(StopAt(step, stop), stop))
    assert everything(empty) == before
    done = import_archive(empty, REFERENCE, PLAIN)
    assert without_me(everything(empty)) == everything(REFERENCE)
    if step == 'add rows':
        assert done.objects == 0, 'the objects of the first try are used'


def test_objects_that_another_program_removes_meanwhile_are_put_back(
    sqlite: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge = archive_merging.ArchiveImport.merge

    def merge_while_garbage_is_removed(self: Any) -> Any:
        self.storage.repository.delete_objects(self.storage.repository.list_objects())
        return merge(self)

    monkeypatch.setattr(archive_merging.ArchiveImport, 'merge', merge_while_garbage_is_removed)
    import_archive(sqlite, REFERENCE, PLAIN)
    assert without_me(everything(sqlite)) == everything(REFERENCE)


def test_while_another_process_packs_objects_become_loose(sqlite: Profile) -> None:
    with use_storage(sqlite) as storage, packer_lock(storage.repository.layout):
        import_archive(sqlite, REFERENCE, PLAIN)
        assert storage.repository.get_info()['loose']['objects'] == 23
    assert without_me(everything(sqlite)) == everything(REFERENCE)


def test_large_objects_are_streamed(sqlite: Profile, every_container_has: Callable[..., None]) -> None:
    every_container_has(large_bytes=1000)
    import_archive(sqlite, REFERENCE, PLAIN)
    assert without_me(everything(sqlite)) == everything(REFERENCE)


def test_nothing_is_imported_into_an_archive(empty_home: Path) -> None:
    get_config(create=True)
    with pytest.raises(ReadOnlyStorage):
        import_archive(archive_profile(REFERENCE), REFERENCE, PLAIN)


def test_without_a_default_user_there_is_no_import_group(sqlite: Profile) -> None:
    sqlite.default_user_email = None
    with use_storage(sqlite) as storage:
        folder = Path(storage.repository.layout.folder).parent
    before = files_in(folder)
    with pytest.raises(ConfigurationError, match='default user'):
        import_archive(sqlite, REFERENCE, ImportRequest())
    assert files_in(folder) == before
    import_archive(sqlite, REFERENCE, PLAIN)
