"""`ricordi profile setup …`: a new profile on SQLite, PostgreSQL or an archive; one on a bucket is in `bucket`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.parameters import NEW_NAME, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.questions import Question, Values, answer, question_options
from ricordi.cli.verb import Function, option, verb
from ricordi.errors import ForeignRepository, UsageError, ValidationError
from ricordi.model.people import checked_email

if TYPE_CHECKING:
    from ricordi.services.person import Person
    from ricordi.services.profiles.database import Administrator
    from ricordi.services.profiles.setup import Created


_MOST_DIGITS = 10
"""Of a port, zeros in front included."""


def _port(value: Any) -> int:
    if not str(value).isdecimal() or len(str(value)) > _MOST_DIGITS or not 0 < int(value) < 1 << 16:
        raise ValidationError(f'{value!r} is no port: a number from 1 to 65535')
    return int(value)


def _check_name(name: str) -> None:
    from ricordi.services.profiles.answers import check_new_name

    check_new_name(name)


def _check_folder(path: str) -> None:
    from ricordi.services.profiles.answers import check_new_folder

    check_new_folder(path)


def _check_repository(uri: str) -> None:
    from ricordi.services.profiles.answers import check_repository_uri

    check_repository_uri(uri)


def _repository_uri(given: str) -> str:
    from ricordi.services.profiles.answers import as_repository_uri

    return as_repository_uri(given)


def _check_archive(path: str) -> None:
    from ricordi.services.archive.info import check_given

    check_given(Path(path))


NAME = Question('profile_name', 'Name of the new profile', check=_check_name)
PERSON = (
    Question('email', 'Email address of the default user', check=checked_email),
    Question('first_name', 'First name', '', required=False),
    Question('last_name', 'Last name', '', required=False),
    Question('institution', 'Institution', '', required=False),
)
FOLDER = Question('filepath', 'Folder for the data', required=False, check=_check_folder)
DATABASE = (
    Question('database_hostname', 'Host of the PostgreSQL server', 'localhost'),
    Question('database_port', 'Port of the PostgreSQL server', 5432, convert=_port),
    Question('database_username', 'User of the database'),
    Question('database_password', 'Password of that user', hidden=True),
    Question('database_name', 'Name of the database'),
)


BROKER = option(
    '--broker',
    type=click.Choice(('none', 'core.rabbitmq', 'core.zeromq')),
    help='The message broker that AiiDA shall use with this profile; Ricordi needs none. [default: none]',
)

ADOPT = option(
    '--adopt',
    is_flag=True,
    help='Have the objects that are there already, though they are or may be those of another database.',
)


@contextmanager
def telling_of_adopt() -> Iterator[None]:
    """Say by which option a person can have the objects of another database."""
    try:
        yield
    except ForeignRepository as error:
        raise ForeignRepository(f'{error}. If this is meant, add --adopt') from None


def setup_options() -> Callable[[Function], Function]:
    """The options that all setups have."""
    options = [
        option('-p', '--profile-name', type=NEW_NAME, metavar='NAME', help='The name of the new profile.'),
        option(
            '--set-as-default/--no-set-as-default', default=True, help='Make it the default profile. [default: yes]'
        ),
        BROKER,
        option('--use-rabbitmq/--no-use-rabbitmq', default=None, hidden=True, help='The same as --broker.'),
        option('--email', group='Default user', help='Email address: who is the author of what is stored.'),
        option('--first-name', group='Default user', help='First name.'),
        option('--last-name', group='Default user', help='Last name.'),
        option('--institution', group='Default user', help='Institution.'),
    ]
    return added(options)


def server_options() -> Callable[[Function], Function]:
    """The options that say where a PostgreSQL database is, and who makes it."""
    options = [
        option('--database-engine', default='postgresql_psycopg', hidden=True, help='How AiiDA reaches the database.'),
        option('--database-hostname', group='Database', help='Host of the PostgreSQL server. [default: localhost]'),
        option('--database-port', type=int, group='Database', help='Port of the PostgreSQL server. [default: 5432]'),
        option('--database-username', group='Database', help='User of the database.'),
        option('--database-password', group='Database', help='Password of that user.'),
        option('--database-name', group='Database', help='Name of the database, which must be there and empty.'),
        option(
            '--admin-uri',
            metavar='URI',
            group='Database',
            help='Address of an administrator of the server: user, password and database are made with these rights. '
            'What is not named is chosen.',
        ),
    ]
    return added(options)


def database_options() -> Callable[[Function], Function]:
    """The options that say where a storage on PostgreSQL is."""
    folder = option('--repository-uri', metavar='URI', help='Folder for the objects: its path or file:// URI.')
    return added([server_options(), folder])


def added(options: list[Callable[[Function], Function]]) -> Callable[[Function], Function]:
    """Adds options to a verb, in this order."""

    def decorate(function: Function) -> Function:
        for add in reversed(options):
            function = add(function)
        return function

    return decorate


@verb(
    'ricordi profile setup core.sqlite_dos -p main --email ada@example.org -n',
    'ricordi profile setup core.sqlite_dos --config profile.yaml',
    on_profile=False,
)
@setup_options()
@option('--filepath', metavar='FOLDER', type=PathName(file_okay=False), help='Where to store the data.')
@ADOPT
@question_options()
def sqlite_dos(session: CommandSession, config: str | None, non_interactive: bool | None, **given: Any) -> int:
    """Set up a profile on SQLite, which needs no server.

    A storage that is in FOLDER already is adopted.
    """
    from ricordi.services.profiles.setup import sqlite_config

    questions = (name_question(session), *PERSON, FOLDER)
    values = answer(questions, given, config, non_interactive)
    create(session, 'core.sqlite_dos', sqlite_config(values['filepath']), person_of(values), values, given)
    return 0


@verb(
    'ricordi profile setup core.psql_dos -p main --email ada@example.org --database-username ada'
    ' --database-password secret --database-name ada_main -n',
    'ricordi profile setup core.psql_dos -p main --email ada@example.org'
    ' --admin-uri postgresql://postgres@localhost/postgres -n',
    on_profile=False,
)
@setup_options()
@database_options()
@ADOPT
@question_options()
def psql_dos(session: CommandSession, config: str | None, non_interactive: bool | None, **given: Any) -> int:
    """Set up a profile on PostgreSQL.

    The database has to be there and empty, unless --admin-uri names an administrator who may create it. If anything
    fails, what was created goes again.
    """
    from ricordi.services.profiles.database import administrator_at, provided_database

    administrator = administrator_at(given['admin_uri'])
    database = database_questions(administrator)
    values = answer((name_question(session), *PERSON, *database), given, config, non_interactive)
    storage_config = psql_config(database, values, given)
    with provided_database(administrator, storage_config) as finish:
        create(session, 'core.psql_dos', storage_config, person_of(values), values, given, finish)
    return 0


@verb('ricordi profile setup core.sqlite_zip -p archive --filepath export.aiida -n', on_profile=False)
@setup_options()
@option('--filepath', metavar='FILE', type=PathName(dir_okay=False), help='The archive.')
@question_options()
def sqlite_zip(session: CommandSession, config: str | None, non_interactive: bool | None, **given: Any) -> int:
    """Set up a read-only profile on an archive."""
    from ricordi.services.archive.info import check_given
    from ricordi.services.profiles.setup import zip_config

    questions = (name_question(session), Question('filepath', 'The archive', check=_check_archive))
    values = answer(questions, given, config, non_interactive)
    check_given(Path(values['filepath']))
    create(session, 'core.sqlite_zip', zip_config(values['filepath']), None, values, given)
    return 0


def create(
    session: CommandSession,
    backend: str,
    storage_config: dict[str, Any],
    person: Person | None,
    values: dict[str, Any],
    given: dict[str, Any],
    finish: Callable[[], None] = lambda: None,
) -> None:
    """Create the profile and tell of it.

    :param values: the answers.
    :param given: the options that are no questions.
    :param finish: called when all but the profile is there.
    """
    from ricordi.services.profiles.broker import broker_config
    from ricordi.services.profiles.setup import Request, create_profile

    name = values['profile_name']
    broker = broker_config(_broker(given))
    adopt = given.get('adopt', False)
    request = Request(
        name, backend, storage_config, person, given['set_as_default'], broker, adopt=adopt, finish=finish
    )
    with telling_of_adopt():
        done = create_profile(request)
    _tell(session, done)


def name_question(session: CommandSession) -> Question:
    """The question for the name; a profile named before the verb (`-p`) is the answer to it."""
    return replace(NAME, default=session.profile_name)


def person_of(values: dict[str, Any]) -> Person:
    """The default user, by the answers."""
    from ricordi.services.person import Person

    return Person(*(values[question.key] or '' for question in PERSON))


def _broker(given: dict[str, Any]) -> str | None:
    """The broker that was asked for, by its name; the older word for it counts where the newer one is not given."""
    if given['broker'] is None and given['use_rabbitmq']:
        return 'core.rabbitmq'
    if given['use_rabbitmq'] and given['broker'] != 'core.rabbitmq':
        raise UsageError(f'--use-rabbitmq and --broker {given["broker"]} contradict each other')
    return None if given['broker'] in (None, 'none') else str(given['broker'])


def psql_config(questions: tuple[Question, ...], values: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The `storage.config` of a profile on PostgreSQL.

    :param values: the answers to these and other questions.
    :param given: the options that are no questions.
    """
    return {
        'database_engine': given['database_engine'],
        **{question.key: values[question.key] for question in questions},
    }


