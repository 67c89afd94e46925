"""`ricordi code show` and `export`: the settings of a code."""

from __future__ import annotations

from typing import Any

import click

from ricordi.cli.computer.export import output_options, write_yaml
from ricordi.cli.opened import opened
from ricordi.cli.parameters import CODE
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import one_line, write_details
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import format_option, verb

_SHOWN = {
    'pk': 'PK',
    'uuid': 'UUID',
    'type': 'Type',
    'label': 'Label',
    'description': 'Description',
    'computer': 'Computer',
    'default_calc_job_plugin': 'Default `CalcJob` plugin',
    'use_double_quotes': 'Escape using double quotes',
    'with_mpi': 'Run with MPI',
    'wrap_cmdline_params': 'Wrap command line parameters',
    'prepend_text': 'Prepend script',
    'append_text': 'Append script',
    'filepath_executable': 'Filepath executable',
    'engine_command': 'Engine command',
    'image_name': 'Image name',
    'calculations': 'Calculations',
}
"""The settings in the order and under the names by which a person is shown them: verdi's."""


@verb('ricordi code show pw@cluster', 'ricordi code show 55 --format json')
@click.argument('code', type=CODE)
@format_option()
def show(session: CommandSession, code: str, output_format: str | None) -> int:
    """Show the settings of a code.

    CODE is a pk, a uuid, the start of a uuid, a label, or label@computer. With --verbose also the number of its uses.
    """
    from ricordi.services.codes.finding import find_code
    from ricordi.services.codes.show import describe_code

    with opened(session, 'code show') as storage:
        found = describe_code(storage, find_code(storage, code))
    if output_format not in (None, 'table'):
        write_details(found, output_format)
        return 0
    if not session.verbose:
        del found['calculations']
    if found['computer'] is None:
        del found['computer']
    print(format_table([[name, _cell(key, found[key])] for key, name in _SHOWN.items() if key in found]))
    return 0


def _cell(key: str, value: Any) -> str:
    if key == 'computer':
        return f'{one_line(value["label"])} ({one_line(value["hostname"])}), pk: {value["pk"]}'
    if isinstance(value, bool | int):
        return str(value)
    return '\n'.join(map(one_line, value.splitlines())) if isinstance(value, str) else one_line(value)


@verb('ricordi code export pw@cluster', 'ricordi code export pw@cluster - | less')
@click.argument('code', type=CODE)
@output_options
def export(session: CommandSession, code: str, output_file: str | None, overwrite: bool, sort: bool) -> int:
    """Write the settings of a code into a YAML file.

    Without OUTPUT_FILE into LABEL@COMPUTER.yaml; `-` is standard output. `verdi code create --config` reads it.
    """
    from ricordi.services.codes import show as service
    from ricordi.services.codes.finding import find_code

    with opened(session, 'code export') as storage:
        row = find_code(storage, code)
        settings, name = service.setup_of(storage, row), service.full_label_of(storage, row)
    write_yaml(session, settings, f'{name}.yaml', output_file, overwrite, sort)
    if service.is_portable(row):
        session.tell(
            f'Its files are not in there: write them into a folder with `ricordi node repo dump {row.pk} FOLDER`, '
            'and add that as filepath_files.'
        )
    return 0
