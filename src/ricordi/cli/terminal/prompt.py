"""Questions to a person. Off a terminal nothing is asked: the command fails and names the flag that answers."""

from __future__ import annotations

import sys

from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.signals import interruptible
from ricordi.errors import UsageError


def is_interactive() -> bool:
    """Whether a person can be asked: both where we read from and where we ask are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, yes: bool, flag: str = '--yes') -> bool:
    """Ask a yes-or-no question on stderr, unless it is answered already.

    :param yes: whether the flag was given.
    :returns: whether to go on.
    :raises ricordi.errors.UsageError: if there is nobody to ask.
    """
    if yes:
        return True
    if not is_interactive():
        raise UsageError(f'there is no terminal to ask on: add {flag} to answer yes to `{question}`')
    return read_answer(prose(f'{question} [y/N]', sys.stderr)).strip().lower() in ('y', 'yes')


def read_answer(question: str) -> str:
    """Ask on stderr, and read a line.

    Not by `input`, which flushes the streams and forgets what that raised: a Ctrl-C just after the question was lost.

    :returns: the line with its end; '' where the input has ended.
    """
    answer = ''
    with interruptible():
        print(question, end=' ', file=sys.stderr, flush=True)
        try:
            answer = sys.stdin.readline()
        finally:
            if not answer.endswith('\n'):  # an end of the input, or a signal: what comes next begins a line
                print(file=sys.stderr)
    return answer
