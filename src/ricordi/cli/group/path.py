"""`ricordi group path ls`: groups as folders."""

from __future__ import annotations

from dataclasses import asdict

import click

from ricordi.cli.opened import opened
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, keys_of, one_line, write_list
from ricordi.cli.verb import format_option, option, verb


@verb('ricordi group path ls', 'ricordi group path ls -R -l projects/silicon')
@click.argument('path', required=False, default='')
@option('--type-string', '-T', default='core', group='Which groups', help='Of this type. [default: core]')
@option('--recursive', '-R', is_flag=True, group='Which groups', help='All the way down.')
@option('--no-virtual', is_flag=True, group='Which groups', help='Only paths at which there is a group.')
@option('--long', '-l', 'long', is_flag=True, group='Output', help='A table with the number of groups below.')
@option('--with-description', '-d', is_flag=True, group='Output', help='Also show the descriptions.')
@option('--no-warn', is_flag=True, group='Output', help='Do not tell which labels are no paths.')
@format_option()
def ls(
    session: CommandSession,
    path: str,
    type_string: str,
    recursive: bool,
    no_virtual: bool,
    long: bool,
    with_description: bool,
    no_warn: bool,
    output_format: str | None,
) -> int:
    """List groups as folders: the slashes in their labels separate the steps of paths."""
    from ricordi.services.groups.paths import PathEntry, list_paths

    with opened(session, 'group path ls') as storage:
        listing = list_paths(storage, path, type_string, recursive)
    entries = [entry for entry in listing.entries if not (no_virtual and entry.virtual)]
    if output_format is None and not long and not with_description:
        for entry in entries:
            print(one_line(entry.path))
    else:
        columns = [OutputColumn('path', 'Path'), OutputColumn('groups_below', 'Sub-Groups')]
        columns += [OutputColumn('description', 'Description')] if with_description else []
        write_list(map(asdict, entries), columns, output_format, keys_of(PathEntry))
    if listing.invalid and not no_warn:
        session.tell(f'Labels with an empty step are no paths: {", ".join(map(repr, listing.invalid))}')
    return 0
