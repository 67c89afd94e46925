"""`ricordi archive`: info, version, migrate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ricordi.cli.archive.output import STDOUT, archive_output
from ricordi.cli.parameters import PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.drawing import drawing
from ricordi.cli.terminal.output import shown, write_details
from ricordi.cli.terminal.quantities import format_amount, format_bytes, format_count, in_words
from ricordi.cli.terminal.signals import stopping
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import UsageError
from ricordi.progress import Run, Stop

ARCHIVE = PathName(path_type=Path)


@verb(
    'ricordi archive info results.aiida',
    'ricordi archive info results.aiida --detailed --format json',
    on_profile=False,
)
@click.argument('path', type=ARCHIVE)
@option('--detailed', is_flag=True, help='Also count what is in it, and list all that it was made from.')
@format_option()
def info(session: CommandSession, path: Path, detailed: bool, output_format: str | None) -> int:
    """Show what an archive holds and how it was made."""
    from ricordi.services.archive.info import check_given, get_archive_info

    check_given(path)
    found = get_archive_info(path, detailed)
    write_details(found, output_format, show=_with_unit, short=format_amount, name=in_words)
    return 0


def _with_unit(key: str, value: Any) -> str:
    """A value of `archive info` for a person."""
    if not isinstance(value, int) or isinstance(value, bool):
        return shown(value)
    if key.startswith('metadata.') and not key.startswith('metadata.creation_parameters.entity_counts.'):
        return shown(value)
    return format_bytes(value) if key.endswith('bytes') else format_count(value)


@verb('ricordi archive version results.aiida', on_profile=False)
@click.argument('path', type=ARCHIVE)
@format_option()
def version(session: CommandSession, path: Path, output_format: str | None) -> int:
    """Show the version of an archive.

    Exits with 4 where it is not the one that this program works on.
    """
    from ricordi.services.archive.info import check_given, get_version

    check_given(path)
    found, head = get_version(path)
    if output_format is None:
        print(f'{path}: version {found}')
    else:
        write_details({'path': str(path), 'version': found, 'head': head}, output_format)
    return 0 if found == head else 4


@verb('ricordi archive migrate old.aiida new.aiida', 'ricordi archive migrate old.aiida --in-place', on_profile=False)
@click.argument('input_file', type=ARCHIVE)
@click.argument('output_file', type=PathName(allow_dash=True, path_type=Path), required=False)
@option('-f', '--force', is_flag=True, help='Overwrite the file if it is there.')
@option('-i', '--in-place', is_flag=True, help='Replace the archive itself.')
@option('--version', 'wanted', metavar='VERSION', help='The version to migrate to; only the current one can be.')
def migrate(
    session: CommandSession, input_file: Path, output_file: Path | None, force: bool, in_place: bool, wanted: str | None
) -> int:
    """Bring an archive to the version that this program works on.

    All versions that AiiDA ever wrote can be migrated, `0.1` to `0.13` included, be they zip or tar files. What cannot
    be taken over, such as links to nodes that are not there, is told. One that has this version already is copied as
    it is. With `-` the result goes to standard output.
    """
    from ricordi.services.archive.info import check_given
    from ricordi.services.archive.migrate import migrate_archive

    if (output_file is None) is not in_place:
        raise UsageError('give either a file to write to or --in-place')
    check_given(input_file)
    stop = Stop()
    with archive_output(output_file or input_file) as path, stopping(stop), drawing(session.silent) as progress:
        done = migrate_archive(
            input_file,
            path,
            version=wanted,
            overwrite=force or in_place,
            run=Run(progress, stop),
        )
    where = 'standard output' if output_file == STDOUT else done.path
    if done.changed:
        session.tell(f'Migrated {input_file} from version {done.before} to {done.after}: {where}')
    elif done.copied:
        session.tell(f'{input_file} has version {done.after} already: copied it as it is to {where}.')
    else:
        session.tell(f'{input_file} has version {done.after} already: nothing to do.')
    for note in done.notes:
        session.tell(f'Note: {note}.')
    return 0
