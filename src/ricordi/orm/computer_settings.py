"""The settings of a computer, kept in its metadata under the names that AiiDA uses."""

from __future__ import annotations

from typing import Any

from ricordi.model.computers import MPIRUN_COMMAND, OLDEST_WORKDIR, SHEBANG, check_positive, check_shebang


class ComputerSettings:
    """Getters and setters of the known settings; what they store is plain metadata."""

    PROPERTY_MINIMUM_SCHEDULER_POLL_INTERVAL = 'minimum_scheduler_poll_interval'
    PROPERTY_MINIMUM_SCHEDULER_POLL_INTERVAL__DEFAULT = 10.0
    PROPERTY_WORKDIR = 'workdir'
    PROPERTY_SHEBANG = 'shebang'

    def get_property(self, name: str, *default: Any) -> Any:
        """A setting, or the default if one is given."""
        raise NotImplementedError

    def set_property(self, name: str, value: Any) -> None:
        """Set a setting."""
        raise NotImplementedError

    def delete_property(self, name: str, raise_exception: bool = True) -> None:
        """Remove a setting."""
        raise NotImplementedError

    def get_workdir(self) -> str:
        """Folder in which calculations run; may hold `{username}`."""
        return str(self.get_property(self.PROPERTY_WORKDIR, OLDEST_WORKDIR))

    def set_workdir(self, val: str) -> None:
        """Set the folder in which calculations run."""
        self.set_property(self.PROPERTY_WORKDIR, val)

    def get_shebang(self) -> str:
        """First line of job scripts."""
        return str(self.get_property(self.PROPERTY_SHEBANG, SHEBANG))

    def set_shebang(self, val: str) -> None:
        """Set the first line of job scripts.

        :raises ValueError: it does not start with `#!`.
        """
        check_shebang(val)
        self.set_property(self.PROPERTY_SHEBANG, val)

    def get_prepend_text(self) -> str:
        """Lines of the job script before the run."""
        return str(self.get_property('prepend_text', ''))

    def set_prepend_text(self, val: str) -> None:
        """Set the lines of the job script before the run."""
        self.set_property('prepend_text', str(val))

    def get_append_text(self) -> str:
        """Lines of the job script after the run."""
        return str(self.get_property('append_text', ''))

    def set_append_text(self, val: str) -> None:
        """Set the lines of the job script after the run."""
        self.set_property('append_text', str(val))

    def get_use_double_quotes(self) -> bool:
        """Whether command lines are quoted with double quotes."""
        return bool(self.get_property('use_double_quotes', False))

    def set_use_double_quotes(self, val: bool) -> None:
        """Set whether command lines are quoted with double quotes."""
        if not isinstance(val, bool):
            raise TypeError(f'use_double_quotes is True or False, got {val!r}')
        self.set_property('use_double_quotes', val)

    def get_mpirun_command(self) -> list[str]:
        """The command that starts MPI programs, as words."""
        return list(self.get_property('mpirun_command', MPIRUN_COMMAND))

    def set_mpirun_command(self, val: list[str] | tuple[str, ...]) -> None:
        """Set the command that starts MPI programs, as words."""
        if not isinstance(val, list | tuple) or not all(isinstance(word, str) for word in val):
            raise TypeError(f'mpirun_command is a list of strings, got {val!r}')
        self.set_property('mpirun_command', list(val))

    def get_default_mpiprocs_per_machine(self) -> int | None:
        """How many processes a machine of this computer runs, unless a calculation says otherwise."""
        value: int | None = self.get_property('default_mpiprocs_per_machine', None)
        return value

    def set_default_mpiprocs_per_machine(self, def_cpus_per_machine: int | None) -> None:
        """Set how many processes a machine runs; None removes the setting."""
        self._set_positive('default_mpiprocs_per_machine', def_cpus_per_machine)

    def get_default_memory_per_machine(self) -> int | None:
        """Memory in kB of a machine of this computer, unless a calculation says otherwise."""
        value: int | None = self.get_property('default_memory_per_machine', None)
        return value

    def set_default_memory_per_machine(self, def_memory_per_machine: int | None) -> None:
        """Set the memory of a machine in kB; None removes the setting."""
        self._set_positive('default_memory_per_machine', def_memory_per_machine)

    def get_minimum_job_poll_interval(self) -> float:
        """Seconds between two questions to the scheduler, at least."""
        default = self.PROPERTY_MINIMUM_SCHEDULER_POLL_INTERVAL__DEFAULT
        return float(self.get_property(self.PROPERTY_MINIMUM_SCHEDULER_POLL_INTERVAL, default))

    def set_minimum_job_poll_interval(self, interval: float) -> None:
        """Set the seconds between two questions to the scheduler."""
        self.set_property(self.PROPERTY_MINIMUM_SCHEDULER_POLL_INTERVAL, interval)

    @classmethod
    def default_memory_per_machine_validator(cls, def_memory_per_machine: int | None) -> None:
        """Check a memory in kB.

        :raises ricordi.errors.ValidationError: it is neither None nor a positive integer.
        """
        check_positive('default_memory_per_machine', def_memory_per_machine)

    def _set_positive(self, name: str, value: int | None) -> None:
        check_positive(name, value)
        if value is None:
            self.delete_property(name, raise_exception=False)
        else:
            self.set_property(name, value)
