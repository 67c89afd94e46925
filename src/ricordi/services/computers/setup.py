"""The settings of a computer: their names in a set-up file, their defaults, as in aiida-core 2.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ricordi.backend.rows import ComputerRow
from ricordi.model.computers import MPIRUN_COMMAND, OLDEST_WORKDIR, SHEBANG, check_computer

WORK_DIR = '/scratch/{username}/aiida/'
"""Where calculations run on a new computer, unless something else is said."""
MPIRUN_TEXT = ' '.join(MPIRUN_COMMAND)


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
    mpirun_command: str = MPIRUN_TEXT
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
        ' '.join(known.get('mpirun_command', MPIRUN_COMMAND) or []),
        known.get('default_mpiprocs_per_machine'),
        known.get('default_memory_per_machine'),
        known.get('use_double_quotes', False),
        known.get('prepend_text', ''),
        known.get('append_text', ''),
    )


def work_dir_of(row: ComputerRow) -> str:
    """The folder in which calculations run; may hold `{username}`."""
    return str(row.metadata.get('workdir', OLDEST_WORKDIR))


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


def check_setup(setup: ComputerSetup) -> None:
    """Check that the settings make sense.

    :raises ricordi.errors.WrongValue: telling which does not.
    """
    check_computer(setup.label, setup.hostname, setup.transport, setup.scheduler, metadata_of(setup))
