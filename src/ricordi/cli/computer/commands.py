"""Commands that stored settings of computers name: they are shown, and run only if a person says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.prompt import confirm, is_interactive
from ricordi.cli.verb import Function, option
from ricordi.errors import InvalidOperation, UsageError


def run_commands_option() -> Callable[[Function], Function]:
    """`--run-commands`."""
    return option(
        '--run-commands',
        is_flag=True,
        help='Run the proxy command or authentication script that stored settings name, without asking.',
    )


def agree_to_commands(commands: Sequence[str], run_commands: bool) -> None:
    """Have a person agree to commands that would be run here: they may have come with an archive.

    :param run_commands: what `--run-commands` said.
    :raises ricordi.errors.UsageError: there is nobody to ask.
    :raises ricordi.errors.InvalidOperation: a person said no.
    """
    if not commands or run_commands:
        return
    shown = '\n'.join(f'  {one_line(command)}' for command in commands)
    told = f'stored settings would have this run on this machine:\n{shown}'
    if not is_interactive():
        raise UsageError(f'{told}\nadd --run-commands if you know it')
    print(f'ricordi: {told}', file=sys.stderr)
    if not confirm('Run it?', False):
        raise InvalidOperation('nothing was run')
