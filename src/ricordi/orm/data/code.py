"""Nodes that stand for an executable: installed on a computer, kept as files in the node, or in a container."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any

from ricordi.errors import ValidationError, WrongType, WrongValue
from ricordi.orm.data.code_old_names import OldCodeNames, warn_old
from ricordi.orm.data.code_settings import CodeSettings

if TYPE_CHECKING:
    from ricordi.orm.computers import Computer


class AbstractCode(CodeSettings, node_type='data.core.code.abstract.AbstractCode.'):
    """Base of all codes: what they have in common."""

    @property
    def full_label(self) -> str:
        """The label by which `load_code` finds this: `label@computer`, or the label alone if there is no computer."""
        computer = self.computer
        return f'{self.label}@{computer.label}' if computer else self.label

    def can_run_on_computer(self, computer: Computer) -> bool:
        """Whether this can be run on a computer."""
        own = self.row.computer_pk
        return own is None or own == computer.pk

    def get_executable(self) -> PurePath:
        """The path of the executable, as a job script calls it."""
        return self.filepath_executable

    @property
    def filepath_executable(self) -> PurePath:
        """The path of the executable."""
        return PurePosixPath(self.base.attributes.get('filepath_executable'))

    @filepath_executable.setter
    def filepath_executable(self, value: str | PurePath) -> None:
        self._set_executable(str(value))

    def _set_executable(self, path: str) -> None:
        self.base.attributes.set('filepath_executable', path)

    def get_executable_cmdline_params(self, cmdline_params: list[str] | None = None) -> list[str]:
        """The executable, then its arguments."""
        return [str(self.get_executable()), *(cmdline_params or [])]

    def get_prepend_cmdline_params(
        self, mpi_args: list[str] | None = None, extra_mpirun_params: list[str] | None = None
    ) -> list[str]:
        """What comes before the executable on the command line."""
        return [*(mpi_args or []), *(extra_mpirun_params or [])]

    def get_description(self) -> str:
        """The full label."""
        return self.full_label

    def __str__(self) -> str:
        computer = self.computer
        where = f'Remote code {self.label!r} on {computer.label}' if computer else f'Local code {self.label!r}'
        return f'{where} pk: {self.pk}, uuid: {self.uuid}'


class Code(OldCodeNames, AbstractCode, node_type='data.core.code.Code.'):
    """A code as old versions of AiiDA kept it; for new ones use `InstalledCode` or `PortableCode`.

    All codes are instances of this class, too, so that `isinstance` and queries for it find them.
    """

    def __init__(
        self,
        remote_computer_exec: tuple[Computer, str] | None = None,
        local_executable: str | None = None,
        input_plugin_name: str | None = None,
        files: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        :param remote_computer_exec: the computer and the absolute path of the executable on it.
        :param local_executable: name of the executable among `files`, which are kept in the node.
        :param kwargs: as of `AbstractCode`.
        """
        super().__init__(**kwargs)
        if type(self) is Code:
            warn_old('Code', '`InstalledCode` or `PortableCode`, and `AbstractCode` to compare types')
        if remote_computer_exec and local_executable:
            raise WrongValue('remote_computer_exec and local_executable contradict each other: give one')
        if remote_computer_exec:
            self.set_remote_computer_exec(remote_computer_exec)
        if local_executable:
            self.set_local_executable(local_executable)
        if input_plugin_name:
            self.set_input_plugin_name(input_plugin_name)
        if files:
            self.set_files(files)

    def get_executable(self) -> PurePath:
        """The path of the executable, as a job script calls it."""
        attributes = self.base.attributes
        if 'filepath_executable' in attributes:
            return self.filepath_executable
        return PurePosixPath(attributes.get('local_executable' if self._is_local() else 'remote_exec_path', ''))

    def _validate(self) -> None:
        super()._validate()
        if type(self) is Code:
            self._validate_old()


