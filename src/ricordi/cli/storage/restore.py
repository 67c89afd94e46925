"""`ricordi storage restore`: a new profile of what a backup holds, or a rehearsal of that."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.parameters import DURATION, NEW_NAME, PathName
from ricordi.cli.profile.bucket import bucket_config, bucket_options, bucket_questions
from ricordi.cli.profile.setup import (
    BROKER,
    DATABASE,
    NAME,
    database_options,
    database_questions,
    psql_config,
    server_questions,
)
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.places import is_bucket_place, store_settings, told_settings
from ricordi.cli.storage.restore_report import tell_rehearsal, tell_restore
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.questions import Question, answer, question_options
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import UsageError
from ricordi.progress import Stop

if TYPE_CHECKING:
    from ricordi.services.profiles.database import Administrator
    from ricordi.services.profiles.setup import Request

SQLITE, PSQL, BUCKET = 'core.sqlite_dos', 'core.psql_dos', 'ricordi.psql_bucket'
_OF_SERVER = (*(question.key for question in DATABASE), 'admin_uri')
"""Options that only a storage on PostgreSQL has."""
_OF_BUCKET = (*(question.key for question in bucket_questions(False)), 'make_bucket', 'keep_secret')
_OF_ONE: dict[str, tuple[str, ...]] = {SQLITE: ('filepath',), PSQL: ('repository_uri',), BUCKET: _OF_BUCKET}
"""Options that only one kind of storage has."""
_FOLDER = Question('filepath', 'Folder for the data', required=False, applies=lambda values: False)
"""Not asked for: where nothing is said, a folder is chosen."""


@verb(
    'ricordi storage restore /mnt/backup main',
    'ricordi storage restore /mnt/backup@20261126T213000Z main --filepath /data/main',
    'ricordi storage restore /mnt/backup main --storage core.psql_dos'
    ' --admin-uri postgresql://postgres@localhost/postgres -n',
    'ricordi storage restore /mnt/backup main --storage ricordi.psql_bucket'
    ' --admin-uri postgresql://postgres@localhost/postgres --endpoint-url https://s3.example.org --bucket-name main -n',
    'ricordi storage restore /mnt/verdi-backup main',
    'ricordi storage restore /mnt/backup --rehearse --format json',
    'ricordi storage restore s3://backups/aiida main --endpoint-url https://s3.example.org',
    on_profile=False,
)
@click.argument('place', metavar='PLACE[@SNAPSHOT]', type=PathName(file_okay=False, readable=False))
@click.argument('name', required=False, type=NEW_NAME)
@option('--of', metavar='PROFILE', help='Name or uuid of the profile of which the newest snapshot is meant.')
@option('--rehearse', is_flag=True, help='Restore into a temporary storage, check all of it, and remove it again.')
@option('--storage', type=click.Choice((SQLITE, PSQL, BUCKET)), help=f'Where to restore to. [default: {SQLITE}]')
@option('--filepath', metavar='FOLDER', type=PathName(file_okay=False), help=f'Where {SQLITE} stores the data.')
@option('--set-as-default/--no-set-as-default', default=False, help='Make it the default profile.')
@BROKER
@database_options()
@bucket_options()
@question_options()
@option(
    '--wait',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='Wait so long (90s, 10m, 2h; seconds without a unit) for others to be done with PLACE. [default: do not wait]',
)
@option(
    '--max-runtime',
    type=DURATION,
    metavar='DURATION',
    group='Time',
    help='Give up cleanly after so long (90s, 10m, 2h; seconds without a unit); exits with 7.',
)
@format_option()
def restore(
    session: CommandSession,
    place: str,
    name: str | None,
    of: str | None,
    rehearse: bool,
    wait: float | None,
    max_runtime: float | None,
    output_format: str | None,
    **given: Any,
) -> int:
    """Make a new profile of what a backup holds: a snapshot, or what `verdi storage backup` made.

    PLACE is a backup repository, a folder or s3://BUCKET/FOLDER, of which the newest snapshot is restored, unless
    another is named; or a folder of verdi's, of which the newest backup is. The objects are restored first, each
    compared with its key, then the database; the profile gets its NAME last. If anything fails or is interrupted,
    nothing is left.

    What says how an object store is reached is about PLACE, the new storage, or both, whichever is in a bucket. Of two
    stores AWS_ENDPOINT_URL names that of PLACE.

    Exit codes: 0 all is there, 6 the backup lacked objects, which are named, and the profile was restored without
    them; a rehearsal also ends with 6 where anything is not as it should be. 7 interrupted.
    """
    stop = Stop(max_runtime, out_of_time='the time given by --max-runtime is over')
    if rehearse:
        if given['storage'] not in (None, SQLITE):
            raise UsageError('--rehearse restores into a temporary storage on SQLite: leave --storage out')
        from ricordi.services.backups.rehearsal import rehearse as run_rehearsal

        store = store_settings((place,), given)
        with long_work(session, stop) as run:
            rehearsal = run_rehearsal(place, of=of, wait=wait, run=run, object_store=store)
        return tell_rehearsal(session, rehearsal, output_format)
    if name is None:
        raise UsageError('missing argument NAME: what the new profile shall be called (or --rehearse)')
    from ricordi.services.backups.places import is_store_named_around
    from ricordi.services.backups.restore import restore as run_restore
    from ricordi.services.profiles.database import administrator_at, provided_database

    store = told_settings(given) if is_bucket_place(place) else {}
    administrator = administrator_at(given['admin_uri'])
    request = _request(name, administrator, given, of_place=frozenset(store))
    if request.backend == BUCKET and is_store_named_around():
        store = {}  # two stores: what was given is about the new one
    made_by = None if request.backend == SQLITE else administrator
    with (
        _bucket_of(request, given['make_bucket']),
        provided_database(made_by, request.storage_config) as finish,
        long_work(session, stop) as run,
    ):
        report = run_restore(place, replace(request, finish=finish), of=of, wait=wait, run=run, object_store=store)
    return tell_restore(session, report, output_format)


def _request(
    name: str, administrator: Administrator | None, given: dict[str, Any], of_place: frozenset[str]
) -> Request:
    """What the new profile shall be.

    :param of_place: options that say how the backup is reached; they say it of the new bucket as well, if there is one.
    """
    from ricordi.services.profiles.broker import broker_config
    from ricordi.services.profiles.setup import Request, sqlite_config

    of_one = {kind: tuple(key for key in keys if key not in of_place) for kind, keys in _OF_ONE.items()}
    backend = given['storage'] or _meant(of_one, given)
    for kind, keys in of_one.items():
        if kind != backend:
            _refuse(given, keys, f'--storage {kind}')
    if backend == SQLITE:
        _refuse(given, _OF_SERVER, f'--storage {PSQL}')
        values = answer((_FOLDER,), given, given['config'], given['non_interactive'])
        storage_config = sqlite_config(values['filepath'])
    else:
        storage_config = _server_config(name, backend, administrator, given)
    broker = None if given['broker'] in (None, 'none') else given['broker']
    return Request(
        name, backend, storage_config, None, set_as_default=given['set_as_default'], broker=broker_config(broker)
    )


def _meant(of_one: dict[str, tuple[str, ...]], given: dict[str, Any]) -> str:
    """Which kind of storage is meant where none is named: one that has the options that are given."""
    kinds = [kind for kind, keys in of_one.items() if _given(given, keys)]
    return kinds[0] if kinds else PSQL if _given(given, _OF_SERVER) else SQLITE


def _server_config(
    name: str, backend: str, administrator: Administrator | None, given: dict[str, Any]
) -> dict[str, Any]:
    """The `storage.config` of a profile on PostgreSQL."""
    bucket = bucket_questions(given['keep_secret']) if backend == BUCKET else ()
    database = server_questions(administrator) if bucket else database_questions(administrator)
    named = {**given, 'profile_name': name}
    values = answer((NAME, *database, *bucket), named, given['config'], given['non_interactive'])
    config = psql_config(database, values, given)
    return {**config, **bucket_config(bucket, values, given['keep_secret'])} if bucket else config


def _bucket_of(request: Request, make: bool) -> AbstractContextManager[None]:
    """What makes the bucket, where the profile is to have one."""
    from ricordi.services.profiles.bucket import provided_bucket

    return provided_bucket(request.storage_config, request.name, make) if request.backend == BUCKET else nullcontext()


def _given(given: dict[str, Any], keys: Iterable[str]) -> list[str]:
    """Which of these options are given."""
    return [key for key in keys if given[key] not in (None, False)]


def _refuse(given: dict[str, Any], keys: Iterable[str], needed: str) -> None:
    for key in _given(given, keys):
        raise UsageError(f'--{key.replace("_", "-")} needs {needed}')
