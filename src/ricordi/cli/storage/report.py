"""`ricordi storage report`: what takes the space and how well a storage is kept, as a page to look at."""

from __future__ import annotations

from pathlib import Path

from ricordi.cli.opened import opened
from ricordi.cli.pages.output import PagePlace, page_options
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.drawing import drawing
from ricordi.cli.verb import verb
from ricordi.progress import Run


@verb(
    'ricordi storage report -O report.html',
    'ricordi -p main storage report -O report.html --overwrite',
    'ricordi storage report --archive paper.aiida -O paper.html',
)
@page_options(required=True)
def report(session: CommandSession, output_file: Path, overwrite: bool) -> int:
    """Write a page for a browser: what takes the space, how it grew, how well it is kept.

    One file that asks for nothing over the network, to look at, print or hand on; it names groups, users, files and
    processes. Needs plotly. Nothing in the storage is changed, and no content is read.
    """
    from ricordi.cli.pages.charts import load_plotly
    from ricordi.cli.pages.storage_page import storage_page
    from ricordi.services.usage.storage_report import make_report

    page = PagePlace(output_file, overwrite)
    page.refuse()
    load_plotly()  # before the work: that it is missing should not be told after minutes
    with opened(session, 'storage report') as storage, drawing(session.quiet, session.verbose) as progress:
        gathered = make_report(storage, Run(progress))
    page.write(session, storage_page(gathered))
    return 0