def server_questions(administrator: Administrator | None) -> tuple[Question, ...]:
    """The questions for a database on PostgreSQL; the one for the name of the profile comes before them.

    :param administrator: who makes the database.
    """
    return DATABASE if administrator is None else _chosen(administrator)


def database_questions(administrator: Administrator | None) -> tuple[Question, ...]:
    """The questions for database and repository of a profile on PostgreSQL; the one for its name comes before them.

    :param administrator: who makes the database.
    """
    from ricordi.services.profiles.database import default_repository_uri

    repository = Question(
        'repository_uri',
        'URI of the repository',
        lambda v: v['profile_name'] and default_repository_uri(v['profile_name']),
        convert=_repository_uri,
        check=_check_repository,
    )
    return (*server_questions(administrator), repository)


def _chosen(administrator: Administrator) -> tuple[Question, ...]:
    """The questions for the database where an administrator makes it: all have a default."""
    from ricordi.services.profiles.database import chosen_database

    def default_of(key: str) -> Callable[[Values], Any]:
        return lambda values: chosen_database(administrator, values['profile_name'])[key]

    return tuple(replace(question, default=default_of(question.key)) for question in DATABASE)


def _tell(session: CommandSession, done: Created) -> None:
    name = done.profile.name
    there = ' on the storage that was there already' if done.adopted else ''
    there += f', that of {", ".join(f"`{one}`" for one in done.beside)}' if done.beside else ''
    default = ', now the default profile.' if done.is_default else f'; use it with -p {shlex.quote(name)}.'
    session.tell(f'Created profile `{name}`{there}{default}')
    if done.added_user:
        session.tell(f'Added user {done.added_user} to it, who was not there.')
    if done.is_default and done.default_before not in (None, name):
        before = str(done.default_before)
        back = f'`ricordi profile set-default {shlex.quote(before)}`'
        session.tell(f'The default profile was `{before}` until now (back: {back}).')
