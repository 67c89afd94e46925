"""`ricordi computer test` and `goto`: whether a computer answers, and a shell on it."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ricordi.cli.computer.commands import agree_to_commands, run_commands_option
from ricordi.cli.computer.computer import user_option
from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER
from ricordi.cli.remedies import with_remedy
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.prompt import confirm, is_interactive
from ricordi.cli.terminal.prose import prose
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, UnreachableComputer, UsageError

if TYPE_CHECKING:
    from ricordi.services.computers.access import Access
    from ricordi.services.computers.checks import ComputerCheck

_KEYS = ('name', 'ok', 'message', 'seconds', 'details')


@verb('ricordi computer test cluster', 'ricordi computer test --print-traceback cluster')
@click.argument('computer', type=COMPUTER)
@user_option('As whom.')
@option('--print-traceback', '-t', is_flag=True, group='Output', help='Show the traceback of what failed.')
@run_commands_option()
@yes_option('Do not ask, even if the computer is disabled.')
@format_option()
def test(
    session: CommandSession,
    computer: str,
    user: str | None,
    print_traceback: bool,
    run_commands: bool,
    yes: bool,
    output_format: str | None,
) -> int:
    """Test whether a computer can be used.

    Connection, output of the shell, scheduler, user name, work directory, login shell. A computer behind SSH is reached
    through the program `ssh`, which asks for nothing: keys and known hosts have to be in place. A proxy command or an
    authentication script of the stored settings is shown before it is run. Exits with 1 if a check fails.
    """
    from ricordi.services.computers.checks import check_computer
    from ricordi.services.computers.ssh import named_commands

    access = _access(session, 'computer test', computer, user)
    if not access.enabled and not confirm(f'{access.label!r} is disabled for {access.user}. Test it?', yes):
        raise InvalidOperation('nothing was tested')
    agree_to_commands(named_commands(access), run_commands)
    session.tell(f'Testing computer {access.label!r} for {access.user} …')
    done: list[ComputerCheck] = []
    for found in check_computer(access):
        check = replace(found, message=with_remedy(found.message, found.remedy))
        done.append(check)
        if output_format in (None, 'table'):
            _print(check, print_traceback)
    if output_format not in (None, 'table'):
        rows = ({key: getattr(check, key) for key in _KEYS} for check in done)
        write_list(rows, [OutputColumn(key, key) for key in _KEYS], output_format)
    failed = sum(not check.ok for check in done)
    session.tell(f'{failed} of {len(done)} checks failed.' if failed else f'All {len(done)} checks are fine.')
    return 1 if failed else 0


def _print(check: ComputerCheck, with_details: bool) -> None:
    message = f': {check.message}' if check.message else ''
    print(prose(f'* {check.name} … {"OK" if check.ok else "FAILED"}{message}', hanging='  '), flush=True)
    if check.details and with_details:
        print('\n'.join(f'    {line}' for line in check.details.splitlines()))


@verb('ricordi computer goto cluster')
@click.argument('computer', type=COMPUTER)
@run_commands_option()
def goto(session: CommandSession, computer: str, run_commands: bool) -> int:
    """Open a shell on a computer, in its work directory.

    It needs a terminal. Through SSH it is `ssh -t`, which may ask for what it needs.
    """
    from ricordi.services.computers.parameters import PARAMETERS
    from ricordi.services.computers.ssh import goto_words, named_commands

    if not is_interactive() or not sys.stdout.isatty():
        raise UsageError('`computer goto` opens a shell, which needs a terminal: for a check use `computer test`')
    access = _access(session, 'computer goto', computer, None)
    if access.transport not in PARAMETERS:
        raise UnreachableComputer(f'{access.transport} comes from a plug-in: use `verdi computer goto {access.label}`')
    agree_to_commands(named_commands(access), run_commands)
    words = goto_words(access)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and the shell would inherit that
    try:
        os.execvp(words[0], words)
    except FileNotFoundError:
        raise UnreachableComputer(f'there is no program `{words[0]}` here: install it') from None


def _access(session: CommandSession, purpose: str, computer: str, user: str | None) -> Access:
    """How the computer is reached; the storage is closed again, so that it is free for others meanwhile."""
    from ricordi.services.author import find_user
    from ricordi.services.computers.access import find_access
    from ricordi.services.computers.computers import find_computer

    with opened(session, purpose) as storage:
        return find_access(storage, find_computer(storage, computer), find_user(storage, user))
