"""`ricordi profile setup`, `profile delete`, `presto`: from nothing to a profile, and back."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

PERSON = ('--email', 'ada@Example.org', '--first-name', 'Ada', '--last-name', 'Lovelace', '--institution', 'Home')


def profiles(home: Path) -> dict[str, dict]:
    return json.loads((home / 'config.json').read_text())['profiles']


def tree(folder: Path) -> set[Path]:
    return set(folder.rglob('*'))


def roles_and_databases(postgres) -> set[str]:
    import psycopg

    with psycopg.connect(postgres.uri()) as connection:
        query = 'SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database'
        return {name for (name,) in connection.execute(query)}


# SQLite ----------------------------------------------------------------------------------------------------


def test_a_sqlite_profile_is_set_up_without_a_question_and_can_be_used(run_cli, empty_home: Path) -> None:
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '-p', 'new', *PERSON, '-n')
    assert (done.returncode, done.stdout) == (0, '')
    assert 'Created profile `new`' in done.stderr
    assert profiles(empty_home)['new']['default_user_email'] == 'ada@example.org'
    users = json.loads(run_cli('user', 'list', '--format', 'json').stdout)
    assert [(user['email'], user['first_name'], user['default']) for user in users] == [
        ('ada@example.org', 'Ada', True)
    ]
    assert run_cli('storage', 'maintain', '--full', '--yes').returncode == 0
    assert (empty_home / 'config.json').stat().st_mode & 0o777 == 0o600


def test_the_name_may_stand_before_the_verb_as_any_profile_name(run_cli, empty_home: Path) -> None:
    assert run_cli('-p', 'new', 'profile', 'setup', 'core.sqlite_dos', '--email', 'a@b.c', '-n').returncode == 0
    assert list(profiles(empty_home)) == ['new']


def test_values_come_from_a_yaml_file_and_the_command_line_wins(run_cli, empty_home: Path, tmp_path: Path) -> None:
    config = tmp_path / 'profile.yaml'
    config.write_text(f'profile-name: from_file\nemail: file@b.c\nfilepath: {tmp_path / "data"}\n')
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '--config', config, '--email', 'line@b.c', '-n')
    assert done.returncode == 0
    profile = profiles(empty_home)['from_file']
    assert profile['default_user_email'] == 'line@b.c'
    assert profile['storage']['config'] == {'filepath': str(tmp_path / 'data')}
    assert (tmp_path / 'data' / 'database.sqlite').exists()


@pytest.mark.parametrize(
    ('content', 'told'),
    [('emial: a@b.c', 'did you mean `email`'), ('[', 'not YAML'), ('- a', '`name: value`'), ('\x00', 'YAML')],
)
def test_a_file_that_cannot_be_meant_is_refused(
    run_cli, empty_home: Path, tmp_path: Path, content: str, told: str
) -> None:
    config = tmp_path / 'profile.yaml'
    config.write_text(content)
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '--config', config, '-n')
    assert (done.returncode, done.stdout) == (2, '')
    assert told in done.stderr


@pytest.mark.parametrize('backend', ['core.sqlite_dos', 'core.psql_dos'])
@pytest.mark.parametrize('flags', [(), ('-n',)])
def test_off_a_terminal_all_missing_options_are_named_at_once(
    run_cli, empty_home: Path, backend: str, flags: tuple[str, ...]
) -> None:
    done = run_cli('profile', 'setup', backend, *flags)
    assert (done.returncode, done.stdout) == (2, '')
    assert 'missing: --profile-name, --email' in done.stderr


def test_interactive_off_a_terminal_is_refused(run_cli, empty_home: Path) -> None:
    assert run_cli('profile', 'setup', 'core.sqlite_dos', '-I').returncode == 2


def test_on_a_terminal_what_is_missing_is_asked_with_defaults(
    run_in_terminal, empty_home: Path, tmp_path: Path
) -> None:
    answers = {
        'Name of the new profile:': 'asked\n',
        'Email address of the default user:': 'a@b.c\n',
        'First name': 'Ada\n',
        'Last name': '\n',
        'Institution': '\n',
        'Folder for the data': f'{tmp_path / "data"}\n',
    }
    run = run_in_terminal('profile', 'setup', 'core.sqlite_dos', answers=answers)
    assert run.returncode == 0, run.screen
    assert profiles(empty_home)['asked']['storage']['config'] == {'filepath': str(tmp_path / 'data')}


def test_a_storage_that_is_there_is_adopted(run_cli, reference_home: Path) -> None:
    folder = reference_home / 'repository' / 'mixed'
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '-p', 'again', '--filepath', folder, '--email', 'a@b.c', '-n')
    assert done.returncode == 0
    assert 'was there already, that of `mixed`' in done.stderr
    assert 'Added user a@b.c to it' in done.stderr
    assert 'profile set-default' in done.stderr
    assert json.loads(run_cli('-p', 'again', 'storage', 'info', '--format', 'json').stdout)['entities']['node'] == 75


@pytest.mark.parametrize('name', ['loose', '../evil', 'a/b', '', '.', '-x'])
def test_a_name_that_is_taken_or_cannot_be_one_changes_nothing(run_cli, reference_home: Path, name: str) -> None:
    before, config = tree(reference_home), (reference_home / 'config.json').read_bytes()
    done = run_cli('profile', 'setup', 'core.sqlite_dos', f'--profile-name={name}', '--email', 'a@b.c', '-n')
    assert done.returncode in (1, 2)
    assert 'Traceback' not in done.stderr
    assert (reference_home / 'config.json').read_bytes() == config
    assert tree(reference_home) == before


@pytest.mark.parametrize('email', ['nobody', '@b.c', 'a b@c', ''])
def test_an_address_that_is_none_leaves_nothing_behind(run_cli, reference_home: Path, email: str) -> None:
    before = tree(reference_home)
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '-p', 'new', f'--email={email}', '-n')
    assert done.returncode == 2
    assert 'no email address' in done.stderr
    assert tree(reference_home) == before


def test_a_folder_that_is_a_file_leaves_nothing_behind(run_cli, reference_home: Path, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    before = tree(reference_home)
    path = tmp_path / 'file' / 'below'
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '-p', 'new', '--email', 'a@b.c', '--filepath', path, '-n')
    assert done.returncode == 3
    assert 'Traceback' not in done.stderr
    assert tree(reference_home) == before


@pytest.mark.parametrize(
    ('given', 'backend', 'keys'),
    [
        (('--broker', 'core.rabbitmq'), 'core.rabbitmq', 6),
        (('--use-rabbitmq',), 'core.rabbitmq', 6),
        (('--broker', 'core.zeromq'), 'core.zeromq', 0),
        (('--broker', 'none', '--no-use-rabbitmq'), None, None),
        ((), None, None),
    ],
)
def test_a_broker_is_written_into_the_profile_for_aiida(
    run_here, empty_home: Path, given: tuple[str, ...], backend: str | None, keys: int | None
) -> None:
    setup = ('profile', 'setup', 'core.sqlite_dos', '-p', 'new', '--email', 'a@b.c', '-n')
    assert run_here(*setup, *given).returncode == 0
    process_control = profiles(empty_home)['new']['process_control']
    config = process_control['config']
    assert (process_control['backend'], config if config is None else len(config)) == (backend, keys)
    shown = run_here('profile', 'show', 'new').stdout
    assert 'broker_password' not in shown or 'guest' not in shown.split('broker_password')[1].splitlines()[0]


def test_two_words_for_brokers_that_contradict_each_other_are_refused(run_here, empty_home: Path) -> None:
    setup = ('profile', 'setup', 'core.sqlite_dos', '-p', 'new', '--email', 'a@b.c', '-n')
    assert run_here(*setup, '--broker', 'none', '--use-rabbitmq').returncode == 2
    assert run_here('presto', '--use-zeromq', '--no-broker').returncode == 2


@pytest.mark.interop
@pytest.mark.parametrize('broker', ['core.rabbitmq', 'core.zeromq'])
def test_aiida_reads_the_profile_with_the_broker(run_here, empty_home: Path, aiida_python: str, broker: str) -> None:
    import subprocess

    setup = ('profile', 'setup', 'core.sqlite_dos', '-p', 'new', '--email', 'a@b.c', '-n')
    assert run_here(*setup, '--broker', broker).returncode == 0
    code = (
        'from aiida import load_profile; from aiida.manage import get_manager; p = load_profile("new"); '
        'print(p.process_control_backend, get_manager().get_config().version, type(get_manager().get_broker()))'
    )
    done = subprocess.run([aiida_python, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == [broker, '10']


def test_the_former_word_for_set_default_is_understood(run_here, reference_home: Path) -> None:
    assert run_here('profile', 'setdefault', 'mixed').returncode == 0
    assert json.loads((reference_home / 'config.json').read_text())['default_profile'] == 'mixed'


# archive ---------------------------------------------------------------------------------------------------


def test_an_archive_becomes_a_profile_to_read(run_cli, empty_home: Path) -> None:
    archive = Path(__file__).parents[2] / 'data' / 'reference.aiida'
    done = run_cli('profile', 'setup', 'core.sqlite_zip', '-p', 'archive', '--filepath', archive, '-n')
    assert done.returncode == 0, done.stderr
    assert json.loads(run_cli('storage', 'info', '--format', 'json').stdout)['entities']['node'] == 74


def test_what_is_no_archive_becomes_no_profile(run_cli, empty_home: Path, tmp_path: Path) -> None:
    (tmp_path / 'text.aiida').write_text('no zip')
    done = run_cli('profile', 'setup', 'core.sqlite_zip', '-p', 'a', '--filepath', tmp_path / 'text.aiida', '-n')
    assert done.returncode == 3
    assert profiles(empty_home) == {}


# PostgreSQL ------------------------------------------------------------------------------------------------


def test_a_profile_on_an_empty_database(run_cli, empty_home: Path, postgres, new_database: Callable[[], str]) -> None:
    name = new_database()
    options = (
        '--database-hostname',
        postgres.host,
        '--database-port',
        postgres.port,
        '--database-username',
        'postgres',
    )
    options += ('--database-password', 'not-asked-for', '--database-name', name)
    done = run_cli('profile', 'setup', 'core.psql_dos', '-p', 'pg', *PERSON, *options, '-n')
    assert done.returncode == 0, done.stderr
    config = profiles(empty_home)['pg']['storage']['config']
    assert set(config) == {
        'database_engine',
        'database_hostname',
        'database_port',
        'database_username',
        'database_password',
        'database_name',
        'repository_uri',
    }
    assert 'not-asked-for' not in done.stderr
    assert run_cli('storage', 'maintain', '--full', '--yes').returncode == 0


@pytest.mark.parametrize('uri', ['s3://bucket', 'repository', 'file:repository', 'file://elsewhere/repository'])
def test_what_is_no_place_of_a_repository_is_refused_before_anything_is_made(
    run_cli, empty_home: Path, uri: str
) -> None:
    server = ('--database-username', 'ada', '--database-name', 'd', '--database-password', 'not-shown')
    done = run_cli('profile', 'setup', 'core.psql_dos', '-p', 'pg', *PERSON, *server, '--repository-uri', uri, '-n')
    assert (done.returncode, done.stdout) == (2, '')
    assert f'--repository-uri: write it like /home/ada/repository or file:///home/ada/repository, not {uri!r}' in (
        done.stderr
    )
    assert not (empty_home / 'config.json').exists()


@pytest.mark.parametrize('encoding', ['SQL_ASCII', 'LATIN1'])
def test_a_database_whose_encoding_aiida_cannot_read_is_refused_and_nothing_is_left(
    run_here, reference_home: Path, postgres, encoding: str
) -> None:
    import psycopg

    before, name = tree(reference_home), f'in_{encoding.lower()}'
    with psycopg.connect(postgres.uri(), autocommit=True) as raw:
        raw.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        try:
            address = ('--database-hostname', postgres.host, '--database-port', postgres.port)
            user = ('--database-username', 'postgres', '--database-password', 'none', '--database-name', name)
            done = run_here('profile', 'setup', 'core.psql_dos', '-p', 'new', *PERSON, *address, *user, '-n')
        finally:
            raw.execute(f'DROP DATABASE {name} WITH (FORCE)')
    assert (done.returncode, encoding in done.stderr, 'UTF8' in done.stderr) == (1, True, True)
    assert tree(reference_home) == before


def test_a_server_that_goes_while_its_sessions_are_listed_is_told_as_such(psql_profile: str) -> None:
    import psycopg

    from ricordi.errors import UnreachableStorage
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.storage.psql.dos import PsqlDosStorage

    dialect = PsqlDosStorage.dialect_of(find_profile('psql'))
    real = dialect.connect

    def connect_and_be_cut_off() -> psycopg.Connection:
        raw, other = real(), real()
        other.execute('SELECT pg_terminate_backend(%s)', (raw.info.backend_pid,))
        other.close()
        return raw

    dialect.connect = connect_and_be_cut_off
    with pytest.raises(UnreachableStorage, match='lost'):
        dialect.sessions()
    with pytest.raises(UnreachableStorage, match='lost'):
        dialect.check_access(connect_and_be_cut_off())


def test_a_repository_may_be_named_by_its_path(run_cli, empty_home: Path, postgres, tmp_path: Path) -> None:
    uri = f'postgresql://postgres@{postgres.host}:{postgres.port}/postgres'
    place = tmp_path / 'objects of ada'
    done = run_cli('profile', 'setup', 'core.psql_dos', '-p', 'by-path', *PERSON, '--admin-uri', uri, '-n',
                   '--repository-uri', place)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert profiles(empty_home)['by-path']['storage']['config']['repository_uri'] == place.as_uri()
    assert (place / 'container').is_dir()


def test_an_administrator_makes_role_and_database(run_cli, empty_home: Path, postgres) -> None:
    before = roles_and_databases(postgres)
    uri = f'postgresql://postgres@{postgres.host}:{postgres.port}/postgres'
    done = run_cli('profile', 'setup', 'core.psql_dos', '-p', 'made', *PERSON, '--admin-uri', uri, '-n')
    assert done.returncode == 0, done.stderr
    assert roles_and_databases(postgres) - before == {'ricordi_made'}
    config = profiles(empty_home)['made']['storage']['config']
    assert len(config['database_password']) > 20
    assert json.loads(run_cli('user', 'list', '--format', 'json').stdout)[0]['email'] == 'ada@example.org'
    taken = run_cli('profile', 'setup', 'core.psql_dos', '-p', 'other', *PERSON, '--admin-uri', uri, '-n',
                    '--database-name', 'ricordi_made')  # fmt: skip
    assert taken.returncode == 1
    assert 'already' in taken.stderr
    assert roles_and_databases(postgres) - before == {'ricordi_made'}


def test_a_setup_that_fails_drops_what_the_administrator_made(run_cli, reference_home: Path, postgres) -> None:
    before, roles = tree(reference_home), roles_and_databases(postgres)
    uri = f'postgresql://postgres@{postgres.host}:{postgres.port}/postgres'
    done = run_cli('profile', 'setup', 'core.psql_dos', '-p', 'failed', *PERSON, '--admin-uri', uri, '-n',
                   '--repository-uri', 'file:///proc/nowhere')  # fmt: skip
    assert done.returncode != 0
    assert 'Traceback' not in done.stderr
    assert roles_and_databases(postgres) == roles
    assert tree(reference_home) == before


def test_a_server_that_does_not_answer_is_told_without_the_password(run_cli, reference_home: Path) -> None:
    before = tree(reference_home)
    uri = 'postgresql://postgres:very-secret@127.0.0.1:1/postgres'
    done = run_cli('profile', 'setup', 'core.psql_dos', '-p', 'failed', *PERSON, '--admin-uri', uri, '-n')
    assert (done.returncode, done.stdout) == (3, '')
    assert '127.0.0.1:1' in done.stderr
    assert 'very-secret' not in done.stderr
    assert tree(reference_home) == before


# presto ----------------------------------------------------------------------------------------------------


def test_presto_makes_a_working_default_profile_without_any_option(run_cli, empty_home: Path) -> None:
    assert run_cli('presto').returncode == 0
    assert run_cli('presto').returncode == 0
    config = json.loads((empty_home / 'config.json').read_text())
    assert list(config['profiles']) == ['presto', 'presto-1']
    assert config['default_profile'] == 'presto-1'
    info = json.loads(run_cli('-p', 'presto', 'storage', 'info', '--format', 'json').stdout)
    assert (info['entities']['user'], info['entities']['computer'], info['entities']['authinfo']) == (1, 1, 1)


def test_presto_says_whose_default_it_changes_and_what_comes_next(run_here, empty_home: Path) -> None:
    first, second = run_here('presto', '-p', 'my work').stderr, run_here('presto').stderr
    assert 'in the place of' not in first
    assert 'ricordi archive import' in first
    assert 'in the place of `my work`' in second
    assert "ricordi profile set-default 'my work'" in second


def test_presto_is_told_to_leave_the_default_profile(run_here, empty_home: Path) -> None:
    run_here('presto')
    done = run_here('presto', '-p', 'b b', '--no-set-as-default')
    assert 'the default profile is `presto` as before' in done.stderr
    assert "ricordi -p 'b b' shell" in done.stderr
    assert json.loads((empty_home / 'config.json').read_text())['default_profile'] == 'presto'


def test_presto_asks_on_a_terminal_before_it_changes_the_default(run_here, run_in_terminal, empty_home: Path) -> None:
    run_here('presto')
    done = run_in_terminal('presto', answers={'Make `presto-1` the default?': 'n\n'})
    assert done.returncode == 0
    assert json.loads((empty_home / 'config.json').read_text())['default_profile'] == 'presto'


def test_presto_on_postgresql(run_cli, empty_home: Path, postgres) -> None:
    server = ('--postgres-hostname', postgres.host, '--postgres-port', postgres.port)
    assert run_cli('presto', '-p', 'fast', '--use-postgres', *server).returncode == 0
    assert profiles(empty_home)['fast']['storage']['backend'] == 'core.psql_dos'
    assert run_cli('status').returncode == 0


@pytest.mark.interop
def test_aiida_works_with_what_presto_made(run_cli, aiida_dump, empty_home: Path) -> None:
    assert run_cli('presto', '-p', 'shared', '--email', 'ada@example.org').returncode == 0
    assert 'ada@example.org' in aiida_dump(empty_home, 'shared')


# delete ----------------------------------------------------------------------------------------------------


def test_what_becomes_of_the_data_has_to_be_said(run_cli, reference_home: Path) -> None:
    done = run_cli('profile', 'delete', 'mixed', '--yes')
    assert (done.returncode, done.stdout) == (2, '')
    assert '--keep-data' in done.stderr
    assert 'mixed' in profiles(reference_home)


def test_deleting_off_a_terminal_needs_yes(run_cli, reference_home: Path) -> None:
    done = run_cli('profile', 'delete', 'mixed', '--delete-data')
    assert done.returncode == 2
    assert '--yes' in done.stderr
    assert (reference_home / 'repository' / 'mixed').exists()


def test_a_dry_run_deletes_nothing(run_cli, reference_home: Path) -> None:
    before = tree(reference_home)
    done = run_cli('profile', 'delete', 'mixed', 'loose', '--delete-data', '--dry-run')
    assert done.returncode == 0
    assert done.stderr.count('Would delete') == 2
    assert tree(reference_home) == before


def test_keeping_the_data_keeps_it_and_says_where_it_is(run_cli, reference_home: Path) -> None:
    done = run_cli('profile', 'delete', 'loose', '--keep-data', '--force')
    assert done.returncode == 0
    assert str(reference_home / 'repository' / 'loose') in done.stderr
    assert 'loose' not in profiles(reference_home)
    assert (reference_home / 'repository' / 'loose' / 'database.sqlite').exists()
    assert 'default_profile' not in json.loads((reference_home / 'config.json').read_text())


def test_deleting_the_data_leaves_other_files_and_other_profiles_alone(run_cli, reference_home: Path) -> None:
    (reference_home / 'repository' / 'mixed' / 'notes.txt').write_text('mine')
    assert run_cli('profile', 'delete', 'mixed', 'loose', '--delete-data', '--yes').returncode == 0
    left = sorted(path.name for path in (reference_home / 'repository').iterdir())
    assert left == ['aborted_after_remove', 'aborted_before_commit', 'mixed']
    assert os.listdir(reference_home / 'repository' / 'mixed') == ['notes.txt']  # noqa: PTH208


def test_deleting_a_postgresql_profile_empties_its_database(run_cli, psql_profile: str, reference_home: Path) -> None:
    import psycopg

    config = profiles(reference_home)['psql']['storage']['config']
    assert run_cli('profile', 'delete', 'psql', '--delete-data', '--yes').returncode == 0
    address = f'postgresql://postgres@{config["database_hostname"]}:{config["database_port"]}/{config["database_name"]}'
    with psycopg.connect(address) as connection:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(query).fetchone() == (0,)


def test_what_stays_on_the_server_is_told_while_there_is_a_choice(
    run_here, psql_profile: str, reference_home: Path
) -> None:
    done = run_here('profile', 'delete', psql_profile, '--delete-data', '--dry-run')
    assert 'stay, empty: --admin-uri removes them too, if a setup has made them.' in done.stderr
    assert 'stay, empty' not in run_here('profile', 'delete', 'mixed', '--delete-data', '--dry-run').stderr


def test_a_profile_in_use_is_not_deleted_with_its_data(run_cli, reference_home: Path) -> None:
    access = reference_home / 'access' / 'mixed'
    access.mkdir(parents=True, exist_ok=True)
    command = [part.decode() for part in Path('/proc/self/cmdline').read_bytes().split(b'\0')[:-1]]
    (access / f'{os.getpid()}.pid').write_text(str(command))
    done = run_cli('profile', 'delete', 'mixed', '--delete-data', '--yes')
    assert done.returncode == 5
    assert 'mixed' in profiles(reference_home)
    assert (reference_home / 'repository' / 'mixed' / 'database.sqlite').exists()
