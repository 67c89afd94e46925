"""The command line and the library give the same answer to the same name of a group, a computer or a user."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.config import load_config
from ricordi.errors import MultipleObjectsError, WrongValue
from ricordi.manager import use_storage
from ricordi.services.archive.create import ArchiveRequest, select
from ricordi.services.dump.request import DumpRequest, chosen_groups, process_filter
from ricordi.services.groups.groups import find_or_create_group

Run = Callable[..., subprocess.CompletedProcess[str]]
UUIDS = ('abcdef01-2345-4678-9abc-def012345678', 'fedcba98-2345-4678-9abc-def012345678')


@pytest.fixture
def names(reference_home: Path) -> dict[str, str]:
    """Names by what they are: of a group and a computer `alpha`, and of those labelled with its pk or uuid."""
    with opened() as storage:
        (user,) = orm.QueryBuilder(storage).append(orm.User, filters={'email': 'alice@example.org'}).first()
        group, computer = orm.Group('alpha', user, backend=storage), computer_of(storage, 'alpha')
        group.row.uuid, computer.row.uuid = UUIDS
        for one in (group.store(), computer.store()):
            for label in (str(one.pk), one.uuid[:6]):
                made = orm.Group(label, user, backend=storage) if one is group else computer_of(storage, label)
                made.store()
        (node,) = orm.QueryBuilder(storage).append(orm.Int).first()
        for found in orm.QueryBuilder(storage).append(orm.Group).all(flat=True):
            found.clear() if found.label == 'alpha' else found.add_nodes(node)
        return {
            kind: ' '.join((str(one.pk), f'{one.pk}!', one.uuid[:6], f'{one.uuid[:6]}!', one.uuid.upper(), 'alpha!'))
            for kind, one in (('group', group), ('computer', computer))
        }


def opened() -> Any:
    return use_storage(load_config().get_profile('mixed'), purpose='test')


def computer_of(storage: Any, label: str) -> orm.Computer:
    return orm.Computer(label, 'h', transport_type='core.local', scheduler_type='core.direct', backend=storage)


def told(run: Run, *words: object) -> Any:
    done = run('-p', 'mixed', *words, '--format', 'json')
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def groups_told(run: Run, name: str) -> Iterator[int]:
    """The pk of the group that each way to name one leads to."""
    yield told(run, 'group', 'show', name)['pk']
    yield told(run, 'group', 'description', name)['pk']
    yield told(run, 'group', 'delete', '--dry-run', name)['groups'][0]['pk']
    with opened() as storage:
        yield orm.load_group(name, backend=storage).pk or 0
        yield orm.load_entity(orm.Group, name, backend=storage).pk or 0
        yield from select(storage, ArchiveRequest(groups=(name,))).groups
        yield from (row.pk or 0 for row in chosen_groups(storage, DumpRequest(groups=(name,))))
        yield find_or_create_group(storage, name).pk or 0


def test_a_group_is_the_same_for_every_verb_and_the_library(run_here: Run, names: dict[str, str]) -> None:
    found = {name: set(groups_told(run_here, name)) for name in names['group'].split()}
    assert all(len(pks) == 1 for pks in found.values()), found
    pk, by_mark, start, start_by_mark, uuid, label = (pks.pop() for pks in found.values())
    assert pk == start == uuid == label == int(names['group'].split()[0])
    assert len({pk, by_mark, start_by_mark}) == 3


def test_a_list_by_group_is_of_the_group_that_is_named(run_here: Run, names: dict[str, str]) -> None:
    pk, marked = names['group'].split()[:2]
    assert told(run_here, 'node', 'list', '-G', pk) == []
    assert len(told(run_here, 'node', 'list', '-G', marked)) == 1


def computers_told(run: Run, name: str) -> Iterator[int]:
    """The pk of the computer that each way to name one leads to."""
    yield told(run, 'computer', 'show', name)['pk']
    with opened() as storage:
        yield orm.load_computer(name, backend=storage).pk or 0
        yield from select(storage, ArchiveRequest(computers=(name,))).computers
        yield from process_filter(storage, DumpRequest(computers=(name,))).computers


def test_a_computer_is_the_same_for_every_verb_and_the_library(run_here: Run, names: dict[str, str]) -> None:
    found = {name: set(computers_told(run_here, name)) for name in names['computer'].split()}
    assert all(len(pks) == 1 for pks in found.values()), found
    pk, by_mark, start, start_by_mark, uuid, label = (pks.pop() for pks in found.values())
    assert pk == start == uuid == label == int(names['computer'].split()[0])
    assert len({pk, by_mark, start_by_mark}) == 3


def test_completion_offers_labels_so_that_they_are_read_as_labels(run_here: Run, names: dict[str, str]) -> None:
    for kind in ('group', 'computer'):
        _, marked, _, start, _, _ = names[kind].split()
        offered = run_here('_names', kind, '', 'mixed').stdout.split()
        assert {marked, start, 'alpha'} <= set(offered)


def test_a_group_of_several_types_is_refused_with_those_that_may_be_meant(run_here: Run, reference_home: Path) -> None:
    with opened() as storage:
        (user,) = orm.QueryBuilder(storage).append(orm.User).first()
        pks = [cls('twice', user, backend=storage).store().pk for cls in (orm.Group, orm.AutoGroup)]
        with pytest.raises(MultipleObjectsError) as library:
            orm.load_group('twice', backend=storage)
    done = run_here('-p', 'mixed', 'group', 'delete', '-y', 'twice')
    for said in (str(library.value), done.stderr):
        assert all(f'pk {pk} of type core' in said for pk in pks), said
    assert done.returncode == 1
    assert run_here('-p', 'mixed', 'group', 'show', pks[0]).returncode == 0


def test_a_group_to_be_filled_is_the_one_that_is_named_or_a_new_one(run_here: Run, names: dict[str, str]) -> None:
    pk, marked = names['group'].split()[:2]
    assert run_here('-p', 'mixed', 'group', 'copy', '-y', 'numbers', pk).returncode == 0
    assert len(told(run_here, 'group', 'show', pk)['nodes']) == 3
    assert len(told(run_here, 'group', 'show', marked)['nodes']) == 1
    assert "group '99999'" in run_here('-p', 'mixed', 'group', 'copy', '-y', 'numbers', '99999!').stderr
    assert told(run_here, 'group', 'show', '99999')['label'] == '99999'


def test_a_user_is_found_whatever_the_case_of_the_domain(run_here: Run, reference_home: Path) -> None:
    assert told(run_here, 'node', 'list', '-u', 'bob@EXAMPLE.org') == told(
        run_here, 'node', 'list', '-u', 'bob@example.org'
    )
    with opened() as storage:
        assert orm.load_entity(orm.User, 'bob@EXAMPLE.org', backend=storage).email == 'bob@example.org'
    assert run_here('-p', 'mixed', 'user', 'set-default', 'bob@EXAMPLE.org').returncode == 0
    assert load_config().get_profile('mixed').default_user_email == 'bob@example.org'


def test_the_library_refuses_what_the_verbs_refuse(reference_home: Path) -> None:
    with opened() as storage:
        (user,) = orm.QueryBuilder(storage).append(orm.User).first()
        group = orm.Group('alpha', user, backend=storage).store()
        computer = computer_of(storage, 'alpha').store()
        refused: list[Callable[[], Any]] = [
            lambda: orm.Group(' ', user, backend=storage),
            lambda: orm.Group('a\nb', user, backend=storage),
            lambda: setattr(group, 'label', 'a\nb'),
            lambda: orm.Group.get_collection(storage).get_or_create('a\nb'),
            lambda: setattr(computer, 'label', ' '),
            lambda: setattr(computer, 'hostname', ' '),
            lambda: setattr(computer, 'transport_type', 'core.nonsense'),
            lambda: setattr(computer, 'scheduler_type', 'core.nonsense'),
            lambda: computer.set_workdir('relative'),
            lambda: computer.set_mpirun_command(['srun', '{nodes}']),
            lambda: setattr(computer, 'metadata', {'shebang': 'sh'}),
            lambda: setattr(computer, 'metadata', None),
            lambda: orm.Computer('new', 'h', '', 'core.local', 'core.direct', metadata=[1], backend=storage).store(),
            lambda: orm.Computer('new', 'h', '', 'core.nonsense', 'core.direct', backend=storage).store(),
            lambda: orm.User('not an address', backend=storage),
            lambda: setattr(user, 'email', 'not an address'),
        ]
        for attempt in refused:
            with pytest.raises(WrongValue):
                attempt()
        assert orm.load_group(group.pk, backend=storage).label == 'alpha'
        stored = orm.load_computer(computer.pk, backend=storage).row
        assert (stored.label, stored.hostname, stored.transport_type) == ('alpha', 'h', 'core.local')
        assert stored.metadata == {}
