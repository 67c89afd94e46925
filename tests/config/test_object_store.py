"""Who we are at an object store is found where the field has it, and is not shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.config.object_store import cache_folder_of, credentials_of, region_of
from ricordi.errors import ConfigurationError

PROFILE = {'access_key_id': 'of-profile', 'secret_access_key': 'secret-of-profile'}


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the shared files; the environment of whoever runs the tests says nothing."""
    for name in ('ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN', 'PROFILE', 'REGION', 'DEFAULT_REGION'):
        monkeypatch.delenv(f'AWS_{name}', raising=False)
    monkeypatch.setenv('AWS_SHARED_CREDENTIALS_FILE', str(tmp_path / 'credentials'))
    monkeypatch.setenv('AWS_CONFIG_FILE', str(tmp_path / 'config'))

    def write(credentials: str, config: str = '') -> None:
        (tmp_path / 'credentials').write_text(credentials)
        (tmp_path / 'config').write_text(config)

    return write


@pytest.fixture
def in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'of-environment')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'secret-of-environment')


def section(name: str, key: str) -> str:
    return f'[{name}]\naws_access_key_id = {key}\naws_secret_access_key = secret-{key}%\n'


def test_the_profile_goes_before_the_environment_and_that_before_the_shared_file(
    shared: Callable[..., None], in_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared(section('default', 'of-file'))
    assert credentials_of(PROFILE).secret_access_key == 'secret-of-profile'
    assert credentials_of({}).access_key_id == 'of-environment'
    monkeypatch.delenv('AWS_ACCESS_KEY_ID')
    found = credentials_of({})
    assert (found.access_key_id, found.secret_access_key) == ('of-file', 'secret-of-file%')
    assert 'section default of' in found.source


def test_a_section_of_the_shared_file_is_named_by_the_profile_or_by_the_environment(
    shared: Callable[..., None], in_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared(section('default', 'first') + section('group', 'second'), '[profile group]\nregion = eu-north-1\n')
    assert credentials_of({'credentials_profile': 'group'}).access_key_id == 'second'
    assert region_of({'credentials_profile': 'group'}) == 'eu-north-1'
    monkeypatch.setenv('AWS_PROFILE', 'group')
    assert credentials_of({}).access_key_id == 'of-environment'
    monkeypatch.delenv('AWS_SECRET_ACCESS_KEY')  # a key without its secret is none
    assert credentials_of({}).access_key_id == 'second'
    with pytest.raises(ConfigurationError, match='no access key with its secret in the section gone'):
        credentials_of({'credentials_profile': 'gone'})
    monkeypatch.setenv('AWS_PROFILE', 'gone')
    with pytest.raises(ConfigurationError, match='section gone'):
        credentials_of({})


def test_to_a_key_of_the_profile_its_own_secret_is_found_and_no_other(
    shared: Callable[..., None], in_environment: None
) -> None:
    shared(section('default', 'first') + section('group', 'second'))
    assert credentials_of({'access_key_id': 'second'}).secret_access_key == 'secret-second%'
    assert credentials_of({'access_key_id': 'of-environment'}).secret_access_key == 'secret-of-environment'
    with pytest.raises(ConfigurationError, match='no secret for the access key third'):
        credentials_of({'access_key_id': 'third'})


def test_where_there_are_none_that_is_told_and_nothing_fails() -> None:
    found = credentials_of({})
    assert (found.access_key_id, found.secret_access_key, found.source) == (None, None, 'nowhere')
    assert region_of({}) == 'us-east-1'


@pytest.mark.parametrize(
    'content', [b'aws_secret_access_key = hush', b'[a]\nhush-hush\xff', b'[a]\nhush without a sign']
)
def test_a_file_that_cannot_be_read_is_named_without_what_stands_in_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'credentials').write_bytes(content)
    with pytest.raises(ConfigurationError, match='credentials is no file of sections') as told:
        credentials_of({})
    assert 'hush' not in repr(told.value)
    assert told.value.__cause__ is None


def test_no_secret_stands_in_what_is_logged(shared: Callable[..., None]) -> None:
    shared(section('default', 'first') + 'aws_session_token = hush\n')
    found = credentials_of({})
    assert (found.secret_access_key, found.session_token) == ('secret-first%', 'hush')
    assert 'secret-first' not in repr(found)
    assert 'hush' not in repr(found)


def test_the_cache_lies_where_the_profile_or_the_user_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named: dict[str, Any] = {'cache_folder': '/scratch/objects'}
    assert cache_folder_of(named) == Path('/scratch/objects')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert cache_folder_of({}) == tmp_path / 'ricordi' / 'objects'
