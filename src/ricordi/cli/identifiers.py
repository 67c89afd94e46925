"""Arguments that name nodes: on the command line, or one after the other on standard input (`-`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from ricordi.cli.parameters import NODE
from ricordi.cli.session import CommandSession
from ricordi.cli.verb import Function
from ricordi.errors import UsageError

STDIN = '-'


def nodes_argument(required: bool = True) -> Callable[[Function], Function]:
    """`NODES…`, handed over as `nodes`: pks, uuids, starts of uuids, or `-` for standard input.

    :param required: nothing is done without them. That there are none is no error, since a shell puts nothing in the
        place of an empty selection (`$(cat none.txt)`); it is one where an option may have taken them (`Verb`).
    """
    return click.argument('nodes', cls=NodesArgument, nargs=-1, required=False, type=NODE, is_needed=required)


class NodesArgument(click.Argument):
    """An argument that may be empty, and then means that there is nothing to do."""

    def __init__(self, *args: Any, is_needed: bool, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.is_needed = is_needed


def read_identifiers(session: CommandSession, given: Sequence[str], needed: bool = True) -> list[str]:
    """The identifiers given, with those of standard input, separated by blanks or line ends, in place of a `-`.

    :param needed: without any there is nothing to do, which is told.
    :returns: none at all where nothing else was given and standard input is empty: nothing was selected.
    :raises ricordi.errors.UsageError: standard input is closed, or a terminal.
    """
    if needed and not given:
        session.tell('No nodes were named: nothing to do.')
    found: list[str] = []
    for word in given:
        if word != STDIN:
            found.append(word)
            continue
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError('`-` reads nodes from standard input: pipe them in, such as from `ricordi node list -q`')
        found += text_of_stdin().split()
        if not found:
            session.tell('There are no nodes on standard input: nothing to do.')
    return found


def text_of_stdin() -> str:
    """All of standard input.

    :raises ricordi.errors.UsageError: it is no text.
    """
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise UsageError('what came on standard input is no text in UTF-8') from None


def read_identifiers_or_end(session: CommandSession, given: Sequence[str], needed: bool = True) -> list[str]:
    """As `read_identifiers`, for a verb that changes or makes something: an empty selection ends the command well.

    :raises click.exceptions.Exit: with the code 0; there is nothing to do.
    """
    found = read_identifiers(session, given, needed)
    if (given or needed) and not found:
        raise click.exceptions.Exit(0)
    return found
