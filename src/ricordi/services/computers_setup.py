"""The settings of a computer: their names in a set-up file, their defaults and rules, as in aiida-core 2.9."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ricordi.backend.rows import ComputerRow
from ricordi.errors import WrongValue
from ricordi.services.labels import check_label

SHEBANG = '#!/bin/bash'
WORK_DIR = '/scratch/{username}/aiida/'
MPIRUN_COMMAND = 'mpirun -np {tot_num_mpiprocs}'

TRANSPORTS = ('core.local', 'core.ssh', 'core.ssh_async')

_MACHINES = ('num_machines', 'num_mpiprocs_per_machine', 'num_cores_per_machine', 'num_cores_per_mpiproc')
_PLACEHOLDERS: dict[str, tuple[str, ...]] = {
    'core.direct': _MACHINES,
    'core.lsf': ('parallel_env', 'default_mpiprocs_per_machine', 'num_machines'),
    'core.pbspro': _MACHINES,
    'core.sge': ('parallel_env',),
    'core.slurm': _MACHINES,
    'core.torque': _MACHINES,
}
"""What may stand in braces in the MPI command of a scheduler, besides `tot_num_mpiprocs`."""

SCHEDULERS = tuple(_PLACEHOLDERS)


@dataclass(frozen=True, slots=True)
class ComputerSetup:
    """The settings of a computer, named and ordered as in a set-up file.

    :param transport: plug-in by which it is reached (`core.ssh`).
    :param scheduler: plug-in that runs jobs on it (`core.slurm`).
    :param shebang: first line of job scripts.
    :param work_dir: folder in which calculations run; `{username}` stands for the user name there.
    :param mpirun_command: how MPI programs are started, words separated by one blank.
    :param default_memory_per_machine: in kB.
    :param prepend_text: lines of job scripts before the run.
    :param append_text: lines of job scripts after the run.
    """

    label: str
    hostname: str
    description: str
    transport: str
    scheduler: str
    shebang: str = SHEBANG
    work_dir: str = WORK_DIR
    mpirun_command: str = MPIRUN_COMMAND
    mpiprocs_per_machine: int | None = None
    default_memory_per_machine: int | None = None
    use_double_quotes: bool = False
    prepend_text: str = ''
    append_text: str = ''


def setup_of(row: ComputerRow) -> ComputerSetup:
    """The settings of a stored computer; where its metadata is silent, what AiiDA takes then."""
    known = row.metadata
    return ComputerSetup(
        row.label,
        row.hostname,
        row.description,
        row.transport_type,
        row.scheduler_type,
        known.get('shebang', SHEBANG),
        work_dir_of(row),
        ' '.join(known.get('mpirun_command', MPIRUN_COMMAND.split(' ')) or []),
        known.get('default_mpiprocs_per_machine'),
        known.get('default_memory_per_machine'),
        known.get('use_double_quotes', False),
        known.get('prepend_text', ''),
        known.get('append_text', ''),
    )


def work_dir_of(row: ComputerRow) -> str:
    """The folder in which calculations run; may hold `{username}`."""
    return str(row.metadata.get('workdir', '/scratch/{username}/aiida_run/'))


def metadata_of(setup: ComputerSetup) -> dict[str, Any]:
    """The metadata of the computer, as AiiDA stores it."""
    metadata: dict[str, Any] = {
        'use_double_quotes': setup.use_double_quotes,
        'prepend_text': setup.prepend_text,
        'append_text': setup.append_text,
        'workdir': setup.work_dir,
        'shebang': setup.shebang,
    }
    if setup.mpiprocs_per_machine is not None:
        metadata['default_mpiprocs_per_machine'] = setup.mpiprocs_per_machine
    if setup.default_memory_per_machine is not None:
        metadata['default_memory_per_machine'] = setup.default_memory_per_machine
    # One blank separates words, as in AiiDA: two of them make an empty word.
    command = setup.mpirun_command.strip()
    return {**metadata, 'mpirun_command': command.split(' ') if command else []}


def accepts_mpiprocs(scheduler: str) -> bool:
    """Whether the scheduler knows a default number of processes per machine."""
    return 'num_machines' in _PLACEHOLDERS.get(scheduler, _MACHINES) and scheduler != 'core.lsf'


def accepts_memory(scheduler: str) -> bool:
    """Whether the scheduler knows a default memory per machine."""
    return scheduler != 'core.direct'


# rules -----------------------------------------------------------------------------------------------------


def check_setup(setup: ComputerSetup) -> None:
    """Check that the settings make sense.

    :raises ricordi.errors.WrongValue: telling which does not.
    """
    check_label(setup.label, 'computer')
    if not setup.hostname.strip():
        raise WrongValue('the hostname cannot be empty')
    check_plugin('transport', setup.transport)
    check_plugin('scheduler', setup.scheduler)
    check_shebang(setup.shebang)
    check_work_dir(setup.work_dir)
    check_mpirun_command(setup.mpirun_command, setup.scheduler)
    for name in ('mpiprocs_per_machine', 'default_memory_per_machine'):
        value = getattr(setup, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
            raise WrongValue(f'{name} must be a positive number, not {value!r}')


def check_plugin(kind: str, name: str) -> None:
    """Check the name of a transport or scheduler; those of other packages (`package.name`) pass.

    :raises ricordi.errors.WrongValue: it is none of AiiDA's own and does not look like another's.
    """
    known = TRANSPORTS if kind == 'transport' else SCHEDULERS
    package, _, rest = name.partition('.')
    if name in known or (package != 'core' and package and rest):
        return
    if f'core.{name}' in known:
        hint = f'; did you mean `core.{name}`?'
    else:
        from ricordi.services.suggestion import did_you_mean

        hint = did_you_mean(name, known)
    raise WrongValue(f'there is no {kind} {name!r}{hint.rstrip(".")} ({kind}s: {", ".join(known)})')


def check_shebang(line: str) -> None:
    """:raises ricordi.errors.WrongValue: it does not start with `#!`."""
    if not line.startswith('#!'):
        raise WrongValue(f'the shebang line must start with #!, not {line!r}')


def check_work_dir(path: str) -> None:
    """:raises ricordi.errors.WrongValue: it is not absolute, or has other braces than `{username}`."""
    try:
        filled = path.format(username='test')
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise WrongValue(f'work_dir {path!r}: only {{username}} can be filled in ({error!r})') from None
    if not PurePosixPath(filled).is_absolute():
        raise WrongValue(f'work_dir {path!r} is not an absolute path')


def check_mpirun_command(command: str, scheduler: str) -> None:
    """:raises ricordi.errors.WrongValue: braces hold what the scheduler does not fill in."""
    if scheduler not in _PLACEHOLDERS:
        return
    known = (*_PLACEHOLDERS[scheduler], 'tot_num_mpiprocs')
    try:
        command.format(**dict.fromkeys(known, 'value'))
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        listed = ', '.join(f'{{{name}}}' for name in known)
        raise WrongValue(
            f'mpirun_command {command!r}: {scheduler} fills in {listed} and nothing else ({error!r})'
        ) from None
