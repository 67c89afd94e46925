"""`ricordi.tools`: deleting, archives and paths of groups, under AiiDA's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import InvalidOperation, NotExistent, UsageError
from ricordi.manager import get_manager
from ricordi.orm import LinkType
from ricordi.services.profiles.presto import default_name, default_person, presto
from ricordi.tools import GroupPath, create_archive, delete_group_nodes, delete_nodes, import_archive
from ricordi.tools.groups import GroupNotFoundError, InvalidPath, NoGroupsInPathError


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A new profile, loaded."""
    monkeypatch.setenv('AIIDA_PATH', str(tmp_path / '.aiida'))
    get_manager().unload_profile()
    presto(default_name(), default_person())
    get_manager().load_profile()
    yield get_manager().get_profile_storage()
    get_manager().unload_profile()


def calculation() -> tuple[Any, Any, Any]:
    """Input, calculation and result."""
    source, process, result = orm.Int(1).store(), orm.CalcFunctionNode(), orm.Int(2)
    process.base.links.add_incoming(source, LinkType.INPUT_CALC, 'x')
    result.base.links.add_incoming(process.store(), LinkType.CREATE, 'y')
    result.store()
    return source, process.seal(), result


def there(*nodes: Any) -> list[bool]:
    return [orm.Node.collection.count({'uuid': node.uuid}) == 1 for node in nodes]


def test_deleting_takes_along_what_cannot_stay_and_asks_first() -> None:
    source, process, result = calculation()
    everything = {source.pk, process.pk, result.pk}
    assert delete_nodes([source.pk]) == (everything, False)
    told: list[set[int]] = []
    assert delete_nodes([source.pk], dry_run=lambda pks: bool(told.append(pks)) or True) == (everything, False)
    assert told == [everything]
    assert there(source, process, result) == [True] * 3
    assert delete_nodes([process.pk], dry_run=False, create_forward=False) == ({process.pk}, True)
    assert there(source, process, result) == [True, False, True]
    with pytest.raises(UsageError, match='nonsense'):
        delete_nodes([source.pk], nonsense=True)


def test_nodes_that_are_not_there_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    node = orm.Int(1).store()
    assert delete_nodes([node.pk, 4711], dry_run=False) == ({node.pk}, True)
    assert 'no node with pk 4711' in caplog.text
    assert delete_nodes([4711], dry_run=False) == (set(), True)


def test_the_nodes_of_a_group_are_deleted_and_the_group_stays() -> None:
    source, process, result = calculation()
    other = orm.Int(3).store()
    group = orm.Group('g').store()
    group.add_nodes([process, result])
    assert delete_group_nodes([group.pk], dry_run=False) == ({process.pk, result.pk}, True)
    assert there(source, process, result, other) == [True, False, False, True]
    assert group.count() == 0


def test_an_archive_is_made_of_entities_and_imported(storage: Any, tmp_path: Path) -> None:
    source, process, result = calculation()
    alone = orm.Int(3).store()
    group = orm.Group('g').store()
    group.add_nodes(alone)
    path = create_archive([result, group], tmp_path / 'x.aiida')
    assert path == tmp_path / 'x.aiida'
    with pytest.raises(UsageError, match='already'):
        create_archive([result], path)
    delete_nodes([source.pk, alone.pk], dry_run=False)
    assert there(source, process, result, alone) == [False] * 4
    pk = import_archive(path)
    assert there(source, process, result, alone) == [True] * 4
    assert {node.uuid for node in orm.load_group(pk).nodes} == {one.uuid for one in (source, process, result, alone)}
    assert import_archive(path, create_group=False) is None
    assert import_archive(path, group=group) == group.pk


def test_extras_that_an_import_changed_are_seen_by_the_handles_that_are_there(tmp_path: Path) -> None:
    node = orm.Int(1, extras={'a': 1}).store()
    path = create_archive(None, tmp_path / 'x.aiida')
    node.base.extras.set('a', 2)
    import_archive(path, merge_extras=('k', 'c', 'u'))
    assert node.base.extras.get('a') == 1
    with pytest.raises(ValueError, match='merge_extras'):
        import_archive(path, merge_extras=('x', 'y', 'z'))


def test_what_no_archive_is_made_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match='nodes, groups and computers'):
        create_archive([3], tmp_path / 'x.aiida')
    with pytest.raises(UsageError, match='users'):
        create_archive([orm.User.collection.get_default()], tmp_path / 'x.aiida')
    with pytest.raises(ValueError, match='not stored'):
        create_archive([orm.Int(1)], tmp_path / 'x.aiida')
    open_process = orm.CalcFunctionNode().store()
    with pytest.raises(InvalidOperation):
        create_archive([open_process], tmp_path / 'x.aiida')
    assert create_archive([], tmp_path / 'empty.aiida', test_run=True) == tmp_path / 'empty.aiida'
    assert not any((tmp_path / name).exists() for name in ('x.aiida', 'empty.aiida'))


def test_groups_are_walked_as_paths() -> None:
    node = orm.Int(1).store()
    for label in ('a', 'a/b/c', 'a/d_e', 'a/dxe/f', '/bad'):
        orm.Group(label).store().add_nodes(node)
    top = GroupPath()
    assert [child.path for child in top] == ['a']
    assert [place.path for place in top.walk()] == ['a', 'a/b', 'a/b/c', 'a/d_e', 'a/dxe', 'a/dxe/f']
    assert [place.path for place in top.walk(return_virtual=False)] == ['a', 'a/b/c', 'a/d_e', 'a/dxe/f']
    place = top['a'] / 'b'
    assert (place.path, place.path_list, place.key, place.parent, len(place)) == ('a/b', ['a', 'b'], 'b', top['a'], 1)
    assert place.is_virtual
    assert 'c' in place
    group, created = place.get_or_create_group()
    assert (group.label, created, place.get_group(), place.group_ids) == ('a/b', True, group, [group.pk])
    place.delete_group()
    assert place.is_virtual
    found = sorted(found.group_path.path for found in GroupPath('a/d_e').walk_nodes())
    assert found == ['a/d_e']
    assert {found.node.pk for found in top.walk_nodes(node_class=orm.Int)} == {node.pk}
    assert list(top.walk_nodes(filters={'id': -1})) == []


def test_what_is_no_path_or_leads_nowhere_is_told() -> None:
    for path in ('a//b', '/a', 'a/'):
        with pytest.raises(InvalidPath):
            GroupPath(path)
    with pytest.raises(TypeError):
        GroupPath('a', cls=orm.Node)  # type: ignore[arg-type]
    with pytest.raises(NoGroupsInPathError):
        list(GroupPath('nowhere').children)
    with pytest.raises(GroupNotFoundError):
        GroupPath('nowhere').delete_group()
    assert issubclass(GroupNotFoundError, NotExistent)
