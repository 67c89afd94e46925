"""`ricordi profile setup ricordi.psql_bucket`: a new profile with its objects in an object store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ricordi.cli.parameters import PathName
from ricordi.cli.profile.setup import (
    ADOPT,
    PERSON,
    added,
    create,
    name_question,
    person_of,
    psql_config,
    server_options,
    server_questions,
    setup_options,
)
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.questions import Question, Values, answer, question_options
from ricordi.cli.verb import Function, option, verb
from ricordi.errors import UsageError, ValidationError

SECRET = 'secret_access_key'


def _bytes(value: Any) -> int:
    if not str(value).isdecimal():
        raise ValidationError(f'{value!r} is no number of bytes')
    return int(value)


def _check_endpoint(address: str) -> None:
    from ricordi.services.profiles.bucket import check_endpoint

    check_endpoint(address)


def _check_bucket(name: str) -> None:
    from ricordi.services.profiles.bucket import check_bucket_name

    check_bucket_name(name)


def _check_prefix(prefix: str) -> None:
    from ricordi.services.profiles.bucket import check_prefix

    check_prefix(prefix)


def _found_endpoint(values: Values) -> str:
    from ricordi.config.object_store import endpoint_of

    return endpoint_of({})


def _not_asked(values: Values) -> bool:
    """Whether to ask a person for what few need."""
    return False


def bucket_questions(keep_secret: bool) -> tuple[Question, ...]:
    """The questions for the bucket of a profile; the one for its secret only where it shall be kept."""
    return (
        Question(
            'endpoint_url',
            'Address of the object store (none: that of AWS)',
            _found_endpoint,
            False,
            check=_check_endpoint,
        ),
        Question('bucket_name', 'Name of the bucket', check=_check_bucket),
        Question('prefix', 'Folder in the bucket', '', False, applies=_not_asked, check=_check_prefix),
        Question('region', 'Region of the bucket', '', False, applies=_not_asked),
        Question('access_key_id', 'Access key (none: the one that is found each time)', '', False),
        Question(SECRET, 'Secret of that key', '', False, hidden=True, applies=lambda values: keep_secret),
        Question('credentials_profile', 'Section of the credentials file', '', False, applies=_not_asked),
        Question('cache_folder', 'Folder for what was read', '', False, applies=_not_asked),
        Question('cache_bytes', 'Bytes of it', '', False, convert=_bytes, applies=_not_asked),
    )


def bucket_options() -> Callable[[Function], Function]:
    """The options that name a bucket, and those of `store_options`."""
    options = [
        option('--bucket-name', group='Bucket', help='Name of the bucket.'),
        option('--prefix', metavar='FOLDER', group='Bucket', help='A folder in the bucket. [default: its top]'),
        store_options(),
    ]
    return added(options)


def store_options() -> Callable[[Function], Function]:
    """The options that say where an object store is, who we are there, and what is kept of what is read."""
    options = [
        option(
            '--endpoint-url',
            metavar='URL',
            group='Bucket',
            help='Address of the object store, as https://s3.example.org. '
            '[default: AWS_ENDPOINT_URL, else that of AWS]',
        ),
        option('--region', group='Bucket', help='Region of the bucket. [default: AWS_REGION, else us-east-1]'),
        option('--make-bucket', is_flag=True, group='Bucket', help='Make the bucket if it is not there.'),
        option(
            '--access-key-id',
            metavar='KEY',
            group='Credentials',
            help='Access key; its secret is looked for in the environment and in ~/.aws/credentials each time. '
            '[default: the key that is found there]',
        ),
        option('--secret-access-key', group='Credentials', help='Secret of that key; needs --keep-secret.'),
        option(
            '--keep-secret',
            is_flag=True,
            group='Credentials',
            help='Write key and secret, given or found, into config.json.',
        ),
        option(
            '--credentials-profile',
            metavar='NAME',
            group='Credentials',
            help='The section of ~/.aws/credentials in which key and secret are.',
        ),
        option(
            '--cache-folder',
            type=PathName(file_okay=False),
            group='Cache',
            help='Where what was read is kept on this machine. [default: ~/.cache/ricordi/objects]',
        ),
        option('--cache-bytes', metavar='N', group='Cache', help='How much of it; 0: nothing. [default: 1 GiB]'),
    ]
    return added(options)


@verb(
    'ricordi profile setup ricordi.psql_bucket -p group --email ada@example.org'
    ' --admin-uri postgresql://postgres@db.example.org/postgres'
    ' --endpoint-url https://s3.example.org --bucket-name ricordi --make-bucket -n',
    on_profile=False,
)
@setup_options()
@server_options()
@bucket_options()
@ADOPT
@question_options()
def psql_bucket(session: CommandSession, config: str | None, non_interactive: bool | None, **given: Any) -> int:
    """Set up a profile on PostgreSQL with its objects in a bucket of an object store.

    Any number of hosts may use it at once. The database has to be there and empty, unless --admin-uri names an
    administrator who may create it; so has the bucket, unless --make-bucket is given. If anything fails, what was
    created goes again.
    """
    from ricordi.services.profiles.bucket import provided_bucket
    from ricordi.services.profiles.database import administrator_at, provided_database

    administrator = administrator_at(given['admin_uri'])
    database, bucket = server_questions(administrator), bucket_questions(given['keep_secret'])
    values = answer((name_question(session), *PERSON, *database, *bucket), given, config, non_interactive)
    storage_config = {**psql_config(database, values, given), **bucket_config(bucket, values, given['keep_secret'])}
    with (
        provided_bucket(storage_config, values['profile_name'], given['make_bucket']),
        provided_database(administrator, storage_config) as finish,
    ):
        create(session, 'ricordi.psql_bucket', storage_config, person_of(values), values, given, finish)
    return 0


def bucket_config(questions: tuple[Question, ...], values: Values, keep_secret: bool) -> dict[str, Any]:
    """What the `storage.config` of a profile says of its bucket; the secret only if that is asked for.

    :param values: the answers to these and other questions.
    :raises ricordi.errors.UsageError: there is a secret, and nobody has said that it may be kept.
    """
    from ricordi.services.profiles.bucket import kept_secret, where_found

    for question in questions:
        question.refuse(values[question.key])
    if values[SECRET] and not keep_secret:
        raise UsageError(
            'a secret access key is written into config.json only with --keep-secret; without, put it where it is '
            'found each time: into AWS_SECRET_ACCESS_KEY or ~/.aws/credentials'
        )
    told = {question.key: values[question.key] for question in questions}
    config = {key: value for key, value in told.items() if value not in (None, '')}
    config |= where_found(config)
    return {**config, **kept_secret(config)} if keep_secret else config