class InstalledCode(Code, node_type='data.core.code.installed.InstalledCode.'):
    """An executable that is installed on a computer."""

    def __init__(self, computer: Computer | str, filepath_executable: str, **kwargs: Any) -> None:
        """
        :param computer: the computer, or its label.
        :param filepath_executable: absolute path on that computer.
        :param kwargs: as of `AbstractCode`: `default_calc_job_plugin`, `prepend_text`, …, and of `Node`: `label`, …
        """
        if isinstance(computer, str):
            from ricordi.orm.loaders import load_computer

            computer = load_computer(computer, backend=kwargs.get('backend'))
        if not isinstance(filepath_executable, str | PurePath):
            raise WrongType(f'filepath_executable is a path, got {filepath_executable!r}')
        super().__init__(computer=computer, **kwargs)
        self.filepath_executable = PurePosixPath(filepath_executable)

    def _validate(self) -> None:
        super()._validate()
        if self.row.computer_pk is None:
            raise ValidationError(f'{self!r} is bound to no computer: set node.computer')
        if 'filepath_executable' not in self.base.attributes:
            raise ValidationError(f'{self!r} has no filepath_executable')


class PortableCode(Code, node_type='data.core.code.portable.PortableCode.'):
    """An executable that is kept in the node, and copied to where it runs."""

    def __init__(
        self, filepath_executable: str | PurePath, filepath_files: str | Path | None = None, **kwargs: Any
    ) -> None:
        """
        :param filepath_executable: path of the executable, relative to the folder of files.
        :param filepath_files: the folder of files to keep; they can also be put into `base.repository`.
        """
        super().__init__(**kwargs)
        self.filepath_executable = PurePosixPath(filepath_executable)
        if filepath_files is not None:
            folder = Path(filepath_files)
            if not folder.is_dir():
                raise ValidationError(f'{folder} is not a folder')
            self.base.repository.put_object_from_tree(folder.absolute())

    @property
    def full_label(self) -> str:
        """The label."""
        return self.label

    def _set_executable(self, path: str) -> None:
        if PurePosixPath(path).is_absolute():
            raise ValidationError(f'filepath_executable is relative to the files of the code, got {path!r}')
        super()._set_executable(path)

    def can_run_on_computer(self, computer: Computer) -> bool:
        """Always: the files go along."""
        return True

    def get_executable_cmdline_params(self, cmdline_params: list[str] | None = None) -> list[str]:
        """The executable, with `./` if it is at the top, then its arguments."""
        executable = self.get_executable()
        name = f'./{executable}' if len(executable.parts) == 1 else str(executable)
        return [name, *(cmdline_params or [])]

    def _validate(self) -> None:
        super()._validate()
        path = self.filepath_executable
        if not self.base.repository.has_object(path) or self.base.repository.get_object(path).is_dir():
            raise ValidationError(f'the executable {str(path)!r} is not among the files of {self!r}')


class ContainerizedCode(InstalledCode, node_type='data.core.code.containerized.ContainerizedCode.'):
    """An executable in a container, run by a command such as Docker or Singularity."""

    def __init__(self, engine_command: str | None = None, image_name: str | None = None, **kwargs: Any) -> None:
        """
        :param engine_command: the command that runs the container, with `{image_name}` in it.
        :param image_name: the container image.
        :param kwargs: as of `InstalledCode`.
        """
        if engine_command is None or image_name is None:
            raise ValidationError('engine_command and image_name must be given')
        super().__init__(**kwargs)
        self.engine_command = engine_command
        self.image_name = image_name

    @property
    def engine_command(self) -> str:
        """The command that runs the container, with `{image_name}` in it."""
        return str(self.base.attributes.get('engine_command'))

    @engine_command.setter
    def engine_command(self, value: str) -> None:
        if '{image_name}' not in value:
            raise ValidationError(f'{{image_name}} must occur in engine_command, got {value!r}')
        self.base.attributes.set('engine_command', value)

    @property
    def image_name(self) -> str:
        """The container image."""
        return str(self.base.attributes.get('image_name'))

    @image_name.setter
    def image_name(self, value: str) -> None:
        self.base.attributes.set('image_name', value)

    def get_prepend_cmdline_params(
        self, mpi_args: list[str] | None = None, extra_mpirun_params: list[str] | None = None
    ) -> list[str]:
        """What comes before the executable on the command line: MPI, then the container."""
        engine = self.engine_command.format(image_name=self.image_name).split()
        return [*super().get_prepend_cmdline_params(mpi_args, extra_mpirun_params), *engine]
