"""`ricordi storage usage -i`: the screen and the keys of a walk through what takes the space."""

from __future__ import annotations

import os
import re
import shutil
import sys
import termios
import tty
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ricordi.cli.session import CommandSession
from ricordi.cli.storage.usage_cells import cells, file_cells, name_of
from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.quantities import format_bytes, plural
from ricordi.cli.terminal.streams import harmless, write_commands
from ricordi.cli.terminal.table import column_widths, format_line
from ricordi.cli.terminal.widths import display_width
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.backend.usage import Dimension
    from ricordi.services.usage.usage import Chosen
    from ricordi.services.usage.walk import UsageWalk

DOES = {
    'up': ('\x1b[A', '\x1bOA', 'k'),
    'down': ('\x1b[B', '\x1bOB', 'j'),
    'page up': ('\x1b[5~',),
    'page down': ('\x1b[6~', ' '),
    'first': ('\x1b[1~', '\x1b[H', '\x1bOH', 'g'),
    'last': ('\x1b[4~', '\x1b[F', '\x1bOF', 'G'),
    'enter': ('\r', '\n', '\x1b[C', '\x1bOC', 'l'),
    'leave': ('\x7f', '\x08', '\x1b[D', '\x1bOD', 'h'),
    'sort': ('s',),
    'turn': ('t', '\t'),
    'quit': ('q', '\x04'),
}
"""What is done by which keys; those with arrows come in the two forms that terminals know."""
KEYS = {key: deed for deed, keys in DOES.items() for key in keys}

HELP = '↑↓ row  Enter in  ← back  t by something else  s sort  q quit'
_ENTER, _LEAVE = '\033[?1049h\033[?25l', '\033[?25h\033[?1049l'
"""The other screen, without the cursor, and back to what was there before."""
_BAR = 10
_KEY = re.compile('\x1b\\[[ -?]*(?:[@-~]|(?=[^ -~]))|\x1bO(?:[ -~]|(?=[^ -~]))|\x1b(?=[^\\[O])|[^\x1b]')
"""A key; the begin of a sequence is none yet."""


def walk_through(session: CommandSession, storage: StorageBackend, by: Dimension, chosen: Chosen) -> None:
    """Show what takes the space, and follow the keys until somebody quits.

    :raises ricordi.errors.UsageError: there is no terminal.
    """
    from ricordi.services.usage.walk import UsageWalk

    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError('--interactive needs a terminal: leave it out, and drill down by --by and --only')
    walk = UsageWalk(storage, by, chosen)
    session.tell('Summing up …')
    walk.begin()
    with other_screen() as keys:
        _draw(walk)
        for key in keys:
            what = KEYS.get(key, '')
            if what == 'quit':
                return
            _follow(walk, what)
            _draw(walk)


@contextmanager
def other_screen() -> Iterator[Iterator[str]]:
    """The keys that are typed, while the terminal shows another screen; all is as it was before when this is left.

    Keys come one by one, unseen; Ctrl-C is a signal, as ever. It cannot be suspended, for the screen would stay.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    write_commands(_ENTER, sys.stdout)
    try:
        tty.setcbreak(descriptor)
        ours = termios.tcgetattr(descriptor)
        ours[6][termios.VSUSP] = b'\0'
        termios.tcsetattr(descriptor, termios.TCSANOW, ours)
        yield keys_of(iter(lambda: os.read(descriptor, 1024), b''))
    finally:
        with suppress(termios.error):  # of a terminal that has hung up
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        write_commands(_LEAVE, sys.stdout)


def keys_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The keys in what a terminal sends, however it is cut: characters, and the sequences that stand for other keys."""
    text = ''
    for piece in pieces:
        text += piece.decode('latin-1')
        while (match := _KEY.match(text)) is not None:
            yield match[0]
            text = text[match.end() :]


def _follow(walk: UsageWalk, what: str) -> None:
    page = _page()
    steps = {'up': -1, 'down': 1, 'page up': -page, 'page down': page, 'first': -walk.count(), 'last': walk.count()}
    if what in steps:
        walk.move(steps[what])
    elif what == 'enter':
        _tell_work()
        walk.enter()
    elif what == 'leave':
        walk.leave()
    elif what == 'turn':
        _tell_work()
        walk.turn()
    elif what == 'sort':
        walk.sort()


def _tell_work() -> None:
    """In place of the line of help: sums over very many nodes take their time."""
    write_commands('\r\033[KSumming up …', sys.stdout)


def _page() -> int:
    """How many rows fit under the heading and above the line of help."""
    return max(1, shutil.get_terminal_size().lines - 5)


def _draw(walk: UsageWalk) -> None:
    width = shutil.get_terminal_size().columns
    lines = [_cut(line, width) for line in _lines(walk)]
    marked = 3 + walk.level.row - _first(walk)
    shown = [
        f'\033[7m{line}\033[0m' if number == marked and walk.count() else line for number, line in enumerate(lines)
    ]
    write_commands('\033[H\033[2J' + '\r\n'.join(shown), sys.stdout)


def _lines(walk: UsageWalk) -> Iterator[str]:
    """All that stands on the screen, without colours."""
    level, total = walk.level, walk.level.report.usage.total
    yield harmless(' › '.join(one_line(one.title) for one in walk.levels))
    told = f'{format_bytes(total.stored_bytes)} stored, {format_bytes(total.freed_bytes)} freed if deleted'
    yield f'{told}, {plural(total.objects, "object")}; sorted by {walk.order}'
    rows = list(_rows(walk))
    headings = ['Stored', 'Content', 'Nodes', 'Node', 'File']
    if not level.files:
        headings = ['Stored', '', 'Freed', 'Objects', 'Nodes', str(level.by).capitalize()]
    widths = column_widths([headings, *rows])
    right = range(4) if level.files else (0, 2, 3, 4)
    yield format_line(headings, widths, right)
    page, first = _page(), _first(walk)
    for row in rows[first : first + page]:
        yield format_line(row, widths, right)
    for _ in range(page - len(rows[first : first + page])):
        yield ''
    yield ''
    yield HELP


def _rows(walk: UsageWalk) -> Iterator[list[str]]:
    if walk.level.files:
        yield from ([harmless(cell) for cell in file_cells(file)] for file in walk.files())
        return
    most = max((one.share.stored_bytes for one in walk.shares()), default=0) or 1
    for one in walk.shares():
        stored, _, _, freed, objects, nodes = cells(one.share)
        bar = '#' * round(_BAR * one.share.stored_bytes / most)
        yield [stored, f'{bar:{_BAR}}', freed, objects, nodes, harmless(name_of(one))]


def _first(walk: UsageWalk) -> int:
    """The row that stands at the top, so that the one that is looked at is seen."""
    return max(0, min(walk.level.row - _page() // 2, walk.count() - _page()))


def _cut(line: str, width: int) -> str:
    """As much of a line as fits."""
    if display_width(line) <= width:
        return line
    line = line[:width]
    while display_width(line) > width - 1:
        line = line[:-1]
    return f'{line}…'
