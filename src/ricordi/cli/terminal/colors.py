"""Colours that mean something, out of a palette that is legible on a dark and on a light ground."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from ricordi.cli.terminal.screen import has_colors
from ricordi.cli.terminal.streams import colored

if TYPE_CHECKING:
    from typing import TextIO

Tone = Literal['bad', 'good', 'warning', 'busy', 'faint']

PALETTE: dict[Tone, int] = {'bad': 160, 'good': 28, 'warning': 130, 'busy': 31, 'faint': 243}
"""Colours out of the 256 that terminals have: of a brightness halfway, which stands out on black and on white."""


class Toned(str):
    """A text that means something, and is coloured where that can be seen; else it is a text like others."""

    __slots__ = ('tone',)
    tone: Tone | None

    def __new__(cls, text: str, tone: Tone | None) -> Toned:
        """A text with its tone; None: it means nothing in particular."""
        made = super().__new__(cls, text)
        made.tone = tone
        return made


def tone_of(text: str) -> Tone | None:
    """The tone of a text, if it has one."""
    return text.tone if isinstance(text, Toned) else None


def painted(text: str, tone: Tone | None, stream: TextIO | None = None) -> str:
    """A text as it is written to a stream, coloured where the stream has colours.

    :param text: whatever it holds, the colour is the only command in it.
    :param stream: standard output unless it is given.
    """
    stream = sys.stdout if stream is None else stream
    if tone is None or not text or not has_colors(stream):
        return text
    return colored(text, f'38;5;{PALETTE[tone]}', stream)
