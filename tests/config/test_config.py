"""Finding, reading, refusing and storing `config.json`."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from ricordi.config import Config, Profile, get_config_folder, hide_secrets, load_config
from ricordi.errors import (
    ConfigurationError,
    ConfigurationVersionError,
    MissingConfigurationError,
    ProfileConfigurationError,
)

PASSWORD = 'correct-horse-battery'


def content_of(home: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((home / 'config.json').read_text(encoding='utf-8'))
    return content


def rewrite(home: Path, change: Any) -> None:
    content = content_of(home)
    change(content)
    (home / 'config.json').write_text(json.dumps(content), encoding='utf-8')


@pytest.fixture
def postgres_profile() -> Profile:
    """A profile with passwords in it."""
    return Profile(
        'main',
        {
            'storage': {'backend': 'core.psql_dos', 'config': {'database_password': PASSWORD, 'database_port': 5432}},
            'process_control': {'backend': 'core.rabbitmq', 'config': {'broker_password': PASSWORD}},
        },
    )


# where it is -----------------------------------------------------------------------------------------------


def test_the_first_existing_folder_of_the_path_variable_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('second', 'third'):
        (tmp_path / name / '.aiida').mkdir(parents=True)
    monkeypatch.setenv('AIIDA_PATH', f'{tmp_path}/first:{tmp_path}/second:{tmp_path}/third')
    assert get_config_folder() == tmp_path / 'second' / '.aiida'


def test_a_folder_named_aiida_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AIIDA_PATH', f'{tmp_path}/x/.aiida')
    assert get_config_folder() == tmp_path / 'x' / '.aiida'


def test_the_last_folder_is_used_if_none_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AIIDA_PATH', f'{tmp_path}/first::{tmp_path}/last:')
    assert get_config_folder() == tmp_path / 'last' / '.aiida'


def test_without_the_variable_it_is_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('AIIDA_PATH', raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert get_config_folder() == tmp_path / '.aiida'


# reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('version', [9, 10])
def test_versions_9_and_10_are_read_as_they_are(reference_home: Path, version: int) -> None:
    rewrite(reference_home, lambda c: c.update(CONFIG_VERSION={'CURRENT': version, 'OLDEST_COMPATIBLE': version}))
    config = load_config()
    assert config.version == version
    assert config.profile_names == ['loose', 'mixed', 'aborted_before_commit', 'aborted_after_remove', 'archive']
    assert config.get_profile().name == config.default_profile_name == 'loose'
    assert config.get_profile('mixed').storage_backend == 'core.sqlite_dos'


def test_a_newer_version_is_read_while_it_is_declared_compatible(reference_home: Path) -> None:
    rewrite(reference_home, lambda c: c.update(CONFIG_VERSION={'CURRENT': 12, 'OLDEST_COMPATIBLE': 10}))
    config = load_config()
    config.set_default_profile('mixed', overwrite=True).store()
    assert content_of(reference_home)['CONFIG_VERSION'] == {'CURRENT': 12, 'OLDEST_COMPATIBLE': 10}


@pytest.mark.parametrize(
    ('version', 'hint'),
    [
        ({'CURRENT': 8, 'OLDEST_COMPATIBLE': 8}, 'verdi profile list'),
        ({'CURRENT': 12, 'OLDEST_COMPATIBLE': 11}, 'newer ricordi'),
        ({}, 'verdi profile list'),
    ],
)
def test_versions_that_cannot_be_read_are_refused_with_a_way_out(
    reference_home: Path, version: dict[str, int], hint: str
) -> None:
    rewrite(reference_home, lambda c: c.update(CONFIG_VERSION=version))
    with pytest.raises(ConfigurationVersionError, match=hint) as caught:
        load_config()
    assert str(reference_home / 'config.json') in str(caught.value)


def test_a_missing_file_says_where_it_was_looked_for(empty_home: Path) -> None:
    with pytest.raises(MissingConfigurationError, match='AIIDA_PATH') as caught:
        load_config()
    assert str(empty_home / 'config.json') in str(caught.value)
    assert not empty_home.exists()


def test_what_is_not_json_is_refused_with_line_and_column(reference_home: Path) -> None:
    (reference_home / 'config.json').write_text('{\n  "profiles": {,}\n}')
    with pytest.raises(ConfigurationError, match='line 2, column 16'):
        load_config()


def test_a_number_that_no_configuration_holds_is_refused(reference_home: Path) -> None:
    (reference_home / 'config.json').write_text('{"x": ' + '9' * 5000 + '}')
    with pytest.raises(ConfigurationError, match='too many digits'):
        load_config()


def test_what_is_not_json_names_the_last_copy_that_aiida_made(reference_home: Path) -> None:
    (reference_home / 'config.json').write_bytes(b'\xff\xfe\x00{')
    for stamp in ('20240101-000000.000001', '20240301-000000.000001'):
        (reference_home / f'config.json.{stamp}').write_text('{}')
    with pytest.raises(ConfigurationError, match='20240301'):
        load_config()


@pytest.mark.parametrize(
    ('change', 'place'),
    [
        (lambda c: c.update(profiles=[]), r'\$\.profiles must be an object, not a list'),
        (lambda c: c.update(options=3), r'\$\.options'),
        (lambda c: c.update(default_profile=['loose']), r'\$\.default_profile'),
        (lambda c: c.update(CONFIG_VERSION=9), r'\$\.CONFIG_VERSION'),
        (lambda c: c['CONFIG_VERSION'].update(CURRENT='9'), r'\$\.CONFIG_VERSION\.CURRENT'),
        (lambda c: c['profiles'].update(mixed=None), r'\$\.profiles\.mixed'),
        (lambda c: c['profiles']['mixed'].pop('storage'), r'\$\.profiles\.mixed\.storage is missing'),
        (lambda c: c['profiles']['mixed']['storage'].update(backend=1), r'\$\.profiles\.mixed\.storage\.backend'),
        (lambda c: c['profiles']['mixed']['storage'].pop('config'), r'\$\.profiles\.mixed\.storage\.config'),
        (lambda c: c['profiles']['mixed'].update(test_profile='no'), r'\$\.profiles\.mixed\.test_profile'),
        (lambda c: c['profiles'].update({'../evil': c['profiles']['mixed']}), r'\.\./evil'),
    ],
)
def test_a_wrong_shape_is_refused_with_the_place(reference_home: Path, change: Any, place: str) -> None:
    rewrite(reference_home, change)
    with pytest.raises(ConfigurationError, match=place):
        load_config()


def test_a_file_that_holds_no_object_is_refused(reference_home: Path) -> None:
    (reference_home / 'config.json').write_text('[]')
    with pytest.raises(ConfigurationError, match=r'\$ must be an object, not a list'):
        load_config()


def test_profiles_that_do_not_exist_are_named_with_those_that_do(reference_home: Path) -> None:
    with pytest.raises(ProfileConfigurationError, match=r"'nix'.*loose, mixed"):
        load_config().get_profile('nix')
    rewrite(reference_home, lambda c: c.pop('default_profile'))
    with pytest.raises(ProfileConfigurationError, match='no default profile'):
        load_config().get_profile()
    rewrite(reference_home, lambda c: c.update(default_profile='gone'))
    with pytest.raises(ProfileConfigurationError, match="default profile 'gone'"):
        load_config().get_profile()


# profile names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['', '.', '..', 'a/b', '../x', '/abs', 'a\\b', 'nul\0', 'new\nline', 'x' * 201, ' x'])
def test_names_that_would_make_a_path_are_refused(reference_home: Path, name: str) -> None:
    with pytest.raises(ProfileConfigurationError):
        load_config().create_profile(name, 'core.sqlite_dos', {})


@pytest.mark.parametrize('name', ['main', 'Größe', 'a.b', '-x', 'with blank', '日本'])
def test_other_names_are_accepted(reference_home: Path, name: str) -> None:
    load_config().create_profile(name, 'core.sqlite_dos', {}).copy()


# storing ---------------------------------------------------------------------------------------------------


def test_a_new_file_has_version_9_and_is_for_the_owner_only(empty_home: Path) -> None:
    config = load_config(create=True)
    config.create_profile('new', 'core.sqlite_dos', {'filepath': '/x'})
    config.set_default_profile('new').store()
    content = content_of(empty_home)
    assert content['CONFIG_VERSION'] == {'CURRENT': 10, 'OLDEST_COMPATIBLE': 10}
    assert content['profiles']['new']['process_control'] == {'backend': None, 'config': None}
    assert stat.S_IMODE((empty_home / 'config.json').stat().st_mode) == 0o600
    assert stat.S_IMODE(empty_home.stat().st_mode) == 0o700
    assert (empty_home / 'access').is_dir()
    assert load_config().get_profile().storage_config == {'filepath': '/x'}


def test_unknown_keys_come_back_out_at_every_level(reference_home: Path) -> None:
    def add(content: Any) -> None:
        content['ünknown'] = [1, 1.5, True, None, {'deep': 'ä\ud800'}]
        content['CONFIG_VERSION']['EXTRA'] = 1
        content['profiles']['mixed']['extra'] = {'a': []}
        content['profiles']['mixed']['storage']['extra'] = 'x'
        content['profiles']['mixed']['storage']['config']['extra'] = 'y'
        content['options']['some.unknown.option'] = 'z'

    rewrite(reference_home, add)
    before = content_of(reference_home)
    load_config().set_default_profile('mixed', overwrite=True).store()
    assert content_of(reference_home) == {**before, 'default_profile': 'mixed'}
    assert list(content_of(reference_home)) == list(before)


def test_nothing_is_written_when_nothing_has_changed(reference_home: Path) -> None:
    before = (reference_home / 'config.json').stat().st_ino
    load_config().store()
    assert (reference_home / 'config.json').stat().st_ino == before


def test_a_file_open_to_others_is_closed_when_it_is_stored(reference_home: Path) -> None:
    (reference_home / 'config.json').chmod(0o644)
    load_config().store()
    assert stat.S_IMODE((reference_home / 'config.json').stat().st_mode) == 0o600


def test_a_symbolic_link_stays_one(reference_home: Path, tmp_path: Path) -> None:
    real = tmp_path / 'dotfiles.json'
    (reference_home / 'config.json').rename(real)
    (reference_home / 'config.json').symlink_to(real)
    load_config().set_default_profile('mixed', overwrite=True).store()
    assert (reference_home / 'config.json').is_symlink()
    assert json.loads(real.read_text())['default_profile'] == 'mixed'


def test_profile_objects_see_what_was_merged_from_the_disk(reference_home: Path) -> None:
    config = load_config()
    mixed = config.get_profile('mixed')
    other = load_config()
    other.get_profile('mixed').default_user_email = 'new@example.org'
    other.store()
    config.set_default_profile('mixed', overwrite=True).store()
    assert mixed.default_user_email == 'new@example.org'
    assert config.get_profile('mixed') is mixed


def test_a_removed_profile_is_gone_and_is_no_default_any_more(reference_home: Path) -> None:
    load_config().remove_profile('loose').store()
    assert 'loose' not in content_of(reference_home)['profiles']
    assert load_config().default_profile_name is None


# options ---------------------------------------------------------------------------------------------------


def test_options_have_defaults_scopes_and_types(reference_home: Path) -> None:
    config = load_config()
    assert config.get_option('daemon.timeout') == 2
    assert config.get_option('daemon.timeout', default=False) is None
    assert config.set_option('daemon.timeout', '7', scope='mixed') == 7
    assert config.get_option('daemon.timeout', scope='mixed') == 7
    assert config.get_option('daemon.timeout') == 2
    config.set_option('daemon.timeout', 9, scope='mixed', override=False)
    assert config.get_options('mixed')['daemon.timeout'][1:] == ('profile', 7)
    assert config.get_options()['warnings.showdeprecations'][1:] == ('global', False)
    config.unset_option('daemon.timeout', scope='mixed')
    assert config.get_options('mixed')['daemon.timeout'][1:] == ('default', 2)


def test_reading_options_changes_nothing(reference_home: Path) -> None:
    rewrite(reference_home, lambda c: [p.pop('options') for p in c['profiles'].values()])
    before = content_of(reference_home)
    config = load_config()
    config.get_options('mixed')
    config.get_profile('mixed').get_option('daemon.timeout')
    config.store()
    assert content_of(reference_home) == before


@pytest.mark.parametrize(
    ('name', 'value'),
    [('daemon.timeout', 'soon'), ('warnings.showdeprecations', 'maybe'), ('logging.aiida_loglevel', 'LOUD')],
)
def test_values_of_the_wrong_type_are_refused(reference_home: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_config().set_option(name, value)


def test_unknown_options_are_refused(reference_home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'no\.such'):
        load_config().get_option('no.such')


@pytest.mark.parametrize(('version', 'stored'), [(9, 'rmq.task_timeout'), (10, 'broker.task_timeout')])
def test_renamed_options_are_stored_under_the_name_of_the_version(
    reference_home: Path, version: int, stored: str
) -> None:
    rewrite(reference_home, lambda c: c.update(CONFIG_VERSION={'CURRENT': version, 'OLDEST_COMPATIBLE': version}))
    config = load_config()
    config.set_option('broker.task_timeout', 33)
    config.store()
    assert content_of(reference_home)['options'][stored] == 33
    assert load_config().get_option('broker.task_timeout') == load_config().get_option('rmq.task_timeout') == 33


# secrets ---------------------------------------------------------------------------------------------------


def test_passwords_are_in_no_representation(postgres_profile: Profile, tmp_path: Path) -> None:
    config = Config(tmp_path / 'config.json', {}).add_profile(postgres_profile)
    for shown in (
        postgres_profile,
        postgres_profile.storage_config,
        postgres_profile.dictionary,
        postgres_profile.process_control_config,
        config,
        config.dictionary,
        hide_secrets(config.dictionary),
    ):
        assert PASSWORD not in repr(shown)
        assert PASSWORD not in str(shown)
    assert hide_secrets(postgres_profile.storage_config)['database_port'] == 5432


def test_passwords_are_stored(postgres_profile: Profile, tmp_path: Path) -> None:
    Config(tmp_path / 'config.json', {}).add_profile(postgres_profile).store()
    stored = Config.from_file(tmp_path / 'config.json').get_profile('main')
    assert stored.storage_config['database_password'] == PASSWORD
    assert stored.process_control_config['broker_password'] == PASSWORD


def test_a_wrong_shape_does_not_tell_the_value(tmp_path: Path, postgres_profile: Profile) -> None:
    content = {'storage': {'backend': 'core.psql_dos', 'config': [PASSWORD]}}
    with pytest.raises(ProfileConfigurationError) as caught:
        Profile('main', content)
    assert PASSWORD not in str(caught.value)


# profiles --------------------------------------------------------------------------------------------------


def test_a_profile_is_copied_and_changed_on_its_own(postgres_profile: Profile) -> None:
    copy = postgres_profile.copy()
    copy.set_storage('core.sqlite_dos', {'filepath': '/x'})
    copy.set_option('daemon.timeout', '3')
    assert postgres_profile.storage_backend == 'core.psql_dos'
    assert postgres_profile.options == {}
    assert copy.uuid == postgres_profile.uuid
    assert len(copy.uuid) == 32


@pytest.mark.parametrize(
    ('uri', 'path'),
    [('file:///data/a%20b', '/data/a b'), ('file://localhost/data', '/data')],
)
def test_the_repository_path_is_that_of_the_uri(uri: str, path: str) -> None:
    profile = Profile('x', {'storage': {'backend': 'core.psql_dos', 'config': {'repository_uri': uri}}})
    assert profile.repository_path == Path(path)


@pytest.mark.parametrize('uri', ['https://x/y', 'file:relative', 'file://host/x', None])
def test_other_repository_uris_are_refused(uri: str | None) -> None:
    profile = Profile('x', {'storage': {'backend': 'core.psql_dos', 'config': {'repository_uri': uri}}})
    with pytest.raises(ConfigurationError, match='repository_uri'):
        _ = profile.repository_path


def test_only_a_plain_true_makes_a_test_profile() -> None:
    storage = {'backend': 'core.sqlite_temp', 'config': {}}
    assert Profile('x', {'storage': storage, 'test_profile': True}).is_test_profile
    assert not Profile('x', {'storage': storage}).is_test_profile
