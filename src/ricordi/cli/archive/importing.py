"""`ricordi archive import`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ricordi.cli.multiple import several
from ricordi.cli.parameters import GROUP, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.drawing import drawing
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds
from ricordi.cli.terminal.signals import stopping
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import RicordiError, UsageError
from ricordi.progress import Run, Stop

if TYPE_CHECKING:
    from ricordi.services.archive.importing import ImportedArchive

STDIN = '-'
EXISTING = 'What is there already'
NEW = 'What is new'
COPY_BYTES = 1 << 20


@verb(
    'ricordi archive import paper.aiida',
    'ricordi -p main archive import *.aiida --group paper --extras-mode-existing keep_existing',
    'ricordi archive import https://archive.example.org/record.aiida',
    'gpg --decrypt record.aiida.gpg | ricordi archive import -',
)
@click.argument('archives', nargs=-1, type=PathName(allow_dash=True))
@several('-w', '--webpages', metavar='ADDRESS…', help='Also import what these web pages point at and ends in .aiida.')
@option(
    '--import-group/--no-import-group',
    default=True,
    group=NEW,
    help='Whether to make all nodes of an archive members of a group. [default: yes, of a new one named by the time]',
)
@option('-G', '--group', type=GROUP, group=NEW, help='That group, made if there is none.')
@option(
    '--extras-mode-new',
    type=click.Choice(('import', 'none')),
    default='import',
    group=NEW,
    help='Whether new nodes get the extras they have in the archive. [default: import]',
)
@option(
    '--include-authinfos/--exclude-authinfos',
    'authinfos',
    default=False,
    group=NEW,
    help='Whether to take how users reach computers. [default: no]',
)
@option(
    '-e',
    '--extras-mode-existing',
    type=click.Choice(('none', 'keep_existing', 'update_existing', 'mirror')),
    default='none',
    group=EXISTING,
    help='Extras of nodes that are there: leave them, add what is new, also overwrite what is there, or take those of '
    'the archive instead. [default: none]',
)
@option(
    '--comment-mode',
    type=click.Choice(('leave', 'newest', 'overwrite')),
    default='leave',
    group=EXISTING,
    help='Comments that are there: leave them, take the one changed last, or that of the archive. [default: leave]',
)
@option('--migration/--no-migration', default=True, help='Whether to take archives of older versions. [default: yes]')
@option('-n', '--dry-run', is_flag=True, help='Check the archives, tell what would be imported, and change nothing.')
@option('--test-run', is_flag=True, hidden=True)
@option('-b', '--batch-size', type=int, hidden=True)
@format_option()
def import_archives(
    session: CommandSession,
    archives: tuple[str, ...],
    webpages: tuple[str, ...],
    import_group: bool,
    group: str | None,
    extras_mode_new: str,
    authinfos: bool,
    extras_mode_existing: str,
    comment_mode: str,
    migration: bool,
    dry_run: bool,
    test_run: bool,
    batch_size: int | None,
    output_format: str | None,
) -> int:
    """Import archives into a profile.

    ARCHIVES are files, web addresses, or `-` for standard input. What the profile has already stays as it is, unless
    options say otherwise. Each archive is checked as a whole first, and goes in as a whole or not at all.
    """
    from ricordi.services.archive.importing import ImportRequest, import_archive
    from ricordi.services.profiles.profiles import find_profile

    request = ImportRequest(
        extras_existing=extras_mode_existing,
        extras_new=extras_mode_new == 'import',
        comments=comment_mode,
        authinfos=authinfos,
        import_group=import_group,
        group=group,
        migrate=migration,
    )
    _check(archives, webpages)
    profile, stop = find_profile(session.profile_name), Stop()
    wanted = (*archives, *_on_pages(webpages))
    for number, archive in enumerate(wanted, 1):
        # Signals are caught only when the archive is here: a server that stays silent would keep them waiting.
        with (
            _telling_what_is_left(wanted[number:]),
            drawing(session.silent) as progress,
            _file(archive, run := Run(progress, stop)) as path,
            nullcontext() if dry_run or test_run else stopping(stop),
        ):
            done = import_archive(profile, path, request, dry_run=dry_run or test_run, run=run)
        done = replace(done, path=archive)
        if session.reports(output_format, dry_run or test_run):
            _show(done, output_format)
        _tell(session, done)
    return 0


@contextmanager
def _telling_what_is_left(archives: Sequence[str]) -> Iterator[None]:
    """Have what ends the import of one archive say which others were not tried."""
    try:
        yield
    except (RicordiError, OSError) as error:
        if archives:
            error.add_note(f'Not tried: {", ".join(map(_shown, archives))}.')
        raise


def _shown(archive: str) -> str:
    return 'standard input' if archive == STDIN else archive


def _check(archives: tuple[str, ...], webpages: tuple[str, ...]) -> None:
    from ricordi.services.addresses import is_address
    from ricordi.services.archive.info import check_given

    if not archives and not webpages:
        raise UsageError('nothing to import: name archives, addresses, or - for standard input')
    for archive in archives:
        if archive != STDIN and not is_address(archive):
            check_given(Path(archive))
    for page in webpages:
        if not is_address(page):
            raise UsageError(f'{page} is no web address: one begins with http:// or https://')
    if archives.count(STDIN) > 1:
        raise UsageError('standard input (`-`) can be read once')
    if STDIN in archives and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError('`-` reads an archive from standard input: pipe one in')


def _on_pages(webpages: tuple[str, ...]) -> list[str]:
    if not webpages:
        return []
    from ricordi.services.archive.web import archives_of_page

    return [address for page in webpages for address in archives_of_page(page)]


@contextmanager
def _file(archive: str, run: Run) -> Iterator[Path]:
    """The archive as a file: what comes from elsewhere goes to a temporary one, for a zip file is read from its end.

    What is wrong with the temporary one is told of what the archive was called.
    """
    from ricordi.services.addresses import is_address

    if archive != STDIN and not is_address(archive):
        yield Path(archive)
        return
    from ricordi.files import TemporaryFolder

    with TemporaryFolder('archive') as folder:
        path = folder / 'archive.aiida'
        if archive == STDIN:
            with path.open('wb') as file:
                shutil.copyfileobj(sys.stdin.buffer, file, COPY_BYTES)
            if not path.stat().st_size:
                raise UsageError('there is nothing on standard input, where `-` looks for an archive')
        else:
            from ricordi.services.archive.web import download

            download(archive, path, run)
        try:
            yield path
        except RicordiError as error:
            shown = _shown(archive)
            error.args = (str(error).replace(str(path), shown),)
            if error.remedy:
                subject = tuple(word.replace(str(path), shown) for word in error.remedy.subject)
                error.remedy = error.remedy._replace(subject=subject)
            raise


def _show(done: ImportedArchive, output_format: str | None) -> None:
    if output_format not in (None, 'table'):
        write_details(asdict(done), output_format)
        return
    kinds = [kind for kind in done.new if done.new[kind] or done.existing.get(kind)]
    rows = [[kind, format_count(done.new[kind]), format_count(done.existing.get(kind, 0))] for kind in kinds]
    rows.append(['object', format_count(done.objects), ''])
    print(format_table(rows, ['', 'New', 'There already']))


def _tell(session: CommandSession, done: ImportedArchive) -> None:
    become = 'would become' if done.dry_run else 'became'
    for label, other in done.relabelled.items():
        session.tell(f'The label `{label}` {"is" if done.dry_run else "was"} taken: it {become} `{other}`.')
    if done.extras_changed or done.comments_changed:
        session.tell(f'Changed the extras of {done.extras_changed:,} nodes and {done.comments_changed:,} comments.')
    for note in done.notes:
        session.tell(f'Note: {note}.')
    size = format_bytes(done.content_bytes)
    if done.dry_run:
        session.tell(f'Nothing was changed: {_shown(done.path)} can be imported and would add {size} of content.')
        return
    group = f' All its nodes are in the group `{done.group_label}`.' if done.group_label else ''
    session.tell(f'Imported {_shown(done.path)} with {size} of new content in {format_seconds(done.seconds)}.{group}')
