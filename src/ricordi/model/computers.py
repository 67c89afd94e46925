"""What the settings of a computer may be, under the names of AiiDA: transport, scheduler, and what job scripts need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ricordi.errors import WrongType, WrongValue
from ricordi.model.labels import check_label, check_one_line

TRANSPORTS = ('core.local', 'core.ssh', 'core.ssh_async')
SHEBANG = '#!/bin/bash'
MPIRUN_COMMAND = ('mpirun', '-np', '{tot_num_mpiprocs}')
OLDEST_WORKDIR = '/scratch/{username}/aiida_run/'
"""Where calculations run on a computer whose settings do not say."""

_TYPES_OF_SETTINGS: dict[str, tuple[type, ...]] = {
    'workdir': (str,),
    'shebang': (str,),
    'prepend_text': (str,),
    'append_text': (str,),
    'mpirun_command': (list,),
    'default_mpiprocs_per_machine': (int,),
    'default_memory_per_machine': (int,),
    'minimum_scheduler_poll_interval': (int, float),
    'use_double_quotes': (bool,),
}
"""Of what type each setting of a computer is that is known here (formats/database.md); None is one like no setting."""

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


def accepts_mpiprocs(scheduler: str) -> bool:
    """Whether the scheduler knows a default number of processes per machine."""
    return 'num_machines' in _PLACEHOLDERS.get(scheduler, _MACHINES) and scheduler != 'core.lsf'


def accepts_memory(scheduler: str) -> bool:
    """Whether the scheduler knows a default memory per machine."""
    return scheduler != 'core.direct'


def check_computer(label: str, hostname: str, transport: str, scheduler: str, metadata: Mapping[str, Any]) -> None:
    """Check that a computer makes sense as a whole.

    :raises ricordi.errors.WrongValue: telling what does not.
    """
    check_label(label, 'computer')
    check_hostname(hostname)
    check_plugin('transport', transport)
    check_plugin('scheduler', scheduler)
    check_settings(metadata, scheduler)


def check_settings(metadata: Mapping[str, Any], scheduler: str) -> None:
    """Check the settings that are kept in the metadata of a computer; what is not known passes, and so does None.

    :raises ricordi.errors.WrongType: it is no dictionary.
    :raises ricordi.errors.WrongValue: telling which makes no sense.
    """
    if not isinstance(metadata, Mapping):
        raise WrongType(f'the metadata of a computer is a dictionary, got {metadata!r}')
    fault = settings_fault(metadata)
    if fault is not None:
        raise WrongValue(f'metadata of a computer: {fault}')
    known = {name: value for name, value in metadata.items() if value is not None}
    check_workdir(known.get('workdir', OLDEST_WORKDIR))
    check_shebang(known.get('shebang', SHEBANG))
    check_mpirun_command(known.get('mpirun_command', MPIRUN_COMMAND), scheduler)
    for name in ('default_mpiprocs_per_machine', 'default_memory_per_machine'):
        check_positive(name, known.get(name))


def settings_fault(metadata: Any) -> str | None:
    """Which setting of a computer is not of its type, in words; None if all are."""
    for name, types in _TYPES_OF_SETTINGS.items():
        value: Any = metadata.get(name)
        if value is None:
            continue
        if type(value) not in types:
            return f'{name} is of type {type(value).__name__}'
        if name == 'mpirun_command' and not all(isinstance(word, str) for word in value):
            return f'{name} is no list of words'
    return None


def check_hostname(hostname: str) -> None:
    """:raises ricordi.errors.WrongValue: it is empty, or holds a control character."""
    check_one_line(hostname, 'the hostname of a computer')


def check_plugin(kind: str, name: str) -> None:
    """Check the name of a transport or scheduler; those of other packages (`package.name`) pass.

    AiiDA takes those that are installed where it runs, which may be elsewhere.

    :param kind: `transport` or `scheduler`.
    :raises ricordi.errors.WrongValue: it is none of AiiDA's own and does not look like another's.
    """
    check_one_line(name, f'the {kind} of a computer')
    known = TRANSPORTS if kind == 'transport' else SCHEDULERS
    package, _, rest = name.partition('.')
    if name in known or (package != 'core' and package and rest):
        return
    raise WrongValue(f'there is no {kind} {name!r}{_meant(name, known)} ({kind}s: {", ".join(known)})')


def _meant(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = [f'core.{name}'] if f'core.{name}' in known else get_close_matches(name, known, 1)
    return f'; did you mean `{close[0]}`?' if close else ''


def check_shebang(line: str) -> None:
    """:raises ricordi.errors.WrongValue: it does not start with `#!`."""
    if not isinstance(line, str) or not line.startswith('#!'):
        raise WrongValue(f'the shebang line must start with #!, not {line!r}')


def check_workdir(path: str) -> None:
    """:raises ricordi.errors.WrongValue: it is not absolute, or has other braces than `{username}`."""
    try:
        filled = path.format(username='test')
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise WrongValue(f'workdir {path!r}: only {{username}} can be filled in ({error!r})') from None
    if not PurePosixPath(filled).is_absolute():
        raise WrongValue(f'workdir {path!r} is not an absolute path')


def check_mpirun_command(words: Iterable[str], scheduler: str) -> None:
    """Check the words that start MPI programs; of a scheduler of another package any braces pass.

    :raises ricordi.errors.WrongValue: braces hold what the scheduler does not fill in.
    """
    if scheduler not in _PLACEHOLDERS:
        return
    known = (*_PLACEHOLDERS[scheduler], 'tot_num_mpiprocs')
    for word in words:
        try:
            word.format(**dict.fromkeys(known, 'value'))
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            listed = ', '.join(f'{{{name}}}' for name in known)
            raise WrongValue(
                f'mpirun_command, {word!r}: {scheduler} fills in {listed} and nothing else ({error!r})'
            ) from None


def check_positive(name: str, value: object) -> None:
    """Check a number that may be missing.

    :raises ricordi.errors.WrongType: it is neither None nor an integer.
    :raises ricordi.errors.WrongValue: it is not positive.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(f'{name} is a positive integer or None, got {value!r}')
    if value <= 0:
        raise WrongValue(f'{name} must be a positive integer, not {value!r}')
