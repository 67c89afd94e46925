"""`ricordi storage move`: the objects of a profile in a bucket, or in a container again."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from ricordi.cli.parameters import PROFILE
from ricordi.cli.profile.bucket import bucket_config, bucket_questions, store_options
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.storage import WAIT
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.quantities import format_bytes, plural
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, UsageError
from ricordi.model.addresses import check_folder_name
from ricordi.progress import Stop

if TYPE_CHECKING:
    from ricordi.services.moving import Moved

BUCKET, CONTAINER = 'ricordi.psql_bucket', 'core.psql_dos'


@verb(
    'ricordi storage move group --to s3://ricordi/group --endpoint-url https://s3.example.org --make-bucket',
    'ricordi storage move group --to /data/repository/group --dry-run',
    on_profile=False,
)
@click.argument('profile', required=False, type=PROFILE)
@option(
    '--to',
    'place',
    metavar='s3://BUCKET[/FOLDER]|FOLDER',
    required=True,
    help='A bucket of an object store and a folder in it, or a folder on this machine for a container.',
)
@store_options()
@option('--dry-run', '-n', is_flag=True, help='Tell how much would be copied, and change nothing.')
@option('--erase-old', is_flag=True, help='Remove the objects from where they were, once the move is done.')
@yes_option('Do not ask before removing the old ones.')
@WAIT
@format_option()
def move(
    session: CommandSession,
    profile: str | None,
    place: str,
    dry_run: bool,
    erase_old: bool,
    yes: bool,
    wait: float | None,
    output_format: str | None,
    **given: Any,
) -> int:
    """Move the objects of a profile into a bucket of an object store, or into a container again.

    Its database has to be one of PostgreSQL, and stays where it is. The profile is locked meanwhile. All objects are
    copied, read back and compared with their keys; then the profile is changed. The old place keeps its objects,
    unless --erase-old is given. A move that was cut short goes on where it was when the same command is given again.
    """
    from ricordi.services.moving import move_objects
    from ricordi.services.profiles.bucket import provided_bucket

    name = session.profile_name if profile is None else profile
    backend = BUCKET if place.startswith('s3://') else CONTAINER
    config = _in_bucket(place, given) if backend == BUCKET else _in_container(place, given)
    if erase_old and not dry_run and not confirm('Remove the objects from where they are now, after the move?', yes):
        raise InvalidOperation('not moved')
    is_needed = backend == BUCKET and not dry_run
    bucket = provided_bucket(config, name or '', given['make_bucket']) if is_needed else nullcontext()
    with long_work(session, Stop(), writes=not dry_run) as run, bucket:
        done = move_objects(name, backend, config, erase=erase_old, dry_run=dry_run, wait=wait, run=run)
    if session.reports(output_format):
        _tell(done, dry_run, output_format)
    return 0


def _in_bucket(place: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the `storage.config` shall say of a bucket."""
    parts = urlsplit(place)
    if not parts.netloc or parts.query or parts.fragment:
        raise UsageError('write the bucket as s3://BUCKET or s3://BUCKET/FOLDER')
    values = {**given, 'bucket_name': parts.netloc, 'prefix': parts.path.strip('/')}
    return bucket_config(bucket_questions(given['keep_secret']), values, given['keep_secret'])


def _in_container(place: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the `storage.config` shall say of a folder that has a container."""
    for key, value in given.items():
        if value not in (None, False):
            raise UsageError(f'--{key.replace("_", "-")} needs a bucket: write --to s3://BUCKET')
    if place.startswith('file://'):
        path = Path(urlsplit(place).path)
    else:
        check_folder_name(place)
        path = Path(place).expanduser().absolute()
    return {'repository_uri': path.as_uri()}


def _tell(done: Moved, dry_run: bool, output_format: str | None) -> None:
    if output_format not in (None, 'table'):
        write_details({**done._asdict(), 'dry_run': dry_run}, output_format)
        return
    amount = f'{plural(done.objects, "object")} ({format_bytes(done.content_bytes)})'
    if dry_run:
        print(
            prose(f'Would copy {amount} of profile `{done.profile}` from the {done.source} to the {done.destination}.')
        )
        return
    old = 'The old place is empty now.' if done.erased else f'The {done.source} keeps what it has.'
    print(
        prose(
            f'Copied {amount}. Profile `{done.profile}` has its objects in the {done.destination} from now on; each '
            f'was read back and compared with its key. {old}'
        )
    )
