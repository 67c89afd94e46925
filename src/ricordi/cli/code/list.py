"""`ricordi code list`: the codes that fit."""

from __future__ import annotations

from dataclasses import asdict

import click

from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.streamed_table import write_raw
from ricordi.cli.verb import format_option, option, verb

WHICH = 'Which codes'
FIELDS = ('full_label', 'entry_point', 'pk', 'uuid', 'label', 'default_calc_job_plugin', 'computer', 'user')
DEFAULT = ('full_label', 'pk', 'entry_point')


@verb('ricordi code list', 'ricordi code list -a -A -Y cluster', 'ricordi code list -P pk label user --format json')
@option('--computer', '-Y', type=COMPUTER, group=WHICH, help='On this computer.')
@option(
    '--default-calc-job-plugin',
    '-d',
    metavar='PLUGIN',
    group=WHICH,
    help='For this plug-in of calculation jobs, such as core.arithmetic.add.',
)
@option('--all', '-a', 'hidden', is_flag=True, group=WHICH, help='Also those that are hidden.')
@option('--all-users', '-A', is_flag=True, group=WHICH, help='Of all users. [default: of the default user]')
@several(
    '--project',
    '-P',
    type=click.Choice(FIELDS),
    metavar='FIELD',
    group='Output',
    help=f'What to show. [default: {" ".join(DEFAULT)}]',
)
@option('--raw', '-r', is_flag=True, group='Output', help='Bare values without heading, separated by tabs.')
@option('--show-owner', '-o', is_flag=True, group='Output', help='Also show the user; the same as -P … user.')
@format_option()
def list_codes(
    session: CommandSession,
    computer: str | None,
    default_calc_job_plugin: str | None,
    hidden: bool,
    all_users: bool,
    project: tuple[str, ...],
    raw: bool,
    show_owner: bool,
    output_format: str | None,
) -> int:
    """List codes.

    FIELD is one of full_label, entry_point, pk, uuid, label, default_calc_job_plugin, computer, user. With --quiet:
    the bare labels.
    """
    from ricordi.services.author import listed_owner
    from ricordi.services.codes import list as service

    bare = session.quiet and output_format is None and not raw
    for_people = output_format in (None, 'table')
    fields = ('full_label',) if bare else project or (DEFAULT if for_people else FIELDS)
    if show_owner and 'user' not in fields:
        fields = (*fields, 'user')
    with opened(session, 'code list') as storage:
        user = None if all_users else listed_owner(storage)
        chosen = service.CodeFilter(computer, default_calc_job_plugin, hidden, user)
        codes = [asdict(code) for code in service.list_codes(storage, chosen)]
    if raw and output_format is None:
        write_raw(iter([tuple(_plain(code[name]) for name in fields) for code in codes]))
        return 0
    codes.sort(key=lambda code: code['full_label'] if 'full_label' in fields else code['pk'])
    if bare:
        write_raw(iter([(code['full_label'],) for code in codes]))
        return 0
    columns = [OutputColumn(name, name.replace('_', ' ').capitalize()) for name in fields]
    write_list(({name: code[name] for name in fields} for code in codes), columns, output_format, fields)
    if not codes and for_people:
        session.tell('No code fits; --all shows hidden ones, --all-users (-A) those of all users.')
    return 0


def _plain(value: object) -> str:
    """As verdi writes it: nothing is a word of Python's."""
    return str(value)
