"""`ricordi tour`: a full maintenance of a small storage that AiiDA made, in a temporary folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ricordi.cli.session import CommandSession
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import ProblemsFound

if TYPE_CHECKING:
    from ricordi.services.tour import Tour


@verb('ricordi tour', 'ricordi tour --keep', on_profile=False)
@option('--keep', is_flag=True, help='Leave the temporary folder where it is, to look around in it.')
@format_option()
def tour(session: CommandSession, keep: bool, output_format: str | None) -> int:
    """Show a full maintenance on a small storage in a temporary folder.

    A storage that AiiDA made, which comes with the program, is unpacked, maintained in full and checked: every object
    that a node names is read back and its SHA-256 compared. Your own profiles are not touched.
    """
    from pathlib import Path
    from tempfile import TemporaryDirectory, mkdtemp

    from ricordi.services.tour import take_tour

    with ExitStack() as stack:
        folder = (
            mkdtemp(prefix='ricordi-tour-') if keep else stack.enter_context(TemporaryDirectory(prefix='ricordi-tour-'))
        )
        stack.enter_context(_configuration_in(folder))
        done = take_tour(Path(folder))
        if session.reports(output_format):
            _show(done, folder if keep else None, output_format)
    if not done.is_all_well:
        raise ProblemsFound('the storage of the tour did not come back as it was: please report this as a bug')
    return 0


@contextmanager
def _configuration_in(folder: str) -> Iterator[None]:
    """Have this process look for its configuration in `folder`, and leave that of the user alone."""
    before = os.environ.get('AIIDA_PATH')
    os.environ['AIIDA_PATH'] = folder
    try:
        yield
    finally:
        os.environ.pop('AIIDA_PATH')
        if before is not None:
            os.environ['AIIDA_PATH'] = before


def _show(done: Tour, kept: str | None, output_format: str | None) -> None:
    if output_format in (None, 'table'):
        from ricordi.cli.terminal.prose import prose

        print(prose(_as_text(done, kept)))
    else:
        from ricordi.cli.terminal.output import write_details

        write_details(_as_data(done, kept), output_format)


def _as_data(done: Tour, kept: str | None) -> dict[str, Any]:
    from dataclasses import asdict

    from ricordi.cli.storage.maintenance_report import report_as_data
    from ricordi.services.tour import PROFILE

    return {
        'all_well': done.is_all_well,
        'before': asdict(done.before),
        'maintenance': report_as_data(PROFILE, done.maintenance),
        'after': asdict(done.after),
        'again': report_as_data(PROFILE, done.again),
        'folder': kept,
    }


def _as_text(done: Tour, kept: str | None) -> str:
    from ricordi.cli.storage.maintenance_report import report_as_text
    from ricordi.cli.terminal.quantities import format_bytes, plural
    from ricordi.services.tour import PROFILE

    named = plural(done.before.objects, 'object')
    parts = [
        f'A small storage that AiiDA made, in a temporary folder: its nodes name {named} of '
        f'{format_bytes(done.before.bytes)} in all, and a node that was deleted has left garbage behind.',
        '$ ricordi storage maintain --full --repack all',
        report_as_text(PROFILE, done.maintenance),
        'Garbage in a pack gives its bytes back when the pack is rewritten. Without --repack all, that is done to '
        'packs of which more than 10 % are waste (--max-waste), for it takes time and room; less waits for later.',
        _checked(done),
        '$ ricordi storage maintain --full',
        report_as_text(PROFILE, done.again),
    ]
    if kept:
        parts.append(f'Look around: AIIDA_PATH={kept} ricordi storage info')
    else:
        parts.append(
            'The temporary folder is gone. For a profile of your own: ricordi storage maintain --full --dry-run'
        )
    return '\n\n'.join(parts)


def _checked(done: Tour) -> str:
    from ricordi.cli.terminal.quantities import format_bytes, plural

    if not done.is_all_well:
        return f'Checked: {plural(len(done.after.wrong), "object")} came back with other bytes.'
    return (
        f'Checked: every object that a node names was read back ({plural(done.after.objects, "object")}, '
        f'{format_bytes(done.after.bytes)}); the SHA-256 of each is right.'
    )
