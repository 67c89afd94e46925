"""`ricordi data … list`: structures, trajectories, CIF files, families of pseudopotentials."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, get_args

import click

from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import DAYS, GROUP
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.streamed_table import write_raw
from ricordi.cli.verb import Function, format_option, option, verb
from ricordi.errors import UsageError
from ricordi.model.structures import FormulaMode

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.contents.list import DataChoice

WHICH = 'Which nodes'
VERDI_ALONE = 'group'
"""The way to write formulas that verdi alone knows."""
ID = OutputColumn('pk', 'Id')
LABEL = OutputColumn('label', 'Label')


def _list_options(function: Function) -> Function:
    for add in (
        format_option(),
        option('--raw', '-r', is_flag=True, group='Output', help='Bare values without heading, separated by tabs.'),
        option('--all-users', '-A', is_flag=True, group=WHICH, help='Of all users. [default: of the default user]'),
        option('--past-days', '-p', type=DAYS, group=WHICH, help='Made in the last so many days.'),
        several('--groups', '-G', type=GROUP, group=WHICH, metavar='GROUP', help='Members of this group.'),
    ):
        function = add(function)
    return function


def _elements_option() -> Callable[[Function], Function]:
    return several('--with-elements', '-e', 'elements', metavar='SYMBOL', group=WHICH, help='With this element.')


@verb('ricordi data core.structure list', 'ricordi data core.structure list -e Si Ge -A --format json')
@_elements_option()
@option(
    '--formula-mode',
    '-f',
    type=click.Choice((*get_args(FormulaMode), VERDI_ALONE)),
    default='hill',
    group='Output',
    help='How to write formulas. [default: hill]',
)
@_list_options
def structures(
    session: CommandSession,
    elements: tuple[str, ...],
    formula_mode: str,
    raw: bool,
    output_format: str | None,
    **chosen: Any,
) -> int:
    """List structures with their formulas.

    Formulas: hill (carbon and hydrogen first, then by the alphabet), hill_compact (divided by what all counts share),
    reduce (neighbours that are alike counted together), count and count_compact (in the order of the atoms). With
    --quiet: the bare pks.
    """
    from ricordi.services.contents.list import list_structures

    if formula_mode == VERDI_ALONE:
        raise UsageError('formulas in groups are not written here: use `verdi data core.structure list -f group`')
    with opened(session, 'data core.structure list') as storage:
        found = list_structures(storage, _choice(storage, **chosen), elements, formula_mode)  # type: ignore[arg-type]
        _write(session, found, (ID, LABEL, OutputColumn('formula', 'Formula')), raw, output_format)
    return 0


@verb('ricordi data core.trajectory list', 'ricordi data core.trajectory list -A -p 7')
@_list_options
def trajectories(session: CommandSession, raw: bool, output_format: str | None, **chosen: Any) -> int:
    """List trajectories.

    With --quiet: the bare pks.
    """
    from ricordi.services.contents.list import list_trajectories

    with opened(session, 'data core.trajectory list') as storage:
        _write(session, list_trajectories(storage, _choice(storage, **chosen)), (ID, LABEL), raw, output_format)
    return 0


@verb('ricordi data core.cif list', 'ricordi data core.cif list -A --format json')
@_list_options
def cif_files(session: CommandSession, raw: bool, output_format: str | None, **chosen: Any) -> int:
    """List CIF files with their formulas and where they are from.

    With --quiet: the bare pks.
    """
    from ricordi.services.contents.list import list_cif_files

    columns = (ID, OutputColumn('formulae', 'Formulae', _formulae), OutputColumn('source_uri', 'Source.URI'))
    with opened(session, 'data core.cif list') as storage:
        _write(session, list_cif_files(storage, _choice(storage, **chosen)), columns, raw, output_format)
    return 0


@verb('ricordi data core.upf listfamilies -d', 'ricordi data core.upf listfamilies -e Si')
@option('--with-description', '-d', is_flag=True, group='Output', help='Show also the description.')
@_elements_option()
@format_option()
def families(
    session: CommandSession, with_description: bool, elements: tuple[str, ...], output_format: str | None
) -> int:
    """List the families of pseudopotentials (UPF files).

    With --quiet: the bare labels.
    """
    from ricordi.services.contents.list import list_families

    columns = [LABEL, OutputColumn('pseudos', 'Pseudos')]
    if with_description:
        columns.append(OutputColumn('description', 'Description'))
    with opened(session, 'data core.upf listfamilies') as storage:
        _write(session, list_families(storage, elements), columns, False, output_format)
    return 0


def _choice(storage: StorageBackend, groups: tuple[str, ...], past_days: float | None, all_users: bool) -> DataChoice:
    from ricordi.services.author import listed_owner
    from ricordi.services.contents.list import DataChoice

    return DataChoice(groups, None if all_users else listed_owner(storage), past_days)


def _write(
    session: CommandSession,
    found: Iterable[dict[str, Any]],
    columns: Iterable[OutputColumn],
    raw: bool,
    output_format: str | None,
) -> None:
    columns = list(columns)
    if output_format is None and (raw or session.quiet):
        shown = columns if raw else columns[:1]
        write_raw(iter([tuple(column.text(row) for column in shown) for row in found]))
        return
    keys = None if output_format is None else [column.key for column in columns]
    write_list(found, columns, output_format, keys)


def _formulae(values: list[str | None]) -> str:
    return ','.join(str(value or '') for value in values) if isinstance(values, list) else str(values)
