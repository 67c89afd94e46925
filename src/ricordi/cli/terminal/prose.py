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


_NARROWEST = 12
"""Columns that the text of a deep branch keeps."""


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


def complain(message: str) -> None:
    """Say on stderr what went wrong; on a terminal the lines after the first are indented."""
    print(prose(message, sys.stderr, '  '), file=sys.stderr, flush=True)


def branched(stems: str, branch: str, text: str) -> str:
    """A line of a tree; where it is too long its text is wrapped, and the stems go on beside it.

    :param stems: of the branches above.
    :param branch: what leads to this one; nothing at the root.
    """
    room = width()
    before = len(stems) + len(branch)
    if room is None or before + display_width(text) <= room:
        return f'{stems}{branch}{text}'
    beside = '│   ' if branch.startswith('├') else ' ' * len(branch)
    first, *more = wrapped(harmless(text), max(_NARROWEST, room - before - 2))
    return '\n'.join([f'{stems}{branch}{first}', *(f'{stems}{beside}  {part}' for part in more)])


def _fitted(line: str, room: int, hanging: str, stream: TextIO) -> str:
    """A line in as many as it needs; one that has a colour is left alone where it fits, else it loses it."""
    bare = uncolored(line, stream)
    if bare != line and display_width(harmless(bare)) <= room:
        return line
    return '\n'.join(wrapped(harmless(bare), room, hanging))
