"""`ricordi tour`: a full maintenance of a small storage that AiiDA made, in a temporary folder."""

from __future__ import annotations

from ricordi.cli.session import Session
from ricordi.cli.verb import format_option, option, verb


@verb('ricordi tour')
@option('--keep', is_flag=True, help='Leave the temporary folder where it is, to look around in it.')
@format_option()
def tour(session: Session, keep: bool, output_format: str | None) -> int:
    """Show a full maintenance on a small storage in a temporary folder.

    A storage of 75 nodes that AiiDA made, which comes with the program, is unpacked, maintained in full and checked:
    every object that a node names is read back and its SHA-256 compared. Your own profiles are not touched.
    """
    raise NotImplementedError
