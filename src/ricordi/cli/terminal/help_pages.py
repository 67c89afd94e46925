"""The help of a verb, as click writes it, made to fit the terminal: options, examples, line of usage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from ricordi.cli.terminal.screen import width
from ricordi.cli.terminal.widths import display_width, wrapped

WIDEST = 100
"""Columns that lines of help take at most: longer ones are hard to read."""
_NARROWEST_TEXT = 30
_GAP = 2


class HelpPage(click.HelpFormatter):
    """Writes help that is as wide as the terminal at most; off a terminal as wide as click has it."""

    def __init__(self) -> None:
        columns = width()
        super().__init__(max_width=WIDEST, width=None if columns is None else min(columns, WIDEST))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = _GAP) -> None:
        """Write names and what they are for: side by side where there is room, else one under the other."""
        pairs = list(rows)
        room = self.width - self.current_indent
        short = [display_width(name) for name, _ in pairs if display_width(name) <= col_max]
        left = max(short, default=0)
        for name, text in pairs:
            beside = room - left - col_spacing >= _NARROWEST_TEXT
            lines = wrapped(text, room - left - col_spacing if beside else room - 4)
            if beside and display_width(name) <= left:
                self._write([f'{name:{left}}{" " * col_spacing}{lines[0]}'.rstrip()])
                lines = lines[1:]
            else:
                self._write(wrapped(name, room, '  '))
            self._write([' ' * (left + col_spacing if beside else 4) + line for line in lines if line])

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        paragraphs = [' '.join(part.split()) for part in text.split('\n\n')]
        self._write(
            [line for part in paragraphs for line in (*wrapped(part, self.width - self.current_indent), '')][:-1]
        )

    def write_usage(self, prog: str, args: str = '', prefix: str | None = None) -> None:
        """Write the line of usage."""
        self._write(wrapped(f'{prefix or "Usage: "}{prog} {args}', self.width, '  '))

    def write_example(self, line: str) -> None:
        """Write a command line, in several that a shell takes for one where it is too long."""
        self._write([line] if width() is None else continued(line, self.width - self.current_indent))

    def _write(self, lines: Sequence[str]) -> None:
        self.write(''.join(f'{" " * self.current_indent if line else ""}{line}\n' for line in lines))


def continued(line: str, room: int) -> list[str]:
    """A command line as lines of at most `room` columns that end with a backslash; quoted text is left whole."""
    lines: list[str] = []
    current = ''
    for word in _units(line, room - 4):
        joined = f'{current} {word}' if current else word
        if current and display_width(joined) > room - 2:
            lines.append(f'{current} \\')
            joined = f'  {word}'
        current = joined
    return [*lines, current]


def _units(line: str, room: int) -> list[str]:
    """What stays together where that is possible: an option with its value."""
    units: list[str] = []
    for word in quoted_words(line):
        belongs = units and units[-1].startswith('-') and word[:1] not in ('-', '|') and ' ' not in units[-1]
        if belongs and display_width(f'{units[-1]} {word}') <= room:
            units[-1] += f' {word}'
        else:
            units.append(word)
    return units


def quoted_words(line: str) -> list[str]:
    """The words of a command line as they stand there, with their quotes."""
    words, quote = [''], ''
    for letter in line:
        if letter in '\'"' and quote in ('', letter):
            quote = '' if quote else letter
        if letter == ' ' and not quote:
            words.append('')
        else:
            words[-1] += letter
    return words
