"""`ricordi tour`: backup, repair and full maintenance of a storage that has seen bad days, in a temporary folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.session import CommandSession
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import ProblemsFound

if TYPE_CHECKING:
    from ricordi.services.tour.tour import Tour


@verb('ricordi tour', 'ricordi tour --nodes 100 --keep', on_profile=False)
@option(
    '--nodes',
    type=click.IntRange(10, 1_000_000),
    default=840,
    metavar='N',
    help='How many nodes are made on the spot, of 48 kB each. [default: 840]',
)
@option('--keep', is_flag=True, help='Leave the temporary folder where it is, to look around in it.')
@format_option()
def tour(session: CommandSession, nodes: int, keep: bool, output_format: str | None) -> int:
    """Show on a storage in a temporary folder what is done about damage, garbage and waste.

    A part of it was made by AiiDA and comes with the program, tens of megabytes are made on the spot. A repack of
    AiiDA's was killed in it, nodes were deleted, a byte is wrong. It is backed up, verified, repaired and maintained in
    full; then every object that a node names is read back. Your own profiles are not touched. With --verbose, also the
    whole report of the maintenance.
    """
    from pathlib import Path
    from tempfile import TemporaryDirectory, mkdtemp

    from ricordi.services.tour.laying_out import TourSize
    from ricordi.services.tour.tour import take_tour

    with ExitStack() as stack:
        folder = (
            mkdtemp(prefix='ricordi-tour-') if keep else stack.enter_context(TemporaryDirectory(prefix='ricordi-tour-'))
        )
        stack.enter_context(_configuration_in(folder))
        done = take_tour(Path(folder), TourSize.of(nodes))
        if session.reports(output_format):
            _show(done, folder if keep else None, output_format, session.verbose)
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


def _show(done: Tour, kept: str | None, output_format: str | None, verbose: bool) -> None:
    if output_format in (None, 'table'):
        from ricordi.cli.terminal.prose import prose
        from ricordi.cli.tour.text import as_text

        print(prose(as_text(done, kept, verbose)))
    else:
        from ricordi.cli.terminal.output import write_details

        write_details(_as_data(done, kept), output_format)


def _as_data(done: Tour, kept: str | None) -> dict[str, Any]:
    from dataclasses import asdict

    from ricordi.cli.storage.maintenance_report import report_as_data
    from ricordi.services.tour.laying_out import PROFILE

    return {
        'all_well': done.is_all_well,
        'nodes_made': done.laid.nodes,
        'nodes_deleted': done.laid.deleted,
        'before': asdict(done.before),
        'damaged': [{'key': one.key, 'pk': one.nodes[0][0], 'path': one.nodes[0][2]} for one in done.damaged],
        'mended': len(done.repair.done) - len(done.repair.left),
        'maintenance': report_as_data(PROFILE, done.maintenance),
        'after': asdict(done.after),
        'again': report_as_data(PROFILE, done.again),
        'disk_bytes': {'before': done.disk_before, 'after': done.disk_after},
        'seconds': {name: round(seconds, 6) for name, seconds in done.seconds.items()},
        'folder': kept,
    }
