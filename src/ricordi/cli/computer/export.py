"""`ricordi computer export`: set-up and configuration as YAML files, for `computer setup` and `configure` to read."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ricordi.cli.computer.computer import user_option
from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.verb import Function, option, verb
from ricordi.errors import NotExistent, UsageError

STDOUT = '-'


def output_options(function: Function) -> Function:
    """`OUTPUT_FILE`, `--overwrite` and `--sort` of a verb that writes settings as YAML."""
    function = option('--sort/--no-sort', default=True, help='Sort the names. [default: yes]')(function)
    function = option('--overwrite', '-o', is_flag=True, help='Replace a file that is there.')(function)
    return click.argument('output_file', required=False, type=PathName(allow_dash=True))(function)


@verb('ricordi computer export setup cluster', 'ricordi computer export setup cluster - | less')
@click.argument('computer', type=COMPUTER)
@output_options
def setup(session: CommandSession, computer: str, output_file: str | None, overwrite: bool, sort: bool) -> int:
    """Write the settings of a computer into a YAML file.

    Without OUTPUT_FILE into LABEL-setup.yaml; `-` is standard output. `computer setup --config` reads it, also verdi's.
    """
    from ricordi.services.computers.computers import find_computer
    from ricordi.services.computers.setup import setup_of

    with opened(session, 'computer export setup') as storage:
        row = find_computer(storage, computer)
    write_yaml(session, asdict(setup_of(row)), f'{row.label}-setup.yaml', output_file, overwrite, sort)
    return 0


@verb('ricordi computer export config cluster', 'ricordi computer export config cluster cluster.yaml --overwrite')
@click.argument('computer', type=COMPUTER)
@output_options
@user_option('Whose configuration.')
def config(
    session: CommandSession, computer: str, output_file: str | None, overwrite: bool, sort: bool, user: str | None
) -> int:
    """Write how a user reaches a computer into a YAML file.

    Without OUTPUT_FILE into LABEL-config.yaml; `-` is standard output. `computer configure TRANSPORT --config` reads
    it, also verdi's.
    """
    from ricordi.services.author import find_user
    from ricordi.services.computers.access import configuration
    from ricordi.services.computers.computers import find_computer

    with opened(session, 'computer export config') as storage:
        row, owner = find_computer(storage, computer), find_user(storage, user)
        found = configuration(storage, row, owner)
    if found is None:
        raise NotExistent(
            f'computer {row.label!r} is not configured for {owner.email}: there is no configuration to export'
        )
    write_yaml(session, found, f'{row.label}-config.yaml', output_file, overwrite, sort)
    return 0


def write_yaml(
    session: CommandSession,
    values: dict[str, Any],
    default_name: str,
    output_file: str | None,
    overwrite: bool,
    sort: bool,
) -> None:
    """Write settings into a YAML file, or to standard output.

    :param default_name: of the file, where none was given.
    :raises ricordi.errors.UsageError: there can be no such file, or there is one already.
    """
    import yaml

    from ricordi.files import new_file
    from ricordi.services.output_files import check_output_file

    text = yaml.dump(values, sort_keys=sort)
    if output_file == STDOUT:
        sys.stdout.write(text)
        return
    if output_file is None and '/' in default_name:
        raise UsageError(f'{default_name!r} is no name for a file: give OUTPUT_FILE')
    path = Path(output_file or default_name)
    check_output_file(path)
    if path.exists() and not overwrite:
        raise UsageError(f'{path} is there already: add --overwrite to replace it')
    with new_file(path, overwrite) as file:
        file.write(text.encode())
    session.tell(f'Wrote {path}.')
