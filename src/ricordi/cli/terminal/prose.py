"""Sentences for a person, wrapped between words where they go to a terminal."""

from __future__ import annotations

import sys

from ricordi.cli.terminal.screen import width
from ricordi.cli.terminal.streams import harmless, uncolored
from ricordi.cli.terminal.widths import display_width, wrapped

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
    stream = stream or sys.stdout
    if room is not None:
        text = '\n'.join(_fitted(line, room, hanging, stream) for line in text.split('\n'))
    for beginning, tone in _TONES.items():
        if text.startswith(beginning):
            from ricordi.cli.terminal.colors import painted

            return painted(beginning, tone, stream) + text[len(beginning) :]
    return text


def _fitted(line: str, room: int, hanging: str, stream: TextIO) -> str:
    """A line in as many as it needs; one that has a colour is left alone where it fits, else it loses it."""
    bare = uncolored(line, stream)
    if bare != line and display_width(harmless(bare)) <= room:
        return line
    return '\n'.join(wrapped(harmless(bare), room, hanging))
