"""What scripts written for AiiDA catch and call: exceptions, types of arguments, old names, what can only be read."""

# ruff: noqa: PT030, PT031 - each of several old names warns, in words of its own

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import IntegrityError, InvalidOperation, NotExistent, OnlyRead, StillInUse, ValidationError
from ricordi.orm import JobState, LinkType, ProcessState, StashMode
from ricordi.orm.aiida_places import ENUMS

THEN = datetime(2020, 1, 1, tzinfo=UTC)


def computer(label: str = 'c') -> Any:
    return orm.Computer(label, 'h', transport_type='core.local', scheduler_type='core.direct', workdir='/').store()


def user() -> Any:
    return orm.User.collection.get_default()


DUPLICATES: dict[str, Callable[[], Any]] = {
    'user': lambda: orm.User(user().email).store(),
    'email': lambda: setattr(orm.User('a@b.c').store(), 'email', user().email),
    'computer': lambda: (computer(), computer()),
    'label of a computer': lambda: (computer(), setattr(computer('d'), 'label', 'c')),
    'group': lambda: (orm.Group('g').store(), orm.Group('g').store()),
    'label of a group': lambda: (orm.Group('g').store(), setattr(orm.Group('h').store(), 'label', 'g')),
    'authinfo': lambda: [orm.AuthInfo(one, user()).store() for one in [computer()] * 2],
    'uuid': lambda: [_with_uuid(orm.Int(1)).store() for _ in range(2)],
}


def _with_uuid(node: Any) -> Any:
    node.row.uuid = 'abcdef01-2345-4678-9abc-def012345678'
    return node


@pytest.mark.parametrize('kind', DUPLICATES)
def test_every_duplicate_is_an_integrity_error(storage: Any, kind: str) -> None:
    with pytest.raises(IntegrityError):
        DUPLICATES[kind]()


def test_what_is_in_use_is_not_deleted(storage: Any) -> None:
    one = computer()
    orm.RemoteData('/x', computer=one).store()
    for delete in (
        lambda: orm.Computer.collection.delete(one.pk),
        lambda: orm.Computer.collection.delete_many({'label': 'c'}),
        lambda: orm.User.collection.delete(user().pk),
    ):
        with pytest.raises(InvalidOperation, match='delete its nodes') as caught:
            delete()
        assert isinstance(caught.value, IntegrityError | StillInUse)
    assert one.refresh().label == 'c'


@pytest.mark.parametrize('load', [orm.load_node, orm.load_group, orm.load_computer, orm.load_code])
def test_what_can_be_no_uuid_is_in_no_storage(sqlite_storage: Any, load: Any) -> None:
    for uuid in ('xyz', 'a' * 40, '4b5b4d1e-0000-0000-0000-000000000000', '%'):
        with pytest.raises(NotExistent):
            load(uuid=uuid)
    for collection in (orm.Node.collection, orm.Group.collection, orm.Computer.collection):
        with pytest.raises(NotExistent):
            collection.get(uuid='xyz')
    for wrong in ({'pk': 'x'}, {'pk': 1.5}, {'uuid': 3}, {'label': 3}):
        with pytest.raises(TypeError):
            load(**wrong)
    with pytest.raises(NotExistent):
        load(pk=10**30)


WRONG: list[Callable[[], Any]] = [
    lambda: orm.Int(1, user=3),
    lambda: orm.Int(1, computer='c'),
    lambda: orm.Int(1, label=3),
    lambda: orm.Int(1, description=3),
    lambda: orm.Int(1, ctime='2020-01-01'),
    lambda: setattr(orm.Int(1), 'user', 3),
    lambda: setattr(orm.Int(1), 'computer', 3),
    lambda: orm.Group('g', user=3),
    lambda: orm.Group('g', time=3),
    lambda: orm.Group(3),
    lambda: orm.Group('g').store().add_nodes(3),
    lambda: orm.Group('g').store().add_nodes('text'),
    lambda: orm.User(None),
    lambda: orm.User(3),
    lambda: orm.AuthInfo(3, user()),
    lambda: orm.AuthInfo(computer(), 3),
    lambda: orm.Comment(3, user()),
    lambda: orm.Comment(orm.Int(1).store(), 3),
    lambda: orm.Log(3, 'l', 'ERROR', orm.Int(1).store().pk),
    lambda: orm.Dict(3),
    lambda: orm.Dict([1]),
    lambda: orm.Dict('x'),
    lambda: orm.List(3),
    lambda: orm.SinglefileData(3),
    lambda: orm.InstalledCode(3, '/x'),
    lambda: orm.InstalledCode(computer(), 3),
    lambda: orm.InstalledCode(computer(), '/x', append_text=3),
    lambda: orm.InstalledCode(computer(), '/x', with_mpi=3),
    lambda: orm.EnumData(3),
]


@pytest.mark.parametrize('number', range(len(WRONG)))
def test_a_value_of_the_wrong_type_is_a_type_error(sqlite_storage: Any, number: int) -> None:
    with pytest.raises(TypeError, match=r'\w+ .*'):
        WRONG[number]()


