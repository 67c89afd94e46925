"""Draws the picture of README.md, a terminal with what `ricordi tour` really said: python docs/pictures/draw.py."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

PICTURE = Path(__file__).parent / 'tour.svg'
WIDTH = 80


def said(*words: str) -> str:
    """What the program says."""
    command = [sys.executable, '-m', 'ricordi', *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def lines_of(command: str, output: str) -> list[Text]:
    """A command line and its output, as they are shown: what was typed stands out, and so does what was found."""
    shown = []
    for line in (f'$ {command}', *output.splitlines()):
        text = Text(line)
        text.highlight_regex(r'^\$ .*?(?=  |$)', 'bold green')
        text.highlight_regex(r'\S+ m?s$', 'cyan')
        text.highlight_regex(r'damaged:', 'bold red')
        text.highlight_regex(r'(?<=  )\S+ [kMG]?B$', 'yellow')
        shown.append(text)
    return shown


def drawn(lines: list[Text], title: str) -> str:
    """The lines as an SVG that asks no other place for anything: fonts are those at hand."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system='truecolor')
    for line in lines:
        console.print(line, soft_wrap=True)
    svg = console.export_svg(title=title, theme=DIMMED_MONOKAI, unique_id='tour')
    svg = re.sub(r'@font-face \{.*?\}\s*', '', svg, flags=re.DOTALL)
    svg = svg.replace('Fira Code', 'ui-monospace')
    return '\n'.join(line.rstrip() for line in svg.splitlines()) + '\n'


if __name__ == '__main__':
    PICTURE.write_text(drawn(lines_of('ricordi tour', said('tour')), 'ricordi tour'), encoding='utf-8')
