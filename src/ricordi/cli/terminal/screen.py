"""What the command line writes on: how wide it is, whether it has colours, in which zone times are told.

Nothing is imported here: the help of the program asks too, and costs no more than its words.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # so that `typing` need not be imported, which costs as much as the help itself
if TYPE_CHECKING:
    from typing import TextIO

WHEN = ('always', 'auto', 'never')
"""What `--color` takes."""

NARROWEST = 20
"""Columns that are reckoned with on a terminal that has less, or tells nonsense."""

_USUAL = 80

_chosen = {'color': 'auto'}
_zone_before: list[str | None] = []


def settle(arguments: list[str]) -> None:
    """Take from a command line what it says of colours and of the zone of times, wherever it stands.

    It counts also where the command line is wrong: the message has the colours that were asked for.
    """
    words = arguments[: arguments.index('--')] if '--' in arguments else arguments
    _chosen['color'] = 'auto'
    for word, following in zip(words, [*words[1:], ''], strict=False):
        if word == '--no-color':
            _chosen['color'] = 'never'
        elif word == '--color' and following in WHEN:
            _chosen['color'] = following
        elif word.startswith('--color=') and word.removeprefix('--color=') in WHEN:
            _chosen['color'] = word.removeprefix('--color=')
    _tell_times_in_utc('--utc' in words)


def _tell_times_in_utc(wanted: bool) -> None:
    """Have this process, and those that it starts, take UTC for the local time, or what they took before."""
    if wanted and not _zone_before:
        _zone_before.append(os.environ.get('TZ'))
        os.environ['TZ'] = 'UTC0'
    elif not wanted and _zone_before:
        before = _zone_before.pop()
        os.environ.pop('TZ')
        if before is not None:
            os.environ['TZ'] = before
    else:
        return
    time.tzset()


def width(stream: TextIO | None = None) -> int | None:
    """The columns of the terminal that a stream leads to; None: it leads elsewhere, where nothing has to fit.

    :param stream: standard output unless it is given.
    """
    stream = sys.stdout if stream is None else stream
    if stream is None or not stream.isatty():
        return None
    told = os.environ.get('COLUMNS', '')
    if told.isdecimal() and int(told):
        return max(NARROWEST, int(told))
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return max(NARROWEST, columns or _USUAL)


def refuses_colors() -> bool:
    """Whether somebody wants no colour, also where a verb was asked for some."""
    return _chosen['color'] == 'never' or (_chosen['color'] == 'auto' and bool(os.environ.get('NO_COLOR')))


def has_colors(stream: TextIO | None = None) -> bool:
    """Whether what goes to a stream may be coloured: on a terminal that has colours, unless somebody wants none.

    :param stream: standard output unless it is given.
    """
    if _chosen['color'] != 'auto':
        return _chosen['color'] == 'always'
    stream = sys.stdout if stream is None else stream
    if stream is None or not stream.isatty() or os.environ.get('NO_COLOR'):
        return False
    return os.environ.get('TERM') not in ('dumb', None)