def test_no_description_is_an_empty_one(storage: Any) -> None:
    made = [
        orm.Int(1, label=None, description=None).store(),
        orm.Group('g', description=None).store(),
        orm.Computer('c', 'h', None, 'core.local', 'core.direct', workdir='/').store(),
    ]
    for one in made:
        assert one.description == one.refresh().description == ''
        one.description = 'x'
        one.description = None
        assert one.refresh().description == ''
    assert orm.User('a@b.c', first_name=None).store().refresh().first_name == ''


def test_the_time_of_creation_can_be_given(storage: Any) -> None:
    assert orm.Data(ctime=THEN).store().refresh().ctime == THEN
    assert orm.Int(1, ctime=THEN.replace(tzinfo=None)).ctime == THEN.replace(tzinfo=None).astimezone(UTC)
    node = orm.Dict({}, ctime=THEN, mtime=THEN)
    assert node.mtime == THEN
    assert node.store().mtime > THEN


def test_enums_are_stored_where_aiida_has_them_and_come_back_as_ours(storage: Any) -> None:
    for member in (LinkType.CREATE, ProcessState.KILLED, JobState.DONE, StashMode.COPY):
        node = orm.load_node(orm.EnumData(member).store().pk)
        assert node.get_member() is member
        assert node == member
        assert not node.identifier.startswith('ricordi')
    assert orm.EnumData(orm.FileType.FILE).identifier in ENUMS.values()


def test_types_that_can_only_be_read_say_so(sqlite_storage: Any) -> None:
    for cls in (orm.StructureData, orm.KpointsData, orm.BandsData, orm.CifData, orm.UpfData, orm.OrbitalData):
        with pytest.raises(OnlyRead, match=f'{cls.__name__} can only be read'):
            cls(cell=[[1, 0, 0], [0, 1, 0], [0, 0, 1]])


def test_a_type_string_of_a_family_is_its_base_class() -> None:
    for text, cls in {
        'process.': orm.ProcessNode,
        'process.calculation.': orm.CalculationNode,
        'data.': orm.Data,
        '': orm.Node,
    }.items():
        assert orm.load_node_class(text) is cls


class TestOldNamesOfCodes:
    def test_a_code_on_a_computer_is_made_and_read_the_old_way(self, storage: Any) -> None:
        one = computer()
        with pytest.warns(DeprecationWarning, match='InstalledCode'):
            code = orm.Code(remote_computer_exec=(one, '/bin/x'), input_plugin_name='core.add', label='old').store()
        assert code.full_label == 'old@c'
        with pytest.warns(DeprecationWarning, match='is old'):
            assert code.get_execname() == code.get_remote_exec_path() == '/bin/x'
            assert (code.is_local(), code.get_remote_computer(), code.can_run_on(one)) == (False, one, True)
            assert (code.get_input_plugin_name(), code.get_prepend_text(), code.get_append_text()) == (
                'core.add',
                '',
                '',
            )
            assert orm.Code.get_from_string('old@c') == orm.Code.get(label='old', machinename='c') == code
            assert orm.Code.get(pk=code.pk) == orm.Code.get_code_helper('old') == code
            assert orm.Code.list_for_plugin('core.add') == ['old']
            code.hide()
            assert code.hidden
            code.reveal()
            code.relabel('new@c')
        assert (code.label, code.is_hidden) == ('new', False)

    def test_a_code_with_files_is_made_and_read_the_old_way(self, storage: Any, tmp_path: Path) -> None:
        (tmp_path / 'run.sh').write_text('#!/bin/sh\n')
        with pytest.warns(DeprecationWarning, match='PortableCode'):
            code = orm.Code(local_executable='run.sh', files=[str(tmp_path / 'run.sh')]).store()
            assert code.get_local_executable() == code.get_execname() == 'run.sh'
            assert code.is_local()
            with pytest.raises(ValueError, match='local'):
                code.get_remote_computer()
            with pytest.raises(ValidationError, match='not among the files'):
                orm.Code(local_executable='other', files=[str(tmp_path / 'run.sh')]).store()

    def test_new_codes_answer_to_old_names_and_do_not_warn_when_they_are_made(self, storage: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            code = orm.InstalledCode(computer(), '/bin/x', label='new', prepend_text='a').store()
        with pytest.warns(DeprecationWarning):
            assert (code.get_execname(), code.get_prepend_text(), code.get_use_double_quotes()) == (
                '/bin/x',
                'a',
                False,
            )

    def test_what_makes_no_sense_is_refused(self, sqlite_storage: Any) -> None:
        one = computer()
        with pytest.warns(DeprecationWarning):
            for wrong in (3, (one, 'relative'), (one,)):
                with pytest.raises(ValueError, match=r'remote_computer_exec|absolute'):
                    orm.Code(remote_computer_exec=wrong)
            with pytest.raises(ValueError, match='contradict'):
                orm.Code(remote_computer_exec=(one, '/x'), local_executable='x')
            with pytest.raises(ValidationError, match='neither'):
                orm.Code().store()
            with pytest.raises(TypeError):
                orm.Code(remote_computer_exec=(3, '/x'))
