"""`ricordi config`: the options of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.option_value import as_text, print_value
from ricordi.cli.parameters import OPTION
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, one_line, write_details, write_list
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.services.options import OptionChange

_NOT_SET = '<NOTSET>'


def _cell(value: Any) -> str:
    """As verdi writes it: a line for each value of a list, truth as a word of Python's."""
    return '\n'.join(map(one_line, value)) if isinstance(value, list) else as_text(value)


_COLUMNS = (OutputColumn('name', 'name'), OutputColumn('source', 'source'), OutputColumn('value', 'value', _cell))
_DESCRIBED = (*_COLUMNS, OutputColumn('description', 'description'))


@verb('ricordi config list', 'ricordi config list caching', 'ricordi config list -d --advanced logging')
@click.argument('prefix', required=False, type=OPTION)
@option('--description', '-d', is_flag=True, group='Output', help='Tell what each option is for.')
@option('--advanced', is_flag=True, help='Also options that few need: the levels of single loggers.')
@format_option()
def list_options(
    session: CommandSession, prefix: str | None, description: bool, advanced: bool, output_format: str | None
) -> int:
    """List the options that have a value for the profile.

    With PREFIX only those whose names begin like it. With --quiet: the bare names.
    """
    from ricordi.services import options as service

    session.refuse_archive()
    found = service.list_options(session.profile_name, prefix or '', advanced)
    if session.quiet and output_format is None:
        print('\n'.join(one.name for one in found), end='\n' if found else '')
        return 0
    rows = [one._asdict() for one in found]
    keys = ('name', 'source', 'value', 'description')
    write_list(rows, _DESCRIBED if description else _COLUMNS, output_format, keys)
    if not advanced and output_format in (None, 'table'):
        session.tell('Use `ricordi config list --advanced` to show the levels of single loggers, too.')
    return 0


@verb('ricordi config get caching.enabled_for', 'ricordi config get daemon.timeout --format json')
@click.argument('name', metavar='OPTION_NAME', type=OPTION)
@format_option()
def get(session: CommandSession, name: str, output_format: str | None) -> int:
    """Show the value of an option, as it counts for the profile."""
    return print_value(session, name, output_format)


@verb('ricordi config show caching.enabled_for')
@click.argument('name', metavar='OPTION_NAME', type=OPTION)
@format_option()
def show(session: CommandSession, name: str, output_format: str | None) -> int:
    """Show what an option is for, and where it is set."""
    from ricordi.services import options as service

    session.refuse_archive()
    found = service.show_option(session.profile_name, name)
    values = {
        'default': _NOT_SET if found.default is None else found.default,
        'global': found.global_value if found.is_global_set else _NOT_SET,
        'profile': found.profile_value if found.is_profile_set else _NOT_SET,
    }
    described = {
        'name': found.name,
        'description': found.description,
        'type': found.kind,
        'global_only': found.global_only,
        'values': values,
    }
    write_details(described, output_format, lambda key, value: as_text(value))
    return 0


@verb(
    'ricordi config set daemon.timeout 10',
    'ricordi config set --append caching.enabled_for aiida.calculations:core.arithmetic.add',
    'ricordi config set --global autofill.user.email ada@example.org',
)
@click.argument('name', metavar='OPTION_NAME', type=OPTION)
@click.argument('value', metavar='OPTION_VALUE')
@option('--global', '-g', 'for_all', is_flag=True, help='For all profiles.')
@option('--append', '-a', is_flag=True, help='Add the value to the list that is there.')
@option('--remove', '-r', is_flag=True, help='Take the value out of the list that is there.')
def set_option(session: CommandSession, name: str, value: str, for_all: bool, append: bool, remove: bool) -> int:
    """Set an option, for the profile or for all.

    The values of a list are separated by blanks.
    """
    from ricordi.services import options as service

    session.refuse_archive()
    if append and remove:
        raise UsageError('--append and --remove contradict each other')
    how: service.Change = 'append' if append else 'remove' if remove else 'set'
    changed = service.change_option(session.profile_name, name, value, for_all, how)
    _tell(session, changed, f'set to {as_text(changed.value)}')
    return 0


@verb('ricordi config unset daemon.timeout', 'ricordi config unset --global autofill.user.email')
@click.argument('name', metavar='OPTION_NAME', type=OPTION)
@option('--global', '-g', 'for_all', is_flag=True, help='For all profiles.')
def unset(session: CommandSession, name: str, for_all: bool) -> int:
    """Unset an option: what is set for all profiles counts then, or the default."""
    from ricordi.services import options as service

    session.refuse_archive()
    _tell(session, service.unset_option(session.profile_name, name, for_all), 'unset')
    return 0


def _tell(session: CommandSession, changed: OptionChange, what: str) -> None:
    where = 'for all profiles' if changed.profile is None else f'for profile {changed.profile!r}'
    session.tell(f'{changed.option.name} {what} {where}.')
    if changed.option.needs_restart:
        session.tell('A daemon that runs takes it over when it is restarted: `verdi daemon restart`.')
