"""`ricordi computer setup` and `duplicate`: new computers."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER, PluginName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.questions import Question, Values, answer, question_options
from ricordi.cli.verb import Function, option, verb
from ricordi.errors import ValidationError
from ricordi.model import computers as rules
from ricordi.model.labels import check_label
from ricordi.services.computers.setup import MPIRUN_TEXT, WORK_DIR, ComputerSetup, check_setup, setup_of

if TYPE_CHECKING:
    from ricordi.backend.rows import ComputerRow
    from ricordi.backend.storage import StorageBackend

JOBS = 'Job scripts'


def setup_options(function: Function) -> Function:
    """The settings of a computer as options, named as in verdi; None where nothing was said."""
    for add in reversed(
        (
            option('--label', '-L', help='What it is called here; unique.'),
            option('--hostname', '-H', help='Its name in the network; localhost for this machine.'),
            option('--description', '-D', help='A description for people.'),
            option('--transport', '-T', type=PluginName(rules.TRANSPORTS), help='How it is reached.'),
            option('--scheduler', '-S', type=PluginName(rules.SCHEDULERS), help='What runs its jobs.'),
            option('--work-dir', '-w', help=f'Folder there for calculations. [default: {WORK_DIR}]'),
            option('--shebang', group=JOBS, help=f'The first line. [default: {rules.SHEBANG}]'),
            option('--mpirun-command', '-m', group=JOBS, help=f'What starts MPI. [default: {MPIRUN_TEXT}]'),
            option('--mpiprocs-per-machine', type=int, group=JOBS, help='MPI processes per machine, by default.'),
            option('--default-memory-per-machine', type=int, group=JOBS, help='Memory in kB, by default.'),
            option(
                '--use-double-quotes/--not-use-double-quotes',
                default=None,
                group=JOBS,
                help='How to quote words of command lines. [default: with single quotes]',
            ),
            option('--prepend-text', group=JOBS, help='Lines before the run.'),
            option('--append-text', group=JOBS, help='Lines after the run.'),
        )
    ):
        function = add(function)
    return function


def _questions(defaults: Values) -> tuple[Question, ...]:
    """The questions for a computer.

    :param defaults: the settings to start from.
    """

    def ask(key: str, text: str, check: Callable[[Any], Any] | None = None, **more: Any) -> Question:
        def converted(value: Any) -> Any:
            if check is not None:
                check(str(value))
            return str(value)

        required = key in ('label', 'hostname', 'transport', 'scheduler')
        return Question(key, text, defaults.get(key), required, convert=more.pop('convert', converted), **more)

    def plugin(kind: str) -> Callable[[Any], None]:
        return lambda name: rules.check_plugin(kind, name)

    def for_scheduler(accepts: Callable[[str], bool]) -> Callable[[Values], bool]:
        return lambda values: accepts(values['scheduler'] or '')

    return (
        ask('label', 'Label', lambda label: check_label(label, 'computer')),
        ask('hostname', 'Hostname', rules.check_hostname),
        ask('description', 'Description'),
        ask('transport', f'Transport ({", ".join(rules.TRANSPORTS)})', plugin('transport')),
        ask('scheduler', f'Scheduler ({", ".join(rules.SCHEDULERS)})', plugin('scheduler')),
        ask('shebang', 'First line of job scripts', rules.check_shebang),
        ask('work_dir', 'Work directory on the computer', rules.check_workdir),
        ask('mpirun_command', 'Command that starts MPI', convert=_command, words=True),
        ask(
            'mpiprocs_per_machine',
            'MPI processes per machine, by default',
            convert=_count,
            applies=for_scheduler(rules.accepts_mpiprocs),
        ),
        ask(
            'default_memory_per_machine',
            'Memory per machine in kB, by default',
            convert=_count,
            applies=for_scheduler(rules.accepts_memory),
        ),
        ask('use_double_quotes', 'Quote words of command lines with double quotes', convert=_switch),
        ask('prepend_text', 'Lines of job scripts before the run', lines=True),
        ask('append_text', 'Lines of job scripts after the run', lines=True),
    )


def _asked(storage: StorageBackend, defaults: Values) -> tuple[Question, ...]:
    """The questions where they are asked: a label that is taken is refused at once."""
    from ricordi.services.computers.computers import check_label_is_free

    label, *others = _questions(defaults)
    return (replace(label, check=lambda text: check_label_is_free(storage, text)), *others)


def _command(value: Any) -> str:
    """A command in one text; a file may have it as a list of words."""
    return ' '.join(map(str, value)) if isinstance(value, list) else str(value)


def _count(value: Any) -> int | None:
    """A positive number, or none: 0, as verdi has it, and nothing."""
    if value in ('', 0, '0'):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if isinstance(value, bool) or number <= 0:
        raise ValidationError(f'{value!r} is no positive number')
    return number


def _switch(value: Any) -> bool:
    word = str(value).lower()
    if word not in ('true', 'false', 'yes', 'no', 'y', 'n', 'on', 'off'):
        raise ValidationError(f'true or false is meant, not {value!r}')
    return word in ('true', 'yes', 'y', 'on')


@verb(
    "ricordi computer setup -n -L cluster -H hpc.example.org -T core.ssh -S core.slurm -w '/scratch/{username}/aiida'",
    'ricordi computer setup --config cluster-setup.yaml',
)
@setup_options
@question_options()
def setup(session: CommandSession, config: str | None, non_interactive: bool | None, **given: Any) -> int:
    """Set up a new computer.

    What is not given is asked for on a terminal, and elsewhere takes its default. Afterwards the computer has to be
    configured: `ricordi computer configure`.
    """
    from ricordi.services.computers.computers import create_computer

    with opened(session, 'computer setup') as storage:
        values = answer(_asked(storage, _defaults()), given, config, non_interactive)
        made = ComputerSetup(**values)
        check_setup(made)
        row = create_computer(storage, made)
    _tell(session, row)
    return 0


def _defaults() -> dict[str, Any]:
    every = asdict(ComputerSetup('', '', '', '', ''))
    return {
        key: value
        for key, value in every.items()
        if value or key not in ('label', 'hostname', 'transport', 'scheduler')
    }


@verb('ricordi computer duplicate cluster -n -L cluster-big --mpiprocs-per-machine 64')
@click.argument('computer', type=COMPUTER)
@setup_options
@question_options()
def duplicate(
    session: CommandSession, computer: str, config: str | None, non_interactive: bool | None, **given: Any
) -> int:
    """Set up a new computer with the settings of another.

    It needs a label of its own, and has to be configured.
    """
    from ricordi.services.computers.computers import duplicate_computer, find_computer

    with opened(session, 'computer duplicate') as storage:
        source = find_computer(storage, computer)
        defaults = asdict(setup_of(source))
        del defaults['label']
        values = answer(_asked(storage, defaults), given, config, non_interactive)
        check_setup(ComputerSetup(**values))
        row = duplicate_computer(storage, source, values)
    _tell(session, row)
    return 0


def _tell(session: CommandSession, row: ComputerRow) -> None:
    place = ['-p', session.profile_name] if session.profile_name else []
    command = shlex.join(['ricordi', *place, 'computer', 'configure', row.transport_type, row.label])
    session.tell(f'Created computer {row.label!r}, pk {row.pk}. Before it can be used: `{command}`')
