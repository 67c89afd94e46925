"""Users, computers, and how the ones reach the others."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import EntityKind
from ricordi.errors import IntegrityError, NotExistent, StoringNotAllowed, UniquenessError, ValidationError


@pytest.fixture
def computer(storage: Any) -> orm.Computer:
    return orm.Computer(
        'clüster', 'login.example.org', 'a machine', 'core.ssh', 'core.slurm', workdir='/scratch/{username}/'
    ).store()


class TestUsers:
    def test_a_user_comes_back(self, storage: Any) -> None:
        user = orm.User('Bob@Example.ORG', 'Bob', 'Ünïcode', 'Lab').store()
        loaded = orm.User.collection.get(email='Bob@example.org')
        assert loaded == user
        assert (loaded.pk, loaded.first_name, loaded.last_name, loaded.institution) == (
            user.pk,
            'Bob',
            'Ünïcode',
            'Lab',
        )
        assert loaded.get_full_name() == 'Bob Ünïcode (Bob@example.org)'
        assert loaded.get_short_name() == str(loaded) == 'Bob@example.org'
        assert not loaded.is_default
        assert loaded.uuid is None

    def test_the_default_user_is_the_profiles(self, storage: Any) -> None:
        user = orm.User.collection.get_default()
        assert user is not None
        assert user.email == 'verdi@opera.net'
        assert user.is_default
        storage.profile.default_user_email = orm.User('other@opera.net').store().email
        assert orm.User.collection.get_default().email == 'other@opera.net'
        assert orm.Int(1).user.email == 'other@opera.net'

    def test_a_change_is_seen_through_the_nodes(self, storage: Any) -> None:
        node = orm.Int(1).store()
        assert node.user.institution == ''
        user = orm.User.collection.get_default()
        user.institution, user.first_name, user.last_name = 'Busseto', 'G.', ''
        assert node.user.institution == 'Busseto'
        assert orm.User.collection.get(pk=user.pk).get_full_name() == 'G. (verdi@opera.net)'

    def test_emails_are_unique(self, storage: Any) -> None:
        with pytest.raises(UniquenessError):
            orm.User('verdi@opera.net').store()

    def test_a_user_is_found_or_made(self, storage: Any) -> None:
        created, user = orm.User.collection.get_or_create('new@opera.net', first_name='New')
        assert created
        assert not user.is_stored
        created, user = orm.User.collection.get_or_create('verdi@OPERA.net')
        assert not created
        assert user.is_default

    def test_who_owns_nodes_is_not_deleted(self, storage: Any) -> None:
        user = orm.User('bob@example.org').store()
        orm.Int(1, user=user).store()
        with pytest.raises(IntegrityError):
            orm.User.collection.delete(user.pk)
        alone = orm.User('alone@example.org').store()
        orm.User.collection.delete(alone.pk)
        with pytest.raises(NotExistent):
            orm.User.collection.get(email='alone@example.org')


class TestComputers:
    def test_a_computer_comes_back(self, computer: Any) -> None:
        loaded = orm.load_computer('clüster')
        assert loaded == computer
        for name in ('uuid', 'label', 'hostname', 'description', 'scheduler_type', 'transport_type', 'metadata'):
            assert getattr(loaded, name) == getattr(computer, name), name
        assert loaded.metadata == {'workdir': '/scratch/{username}/'}
        assert str(loaded) == f'clüster (login.example.org), pk: {computer.pk}'

    def test_settings_have_names_and_defaults(self, computer: Any) -> None:
        assert computer.get_shebang() == '#!/bin/bash'
        assert computer.get_mpirun_command() == ['mpirun', '-np', '{tot_num_mpiprocs}']
        assert computer.get_minimum_job_poll_interval() == 10.0
        assert computer.get_default_mpiprocs_per_machine() is None
        assert computer.get_default_memory_per_machine() is None
        assert not computer.get_use_double_quotes()
        computer.set_shebang('#!/bin/sh')
        computer.set_mpirun_command(('srun',))
        computer.set_minimum_job_poll_interval(5)
        computer.set_default_mpiprocs_per_machine(8)
        computer.set_default_memory_per_machine(1024)
        computer.set_use_double_quotes(True)
        computer.set_prepend_text('module load x')
        computer.set_append_text('sync')
        computer.set_workdir('/work')
        assert orm.load_computer(computer.pk).metadata == {
            'workdir': '/work',
            'shebang': '#!/bin/sh',
            'mpirun_command': ['srun'],
            'minimum_scheduler_poll_interval': 5,
            'default_mpiprocs_per_machine': 8,
            'default_memory_per_machine': 1024,
            'use_double_quotes': True,
            'prepend_text': 'module load x',
            'append_text': 'sync',
        }
        computer.set_default_mpiprocs_per_machine(None)
        assert computer.get_default_mpiprocs_per_machine() is None
        assert (computer.get_prepend_text(), computer.get_append_text()) == ('module load x', 'sync')

    def test_any_property_can_be_kept(self, computer: Any) -> None:
        computer.set_property('mine', (1, 2))
        assert computer.get_property('mine') == [1, 2]
        assert computer.get_property('none', 3) == 3
        computer.delete_property('mine')
        computer.delete_property('mine', raise_exception=False)
        for ask in (lambda: computer.get_property('mine'), lambda: computer.delete_property('mine')):
            with pytest.raises(AttributeError, match="no property 'mine'"):
                ask()
        with pytest.raises(ValidationError, match=r'metadata\["bad"\]: nan'):
            computer.set_property('bad', float('nan'))

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            (lambda computer: setattr(computer, 'label', ' '), 'label of a computer cannot be empty'),
            (lambda computer: setattr(computer, 'hostname', ''), 'hostname of a computer cannot be empty'),
            (lambda computer: setattr(computer, 'transport_type', ''), 'transport of a computer cannot be empty'),
            (lambda computer: setattr(computer, 'scheduler_type', ''), 'scheduler of a computer cannot be empty'),
            (lambda computer: computer.set_workdir('relative'), 'not an absolute path'),
            (lambda computer: computer.set_workdir('/{unknown}'), 'only {username}'),
            (lambda computer: computer.set_default_memory_per_machine(-1), 'positive'),
            (lambda computer: computer.set_shebang('sh'), '#!'),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, sqlite_storage: Any, change: Any, message: str) -> None:
        computer = orm.Computer('c', 'h', transport_type='core.local', scheduler_type='core.direct')
        with pytest.raises(ValidationError, match=message):
            _change_and_store(computer, change)
        assert not computer.is_stored

    def test_labels_are_unique(self, computer: Any) -> None:
        copy = computer.copy()
        assert not copy.is_stored
        assert copy.metadata == computer.metadata
        with pytest.raises(UniquenessError):
            copy.store()
        copy.label = 'other'
        assert copy.store().uuid != computer.uuid
        assert orm.Computer.collection.list_labels() == ['clüster', 'other']

    def test_a_change_is_seen_through_the_nodes(self, computer: Any) -> None:
        node = orm.RemoteData('/x', computer=computer).store()
        assert node.computer.label == 'clüster'
        computer.label = 'renamed'
        computer.set_shebang('#!/bin/sh')
        assert node.computer.label == 'renamed'
        assert node.computer.get_shebang() == '#!/bin/sh'
        assert node.get_computer_pk() == computer.pk

    def test_a_computer_with_nodes_is_not_deleted(self, computer: Any) -> None:
        orm.RemoteData('/x', computer=computer).store()
        with pytest.raises(IntegrityError):
            orm.Computer.collection.delete(computer.pk)

    def test_a_computer_is_found_or_made(self, computer: Any) -> None:
        assert orm.Computer.collection.get_or_create('clüster') == (False, computer)
        created, new = orm.Computer.collection.get_or_create('new', hostname='h')
        assert created
        assert new.hostname == 'h'


class TestAuthInfos:
    def test_a_computer_is_configured_for_a_user(self, computer: Any) -> None:
        user = orm.User.collection.get_default()
        bob = orm.User('bob@example.org').store()
        assert not computer.is_configured
        assert computer.get_configuration() == {}
        assert not computer.is_user_enabled(user)
        authinfo = computer.configure(username='g.verdi', port=22)
        assert computer.configure(port=2222) == authinfo
        assert computer.get_configuration() == {'username': 'g.verdi', 'port': 2222}
        assert computer.is_configured
        assert computer.is_user_configured(user)
        assert computer.is_user_enabled(user)
        assert not computer.is_user_configured(bob)
        assert computer.configure(bob) != authinfo
        with pytest.raises(NotExistent, match=r'clüster is not configured for other'):
            computer.get_authinfo(orm.User('other@x').store())

    def test_an_authinfo_comes_back(self, computer: Any) -> None:
        user = orm.User.collection.get_default()
        with pytest.raises(StoringNotAllowed):
            orm.AuthInfo(orm.Computer('x', 'h'), user)
        authinfo = orm.AuthInfo(computer, user, False, {'key': ['a']}, {'note': 'b'}).store()
        loaded = orm.AuthInfo.collection.get(pk=authinfo.pk)
        assert loaded == authinfo == orm.AuthInfo.collection.get(dbcomputer_id=computer.pk, aiidauser_id=user.pk)
        assert (loaded.computer, loaded.user, loaded.enabled) == (computer, user, False)
        assert loaded.auth_params == loaded.get_auth_params() == {'key': ['a']}
        assert loaded.metadata == loaded.get_metadata() == {'note': 'b'}
        assert str(loaded) == 'AuthInfo for verdi@opera.net on clüster [DISABLED]'
        loaded.enabled = True
        loaded.set_auth_params({})
        assert loaded.get_workdir() == '/scratch/{username}/'
        loaded.set_metadata({'workdir': '/mine'})
        assert computer.get_authinfo(user).get_workdir() == '/mine'
        assert computer.get_authinfo(user).enabled
        with pytest.raises(UniquenessError):
            orm.AuthInfo(computer, user).store()
        orm.AuthInfo.collection.delete(authinfo.pk)
        assert not computer.is_configured


def _change_and_store(computer: orm.Computer, change: Any) -> None:
    change(computer)
    computer.store()


def test_a_setting_that_aiida_has_let_through_keeps_nothing_else_from_being_changed(storage: Any) -> None:
    odd = {'shebang': 'sh', 'default_mpiprocs_per_machine': 0, 'workdir': 'relative'}
    row = {'label': 'odd', 'hostname': 'h', 'transport_type': 'core.nonsense', 'scheduler_type': 'x', 'metadata': odd}
    storage.insert(EntityKind.COMPUTER, [row])
    computer = orm.load_computer('odd')
    computer.set_prepend_text('module load x')
    computer.metadata = {**odd, 'append_text': 'sync'}
    computer.description = 'as it came'
    computer.label = 'even'
    loaded = orm.load_computer('even')
    assert (loaded.metadata, loaded.description) == ({**odd, 'append_text': 'sync'}, 'as it came')
    with pytest.raises(ValidationError, match='#!'):
        computer.metadata = {**odd, 'shebang': 'bash'}
    loaded.transport_type, loaded.scheduler_type, loaded.metadata = 'core.local', 'core.direct', {}
    assert loaded.copy().row.transport_type == 'core.local'


@pytest.mark.parametrize('text', ['a\x00b', '\udcff', "x' OR '1'='1", '%', '9' * 5000, '½', '١'])
def test_any_text_may_be_asked_for_and_names_nothing(storage: Any, text: str) -> None:
    for load in (orm.load_node, orm.load_group, orm.load_computer, orm.load_code):
        for how in ({'identifier': text}, {'identifier': f'{text}!'}, {'uuid': text}, {'label': text}):
            with pytest.raises(NotExistent):
                load(**how)
    for kind in (orm.User, orm.Log, orm.Comment, orm.AuthInfo):
        with pytest.raises(NotExistent):
            orm.load_entity(kind, text)
