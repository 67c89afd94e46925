"""A page as a whole: the frame that all have, and the pieces that they are made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from ricordi.cli.terminal.times import local_time
from ricordi.version import __version__


@dataclass(frozen=True, slots=True)
class Card:
    """A figure that is seen at a glance.

    :param tone: `good`, `warn`, `bad`, or nothing.
    """

    value: str
    words: str
    tone: str = ''


def document(title: str, parts: Iterable[str], made: datetime, charts: str = '') -> str:
    """A page.

    :param parts: its sections, as HTML.
    :param made: when what it tells was so, aware.
    :param charts: elements that draw; empty where nothing is drawn.
    """
    footer = f'Made by Ricordi {__version__}, {local_time(made)}. This page asks for nothing over the network.'
    return Template(resource('page.html')).substitute(
        title=escape(title), style=resource('page.css'), body='\n'.join(parts), footer=escape(footer), charts=charts
    )


def resource(name: str) -> str:
    """A file that lies beside this one."""
    return (files('ricordi.cli.pages') / name).read_text(encoding='utf-8')


def for_script(data: Any) -> str:
    """JSON that can stand inside a `script` element: nothing in it can end the element or begin a comment."""
    return json.dumps(data, separators=(',', ':'), default=str).replace('<', '\\u003c').replace('>', '\\u003e')


def heading(words: str, below: str = '') -> str:
    """The heading of a section, with a sentence."""
    return f'<h2>{escape(words)}</h2>' + (f'<p class="faint">{escape(below)}</p>' if below else '')


def cards(several: Iterable[Card]) -> str:
    """Figures side by side."""
    items = (
        f'<div class="card"><b class="{one.tone}">{escape(one.value)}</b><span>{escape(one.words)}</span></div>'
        for one in several
    )
    return f'<div class="cards">{"".join(items)}</div>'


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = (), caption: str = ''
) -> str:
    """A table of texts.

    :param right: numbers of the columns that hold numbers.
    """

    def cell(tag: str, number: int, words: str) -> str:
        kind = ' class="number"' if number in right else ' class="words"' if len(words) > 24 else ''
        scope = ' scope="col"' if tag == 'th' else ''
        return f'<{tag}{scope}{kind}>{escape(words)}</{tag}>'

    def row(tag: str, cells: Sequence[str]) -> str:
        return f'<tr>{"".join(cell(tag, number, words) for number, words in enumerate(cells))}</tr>'

    above = f'<caption>{escape(caption)}</caption>' if caption else ''
    body = ''.join(row('td', cells) for cells in rows)
    return f'<div class="wide"><table>{above}<thead>{row("th", headings)}</thead><tbody>{body}</tbody></table></div>'


def listing(lines: Iterable[str]) -> str:
    """Lines as a list."""
    return f'<ul>{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def folded(summary: str, inside: str) -> str:
    """What is seen when its summary is clicked."""
    return f'<details><summary>{escape(summary)}</summary>{inside}</details>'


def chart(name: str, label: str) -> str:
    """The place of a figure.

    :param name: which of those handed to `charts.with_figures`.
    :param label: what it shows, for whoever cannot see it.
    """
    return f'<figure><div class="chart" id="{name}" role="img" aria-label="{escape(label)}"></div></figure>'
