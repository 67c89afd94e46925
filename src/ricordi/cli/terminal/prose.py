"""Sentences for a person, wrapped between words where they go to a terminal."""

from __future__ import annotations

import sys

from ricordi.cli.terminal.screen import width
from ricordi.cli.terminal.streams import harmless
from ricordi.cli.terminal.widths import wrapped

TYPE_CHECKING = False  # so that `typing` need not be imported where nothing is coloured
if TYPE_CHECKING:
    from typing import TextIO

    from ricordi.cli.terminal.colors import Tone

_TONES: dict[str, Tone] = {'ricordi: error:': 'bad', 'ricordi: warning:': 'warning', 'Error:': 'bad'}
"""Beginnings of messages that are coloured."""


def prose(text: str, stream: TextIO | None = None, hanging: str = '') -> str:
    """A text whose lines fit the terminal that a stream leads to; what goes elsewhere stays as it is.

    :param stream: standard output unless it is given.
    :param hanging: what the lines after the first of each paragraph begin with.
    """
    room = width(stream)
    if room is not None:
        text = '\n'.join(wrapped(harmless(text), room, hanging))
    for beginning, tone in _TONES.items():
        if text.startswith(beginning):
            from ricordi.cli.terminal.colors import painted

            return painted(beginning, tone, stream or sys.stdout) + text[len(beginning) :]
    return text
