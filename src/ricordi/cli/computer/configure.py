"""`ricordi computer configure`: how a user reaches a computer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.computer.computer import user_option
from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import one_line, write_details
from ricordi.cli.terminal.questions import Question, answer, question_options
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import Function, format_option, option, verb
from ricordi.services.computers.parameters import PARAMETERS, Parameter, convert

if TYPE_CHECKING:
    from ricordi.services.computers.parameters import Account

_TYPES: dict[str, Any] = {'int': int, 'float': float, 'bool': bool, 'path': PathName(), 'script': PathName()}


def _parameter_options(transport: str) -> Callable[[Function], Function]:
    """The parameters of a transport as options; None where nothing was said."""

    def decorate(function: Function) -> Function:
        for parameter in reversed(PARAMETERS[transport]):
            names = [parameter.flag, *(['-P'] if parameter.name == 'port' else [])]
            if parameter.kind == 'switch':
                names = [f'{parameter.flag}/--no-{parameter.flag[2:]}']
            kind = click.Choice(parameter.choices) if parameter.choices else _TYPES.get(parameter.kind)
            shown = '' if parameter.default in (None, '') else f' [default: {_spoken(parameter.default)}]'
            function = option(
                *names, parameter.name, type=kind, default=None, group='Connection', help=f'{parameter.text}.{shown}'
            )(function)
        return function

    return decorate


def _spoken(value: Any) -> str:
    return {True: 'yes', False: 'no'}[value] if isinstance(value, bool) else str(value)


@verb('ricordi computer configure core.local localhost -n')
@click.argument('computer', type=COMPUTER)
@_parameter_options('core.local')
@user_option('For whom.')
@question_options()
def local(session: CommandSession, computer: str, **given: Any) -> int:
    """Configure a computer that is this machine.

    What is not given is asked for on a terminal; elsewhere it stays as it is, or takes its default.
    """
    return _configure(session, 'core.local', computer, **given)


@verb(
    'ricordi computer configure core.ssh cluster -n --username ada --key-filename ~/.ssh/id_ed25519',
    'ricordi computer configure core.ssh cluster --config cluster-config.yaml',
)
@click.argument('computer', type=COMPUTER)
@_parameter_options('core.ssh')
@user_option('For whom.')
@question_options()
def ssh(session: CommandSession, computer: str, **given: Any) -> int:
    """Configure a computer that is reached by SSH, with all parameters in the profile.

    What is not given is asked for on a terminal; elsewhere it stays as it is, or takes its default, for which
    ~/.ssh/config is heard.
    """
    return _configure(session, 'core.ssh', computer, **given)


@verb('ricordi computer configure core.ssh_async cluster -n --host cluster')
@click.argument('computer', type=COMPUTER)
@_parameter_options('core.ssh_async')
@user_option('For whom.')
@question_options()
def ssh_async(session: CommandSession, computer: str, **given: Any) -> int:
    """Configure a computer that is reached as `ssh HOST`, by what ~/.ssh/config says.

    What is not given is asked for on a terminal; elsewhere it stays as it is, or takes its default.
    """
    return _configure(session, 'core.ssh_async', computer, **given)


def _configure(
    session: CommandSession,
    transport: str,
    computer: str,
    user: str | None,
    config: str | None,
    non_interactive: bool | None,
    **given: Any,
) -> int:
    from ricordi.services.author import find_user
    from ricordi.services.computers import access as service
    from ricordi.services.computers.computers import find_computer

    with opened(session, f'computer configure {transport}') as storage:
        row, owner = find_computer(storage, computer), find_user(storage, user)
        offered = service.offered_parameters(storage, row, owner, transport, _account())
        questions = [_question(parameter, offered[parameter.name]) for parameter in PARAMETERS[transport]]
        values = answer(questions, given, config, non_interactive)
        service.configure_computer(storage, row, owner, values)
    session.tell(f'Computer {row.label!r} is configured for {owner.email}.')
    return 0


def _question(parameter: Parameter, offered: Any) -> Question:
    return Question(
        parameter.name,
        parameter.text,
        offered,
        required=parameter.default not in ('', None),
        convert=lambda value: convert(parameter, value),
    )


def _account() -> Account:
    """The person who types."""
    from getpass import getuser

    from ricordi.services.computers.parameters import Account

    try:
        name = getuser()
    except (KeyError, OSError):  # in a container, a number may have no name
        name = ''
    return Account(name, Path('~/.ssh/config').expanduser())


@verb('ricordi computer configure show cluster', 'ricordi computer configure show --as-option-string cluster')
@click.argument('computer', type=COMPUTER)
@option('--defaults', is_flag=True, help='What is taken where nothing is said, in place of what is stored.')
@option('--as-option-string', is_flag=True, group='Output', help='As options, to be pasted after `configure`.')
@user_option('For whom.')
@format_option()
def show(
    session: CommandSession,
    computer: str,
    defaults: bool,
    as_option_string: bool,
    user: str | None,
    output_format: str | None,
) -> int:
    """Show how a user reaches a computer.

    What is not set is shown as `-`, and as null in JSON.
    """
    from ricordi.services.author import find_user
    from ricordi.services.computers import access as service
    from ricordi.services.computers.computers import find_computer
    from ricordi.services.computers.parameters import default_parameters, parameters_of

    with opened(session, 'computer configure show') as storage:
        row = find_computer(storage, computer)
        known = parameters_of(row.transport_type)
        if defaults:
            found = default_parameters(row.transport_type, row.hostname, _account())
        else:
            found = service.configuration(storage, row, find_user(storage, user)) or {}
    if as_option_string:
        print(_as_options(known, found))
    elif output_format in (None, 'table'):
        lines = [[f'* {one.name}', one_line(found[one.name]) if one.name in found else '-'] for one in known]
        print(format_table(lines))
    else:
        write_details({one.name: found.get(one.name) for one in known}, output_format)
    return 0


def _as_options(known: tuple[Parameter, ...], found: dict[str, Any]) -> str:
    """The parameters that are set, as words of a command line; as in verdi, without those that are empty."""
    import shlex

    words = []
    for parameter in known:
        value = found.get(parameter.name)
        if not value and value is not False:
            continue
        if parameter.kind == 'switch':
            words.append(parameter.flag if value else f'--no-{parameter.flag[2:]}')
        else:
            words.append(f'{parameter.flag}={value}')
    return shlex.join(words)
