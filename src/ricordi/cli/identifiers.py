"""Arguments that name nodes: on the command line, or one after the other on standard input (`-`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import click

from ricordi.cli.parameters import NODE
from ricordi.cli.verb import Function
from ricordi.errors import UsageError

STDIN = '-'


def nodes_argument(required: bool = True) -> Callable[[Function], Function]:
    """`NODES…`, handed over as `nodes`: pks, uuids, starts of uuids, or `-` for standard input."""
    return click.argument('nodes', nargs=-1, required=required, type=NODE)


def read_identifiers(given: Iterable[str]) -> list[str]:
    """The identifiers given, with those of standard input, separated by blanks or line ends, in place of a `-`.

    :raises ricordi.errors.UsageError: standard input is a terminal, or holds none.
    """
    found: list[str] = []
    for word in given:
        if word != STDIN:
            found.append(word)
            continue
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError('`-` reads nodes from standard input: pipe them in, such as from `ricordi node list -q`')
        words = sys.stdin.read().split()
        if not words:
            raise UsageError('there is nothing on standard input, where `-` looks for nodes')
        found += words
    return found
